import assert from 'node:assert/strict';
import { type DocumentNode, visit } from 'graphql';
import type { IonClient, RequestOptions } from '../../../nodes/client/client.js';
import type { Operation } from '../../../nodes/client/graphql/operation.js';
import type { LookupBy, WorkAnswer, WorkQuery } from '../../../nodes/client/work/work.js';
import { WorkFinder } from '../../../nodes/client/work/work-finder.js';
import { workOperations } from '../../../nodes/client/work/work-operations.js';
import { addScanCases, type ScanCases } from '../../../sandbox/data/scan-cases.js';
import { DIALECTS } from '../../support/dialects.js';
import { failure } from '../../support/errors.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import { addRun, addWork } from '../../support/work.js';

const QUERY: WorkQuery = { by: 'serial', value: 'X', part: '', step: '', fields: true };
const { signal } = new AbortController();

const find = (client: Pick<IonClient, 'request'>, query: Partial<WorkQuery>) =>
  new WorkFinder(client).find({ ...QUERY, ...query }, { signal });

async function workOf(client: Pick<IonClient, 'request'>, query: Partial<WorkQuery>) {
  const { answer } = await find(client, query);
  assert.ok(answer.found === 'one', JSON.stringify(answer));
  return answer.work;
}

interface Sent {
  operation: Operation;
  options: RequestOptions;
}

/** A client whose requests ION answers with these data, one after the other. */
function answering(...data: unknown[]) {
  const sent: Sent[] = [];
  const client = {
    sent,
    async request(operation: Operation, options: RequestOptions) {
      sent.push({ operation, options });
      return {
        data: structuredClone(data[sent.length - 1]),
        attempts: 1,
        traceId: `t${sent.length}`,
      };
    },
  };
  return client as unknown as typeof client & Pick<IonClient, 'request'>;
}

const list = (...nodes: unknown[]) => ({ edges: nodes.map((node) => ({ node })) });
const UNIT = { id: 1, serialNumber: 'X' };
const STEP = {
  ...{ id: 3, runId: 2, title: 'Test', status: 'IN_PROGRESS', position: 0 },
  run: { id: 2, title: 'Run', status: 'IN_PROGRESS', partInventory: UNIT },
  fields: [],
};

type Response = [
  what: string,
  data: unknown,
  found: WorkAnswer['found'],
  query?: Partial<WorkQuery>,
];

const RUN = { ...STEP.run, title: 'X' };
const LOCATION = { id: 4, name: 'X' };

/** Responses of an ION, or of something before it, that ignores filters. */
const UNFILTERED: Response[] = [
  [
    'a unit without a serial number',
    { units: list({ ...UNIT, serialNumber: null }), wanted: list(STEP) },
    'none',
  ],
  [
    'a unit without a part, for a part',
    { units: list({ ...UNIT, part: null }), wanted: list(STEP) },
    'none',
    { part: 'P' },
  ],
  [
    'a step of a run without a unit',
    {
      units: list(UNIT),
      wanted: list({ ...STEP, run: { ...STEP.run, partInventory: null } }),
    },
    'none',
  ],
  [
    'a run without a title',
    { runs: list({ ...RUN, title: null }), wanted: list(STEP) },
    'none',
    { by: 'run' },
  ],
  [
    'a run with another ID',
    { runById: list(RUN), wanted: list(STEP) },
    'none',
    { by: 'run', value: '9' },
  ],
  [
    'a run with this ID',
    { runById: list(RUN), wanted: list(STEP) },
    'one',
    { by: 'run', value: '02' },
  ],
  [
    'a step of another run',
    { runById: list({ ...RUN, id: 9 }), wanted: list(STEP) },
    'blocked',
    { by: 'run', value: '9' },
  ],
  [
    'a location without a name',
    { locations: list({ ...LOCATION, name: null }), wanted: list(STEP) },
    'none',
    { by: 'location' },
  ],
  [
    'a location with another ID',
    { locationById: list(LOCATION), wanted: list({ ...STEP, locationId: 4 }) },
    'none',
    { by: 'location', value: '9' },
  ],
  [
    'a step without a location',
    { locations: list(LOCATION), wanted: list({ ...STEP, locationId: null }) },
    'none',
    { by: 'location' },
  ],
  [
    'a step in an archived run',
    {
      units: list(UNIT),
      wanted: list({ ...STEP, run: { ...STEP.run, archived: true } }),
    },
    'none',
  ],
  [
    'an open step of a canceled run',
    { runs: list({ ...RUN, status: 'canceled' }), wanted: list(STEP) },
    'blocked',
    { by: 'run' },
  ],
];

/** Responses with rows that ION, or its permissions, left out. */
const UNREADABLE: Response[] = [
  ['a unit that is null', { units: list(UNIT, null), wanted: list(STEP) }, 'several'],
  ['a unit without an ID', { units: list(UNIT, {}), wanted: list(STEP) }, 'several'],
  ['a step that is null', { units: list(UNIT), wanted: list(STEP, null) }, 'several'],
  ['a run that is null', { runs: list(RUN, null), wanted: list(STEP) }, 'several', { by: 'run' }],
  [
    'the same unit twice, with a step on hold',
    { units: list(UNIT, UNIT), open: list({ ...STEP, status: 'HOLD' }) },
    'blocked',
  ],
  [
    'steps that contain each other in pairs, beside one that can start',
    {
      units: list(UNIT),
      wanted: list({ ...STEP, id: 4, parentId: 5 }, { ...STEP, id: 5, parentId: 4 }),
      others: list({ ...STEP, id: 6, status: 'TODO', availableToWork: true }),
    },
    'several',
  ],
  [
    'more steps with the title than were read',
    {
      units: list({ ...UNIT, runs: [{ id: 2, status: 'IN_PROGRESS' }] }),
      ...Object.fromEntries(
        ['wanted', 'open'].map((name) => [
          name,
          {
            ...list({ ...STEP, status: 'TODO', availableToWork: true }),
            pageInfo: { hasNextPage: true },
          },
        ]),
      ),
    },
    'several',
    { step: 'Test' },
  ],
];

const UNIT_ENTITY = { id: 71, type: 'PARTS_INVENTORY' };
const SCANNED_UNIT = { units: list({ ...UNIT, entityId: 71 }), wanted: list(STEP) };

const SCANNED: [what: string, entities: unknown, rows: unknown, found: WorkAnswer['found']][] = [
  ['a unit', [UNIT_ENTITY], SCANNED_UNIT, 'one'],
  ['a unit and its part', [UNIT_ENTITY, { id: 72, type: 'PARTS' }], SCANNED_UNIT, 'one'],
  ['a unit and a kit', [UNIT_ENTITY, { id: 72, type: 'PARTS_KITS' }], SCANNED_UNIT, 'several'],
  [
    'another unit than the one that was returned',
    [{ ...UNIT_ENTITY, id: 9 }],
    SCANNED_UNIT,
    'none',
  ],
  [
    'two units, one of them not returned',
    [UNIT_ENTITY, { ...UNIT_ENTITY, id: 9 }],
    SCANNED_UNIT,
    'several',
  ],
  [
    'a unit and a run that was not returned',
    [UNIT_ENTITY, { id: 9, type: 'RUNS' }],
    SCANNED_UNIT,
    'several',
  ],
  [
    'a unit and one without a usable ID',
    [UNIT_ENTITY, { type: 'PARTS_INVENTORY' }],
    SCANNED_UNIT,
    'several',
  ],
  ['one unit, sixty times', Array(60).fill(UNIT_ENTITY), SCANNED_UNIT, 'one'],
  [
    'one unit, sixty times, and another one',
    [...Array(60).fill(UNIT_ENTITY), { ...UNIT_ENTITY, id: 9 }],
    SCANNED_UNIT,
    'several',
  ],
  [
    'sixty units',
    Array.from({ length: 60 }, (_, id) => ({ ...UNIT_ENTITY, id: 71 + id })),
    SCANNED_UNIT,
    'several',
  ],
  ['something that cannot become a text', [{ id: { toString: 1 }, type: 'RUNS' }], {}, 'none'],
];

describe('the answer of a look-up', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 24 });
  let cases: ScanCases;
  before(() => {
    cases = addScanCases(ion.sandbox.data);
    limitTorque(cases.started);
  });

  /** Limits that the field Torque of a case has in ION. */
  function limitTorque({ runs }: ScanCases['started']): void {
    const { data } = ion.sandbox;
    const [torque] = data.runStepFields.of(runs[0]?.stepIds[1] ?? 0);
    assert.equal(torque?.name, 'Torque');
    for (const [position, displayName, value, result] of [
      [1, 'Less than', 12.5, 'PENDING'],
      [0, 'Greater than', 9, 'PASS'],
    ] as const) {
      const { id: functionId } = data.table('ValidationFunction').insert({ displayName } as object);
      const columns = { runStepFieldId: torque.id, functionId, position, value, result };
      data.table('RunStepFieldValidation').insert(columns as object);
    }
  }

  it('has the unit, the run, the step and its fields', async () => {
    const { units, runs, station } = cases.started;
    const work = await workOf(ion.client(), { value: 'SCAN-STARTED' });
    const { Torque, Finish, Notes, ...others } = work.fields ?? {};
    assert.deepEqual(others, {});
    assert.deepEqual([Torque?.type, Finish?.type, Notes?.type], ['NUMBER', 'SELECT', 'STRING']);
    assert.deepEqual(
      { ...Torque, id: typeof Torque?.id },
      {
        id: 'number',
        type: 'NUMBER',
        unit: 'N·m',
        required: true,
        options: null,
        value: null,
        valid: false,
        validations: [
          { name: 'Greater than', value: 9, result: 'PASS' },
          { name: 'Less than', value: 12.5, result: 'PENDING' },
        ],
      },
    );
    assert.deepEqual(Notes?.validations, []);
    assert.deepEqual(Finish?.options, ['Matte', 'Gloss']);
    const { fields: _, ...rest } = work;
    assert.deepEqual(rest, {
      unit: {
        id: units[0]?.id,
        serialNumber: 'SCAN-STARTED',
        lotNumber: null,
        partNumber: 'EX-SCAN-1',
        revision: 'A',
        description: 'Example of a scanned part',
      },
      run: { id: runs[0]?.id, title: 'Scan run started', status: 'IN_PROGRESS' },
      step: {
        id: runs[0]?.stepIds[1],
        title: 'Assemble',
        status: 'IN_PROGRESS',
        position: 1,
        availableToWork: false,
        batched: false,
        location: { id: station?.id, name: 'Scan station 1' },
      },
    });
  });

  it('says that a step is in a batch', async () => {
    const { step } = await workOf(ion.client(), { value: 'SCAN-BATCH-1' });
    assert.equal(step.batched, true);
    assert.equal((await workOf(ion.client(), { value: 'SCAN-READY' })).step.batched, false);
  });

  it('names fields as ION does, whatever they are called, and each of several with one name', async () => {
    const names = ['__proto__', 'constructor', 'Torque', 'Torque'];
    addWork(ion.sandbox.data, {
      serial: 'FIND-NAMES',
      title: 'Find run names',
      steps: [{ title: 'Test', fields: names }],
    });
    const { fields = {} } = await workOf(ion.client(), { value: 'FIND-NAMES' });
    const ids = Object.values(fields).map(({ id }) => id);
    assert.deepEqual(Object.keys(fields), [
      ...['__proto__', 'constructor', 'Torque', `Torque (${ids[3]})`],
    ]);
    assert.equal(Object.getPrototypeOf(fields), null);
    assert.equal(({} as Record<string, unknown>).type, undefined);
  });

  it('is the current step also behind twenty others whose fields are read first', async () => {
    const inside = Array.from({ length: 30 }, (_, i) => ({
      title: `Level ${i}`,
      status: 'IN_PROGRESS' as const,
      fields: ['Torque'],
      ...(i > 0 && { inside: `Level ${i - 1}` }),
    }));
    addRun(ion.sandbox.data, { title: 'Find run deep', steps: inside });
    const client = ion.client();
    const { answer, requests } = await find(client, { by: 'run', value: 'Find run deep' });
    assert.ok(answer.found === 'one');
    assert.equal(answer.work.step.title, 'Level 29');
    assert.deepEqual(Object.keys(answer.work.fields ?? {}), ['Torque']);
    assert.equal(requests, 2);
    assert.equal(ion.sandbox.control.counters().api.total, 2);
  });

  describe('from an ION that differs from the documented one', () => {
    const QUERIES: ((all: ScanCases) => Partial<WorkQuery>)[] = [
      () => ({ value: 'SCAN-STARTED' }),
      () => ({ value: 'SCAN-SHARED', part: 'EX-SCAN-2', step: 'assemble' }),
      () => ({ value: 'SCAN-TWO-RUNS' }),
      () => ({ value: 'SCAN-HOLD' }),
      () => ({ value: 'SCAN-COMPLETE' }),
      ({ ready }) => ({ by: 'run', value: String(ready.runs[0]?.id) }),
      () => ({ by: 'run', value: 'Scan run ready' }),
      ({ started }) => ({ by: 'location', value: String(started.station?.id) }),
      () => ({ by: 'location', value: 'Scan station 1' }),
      ({ ready }) => ({ by: 'barcode', value: ready.runs[0]?.code ?? '' }),
      ({ started }) => ({ by: 'barcode', value: started.station?.code ?? '' }),
      () => ({ by: 'barcode', value: 'SN:SCAN-BATCH-1' }),
      ({ lot }) => ({ by: 'barcode', value: lot.kit?.code ?? '' }),
    ];
    const answers = async () => {
      const client = ion.client();
      const found: WorkAnswer[] = [];
      for (const query of QUERIES) found.push((await find(client, query(cases))).answer);
      return found;
    };
    let usual: WorkAnswer[];
    before(async () => {
      usual = await answers();
    });

    for (const { name, settings } of DIALECTS) {
      it(`is the same: ${name}`, async () => {
        ion.sandbox.control.set(settings);
        assert.deepEqual(withTextIds(await answers()), withTextIds(usual));
      });
    }
  });

  it('is not made of a response with errors, whatever data it has', async () => {
    const body = JSON.stringify({
      data: { units: null, wanted: list(STEP), others: list(), open: list() },
      errors: [{ message: 'Something is wrong', path: ['units'] }],
    });
    ion.sandbox.control.fault({ target: 'api', kind: 'status', status: 200, body });
    const error = await failure(find(ion.client(), { value: 'SCAN-STARTED' }), 'ION_GRAPHQL');
    assert.match(error.message, /Something is wrong/);
  });

  describe('to a value', () => {
    const KINDS = ['barcode', 'serial', 'run', 'location'] as const satisfies LookupBy[];
    for (const by of KINDS) {
      it(`that is empty or too long is an error without a request: ${by}`, async () => {
        for (const value of ['', ' \r\n\u0000\u200b', 'x'.repeat(5001)]) {
          const error = await failure(find(ion.client(), { by, value }), 'ION_VARIABLES');
          assert.match(error.message, /^The [a-z ]+ is (empty|longer than 5000 characters)/);
          assert.equal(error.reason?.key, value.length > 5000 ? 'notReference' : 'noValue');
          assert.ok(String(error.reason?.name).length < 25);
        }
        assert.equal(ion.sandbox.control.counters().api.total, 0);
      });

      it(`of 5,000 characters is sent: ${by}`, async () => {
        const { answer } = await find(ion.client(), { by, value: 'x'.repeat(5000) });
        assert.ok(answer.found === 'none');
        assert.ok(answer.reason.length < 700);
      });
    }

    it('with a part or a step that is too long is an error', async () => {
      for (const more of [{ part: 'x'.repeat(5001) }, { step: 'x'.repeat(5001) }]) {
        await failure(find(ion.client(), more), 'ION_VARIABLES');
      }
    });
  });

  it('counts every request, and the retries', async () => {
    ion.sandbox.control.fault({ target: 'api', kind: 'status', status: 503, times: 2 });
    const retried: string[] = [];
    const states: string[] = [];
    const { answer, requests, attempts, traceId } = await new WorkFinder(ion.client()).find(
      { ...QUERY, by: 'barcode', value: 'SN:SCAN-READY' },
      {
        signal,
        onRetry: ({ code }) => retried.push(code),
        onState: (state) => states.push(state),
      },
    );
    assert.equal(answer.found, 'one');
    assert.deepEqual([requests, attempts], [2, 4]);
    assert.deepEqual(retried, ['ION_SERVER', 'ION_SERVER']);
    assert.ok(states.includes('retrying'));
    assert.equal(typeof traceId, 'string');
  });

  it('is an error of all requests together if the second one fails', async () => {
    ion.sandbox.control.fault({ target: 'api', kind: 'status', status: 503, match: 'query Work' });
    const error = await failure(
      find(ion.client({ retries: 0 }), { by: 'barcode', value: 'SN:SCAN-READY' }),
      'ION_SERVER',
    );
    assert.equal(error.attempts, 2);
  });

  it('ends with the flow', async () => {
    const controller = new AbortController();
    controller.abort();
    const stopped = new WorkFinder(ion.client()).find(QUERY, { signal: controller.signal });
    await failure(stopped, 'ION_CLOSED');
  });

  it('is asked for by a dialog in its own queue, and counts as one message', async () => {
    const client = answering(
      { scanBarcode: { entities: [{ id: 4, type: 'PARTS_INVENTORY' }] } },
      { units: list(UNIT), wanted: list(STEP), others: list(), open: list(STEP) },
    );
    await new WorkFinder(client).find({ ...QUERY, by: 'barcode' }, { signal, isEditor: true });
    assert.deepEqual(
      client.sent.map(({ options }) => [options.isNew, options.isEditor]),
      [
        [true, true],
        [false, true],
      ],
    );
  });

  it('needs nothing but the operations that are checked before', async () => {
    for (const [by, value] of [
      ['serial', 'SCAN-READY'],
      ['run', '7'],
      ['run', 'Scan run ready'],
      ['location', '2'],
      ['location', 'Find station waiting'],
      ['barcode', 'SN:SCAN-READY'],
      ['barcode', 'RUN:Scan run ready'],
      ['barcode', 'LOC:Scan station 1'],
    ] as const) {
      const checked = workOperations({ by, step: '', fields: true });
      const client = ion.client();
      const sent: Operation[] = [];
      await find(
        {
          request: (operation, options) => {
            sent.push(operation);
            return client.request(operation, options);
          },
        },
        { by, value },
      );
      assert.ok(sent.length > 0);
      for (const { name, document } of sent) {
        const parts = fieldsOf(document);
        const same = checked.find(({ operation }) => {
          const known = new Set(fieldsOf(operation.document));
          return operation.name === name && parts.every((part) => known.has(part));
        });
        assert.ok(same, `${by} ${value}: ${name}`);
      }
    }
  });

  describe('to a response of a strange server', () => {
    const RESPONSES: Response[] = [
      ['nothing', {}, 'none'],
      ['lists that are none', { units: 1, wanted: 'x', others: [], open: null }, 'none'],
      ['edges that are none', { units: { edges: {} }, wanted: { edges: [1, null] } }, 'none'],
      ['rows without IDs', { units: list({ serialNumber: 'X' }), wanted: list({}) }, 'none'],
      [
        'steps without the ID of their run',
        { units: list(UNIT), wanted: list({ ...STEP, runId: null }) },
        'none',
      ],
      [
        'units that were not asked for',
        { units: list({ id: 1, serialNumber: 'Y' }), wanted: list(STEP), open: list(STEP) },
        'none',
      ],
      [
        'steps of other units',
        {
          units: list({ id: 9, serialNumber: 'X' }),
          wanted: list(STEP),
          open: list(STEP),
        },
        'none',
      ],
      [
        'units of the part',
        { units: list({ ...UNIT, part: { partNumber: 'P' } }), wanted: list(STEP) },
        'one',
        { part: 'P' },
      ],
      [
        'units of another part',
        { units: list({ ...UNIT, part: { partNumber: 'Q' } }), wanted: list(STEP) },
        'none',
        { part: 'P' },
      ],
      [
        'steps that contain each other',
        {
          units: list(UNIT),
          wanted: list(
            { ...STEP, id: 3, parentId: 4 },
            { ...STEP, id: 4, parentId: 5 },
            { ...STEP, id: 5, parentId: 4 },
          ),
        },
        'one',
      ],
      [
        'a status of another time',
        { units: list(UNIT), open: list({ ...STEP, status: 'WAITING' }) },
        'blocked',
      ],
      [
        'the same step in all lists',
        { units: list(UNIT), wanted: list(STEP), open: list(STEP) },
        'one',
      ],
      [
        'fields that are none',
        { units: list(UNIT), wanted: list({ ...STEP, fields: [1, {}, null] }) },
        'one',
      ],
    ];
    for (const [what, data, found, query = {}] of [...RESPONSES, ...UNFILTERED, ...UNREADABLE]) {
      it(`is "${found}": ${what}`, async () => {
        const { answer } = await find(answering(data), query);
        assert.equal(answer.found, found);
      });
    }

    for (const entities of [
      null,
      'x',
      [],
      [null],
      [{ id: 'x', type: 'RUNS' }],
      [{ id: 1, type: {} }],
    ]) {
      it(`is "none" for the entities ${JSON.stringify(entities)}`, async () => {
        const client = answering({ scanBarcode: { entities } });
        const { answer, requests } = await find(client, { by: 'barcode' });
        assert.deepEqual([answer.found, requests], ['none', 1]);
      });
    }

    for (const [what, entities, rows, found] of SCANNED) {
      it(`is "${found}" for a barcode: ${what}`, async () => {
        const client = answering({ scanBarcode: { entities } }, rows);
        assert.equal((await find(client, { by: 'barcode' })).answer.found, found);
      });
    }

    it('needs three requests at most, whatever ION lacks', async () => {
      const steps = Array.from({ length: 60 }, (_, id) => {
        const { fields: _fields, run: _run, ...step } = STEP;
        const upstreamStepIds = id === 59 ? [100] : [101];
        return { ...step, id, status: 'TODO', locationId: 4, upstreamStepIds };
      });
      const client = answering(
        { scanBarcode: { entities: [{ id: 74, type: 'LOCATIONS' }] } },
        { locations: list({ id: 4, name: 'X', entityId: 74 }), open: list(...steps) },
        {
          runSteps: list(
            { ...STEP, id: 100, status: 'COMPLETE' },
            { ...STEP, id: 101, status: 'TODO' },
          ),
          own: list({ id: 59, fields: [{ id: 7, name: 'Torque' }] }),
        },
      );
      const { answer, requests } = await find(client, { by: 'barcode' });
      assert.ok(answer.found === 'one', JSON.stringify(answer));
      assert.deepEqual([answer.work.step.id, requests], [59, 3]);
      assert.deepEqual(Object.keys(answer.work.fields ?? {}), ['Torque']);
    });

    it('does not take a step for available if it waits for one that was not read', async () => {
      const step = { ...STEP, status: 'TODO', locationId: 4, upstreamStepIds: [100, 101] };
      const client = answering(
        { locations: list({ id: 4, name: 'X' }), open: list(step) },
        { runSteps: list({ ...STEP, id: 100, status: 'COMPLETE' }) },
      );
      const { answer } = await find(client, { by: 'location' });
      assert.equal(answer.found, 'several');
    });

    it('has each field once, however often ION returns it', async () => {
      const fields = Array.from({ length: 1000 }, () => ({ id: 'x'.repeat(200), name: 'Torque' }));
      const data = { units: list(UNIT), wanted: list({ ...STEP, fields }) };
      const { fields: kept = {} } = await workOf(answering(data), {});
      assert.deepEqual(Object.keys(kept), ['Torque']);
    });

    const LIMITS: [what: string, validations: unknown, expected: unknown[]][] = [
      ['of another ION', undefined, []],
      ['that are null', null, []],
      ['that are no list', { 0: { value: 1 } }, []],
      ['that are no objects', [1, null, 'x', [{ value: 1 }]], []],
      ['without anything', [{}], [{ name: null, value: null, result: null }]],
      [
        'of other types',
        [{ value: '5', result: 1, position: 'x', function: { displayName: {}, functionName: 7 } }],
        [{ name: null, value: null, result: null }],
      ],
      [
        'with a list as function',
        [{ value: 5, function: ['x'] }],
        [{ name: null, value: 5, result: null }],
      ],
      [
        'with the name of the function only',
        [
          { value: 5, result: 'FAIL', function: { displayName: null, functionName: 'less_than' } },
          { value: 6, result: 'pass', function: { displayName: '', functionName: 'more_than' } },
        ],
        [
          { name: 'less_than', value: 5, result: 'FAIL' },
          { name: 'more_than', value: 6, result: 'PASS' },
        ],
      ],
      [
        'without a position, after the others and as they come',
        [{ value: 3 }, { value: 4 }, { value: 2, position: 1 }, { value: 1, position: 0 }],
        [1, 2, 3, 4].map((value) => ({ name: null, value, result: null })),
      ],
    ];
    for (const [what, validations, expected] of LIMITS) {
      it(`has only the usable limits of a field: ${what}`, async () => {
        const fields = [{ id: 7, name: 'Torque', validations }];
        const data = { units: list(UNIT), wanted: list({ ...STEP, fields }) };
        const { fields: { Torque } = {} } = await workOf(answering(data), {});
        assert.deepEqual(Torque?.validations, expected);
      });
    }

    it('has at most a hundred limits of a field, with short names', async () => {
      const limit = { value: 1, function: { displayName: 'x'.repeat(20_000) } };
      const fields = [{ id: 7, name: 'Torque', validations: Array(1000).fill(limit) }];
      const data = { units: list(UNIT), wanted: list({ ...STEP, fields }) };
      const { fields: { Torque } = {} } = await workOf(answering(data), {});
      assert.equal(Torque?.validations.length, 100);
      assert.ok(JSON.stringify(Torque).length < 1_100_000);
    });

    it('has at most fifty candidates, of whatever kind', async () => {
      const many = Array.from({ length: 10_000 }, (_, id) => ({
        id,
        serialNumber: 'X',
        name: 'X',
      }));
      for (const by of ['serial', 'location'] as const) {
        const rows = list(...many);
        const { answer } = await find(answering({ units: rows, locations: rows }), { by });
        assert.ok(answer.found === 'several');
        assert.equal(answer.candidates.length, 50);
        assert.ok(answer.reason.length < 5000);
      }
    });

    it('asks for entities by whole numbers, in any form', async () => {
      for (const id of [74, 74.0, '74', '74.0']) {
        const client = answering({ scanBarcode: { entities: [{ id, type: 'runs' }] } }, {});
        await find(client, { by: 'barcode' });
        assert.deepEqual(client.sent[1]?.options.variables?.runs, { entityId: { in: ['74'] } });
      }
    });

    it('asks for an ID only if ION could have it', async () => {
      for (const [value, id] of [
        ['2147483647', '2147483647'],
        ['2147483648', undefined],
        ['00012', '12'],
        ['1e3', undefined],
        ['1e21', undefined],
        ['１２', undefined],
        ['-1', undefined],
      ] as const) {
        const client = answering({});
        await find(client, { by: 'run', value });
        const { runById } = client.sent[0]?.options.variables ?? {};
        assert.deepEqual(runById, id === undefined ? undefined : { id: { eq: id } }, value);
      }
    });

    it('asks for titles that differ in case or blanks, whatever characters they have', async () => {
      for (const [step, title] of [
        ['Torque  check', { ilike: '%Torque%check%' }],
        ['100%_\\', { ilike: '%100\\%\\_\\\\%' }],
        ['Prüfung'.normalize('NFD'), { ilike: '%Pr%fung%' }],
        ['検査', { in: ['検査'] }],
        ['a '.repeat(300).trim(), { in: ['a '.repeat(300).trim()] }],
      ] as const) {
        const client = answering({});
        await find(client, { step });
        const { others } = client.sent[0]?.options.variables ?? {};
        assert.deepEqual((others as { and_: unknown[] }).and_[1], { title }, step);
      }
    });

    it('is bounded', async () => {
      const text = 'x'.repeat(20_000);
      const fields = Array.from({ length: 2000 }, (_, id) => ({ id, name: text, value: text }));
      const data = { units: list(UNIT), wanted: list({ ...STEP, fields }) };
      const { fields: kept = {} } = await workOf(answering(data), {});
      assert.equal(Object.keys(kept).length, 1000);
      assert.ok(JSON.stringify(kept).length < 15_000_000);
      const many = Array.from({ length: 1000 }, (_, id) => ({ ...STEP, id }));
      const { answer } = await find(answering({ units: list(UNIT), wanted: list(...many) }), {});
      assert.ok(answer.found === 'several');
      assert.equal(answer.candidates.length, 50);
      assert.ok(answer.reason.length < 5000);
    });
  });
});

/** A copy in which every ID is a text. */
function withTextIds(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, each) => (key === 'id' ? String(each) : each)));
}

/** The fields of a document, each with those that it is in. */
function fieldsOf(document: DocumentNode): string[] {
  const path: string[] = [];
  const fields: string[] = [];
  visit(document, {
    Field: {
      enter({ name, alias }) {
        path.push(alias?.value ?? name.value);
        fields.push(path.join('.'));
      },
      leave() {
        path.pop();
      },
    },
  });
  return fields;
}
