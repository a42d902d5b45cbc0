import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { cursorAt } from '../../nodes/client/paging/cursors.js';
import { RunningExample } from '../../tools/example.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { parseCsv } from '../support/csv.js';
import { useSandbox } from '../support/sandbox.js';

const COLUMNS = ['id', 'title', 'status', 'part.partNumber', '_created', 'endTime'];
const HEADER = `${COLUMNS.join(',')}\r\n`;
const AWKWARD = [
  'Bracket, left',
  'Panel "A"',
  '"',
  'two\nlines',
  'two\r\nlines, "quoted"',
  'a return\rin the middle',
  'Gehäuse für Prüfstand, groß',
  '検査 №1 😀',
  ' spaces around ',
  '12,5',
  '007',
  'null',
  "O'Neill; tab\tbehind",
];

/** The first moments of last month and of this one, in UTC. */
function lastMonth(): { from: number; to: number; name: string } {
  const now = new Date();
  const begin = (months: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months);
  const name = new Date(begin(1)).toISOString().slice(0, 7);
  return { from: begin(1), to: begin(0), name };
}

describe('example 07, the runs of a month to CSV', () => {
  const ion = useSandbox({ runs: 260 });
  const folder = useTemporaryFolder();
  let example: RunningExample;
  let file: string;
  const { from, to, name } = lastMonth();

  /** Before, in and after the month, to its first and last moments. */
  const createRunsAt = (time: (id: number) => number) => {
    const { runs } = ion.sandbox.data;
    for (const { id } of runs.all()) {
      runs.update(id, { _created: new Date(time(id)).toISOString() as never });
    }
  };

  /** The sandbox's runs of the month, found without a filter. */
  const runsOfMonth = async (): Promise<string[][]> => {
    const operation = parseOperation(
      '{ runs(sort: [ID_ASC]) { edges { node { id title status part { partNumber } _created endTime } } } }',
    );
    const { data } = await ion.client().request(operation, {
      signal: new AbortController().signal,
    });
    const { edges } = data.runs as { edges: { node: Record<string, unknown> }[] };
    return edges
      .map(({ node }) => node)
      .filter(({ _created }) => Date.parse(String(_created)) >= from)
      .filter(({ _created }) => Date.parse(String(_created)) < to)
      .map(({ id, title, status, part, _created, endTime }) => {
        const { partNumber } = (part ?? {}) as { partNumber?: string };
        return [id, title, status, partNumber, _created, endTime].map((value) => `${value ?? ''}`);
      });
  };

  const messages = (id: string) =>
    example.nodeRed.events
      .filter(({ topic, data }) => topic === 'debug' && data.id === example.prefix + id)
      .map(({ data }) => String(data.msg));

  /** Presses the button, and waits for the result. */
  const exportRuns = async (outcome: 'debug' | 'errors'): Promise<string> => {
    const before = messages(outcome).length;
    await example.inject('inject');
    await example.nodeRed.until(() => messages(outcome).length > before);
    return String(messages(outcome).at(-1));
  };

  before(async () => {
    file = join(folder.path, 'exports', 'runs.csv');
    example = await RunningExample.start('07-runs-of-a-month-to-csv.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
      env: { ION_CSV_FILE: file },
    });
    const { runs } = ion.sandbox.data;
    for (const [index, title] of AWKWARD.entries()) runs.update(20 * index + 1, { title });
    createRunsAt((id) => {
      if (id <= 3) return from - id;
      if (id > 250) return to + (id - 251);
      return id <= 6 ? from + (id - 4) : to - (id - 6);
    });
  });
  after(() => example?.stop());

  it('writes them all, page by page, with any characters in their titles', async () => {
    const told = await exportRuns('debug');
    const rows = parseCsv(await readFile(file, 'utf8'));
    assert.deepEqual(rows[0], COLUMNS);
    const expected = await runsOfMonth();
    assert.equal(expected.length, 247);
    assert.ok(AWKWARD.slice(1, -1).every((title) => expected.some((run) => run[1] === title)));
    assert.deepEqual(rows.slice(1), expected);
    assert.equal(told, `247 runs of ${name} in ${file}`);
    assert.deepEqual(await readdir(join(file, '..')), ['runs.csv']);
  });

  it('replaces the file the next time', async () => {
    ion.sandbox.data.runs.update(100, { title: 'Renamed since' });
    await exportRuns('debug');
    const rows = parseCsv(await readFile(file, 'utf8'));
    assert.equal(rows.length, 248);
    assert.ok(rows.some(([id, title]) => id === '100' && title === 'Renamed since'));
  });

  it('writes two concurrent exports into separate files', async () => {
    const before = messages('debug').length;
    await Promise.all([example.inject('inject'), example.inject('inject')]);
    await example.nodeRed.until(() => messages('debug').length === before + 2);
    const told = `247 runs of ${name} in ${file}`;
    assert.deepEqual(messages('debug').slice(before), [told, told]);
    assert.deepEqual(parseCsv(await readFile(file, 'utf8')).slice(1), await runsOfMonth());
  });

  it('leaves the file unchanged when the export fails halfway, and says so', async () => {
    const whole = await readFile(file, 'utf8');
    const told = messages('debug').length;
    const match = String(cursorAt(199));
    ion.sandbox.control.fault({ target: 'api', kind: 'status', status: 500, times: 4, match });
    assert.match(await exportRuns('errors'), /ION_SERVER/);
    assert.equal(await readFile(file, 'utf8'), whole);
    const [left, ...others] = (await readdir(join(file, '..'))).filter((each) =>
      each.endsWith('.part'),
    );
    assert.ok(left && others.length === 0);
    // The next export must not continue the rest of this one.
    await exportRuns('debug');
    const partly = parseCsv(await readFile(join(file, '..', left), 'utf8'));
    assert.deepEqual(partly, parseCsv(whole).slice(0, 201));
    assert.equal(messages('debug').length, told + 1);
  });

  it('writes only the header line for a month without runs', async () => {
    createRunsAt(() => to);
    assert.equal(await exportRuns('debug'), `0 runs of ${name} in ${file}`);
    assert.equal(await readFile(file, 'utf8'), HEADER);
  });

  it('keeps no state of a finished export', async () => {
    const url = `${example.nodeRed.url}/context/flow/ion-example-7/written`;
    const { msg } = (await (await fetch(url)).json()) as { msg: string };
    assert.equal(msg, '{}');
  });
});
