import { closeBrowsers } from '../test/support/browser.js';
import { Editor } from '../test/support/editor.js';
import { chromium } from '../tools/find-tool.js';
import { messages } from './flows.js';
import { type BenchNodeRed, measure } from './processes.js';
import type { Report } from './report.js';

const SECONDS = 10;
/** More than a plant sends. */
const LEAST_PER_SECOND = 10_000;
/** Share of its time that the page works at most. */
const MAX_BUSY = 0.05;

/** Node-RED's editor, inside the page. */
declare const RED: { sidebar: { show(name: string): void } };

/** Time that the page of the editor works while all cards of the sidebar change once a second. */
export async function measureSidebarEditor(
  report: Report,
  nodeRed: BenchNodeRed,
  cards: number,
): Promise<void> {
  const editor = await Editor.launch(String(chromium.commands[0]), nodeRed.url);
  try {
    const { page } = editor;
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('Performance.enable');
    const busySeconds = async () => {
      const { metrics } = await devTools.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
    };
    const whileLoaded = async () => {
      const before = await busySeconds();
      const message = messages['ion-graphql'];
      const options = { inFlight: 50, seconds: SECONDS, message };
      const { answered, seconds } = await measure(nodeRed, 'ion-graphql', options);
      return { busy: (await busySeconds()) - before, perSecond: answered / seconds };
    };
    const closed = await whileLoaded();
    await page.evaluate(() => RED.sidebar.show('ion'));
    await page.waitForFunction(
      (count) => document.querySelectorAll('#ion-sidebar .ion-card').length === count,
      cards,
    );
    await page.evaluate(() => {
      const closed = '.ion-card-title[aria-expanded=false]';
      for (const title of document.querySelectorAll<HTMLElement>(closed)) title.click();
    });
    const open = await whileLoaded();
    const shown = (seconds: number) => `${((100 * seconds) / SECONDS).toFixed(1)} %`;
    report.check(
      open.busy - closed.busy <= MAX_BUSY * SECONDS && open.perSecond >= LEAST_PER_SECOND,
      `the page of the editor works ${shown(open.busy)} of the time with ${cards} open cards, ${shown(closed.busy)} without them (at most ${100 * MAX_BUSY} % more), at ${open.perSecond.toFixed(0)} messages a second (at least ${LEAST_PER_SECOND.toLocaleString('en-US')})`,
    );
  } finally {
    await editor.close();
    await closeBrowsers();
  }
}
