import type { Locator, Page } from 'playwright-core';
import { chromium, findTool } from '../../tools/find-tool.js';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { openEditorPage } from './browser.js';

/** jQuery, inside the page. */
declare const $: (selector: string) => ArrayLike<Element>;
/** The global of Node-RED's editor, as far as the tests use it inside the page. */
declare const RED: {
  editor: {
    edit(node: object): void;
    editConfig(name: string, type: string, id: string): void;
  };
  nodes: {
    node(id: string): Record<string, unknown>;
    filterNodes(filter: { type: string }): object[];
    convertNode(node: object): Record<string, unknown>;
    createCompleteNodeSet(): FlowNode[];
  };
  view: { select(selection: object): void };
};

interface EditorOptions {
  /** `en-US` by default. */
  locale?: string;
}

/** Node-RED's editor in a real browser. */
export class Editor {
  readonly page: Page;
  /** Errors of the page. */
  readonly errors: string[] = [];

  /** In a test, which is skipped if there is no browser. */
  static open(test: Mocha.Context, url: string, options?: EditorOptions): Promise<Editor> {
    return Editor.launch(findTool(test, chromium), url, options);
  }

  static async launch(
    executablePath: string,
    url: string,
    { locale = 'en-US' }: EditorOptions = {},
  ): Promise<Editor> {
    const page = await openEditorPage(executablePath, new URL(url).origin);
    // As stored in the user settings.
    await page.addInitScript((locale) => localStorage.setItem('editor-language', locale), locale);
    const editor = new Editor(page);
    page.on('pageerror', (error) => {
      const stack = String(error.stack);
      if (!isEditorsOwn(stack)) editor.errors.push(stack);
    });
    await page.goto(url);
    await page.waitForSelector('.red-ui-palette-node');
    await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
    return editor;
  }

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the dialog of a node. */
  async edit(id: string): Promise<void> {
    await this.page.evaluate((id) => RED.editor.edit(RED.nodes.node(id)), id);
    await this.#trayIsOpen('#node-dialog-ok');
  }

  /** Opens the dialog of a config node. */
  async editConfig(type: string, id: string): Promise<void> {
    await this.page.evaluate(([type, id]) => RED.editor.editConfig('', type, id), [
      type,
      id,
    ] as const);
    await this.configIsOpen();
  }

  /** Waits for the dialog of a config node, with its form built and filled. */
  async configIsOpen(): Promise<void> {
    await this.#trayIsOpen('#node-config-dialog-ok');
  }

  async done(): Promise<void> {
    await this.#leave('#node-dialog-ok');
  }

  async doneConfig(): Promise<void> {
    await this.#leave('#node-config-dialog-ok');
  }

  async cancel(): Promise<void> {
    await this.#leave('#node-dialog-cancel');
  }

  /** Closes the dialog of a config node without a change. */
  async cancelConfig(): Promise<void> {
    await this.#leave('#node-config-dialog-cancel');
  }

  /** Opens a menu of a typed input. */
  async openMenu(trigger: Locator): Promise<Locator> {
    await trigger.click();
    const menu = this.page.locator('.red-ui-typedInput-options:visible');
    await menu.waitFor();
    // A menu that loses the focus before its animation ends is shown again.
    await this.untilNothingSlides();
    return menu;
  }

  /** A click during the animation may miss its target or hit another one. */
  async untilNothingSlides(): Promise<void> {
    await this.page.waitForFunction(() => $(':animated').length === 0);
  }

  /** Drags a node out of the palette to a position of the canvas, in px. */
  async dragFromPalette(type: string, x: number, y: number): Promise<void> {
    const source = this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
    await source.scrollIntoViewIfNeeded();
    // The description of the node may cover the position; a drag does not mind.
    await source.dragTo(this.page.locator('#red-ui-workspace-chart'), {
      targetPosition: { x, y },
      force: true,
    });
  }

  /** A property of a node in the editor. */
  property(id: string, name: string): Promise<unknown> {
    return this.page.evaluate(([id, name]) => RED.nodes.node(id)[name], [id, name] as const);
  }

  /** The nodes of a type in their export format. */
  nodesOfType(type: string): Promise<Record<string, unknown>[]> {
    return this.page.evaluate(
      (type) => RED.nodes.filterNodes({ type }).map((node) => RED.nodes.convertNode(node)),
      type,
    );
  }

  /** All nodes that it would deploy, by ID. */
  async completeFlow(): Promise<Map<string, FlowNode>> {
    const nodes = await this.page.evaluate(() => RED.nodes.createCompleteNodeSet());
    return new Map(nodes.map((node) => [node.id, node]));
  }

  async deploy(): Promise<void> {
    const deployed = this.page.waitForResponse(
      (response) => response.url().endsWith('/flows') && response.request().method() === 'POST',
    );
    await this.page.click('#red-ui-header-button-deploy');
    await deployed;
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  async #trayIsOpen(button: string): Promise<void> {
    await this.page.waitForSelector(button);
    // The tray slides in; a click during the animation misses its target.
    await this.page.waitForFunction((selector) => {
      const tray = document.querySelector(selector)?.closest('.red-ui-tray');
      return (
        tray &&
        tray.getAnimations({ subtree: false }).length === 0 &&
        getComputedStyle(tray).right === '0px'
      );
    }, button);
  }

  async #leave(button: string): Promise<void> {
    await this.page.click(button);
    await this.page.waitForSelector(button, { state: 'detached' });
  }
}

/** Errors of Node-RED's editor itself, without code of this package on the stack. */
function isEditorsOwn(stack: string): boolean {
  const frames = stack.split('\n').filter((line) => line.trim().startsWith('at '));
  const areIn = (...folders: string[]) =>
    frames.every((frame) => folders.some((folder) => frame.includes(folder)));
  // The code editor complains about texts that Node-RED changes or removes.
  if (areIn('/vendor/monaco/')) return true;
  // A slow page shows its first tip before the sidebar has a place for tips.
  if (stack.includes("reading 'html'") && areIn('/red/red.min.js')) return true;
  // A long tree is filled in steps, also after its dialog has been closed.
  const isTree = stack.includes(
    "editableList prior to initialization; attempted to call method 'addItem'",
  );
  return isTree && areIn('/vendor/', '/red/');
}
