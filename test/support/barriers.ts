import type { Result, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

/** The globals of the page: the checker, and the editors. */
declare const axe: {
  run(context: object, options: RunOptions): Promise<{ violations: Result[] }>;
};
declare const RED: { settings: { version: string } };
declare const monaco: { editor: { setTheme(name: string): void } };

/** Loads the checker into a page of the editor, in a theme: Node-RED 4 has no dark one. */
export async function prepareBarriers(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.evaluate((isDark) => {
    if (!isDark || RED.settings.version.startsWith('4.')) return;
    document.documentElement.classList.add('nr-theme-dark');
    monaco.editor.setTheme('vs-dark');
  }, theme === 'dark');
  await page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
}

/**
 * A line for each element with a barrier.
 * @param part a selector; the open dialog of the editor by default
 */
export async function barriers(
  page: Page,
  part = '.red-ui-tray .red-ui-tray-body form',
): Promise<string[]> {
  const { violations } = await page.evaluate(
    (include) =>
      axe.run(
        { include: [include], exclude: ['[id^=red-ui-trap]'] },
        { resultTypes: ['violations'] },
      ),
    part,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, target }) => `${id}: ${target.join(' ')} ${html.slice(0, 160)}`),
  );
}
