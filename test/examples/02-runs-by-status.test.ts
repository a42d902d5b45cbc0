import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { RunningExample } from '../../tools/example.js';
import { chromium, findTool } from '../../tools/find-tool.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { usePalettes } from '../../tools/palettes.js';
import { openPage } from '../support/browser.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

interface Run {
  id: number;
  title: string;
  status: string;
  percentComplete: number;
  dueDate: string;
  part: { partNumber: string };
  steps: { id: number; _etag: string }[];
}

/** A point of the chart, as the page received it. */
interface Point {
  _datapoint: { category: string; x: number; y: number };
}

/** The parts of the page's app that the test uses. */
type App = Element & {
  __vue_app__: {
    config: {
      globalProperties: { $store: { state: { data: { messages: Record<string, Point[]> } } } };
    };
  };
};

/** In the order on the page. */
const STATUSES = [
  'TODO',
  'IN_PROGRESS',
  'HOLD',
  'FAILED',
  'REDLINE',
  'COMPLETE',
  'PARTIAL_COMPLETE',
  'CANCELED',
];
const ROWS = 10;
const LIMIT = 200;
const COMPLETE_COLOR = [0x30, 0xa4, 0x6c];

const inWords = (status: string) =>
  status.charAt(0) + status.slice(1).toLowerCase().replace('_', ' ');

/** Waits for a value, and reports the actual one before mocha's time is over. */
async function becomes<T>(read: () => Promise<T>, expected: T): Promise<void> {
  const end = Date.now() + 20_000;
  let value: T | undefined;
  await until(async () => {
    value = await read();
    return isDeepStrictEqual(value, expected) || Date.now() > end;
  });
  assert.deepEqual(value, expected);
}

describe('example 02, runs by status on a dashboard page', () => {
  usePalettes();
  // More than the table reads, so that only ION can find the oldest ones.
  const ion = useSandbox({ runs: 260 });
  const folder = useTemporaryFolder();
  let example: RunningExample;
  let chromiumPath: string;
  let page: Page;

  before(async function () {
    chromiumPath = findTool(this, chromium);
    example = await RunningExample.start('dashboard/02-runs-by-status.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
      palettes: ['@flowfuse/node-red-dashboard'],
    });
    page = await visit();
  });
  after(async () => {
    await page?.close();
    await example?.stop();
  });

  const widget = (name: string) => `#nrdb-ui-widget-${example.prefix}${name}`;

  const visit = async (): Promise<Page> => {
    const visitor = await openPage(chromiumPath, { locale: 'en-US', timezoneId: 'UTC' });
    await visitor.goto(`${example.nodeRed.url}/dashboard/runs`);
    return visitor;
  };

  const ask = async (query: string, variables = {}) => {
    const signal = new AbortController().signal;
    return (await ion.client().request(parseOperation(query), { signal, variables })).data;
  };

  /** All runs of the sandbox, the newest first. */
  const runs = async (): Promise<Run[]> => {
    const data = await ask(`{ runs(sort: _CREATED_DESC) { edges { node {
      id title status percentComplete dueDate part { partNumber } steps { id _etag }
    } } } }`);
    return (data.runs as { edges: { node: Run }[] }).edges.map(({ node }) => node);
  };

  const counts = (all: Run[]): [string, number][] =>
    STATUSES.map((status) => [inWords(status), all.filter((run) => run.status === status).length]);

  const cells = (table: string, visitor: Page): Promise<string[][]> =>
    visitor
      .locator(`${widget(table)} tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim())),
      );

  const shows = (table: string, expected: string[][], visitor = page): Promise<void> =>
    becomes(() => cells(table, visitor), expected);

  const showsCounts = async () =>
    shows(
      'counts',
      counts(await runs()).map(([status, count]) => [status, String(count)]),
    );

  /** The first page of the table, and its number of runs. */
  const showsRuns = async (expected: Run[], visitor = page): Promise<void> => {
    const rows = expected.slice(0, ROWS).map((run) => {
      const due = new Date(run.dueDate).toLocaleDateString('en-US', { timeZone: 'UTC' });
      return [run.title, run.part.partNumber, inWords(run.status), '', due];
    });
    await shows('table', rows, visitor);
    const footer = visitor.locator('.v-data-table-footer__info');
    await becomes(() => footer.textContent(), `1-${rows.length} of ${expected.length}`);
  };

  const showsNothing = async () => {
    await page.waitForSelector(`${widget('table')} >> text="No data available"`);
  };

  /** Values of the chart per line. */
  const lines = (): Promise<Record<string, number[]>> =>
    page.evaluate((id) => {
      const { $store } = (document.querySelector('#app') as App).__vue_app__.config
        .globalProperties;
      const lines: Record<string, number[]> = {};
      for (const { _datapoint } of $store.state.data.messages[id] ?? []) {
        lines[_datapoint.category] = [...(lines[_datapoint.category] ?? []), _datapoint.y];
      }
      return lines;
    }, `${example.prefix}chart`);

  /** Number of pixels in the chart with the color of the line of completed runs. */
  const drawn = (): Promise<number> =>
    page.evaluate(
      ([selector, color]) => {
        const canvas = document.querySelector<HTMLCanvasElement>(selector);
        const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; pixels && i < pixels.data.length; i += 4) {
          if (color.every((part, k) => pixels.data[i + k] === part)) count++;
        }
        return count;
      },
      [`${widget('chart')} canvas`, COMPLETE_COLOR] as const,
    );

  const choose = async (label: string): Promise<void> => {
    await page.click(`${widget('status')} .v-field`);
    await page.click(`.v-overlay .v-list-item >> text="${label}"`);
    await page.keyboard.press('Escape');
  };

  it('shows the newest runs, and the number of each status', async () => {
    const all = await runs();
    await showsCounts();
    await showsRuns(all.slice(0, LIMIT));
    const done = page.locator(`${widget('table')} td [role=progressbar]`);
    const percent = await done.evaluateAll((bars) =>
      bars.map((bar) => Number(bar.getAttribute('aria-valuenow'))),
    );
    assert.deepEqual(
      percent,
      all.slice(0, ROWS).map(({ percentComplete }) => percentComplete),
    );
  });

  it('shows the runs that somebody filters, to all visitors of the page', async () => {
    const all = await runs();
    await choose('Hold');
    await showsRuns(all.filter(({ status }) => status === 'HOLD'));
    await choose('Failed');
    const wanted = all.filter(({ status }) => ['HOLD', 'FAILED'].includes(status));
    await showsRuns(wanted);

    // Older than the runs that the table reads without a filter.
    const oldest = wanted.filter(({ id }) => id < 10);
    assert.equal(oldest.length, 2);
    await page.fill(`${widget('text')} input`, '000');
    await showsRuns(oldest);
    await page.fill(`${widget('text')} input`, 'ex-1005');
    const ofPart = wanted.filter(({ part }) => part.partNumber === 'EX-1005');
    assert.ok(ofPart.length > 0);
    await showsRuns(ofPart);
    await showsCounts();

    const other = await visit();
    await showsRuns(ofPart, other);
    await becomes(() => other.inputValue(`${widget('text')} input`), 'ex-1005');
    const chips = other.locator(`${widget('status')} .v-chip`);
    await becomes(() => chips.allInnerTexts(), ['Hold', 'Failed']);

    await page.fill(`${widget('text')} input`, 'no run is called so');
    await showsNothing();
    await page.fill(`${widget('text')} input`, '');
    await page.click(`${widget('status')} .v-field__clearable i`);
    await showsRuns(all.slice(0, LIMIT));
    await showsRuns(all.slice(0, LIMIT), other);
    await other.close();
  });

  it('follows changes in ION, and keeps them in the chart', async () => {
    const before = await runs();
    const run = before.slice(0, ROWS).find(({ status }) => status === 'TODO');
    const step = run?.steps[0];
    assert.ok(step);
    const input = { id: step.id, etag: step._etag, status: 'IN_PROGRESS' };
    await ask(
      'mutation ($input: UpdateRunStepInput!) { updateRunStep(input: $input) { runStep { id } } }',
      { input },
    );
    const after = await runs();
    assert.notDeepEqual(counts(after), counts(before));

    await example.inject('inject');
    await showsCounts();
    await showsRuns(after.slice(0, LIMIT));
    const ends = async () =>
      Object.entries(await lines()).map(([status, line]) => [status, line[0], line.at(-1)]);
    const now = new Map(counts(after));
    await becomes(
      ends,
      counts(before).map(([status, count]) => [status, count, now.get(status)]),
    );
    // A line over the whole width, more than its mark in the legend.
    await becomes(async () => (await drawn()) > 500, true);
  });
});
