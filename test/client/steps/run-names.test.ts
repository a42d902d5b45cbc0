import assert from 'node:assert/strict';
import type { IonClient } from '../../../nodes/client/client.js';
import { fileOf } from '../../../nodes/client/steps/attachment-file.js';
import { RequestScope } from '../../../nodes/client/steps/request-scope.js';
import { MAX_NAME_AGE_MS } from '../../../nodes/client/steps/run-names.js';
import { RunSteps } from '../../../nodes/client/steps/run-steps.js';
import { StepWriter } from '../../../nodes/client/steps/step-writer.js';
import type { Reference, Target } from '../../../nodes/client/steps/target.js';
import { failure } from '../../support/errors.js';
import { useSandbox } from '../../support/sandbox.js';
import { fieldValue, makeRun, makeStep, renameRun, stepState } from '../../support/steps.js';

const { signal } = new AbortController();
const OPTIONS = { signal, onConflict: 'retry' } as const;
const FIELDS = [{ name: 'Torque', type: 'NUMBER' }];
const UMLAUTS = 'Prüfung Größe 4';
const LONG = `${'Langer Titel äöü '.repeat(235)}!`;
/** More than any ID of the sandbox, and than any ID that is a number in ION. */
const [NUMBER, LARGE_NUMBER] = ['700123', '4006381333931'];

describe('the run of a write', () => {
  const ion = useSandbox({ runs: 5 });
  let client: IonClient;
  let writer: StepWriter;
  let count = 0;
  beforeEach(() => {
    client = ion.client();
    writer = new StepWriter(client);
  });
  const requests = () => ion.sandbox.control.counters().api.total;
  /** A text that no other run of the sandbox has. */
  const unique = (text: string) => `${text} ${++count}`;
  /** A run with one step, `A`. */
  const runWith = async (title: string, serialNumber?: string) => {
    const run = await makeRun(client, title, serialNumber);
    const step = await makeStep(client, FIELDS, { run, title: 'A' });
    ion.sandbox.control.resetCounters();
    return step;
  };
  const write = (run: Reference, value: unknown = 5) =>
    writer.write({ run, step: 'A', field: 'Torque' }, value, OPTIONS);

  describe('is found', () => {
    type Given = { title: string; serial?: string; by: (id: number) => Reference };
    const rows: [what: string, given: () => Given, requests: number][] = [
      // The run with its steps, the step with its fields, the write.
      ['by its ID', () => ({ title: unique('One'), by: (id) => id }), 3],
      ['by its ID as text', () => ({ title: unique('One'), by: (id) => ` 00${id} ` }), 3],
      ['by its title', () => same(unique('Torque test')), 4],
      ['by the serial number of its unit', () => serial(unique('SN-')), 4],
      ['by a title of digits', () => same(`${NUMBER}1`), 5],
      ['by a serial number of digits', () => serial(`${NUMBER}2`), 5],
      ['by a serial number with zeros before it', () => serial(`00${NUMBER}3`), 5],
      ['by a serial number that is too large for an ID', () => serial(LARGE_NUMBER), 4],
      ['by a number', () => ({ ...serial(`${NUMBER}4`), by: () => Number(`${NUMBER}4`) }), 5],
      ['by a title with composed letters', () => forms(unique(UMLAUTS), 'NFC', 'NFC'), 4],
      ['by a title that ION decomposes', () => forms(unique(UMLAUTS), 'NFD', 'NFC'), 4],
      ['by a title that the message decomposes', () => forms(unique(UMLAUTS), 'NFC', 'NFD'), 4],
      ['by a title of 4,000 characters', () => forms(unique(LONG), 'NFC', 'NFC'), 4],
      ['by a long title that ION decomposes', () => forms(unique(LONG), 'NFD', 'NFC'), 4],
      ['by a scan with a line break', () => scanned(unique('SN-'), '\r\n'), 4],
      ['by a title with other blanks', () => forms(unique('Two  words'), 'NFC', 'NFC'), 4],
      [
        'by a title with an invisible character',
        () => ({ title: `Zero ${++count}`, by: () => `Zero \u200b${count}` }),
        4,
      ],
      ['by a title with quotes', () => same(unique('Say "yes" \\ or % _')), 4],
    ];
    const same = (title: string): Given => ({ title, by: () => title });
    const serial = (number: string): Given => scanned(number, '');
    const scanned = (number: string, end: string): Given => ({
      ...{ title: unique('A run'), serial: number, by: () => `${number}${end}` },
    });
    const forms = (title: string, stored: string, given: string): Given => ({
      title: title.normalize(stored),
      by: () => title.normalize(given),
    });
    for (const [what, given, expected] of rows) {
      it(`${what}, with ${expected} requests at first and one for each later value`, async () => {
        const { title, serial, by } = given();
        const { run, step } = await runWith(title, serial);
        await write(by(run), 1);
        assert.equal(requests(), expected);
        assert.equal(await fieldValue(client, step, 'Torque'), 1);
        ion.sandbox.control.resetCounters();
        const { attempts } = await write(by(run), 2);
        assert.deepEqual([attempts, requests()], [1, 1]);
      });
    }

    it('by an ID before a title and a serial number', async () => {
      const { run, step } = await runWith(unique('First'));
      const named = await runWith(String(run), String(run));
      await write(run);
      assert.equal(await fieldValue(client, step, 'Torque'), 5);
      assert.equal(await fieldValue(client, named.step, 'Torque'), null);
    });

    it('by the exact title before one that only looks the same', async () => {
      const title = unique('Größe');
      const exact = await runWith(title.normalize('NFC'));
      await runWith(title.normalize('NFD'));
      await write(title.normalize('NFC'));
      assert.equal(await fieldValue(client, exact.step, 'Torque'), 5);
    });

    it('if its title is the serial number of its unit as well', async () => {
      const title = unique('Unit');
      const { step } = await runWith(title, title);
      await write(title);
      assert.equal(await fieldValue(client, step, 'Torque'), 5);
    });

    for (const action of ['status', 'file', 'several fields', 'startStep'] as const) {
      it(`for each action: ${action}`, async () => {
        const title = unique('Actions');
        const run = await makeRun(client, title);
        const status = action === 'startStep' ? 'TODO' : 'IN_PROGRESS';
        const { step } = await makeStep(client, FIELDS, { run, title: 'A', status });
        const target = { run: title, step: 'A' };
        switch (action) {
          case 'status':
            await writer.writeStatus(target, 'COMPLETE', OPTIONS);
            assert.equal((await stepState(client, step)).status, 'COMPLETE');
            break;
          case 'file':
            await writer.attach(target, fileOf('report.csv', 'a;b'), OPTIONS);
            assert.equal((await stepState(client, step)).fileAttachments.length, 1);
            break;
          case 'several fields':
            await writer.write(target, { Torque: 7 }, OPTIONS);
            assert.equal(await fieldValue(client, step, 'Torque'), 7);
            break;
          case 'startStep': {
            const options = { ...OPTIONS, startStep: true };
            const { started } = await writer.write({ ...target, field: 'Torque' }, 7, options);
            assert.deepEqual(
              [started, (await stepState(client, step)).status],
              [true, 'IN_PROGRESS'],
            );
          }
        }
      });
    }

    it('with one look-up for all messages that need it at the same time', async () => {
      const title = unique('At once');
      await runWith(title);
      const all = Array.from({ length: 20 }, () => writer.runOf({ run: title }, OPTIONS));
      assert.equal(new Set(await Promise.all(all)).size, 1);
      assert.equal(requests(), 1);
    });

    it('by a second message if the first one of a shared look-up is stopped', async () => {
      const title = unique('Stopped');
      const { run } = await runWith(title);
      const stopped = new AbortController();
      const first = writer.runOf({ run: title }, { signal: stopped.signal });
      const second = writer.runOf({ run: title }, OPTIONS);
      stopped.abort();
      await failure(first, 'ION_CLOSED');
      assert.equal(await second, String(run));
    });
  });

  describe('is not found', () => {
    const missing: [Reference, requests: number][] = [
      ['No such run', 1],
      ['999999', 2],
      [999_999, 2],
      ['99999999999999999999', 2],
      ['%', 1],
      ['', 0],
    ];
    for (const [run, expected] of missing) {
      it(`as ${JSON.stringify(run)}, after ${expected} requests`, async () => {
        const error = await failure(write(run), 'ION_NOT_FOUND');
        if (run === '') return;
        assert.match(error.message, new RegExp(`no run "${run}", by its ID, its title`));
        assert.deepEqual(error.reason, { key: 'unknownRun', name: String(run) });
        assert.deepEqual([error.attempts, requests()], [expected, expected]);
      });
    }

    it('if several have the title or the serial number, which the error lists', async () => {
      const title = unique('Twice');
      const one = await runWith(title);
      const other = await runWith(unique('Other'), title);
      const error = await failure(write(title), 'ION_NOT_FOUND');
      assert.deepEqual(error.reason, { key: 'severalRuns', name: title });
      assert.match(error.message, new RegExp(`${one.run} "${title}" \\(IN_PROGRESS\\)`));
      assert.match(
        error.message,
        new RegExp(`${other.run} "Other \\d+" \\(IN_PROGRESS, serial number "${title}"\\)`),
      );
      assert.match(error.message, /Use the ID\.$/);
      for (const { step } of [one, other]) {
        assert.equal(await fieldValue(client, step, 'Torque'), null);
      }
    });

    it('if many have a long title: the error lists ten by their IDs and stays readable', async () => {
      const title = unique(LONG);
      const ids: number[] = [];
      for (let index = 0; index < 12; index++) ids.push(await makeRun(client, title));
      const { message } = await failure(write(title), 'ION_NOT_FOUND');
      const listed = ids.filter((id) => message.includes(` ${id} "`));
      assert.equal(listed.length, 10);
      assert.match(message, / …\. Use the ID\.$/);
    });

    it('if ION returns as many as were asked for, because one more may have the exact name', async () => {
      const title = unique('Größe');
      for (let index = 0; index < 11; index++) {
        await makeRun(client, title.normalize(index === 0 ? 'NFC' : 'NFD'));
      }
      const { reason } = await failure(write(title.normalize('NFC')), 'ION_NOT_FOUND');
      assert.equal(reason?.key, 'severalRuns');
    });

    it('by another name if ION could not be asked for the first one', async () => {
      const { run } = await runWith(`${NUMBER}9`, unique('SN-'));
      const impatient = new StepWriter(ion.client({ retries: 0 }));
      const { control } = ion.sandbox;
      const errors = [{ message: 'The run is locked.', path: ['run'] }];
      control.fault({ target: 'api', kind: 'status', status: 503 });
      await failure(impatient.runOf({ run: `${NUMBER}9` }, OPTIONS), 'ION_SERVER');
      control.fault({ target: 'api', kind: 'graphql', errors });
      await failure(impatient.runOf({ run: `${NUMBER}9` }, OPTIONS), 'ION_GRAPHQL');
      assert.equal(requests(), 2);
      control.fault({ target: 'api', kind: 'status', status: 503, match: 'RunsByName' });
      await failure(impatient.runOf({ run: `${NUMBER}9` }, OPTIONS), 'ION_SERVER');
      assert.equal(await impatient.runOf({ run: `${NUMBER}9` }, OPTIONS), String(run));
    });

    it('as an ID if it is a title that the database of ION does not accept as an ID', async () => {
      const { run } = await runWith(LARGE_NUMBER.replace('4', '5'));
      const errors = [{ message: 'DataError: integer out of range', path: ['run'] }];
      ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, match: 'RunSteps' });
      const found = writer.runOf({ run: LARGE_NUMBER.replace('4', '5') }, OPTIONS);
      assert.equal(await found, String(run));
    });
  });

  describe('that is named by a title', () => {
    let steps: RunSteps;
    let now: number;
    beforeEach(() => {
      now = 1000;
      steps = new RunSteps(() => now);
    });
    const scope = () => new RequestScope(client, { signal });
    const runOf = async (target: Target) => (await steps.step(target, scope())).runId;

    it('is looked up again after a minute, and the write follows the title', async () => {
      const title = unique('Moves');
      const first = await runWith(title);
      assert.equal(await runOf({ run: title, step: 'A' }), first.run);
      await renameRun(client, first.run, { title: unique('Renamed') });
      const second = await runWith(title);
      now += MAX_NAME_AGE_MS - 1;
      assert.equal(await runOf({ run: title, step: 'A' }), first.run);
      assert.equal(requests(), 0);
      now += 1;
      assert.equal(steps.knownRun({ run: title }), undefined);
      assert.equal(await runOf({ run: title, step: 'A' }), second.run);
      assert.equal(requests(), 2);
      assert.equal(steps.knownRun({ run: title }), String(second.run));
      assert.equal(await runOf({ run: first.run, step: 'A' }), first.run);
    });

    it('is no longer found after a minute if no run has the title any more', async () => {
      const title = unique('Gone');
      const { run } = await runWith(title);
      await runOf({ run: title, step: 'A' });
      await renameRun(client, run, { title: unique('Renamed') });
      now += MAX_NAME_AGE_MS;
      await failure(runOf({ run: title, step: 'A' }), 'ION_NOT_FOUND');
    });

    it('is looked up again at once if the run has no such step', async () => {
      const title = unique('Corrected');
      const first = await runWith(title);
      await runOf({ run: title, step: 'A' });
      await renameRun(client, first.run, { title: unique('Renamed') });
      const run = await makeRun(client, title);
      await makeStep(client, FIELDS, { run, title: 'B' });
      assert.equal(await runOf({ run: title, step: 'B' }), run);
    });

    it('has the same rows as by its ID, so that the etag of the last write is known', async () => {
      const title = unique('Rows');
      const { run } = await runWith(title);
      const field = { step: 'A', field: 'Torque' };
      const byTitle = await steps.field({ run: title, ...field }, scope());
      assert.equal(await steps.field({ run, ...field }, scope()), byTitle);
    });

    it('is known for a minute, an ID for ever, and nothing else', async () => {
      const title = unique('Known');
      const { run } = await runWith(title);
      for (const each of [title, run]) {
        assert.equal(steps.knownRun({ run: each }), undefined);
        await steps.runOf({ run: each }, scope());
        assert.equal(steps.knownRun({ run: each }), String(run));
      }
      assert.equal(steps.knownRun({ run: ` 0${run}` }), String(run));
      now += 1e9;
      assert.equal(steps.knownRun({ run: title }), undefined);
      assert.equal(steps.knownRun({ run }), String(run));
      assert.equal(steps.knownRun({ step: 1 }), undefined);
      await failure(steps.runOf({ run: 999_999 }, scope()), 'ION_NOT_FOUND');
      assert.equal(steps.knownRun({ run: 999_999 }), undefined);
    });
  });

  it('may be refused before anything is written, as by the outbox', async () => {
    const title = unique('Refused');
    const { run, step } = await runWith(title);
    const targets = { run: title, step: 'A', field: 'Torque' };
    const options = (allowed: boolean) => ({
      ...OPTIONS,
      mayGoTo: (id: string) => allowed && id === String(run),
    });
    const file = fileOf('report.csv', 'a;b');
    for (const send of [
      () => writer.write(targets, 5, options(false)),
      () => writer.write({ run: title, step: 'A' }, { Torque: 5 }, options(false)),
      () => writer.writeStatus(targets, 'COMPLETE', options(false)),
      () => writer.attach(targets, file, options(false)),
      () => writer.attachmentsOf(targets, 'report.csv', options(false)),
    ]) {
      const { message, reason } = await failure(send(), 'ION_NOT_FOUND');
      assert.match(message, new RegExp(`now run ${run} has this title`));
      assert.equal(reason?.key, 'unknownRun');
    }
    assert.equal(ion.sandbox.control.counters().api.byOperation.mutation, 0);
    await writer.write(targets, 5, options(true));
    assert.equal(await fieldValue(client, step, 'Torque'), 5);
    await writer.write({ step, field: 'Torque' }, 6, options(false));
    assert.equal(await fieldValue(client, step, 'Torque'), 6);
  });

  describe('in an ION without', () => {
    const parts: [part: string, finds: ('title' | 'serial')[]][] = [
      ['Run.title', ['serial']],
      ['Run.status', ['title', 'serial']],
      ['Run.partInventory', ['title']],
      ['PartInventory.serialNumber', ['title']],
      ['RunsInputFilters.title', ['serial']],
      ['RunsInputFilters.partInventory', ['title']],
      ['PartInventoriesInputFilters.serialNumber', ['title']],
    ];
    for (const [part, finds] of parts) {
      it(`${part} is found by what it has, and never guessed`, async () => {
        const [title, serial] = [unique('Title'), unique('SN-')];
        const { run } = await runWith(title, serial);
        ion.sandbox.control.set({ unknown: [part] });
        for (const [name, by] of [
          ['title', title],
          ['serial', serial],
        ] as const) {
          const finding = writer.runOf({ run: by }, OPTIONS);
          if (finds.includes(name)) assert.equal(await finding, String(run), name);
          else await assert.rejects(finding, { name: 'IonError' }, name);
        }
      });
    }
  });
});
