import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { RunningExample } from '../../tools/example.js';
import { openPage } from './browser.js';
import { until } from './until.js';

/** Time for a change of the page, in ms: a look-up without ION is tried again first. */
const CHANGE_TIMEOUT_MS = 60_000;

/** The page of example 13 in a browser. */
export class StationPage {
  readonly page: Page;
  readonly #prefix: string;

  static async open(
    executablePath: string,
    { nodeRed, prefix }: RunningExample,
    options: BrowserContextOptions,
  ): Promise<StationPage> {
    const page = await openPage(executablePath, { locale: 'en-US', ...options });
    await page.goto(`${nodeRed.url}/dashboard/station`);
    const station = new StationPage(page, prefix);
    // A message for a page that is still loading can be lost.
    await station.says(/./);
    return station;
  }

  private constructor(page: Page, prefix: string) {
    this.page = page;
    this.#prefix = prefix;
  }

  /** @param name the ID of a node without the example's prefix */
  widget(name: string): string {
    return `#nrdb-ui-widget-${this.#prefix}${name}`;
  }

  isVisible(name: string): Promise<boolean> {
    return this.page.isVisible(this.widget(name));
  }

  /** The text of a widget; empty while it is hidden. */
  async textOf(name: string): Promise<string> {
    const value = this.page.locator(`${this.widget(name)} .nrdb-ui-text-value`);
    return (await value.allTextContents()).join('');
  }

  /** The texts of a table, row by row. */
  cells(table: string): Promise<string[][]> {
    return this.page
      .locator(`${this.widget(table)} tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim())),
      );
  }

  /** Waits for the message at the top of the page. */
  async says(text: RegExp): Promise<void> {
    const end = Date.now() + CHANGE_TIMEOUT_MS;
    let said = '';
    await until(async () => {
      said = await this.textOf('say');
      return text.test(said) || Date.now() > end;
    });
    assert.match(said, text);
  }

  /** Types a code as a scanner does that works as a keyboard. */
  async type(code: string): Promise<void> {
    await this.page.fill(`${this.widget('typed')} input`, code);
    await this.page.press(`${this.widget('typed')} input`, 'Enter');
  }

  /** The selector of the input of a field. */
  input(field: string): string {
    return `${this.widget('form')} [data-form="form-row-${field}"] input`;
  }

  async enter(field: string, value: string): Promise<void> {
    await this.page.fill(this.input(field), value);
  }

  /** Chooses an option of a field. */
  async choose(field: string, option: string): Promise<void> {
    await this.page.click(`${this.widget('form')} [data-form="form-row-${field}"] .v-field`);
    await this.page.click(`.v-overlay .v-list-item >> text="${option}"`);
  }

  async record(): Promise<void> {
    await this.page.click(`${this.widget('form')} [data-action="form-submit"]`);
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
