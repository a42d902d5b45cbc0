import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IonClient } from '../../../nodes/client/client.js';
import { toIonError } from '../../../nodes/client/errors.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { fileAt, fileOf } from '../../../nodes/client/steps/attachment-file.js';
import type { Attachment, EarlierTry } from '../../../nodes/client/steps/attachments.js';
import { StepWriter, type WriteOptions } from '../../../nodes/client/steps/step-writer.js';
import { TimeZone } from '../../../nodes/client/support/time-zone.js';
import { RULE_TEXT } from '../../../sandbox/graphql/mutations/fields.js';
import { failure } from '../../support/errors.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import {
  fieldValue,
  makeStep,
  type StepForTests,
  stepState,
  type TestField,
} from '../../support/steps.js';

const options = (more: Partial<WriteOptions> = {}): WriteOptions => ({
  signal: new AbortController().signal,
  onConflict: 'retry',
  ...more,
});

const FIELDS: TestField[] = [
  { name: 'Torque', type: 'NUMBER' },
  { name: 'Note', type: 'STRING' },
  { name: 'Passed', type: 'BOOLEAN' },
  { name: 'Result', type: 'SELECT', options: ['OK', 'Not OK'] },
  { name: 'Defects', type: 'MULTISELECT', options: ['scratch', 'dent'] },
  { name: 'Measured', type: 'DATETIME' },
  { name: 'Report', type: 'FILE_ATTACHMENT' },
  { name: 'Operator', type: 'ION', allowedIonType: 'USERS' },
  { name: 'Wrench', type: 'TOOL' },
  { name: 'Approval', type: 'SIGNOFF' },
];

describe('writing to run steps', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 12 });
  let client: IonClient;
  let writer: StepWriter;
  let step: StepForTests;
  beforeEach(async () => {
    client = ion.client();
    writer = new StepWriter(client);
    step = await makeStep(client, FIELDS);
    ion.sandbox.control.resetCounters();
  });
  const counters = () => ion.sandbox.control.counters();
  const executed = (name: string) => counters().executed[name] ?? 0;
  const field = (name: string) => ({ step: step.step, field: name });
  /** Somebody else changes a field. */
  const interfere = async (name: string, value: unknown) => {
    const { fields } = await stepState(client, step.step);
    const { id, _etag: etag } = fields.find((each) => each.name === name) ?? assert.fail();
    await client.request(
      parseOperation(
        'mutation Other($input: UpdateRunStepFieldValueInput!) { updateRunStepFieldValue(input: $input) { runStepField { id } } }',
      ),
      { variables: { input: { id, etag, value } }, signal: new AbortController().signal },
    );
  };

  describe('a field', () => {
    const values: [string, unknown, unknown][] = [
      ['Torque', '12.5', 12.5],
      ['Note', 'fine', 'fine'],
      ['Passed', 1, true],
      ['Result', 'Not OK', 'Not OK'],
      ['Defects', ['dent'], ['dent']],
      ['Measured', new Date(1_769_846_400_000), '2026-01-31T08:00:00.000Z'],
      ['Operator', 6, '6'],
      ['Wrench', 1, 1],
    ];
    for (const [name, value, expected] of values) {
      it(`accepts a value: ${name}`, async () => {
        const { payload, attempts } = await writer.write(field(name), value, options());
        assert.deepEqual((payload as { value: unknown }).value, expected);
        assert.equal(attempts, 2, 'one request to look the step up, one to write');
        assert.deepEqual(await fieldValue(client, step.step, name), expected);
      });
    }

    it('accepts an attachment by its ID', async () => {
      const { payload: attachment } = await writer.attach(
        { step: step.step },
        fileOf('report.csv', 'a;b'),
        options(),
      );
      await writer.write(field('Report'), attachment.id, options());
      assert.equal(await fieldValue(client, step.step, 'Report'), attachment.id);
    });

    it('is cleared by null', async () => {
      await writer.write(field('Torque'), 1, options());
      await writer.write(field('Torque'), null, options());
      assert.equal(await fieldValue(client, step.step, 'Torque'), null);
    });

    it('is looked up once: the next writes take one request each', async () => {
      for (let value = 1; value <= 5; value++) {
        const { attempts } = await writer.write(field('Torque'), value, options());
        assert.equal(attempts, value === 1 ? 2 : 1);
      }
      assert.equal(await fieldValue(client, step.step, 'Torque'), 5);
    });

    it('is found by ID, by name in any case, by the title or position of its step', async () => {
      const { run, position, fields } = step;
      const targets = [
        { field: fields.Torque },
        { field: String(fields.Torque) },
        { step: String(step.step), field: 'Torque' },
        { step: step.step, field: ' torque ' },
        { step: step.step, field: fields.Torque },
        { run, step: 'Example step', field: 'Torque' },
        { run: String(run), step: position, field: 'Torque' },
        { run, step: step.step, field: 'Torque' },
      ];
      for (const [index, target] of targets.entries()) {
        const { payload } = await new StepWriter(client).write(target, index, options());
        assert.equal((payload as { id: number }).id, fields.Torque);
        assert.equal(await fieldValue(client, step.step, 'Torque'), index);
      }
    });

    it('that does not exist is reported with the existing ones', async () => {
      const error = await failure(writer.write(field('Tork'), 1, options()), 'ION_NOT_FOUND');
      assert.match(error.message, /There is no field "Tork" in step \d+ "Example step"/);
      assert.match(error.message, /\d+ "Torque", \d+ "Note"/);
      assert.equal(executed('updateRunStepFieldValue'), 0);
    });

    it('that was added after its step was read is found', async () => {
      const open = await makeStep(client, [{ name: 'A', type: 'NUMBER' }], { status: 'REDLINE' });
      await failure(writer.write({ step: open.step, field: 'B' }, 1, options()), 'ION_NOT_FOUND');
      await client.request(
        parseOperation(
          'mutation ($input: CreateRunStepFieldInput!) { createRunStepField(input: $input) { runStepField { id } } }',
        ),
        {
          variables: { input: { runStepId: open.step, name: 'B', type: 'NUMBER' } },
          signal: new AbortController().signal,
        },
      );
      // The step is in REDLINE, so that ION rejects the write, but the field is known.
      const error = await failure(
        writer.write({ step: open.step, field: 'B' }, 1, options()),
        'ION_GRAPHQL',
      );
      assert.match(error.message, /"B" cannot be set/);
    });

    it('with an ambiguous name is not guessed', async () => {
      const twice = await makeStep(client, [
        { name: 'Gap', type: 'NUMBER' },
        { name: 'Gap', type: 'NUMBER' },
      ]);
      const target = { step: twice.step, field: 'Gap' };
      const error = await failure(writer.write(target, 1, options()), 'ION_NOT_FOUND');
      assert.match(
        error.message,
        /more than one field "Gap" .*: \d+ "Gap", \d+ "Gap"\. Use the ID/,
      );
    });

    it("is found in another Unicode composition of its name or its step's name", async () => {
      const name = 'Pru\u0308fma\u00df 1';
      const title = 'Pru\u0308fung\u00a0A';
      const { run, step: id } = await makeStep(client, [{ name, type: 'NUMBER' }], { title });
      for (const [index, spelling] of [
        'Pr\u00fcfma\u00df 1',
        `${name} `,
        'PR\u00dcFMAß\u202f1',
      ].entries()) {
        const target = { run, step: 'Pr\u00fcfung A', field: spelling };
        await new StepWriter(client).write(target, index, options());
        assert.equal(await fieldValue(client, id, name), index);
      }
    });

    it('is reported with the difference if two names look the same', async () => {
      const names = ['Ma\u00df A', 'Ma\u00df\u00a0A'];
      const twice = await makeStep(
        client,
        names.map((name) => ({ name, type: 'NUMBER' })),
      );
      for (const [index, name] of names.entries()) {
        const { payload } = await writer.write({ step: twice.step, field: name }, index, options());
        assert.equal((payload as { id: number }).id, twice.fields[name]);
      }
      const target = { step: twice.step, field: 'Ma\u00df\u202fA' };
      const error = await failure(writer.write(target, 1, options()), 'ION_NOT_FOUND');
      assert.match(
        error.message,
        /more than one field "Maß\\u202fA" .*: \d+ "Maß A", \d+ "Maß\\u00a0A"\. Use the ID/,
      );
    });

    it('is found by IDs with additions of a scanner or a web page', async () => {
      const target = { run: `\u200b${step.run}`, step: `${step.step}\u00a0`, field: 'Torque' };
      await writer.write(target, 3, options());
      assert.equal(await fieldValue(client, step.step, 'Torque'), 3);
    });

    for (const [target, text] of [
      [{}, /No field is given/],
      [{ run: 1, field: 'Torque' }, /needs the step/],
      [{ step: 999_999, field: 'Torque' }, /no run step with the ID "999999"/],
      [{ field: 999_999 }, /no field with the ID "999999"/],
      [{ run: 999_999, step: 'A', field: 'B' }, /no run "999999"/],
    ] as const) {
      it(`is not found: ${JSON.stringify(target)}`, async () => {
        const error = await failure(writer.write(target, 1, options()), 'ION_NOT_FOUND');
        assert.match(error.message, text);
      });
    }

    it('with a time without a zone is rejected, or uses the configured time zone', async () => {
      const time = '2026-07-01T08:00:00';
      const error = await failure(
        writer.write(field('Measured'), time, options()),
        'ION_VARIABLES',
      );
      assert.match(error.message, /takes a time with an offset.* in the ION config node/);
      assert.equal(executed('updateRunStepFieldValue'), 0);
      const inBerlin = new StepWriter(client, new TimeZone('Europe/Berlin'));
      await inBerlin.write(field('Measured'), time, options());
      assert.equal(await fieldValue(client, step.step, 'Measured'), '2026-07-01T06:00:00.000Z');
    });

    for (const [name, value] of [
      ['Torque', '1234567890.123456789'],
      ['Torque', '12,5'],
      ['Result', 'perhaps'],
      ['Defects', ['scratch', 'other']],
    ] as const) {
      it(`rejects ${JSON.stringify(value)} for ${name} before a write is sent to ION`, async () => {
        await failure(writer.write(field(name), value, options()), 'ION_VARIABLES');
        assert.equal(executed('updateRunStepFieldValue'), 0);
      });
    }

    it('that cannot be set is reported with ION’s own message', async () => {
      const signoff = await failure(writer.write(field('Approval'), 'x', options()), 'ION_GRAPHQL');
      assert.match(signoff.message, /^Field "Approval" is a sign-off/);
      const done = await makeStep(client, [{ name: 'Torque', type: 'NUMBER' }]);
      await writer.writeStatus({ step: done.step }, 'complete', options());
      const target = { step: done.step, field: 'Torque' };
      const closed = await failure(writer.write(target, 1, options()), 'ION_GRAPHQL');
      assert.match(closed.message, /^Field "Torque" cannot be set while its step is COMPLETE/);
    });

    it('is reported with the message of the organization’s rule', async () => {
      ion.sandbox.control.set({ rule: true });
      const error = await failure(writer.write(field('Torque'), 51, options()), 'ION_GRAPHQL');
      assert.equal(error.message, RULE_TEXT);
    });
  });

  describe('that fails without being rejected by ION', () => {
    // A body that is shorter than announced never arrives.
    const broken = { ...fileOf('report.csv', 'a'), size: 2 };
    const failures: [string, number, () => Promise<unknown>][] = [
      ['a value does not fit', 2, () => writer.write(field('Torque'), '12,5', options())],
      ['a field does not exist', 2, () => writer.write(field('Nothing'), 1, options())],
      ['a run does not exist', 1, () => writer.runOf({ step: 1_000_000 }, options())],
      ['a file does not arrive', 2, () => writer.attach({ step: step.step }, broken, options())],
    ];
    for (const [what, attempts, write] of failures) {
      it(`reports the number of earlier requests, and the last trace: ${what}`, async () => {
        const error = toIonError(await write().catch((thrown) => thrown));
        assert.notEqual(error.code, 'ION_GRAPHQL');
        assert.equal(error.attempts, attempts, error.message);
        assert.match(String(error.traceId), /^\w{16,}$/);
      });
    }
  });

  describe('changed by somebody else', () => {
    for (const etagConflict of ['errors', 'status'] as const) {
      it(`is read again and written again (a conflict by ${etagConflict})`, async () => {
        ion.sandbox.control.set({ etagConflict });
        await writer.write(field('Torque'), 1, options());
        await interfere('Torque', 2);
        const { attempts } = await writer.write(field('Torque'), 3, options());
        assert.equal(attempts, 3, 'refused, read, written');
        assert.equal(await fieldValue(client, step.step, 'Torque'), 3);
      });

      it(`fails with ION_CONFLICT if configured (a conflict by ${etagConflict})`, async () => {
        ion.sandbox.control.set({ etagConflict });
        const careful = options({ onConflict: 'fail' });
        await writer.write(field('Torque'), 1, careful);
        await interfere('Torque', 2);
        await failure(writer.write(field('Torque'), 3, careful), 'ION_CONFLICT');
        assert.equal(await fieldValue(client, step.step, 'Torque'), 2);
        // Later writers know the current value.
        await writer.write(field('Torque'), 4, careful);
        assert.equal(await fieldValue(client, step.step, 'Torque'), 4);
      });
    }

    it('is not written again if a gateway reports a conflict', async () => {
      const page = { kind: 'status', status: 409, body: '<title>Conflict</title>' } as const;
      ion.sandbox.control.fault({
        target: 'api',
        match: 'mutation',
        execute: true,
        times: 9,
        ...page,
      });
      const error = await failure(writer.write(field('Torque'), 3, options()), 'ION_CONFLICT');
      assert.equal(error.origin, 'gateway');
      assert.equal(executed('updateRunStepFieldValue'), 1);
    });

    it('fails after three more attempts', async () => {
      await writer.write(field('Torque'), 1, options());
      ion.sandbox.control.fault({
        target: 'api',
        kind: 'graphql',
        errors: [{ message: 'The etag is out of date.' }],
        match: 'UpdateRunStepFieldValue',
        times: 10,
      });
      ion.sandbox.control.resetCounters();
      const error = await failure(writer.write(field('Torque'), 2, options()), 'ION_CONFLICT');
      assert.equal(error.attempts, 4 + 3);
    });

    it("does not conflict with the node's own writes", async () => {
      const careful = options({ onConflict: 'fail' });
      const values = Array.from({ length: 20 }, (_, index) => index);
      await Promise.all(values.map((value) => writer.write(field('Torque'), value, careful)));
      assert.equal(
        await fieldValue(client, step.step, 'Torque'),
        19,
        'in the order of the messages',
      );
      // Also by another name of the same field.
      await writer.write({ field: step.fields.Torque }, 20, careful);
      await writer.write(field('Torque'), 21, careful);
      const target = { run: step.run, step: 'Example step', field: 'Torque' };
      await writer.write(target, 22, careful);
      assert.equal(await fieldValue(client, step.step, 'Torque'), 22);
    });

    it('is not disturbed by another flow that is stopped while both look up a step', async () => {
      const stopping = new AbortController();
      ion.sandbox.control.fault({ target: 'api', kind: 'latency', ms: 100, match: 'runStep' });
      const stopped = failure(
        writer.write(field('Torque'), 1, options({ signal: stopping.signal })),
        'ION_CLOSED',
      );
      const written = writer.write(field('Torque'), 2, options());
      stopping.abort();
      await stopped;
      await written;
      assert.equal(await fieldValue(client, step.step, 'Torque'), 2);
    });
  });

  describe('several fields at once', () => {
    it('are all written, and reported by name', async () => {
      const values = { Torque: 12.5, Passed: true, Result: 'OK' };
      const answer = await writer.write({ step: step.step }, values, options());
      const payload = answer.payload as Record<string, { value: unknown }>;
      assert.equal(payload.Torque?.value, 12.5);
      assert.deepEqual(Object.keys(answer.results ?? {}).sort(), ['Passed', 'Result', 'Torque']);
      const state = await stepState(client, step.step);
      const found = Object.fromEntries(state.fields.map(({ name, value }) => [name, value]));
      assert.deepEqual({ ...found, ...values }, found);
      assert.equal(counters().api.byOperation.mutation, 3);
    });

    it('with one rejected fail the message, and the others are written', async () => {
      const values = { Torque: '12,5', Passed: true, Nothing: 1 };
      const error = await failure(
        writer.write({ step: step.step }, values, options()),
        'ION_VARIABLES',
      );
      assert.match(error.message, /^2 of 3 fields were not written: .*"12,5"/);
      const results = error.results as Record<string, { error?: { code: string } }>;
      assert.equal(results.Torque?.error?.code, 'ION_VARIABLES');
      assert.equal(results.Nothing?.error?.code, 'ION_NOT_FOUND');
      assert.ok('written' in (results.Passed ?? {}));
      assert.equal(await fieldValue(client, step.step, 'Passed'), true);
    });

    it('report that one of them may have been written if its response was lost', async () => {
      const match = 'UpdateRunStepFieldValue';
      ion.sandbox.control.fault({ target: 'api', kind: 'reset', execute: true, match });
      const values = { Torque: 12.5, Passed: true };
      const written = writer.write({ step: step.step }, values, options());
      assert.equal((await failure(written, 'ION_NETWORK')).mayHaveRun, true);
    });

    it('report a rejection with ION’s own message, and the number of requests', async () => {
      const errors = [{ message: 'The step is locked.', path: ['updateRunStepFieldValue'] }];
      const data = { updateRunStepFieldValue: null };
      const match = 'UpdateRunStepFieldValue';
      ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, data, match });
      const values = { Torque: 12.5, Passed: true };
      const written = writer.write({ step: step.step }, values, options());
      const error = await failure(written, 'ION_GRAPHQL');
      assert.deepEqual([error.status, error.errors, error.data], [200, errors, data]);
      assert.match(String(error.traceId), /^\w{16,}$/);
      assert.equal(error.attempts, 3);
      assert.deepEqual(
        error.parts?.map((part) => part.errors),
        [errors],
      );
    });

    it('need at least one', async () => {
      await failure(writer.write({ step: step.step }, {}, options()), 'ION_VARIABLES');
    });
  });

  describe('the status of a step', () => {
    it('makes every change that ION’s documents allow', async () => {
      const { step: id } = await makeStep(client, [], { status: 'REDLINE' });
      for (const status of [
        'TODO',
        'in progress',
        'FAILED',
        'todo',
        'In-Progress',
        'HOLD',
        'IN_PROGRESS',
        'COMPLETE',
        'REDLINE',
        'CANCELED',
      ]) {
        const { payload } = await writer.writeStatus({ step: id }, status, options());
        const expected = status.toUpperCase().replace(/[ -]/, '_');
        assert.equal(payload.status, expected);
        assert.equal((await stepState(client, id)).status, expected);
      }
    });

    it('reports in ION’s own words that upstream steps are open, or required fields empty', async () => {
      const { runs } = (
        await client.request(
          parseOperation(
            '{ runs(first: 12) { edges { node { id steps { id status upstreamStepIds availableToWork } } } } }',
          ),
          { signal: new AbortController().signal },
        )
      ).data as {
        runs: {
          edges: {
            node: {
              steps: {
                id: number;
                status: string;
                upstreamStepIds: number[];
                availableToWork: boolean;
              }[];
            };
          }[];
        };
      };
      const blocked = runs.edges
        .flatMap(({ node }) => node.steps)
        .find(
          ({ status, upstreamStepIds, availableToWork }) =>
            status === 'TODO' && upstreamStepIds.length > 0 && !availableToWork,
        );
      const error = await failure(
        writer.writeStatus({ step: blocked?.id }, 'IN_PROGRESS', options()),
        'ION_GRAPHQL',
      );
      assert.match(error.message, /upstream steps are complete/);
      const strict = await makeStep(client, [{ name: 'Torque', type: 'NUMBER', required: true }]);
      const empty = await failure(
        writer.writeStatus({ step: strict.step }, 'COMPLETE', options()),
        'ION_GRAPHQL',
      );
      assert.match(empty.message, /required fields are empty: "Torque"/);
    });

    it('is found by title or position, and not guessed if two steps have the title', async () => {
      const { run, position } = step;
      await writer.writeStatus({ run, step: 'example step' }, 'HOLD', options());
      await writer.writeStatus({ run, step: position }, 'TODO', options());
      assert.equal((await stepState(client, step.step)).status, 'TODO');
      await makeStep(client, [], { run });
      const fresh = new StepWriter(client);
      const error = await failure(
        fresh.writeStatus({ run, step: 'Example step' }, 'HOLD', options()),
        'ION_NOT_FOUND',
      );
      assert.match(
        error.message,
        /more than one step "Example step" in run \d+: \d+ "Example step" \(position/,
      );
    });

    it('knows the etag of its own last write, however the step was named', async () => {
      const careful = options({ onConflict: 'fail' });
      await writer.writeStatus({ run: step.run, step: 'Example step' }, 'HOLD', careful);
      await writer.writeStatus({ step: step.step }, 'TODO', careful);
      await writer.writeStatus({ run: step.run, step: 'Example step' }, 'IN_PROGRESS', careful);
      assert.equal((await stepState(client, step.step)).status, 'IN_PROGRESS');
    });

    for (const status of [undefined, '', 7, { status: 'TODO' }]) {
      it(`is not ${JSON.stringify(status)}`, async () => {
        const written = writer.writeStatus({ step: step.step }, status, options());
        const error = await failure(written, 'ION_VARIABLES');
        assert.match(error.message, /must be a text such as "IN_PROGRESS"/);
      });
    }

    it('may have spaces and invisible characters', async () => {
      await writer.writeStatus({ step: step.step }, ' in\u00a0progress\u200b', options());
      assert.equal((await stepState(client, step.step)).status, 'IN_PROGRESS');
    });

    it('unknown to ION is rejected by ION', async () => {
      await failure(writer.writeStatus({ step: step.step }, 'DONE', options()), 'ION_GRAPHQL');
    });
  });

  describe('a column of a step that ION did not know for a moment', () => {
    const lacking = async (column: string, write: () => Promise<unknown>) => {
      ion.sandbox.control.set({ unknown: [`RunStep.${column}`] });
      const { message } = await failure(write(), 'ION_RESPONSE');
      assert.match(message, new RegExp(`no "${column}" of type "RunStep"`));
      ion.sandbox.control.set({ unknown: [] });
    };

    it('is asked for again by the next change of a status', async () => {
      const other = await makeStep(client, FIELDS);
      const complete = ({ step }: StepForTests) =>
        writer.writeStatus({ step }, 'COMPLETE', options());
      await lacking('_etag', () => complete(step));
      for (const each of [step, other]) {
        await complete(each);
        assert.equal((await stepState(client, each.step)).status, 'COMPLETE');
      }
    });

    it('is asked for again by the next file', async () => {
      const attach = () => writer.attach({ step: step.step }, fileOf('a.txt', 'a'), options());
      await lacking('entityId', attach);
      await attach();
      assert.equal((await stepState(client, step.step)).fileAttachments.length, 1);
    });
  });

  describe('a file', () => {
    const stored = async (id: number) => {
      const { data } = await client.request(
        parseOperation('query ($id: ID!) { fileAttachment(id: $id) { entityId s3Key } }'),
        { variables: { id }, signal: new AbortController().signal },
      );
      const row = data.fileAttachment as { entityId: number; s3Key: string };
      return { row, file: ion.sandbox.uploads.file(row.s3Key) };
    };
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    const ways = {
      'the newer way': () => {},
      'the older way': () =>
        ion.sandbox.control.fault({
          target: 'api',
          kind: 'graphql',
          errors: [{ message: 'Cannot query field "requestFileUploadUrl" on type "Query".' }],
          match: 'requestFileUploadUrl',
          times: 1000,
        }),
    };
    for (const [way, prepare] of Object.entries(ways)) {
      for (const size of [0, 1, 3_000_000]) {
        it(`of ${size} bytes is attached, ${way}`, async () => {
          prepare();
          const bytes = Buffer.alloc(size, 'x');
          const file = fileOf('report.csv', bytes);
          const { payload } = await writer.attach({ step: step.step }, file, options());
          const { row, file: found } = await stored(payload.id);
          assert.equal(row.entityId, step.entityId);
          assert.equal(found?.size, size);
          assert.equal(found.sha256, sha256(bytes));
          assert.equal(found.contentType, 'text/csv');
        });
      }

      it(`rejected by the storage host leaves no attachment without content, ${way}`, async () => {
        prepare();
        const file = fileOf('report.csv', 'a');
        // A body that is shorter than announced never arrives.
        const broken = { ...file, size: 2 };
        await failure(writer.attach({ step: step.step }, broken, options()), 'ION_NETWORK');
        assert.deepEqual((await stepState(client, step.step)).fileAttachments, []);
      });
    }

    it("about which ION's response says nothing may be attached, as the error says", async () => {
      const body = '{"data":{"createFileAttachment":null}}';
      ion.sandbox.control.fault({
        target: 'api',
        kind: 'body',
        body,
        match: 'CreateFileAttachment',
      });
      const attached = writer.attach({ step: step.step }, fileOf('a.txt', 'A'), options());
      const error = await failure(attached, 'ION_RESPONSE');
      assert.equal(error.mayHaveRun, true);
      assert.match(error.message, /may have been created\. Check in ION before you send it again/);
    });

    it('on disk is streamed', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'ion-step-test-'));
      try {
        const path = join(folder, 'photo.png');
        const bytes = Buffer.alloc(5_000_000, 'abc');
        await writeFile(path, bytes);
        const file = await fileAt(path, 'photo.png');
        const { payload } = await writer.attach({ step: step.step }, file, options());
        assert.equal((await stored(payload.id)).file?.sha256, sha256(bytes));
        await failure(fileAt(join(folder, 'missing.png'), 'missing.png'), 'ION_NOT_FOUND');
        await failure(fileAt(folder, 'folder'), 'ION_NOT_FOUND');
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('of 200 MiB is never held in memory', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'ion-step-test-'));
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
      }, 5);
      try {
        const path = join(folder, 'scan.zip');
        await writeFile(path, '');
        await truncate(path, 200 * 1024 * 1024);
        const before = process.memoryUsage().arrayBuffers;
        const file = await fileAt(path, 'scan.zip');
        const { payload } = await writer.attach({ step: step.step }, file, options());
        assert.equal((await stored(payload.id)).file?.size, 200 * 1024 * 1024);
        const grown = (most - before) / 1024 / 1024;
        // The server that stores it runs in this process as well.
        assert.ok(grown < 100, `${grown.toFixed(0)} MiB more`);
      } finally {
        clearInterval(watch);
        await rm(folder, { recursive: true });
      }
    });

    it('is not attached twice if an earlier attempt succeeded without a response', async () => {
      const target = { step: step.step };
      const before = await writer.attachmentsOf(target, 'report.csv', options());
      const file = fileOf('report.csv', 'content');
      const { payload } = await writer.attach(target, file, options());
      const again = await writer.attach(target, file, options(), { before });
      assert.equal(again.payload.id, payload.id);
      assert.equal((await stepState(client, step.step)).fileAttachments.length, 1);
    });

    it('is not attached twice if ION composes its name differently', async () => {
      const target = { step: step.step };
      await writer.attach(target, fileOf('Pru\u0308fung.csv', 'content'), options());
      const again = fileOf('Pr\u00fcfung.csv', 'content');
      await writer.attach(target, again, options(), { before: [] });
      assert.equal((await stepState(client, step.step)).fileAttachments.length, 1);
    });

    describe('by an ION that gives no URL of its bytes', () => {
      beforeEach(() => ion.sandbox.control.set({ unknown: ['FileAttachment.downloadUrl'] }));
      const target = () => ({ step: step.step });
      const file = fileOf('report.csv', 'content');
      /** Ids of the attachments after another try that knows of an earlier one. */
      async function idsAfterAnother(isUploadedFirst: boolean): Promise<number[]> {
        await writer.attach(target(), file, options());
        await writer.attach(target(), file, options(), { before: [], isUploadedFirst });
        return (await stepState(client, step.step)).fileAttachments.map(({ id }) => id);
      }

      it('is not attached twice if the bytes were there before the attachment', async () => {
        assert.equal((await idsAfterAnother(true)).length, 1);
      });

      it('is attached again if the bytes may be missing', async () => {
        ways['the older way']();
        const ids = await idsAfterAnother(false);
        assert.equal(ids.length, 2);
        for (const id of ids) assert.equal((await stored(id)).file?.size, 7);
      });

      for (const [way, uploaded] of [
        ['the newer way', [true]],
        ['the older way', [false]],
      ] as const) {
        it(`says before the attachment whether its bytes are there, ${way}`, async () => {
          ways[way]();
          const told: boolean[] = [];
          const creating = async (isUploaded: boolean) => void told.push(isUploaded);
          await writer.attach(target(), file, options(), { creating });
          assert.deepEqual(told, uploaded);
        });
      }
    });

    describe('whose earlier attempt left an attachment without content', () => {
      let attachment: Attachment;
      beforeEach(async () => {
        const answer = await client.request(
          parseOperation(
            'mutation ($input: CreateFileAttachmentInput!) { createFileAttachment(input: $input) { fileAttachment { id filename contentType entityId } } }',
          ),
          {
            variables: { input: { entityId: step.entityId, filename: 'report.csv' } },
            signal: new AbortController().signal,
          },
        );
        attachment = (answer.data.createFileAttachment as { fileAttachment: Attachment })
          .fileAttachment;
      });
      const idsAfter = async (earlier: EarlierTry) => {
        const file = fileOf('report.csv', 'x');
        const { payload } = await writer.attach({ step: step.step }, file, options(), earlier);
        assert.equal((await stored(payload.id)).file?.size, 1);
        const { fileAttachments } = await stepState(client, step.step);
        return { own: payload.id, all: fileAttachments.map(({ id }) => id) };
      };

      it('is attached again, and the empty one removed', async () => {
        const { own, all } = await idsAfter({ before: [], attachment });
        assert.deepEqual(all, [own]);
      });

      it('removes nothing that may belong to somebody else', async () => {
        const { own, all } = await idsAfter({ before: [] });
        assert.deepEqual(all.sort(), [attachment.id, own].sort());
      });
    });

    it('reports its attachment before the bytes are sent, the older way', async () => {
      ways['the older way']();
      let created: Attachment | undefined;
      const { payload } = await writer.attach(
        { step: step.step },
        fileOf('report.csv', 'x'),
        options(),
        {
          async created(attachment) {
            created = attachment;
            assert.equal((await stored(attachment.id)).file, undefined);
          },
        },
      );
      assert.equal(created?.id, payload.id);
    });

    it('sends no ION token to the storage host', async () => {
      // The sandbox's storage rejects requests that have an Authorization header.
      await writer.attach({ step: step.step }, fileOf('a.txt', 'a'), options());
    });
  });
});
