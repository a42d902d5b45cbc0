import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { util } from '@node-red/util';
import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../../nodes/client/errors.js';
import type { Work, WorkAnswer, WorkQuery } from '../../nodes/client/work/work.js';
import ionLookup from '../../nodes/ion-lookup.js';
import type { LookupResult } from '../../nodes/lookup/lookups.js';
import { lookupNode } from '../../tools/flow-nodes.js';
import { until } from '../support/until.js';

const READ_AT = '2026-01-31T08:00:00.000Z';
const UNIT = { lotNumber: 'LOT-9', partNumber: 'P-100', revision: 'A', description: 'Pump' };
const WORK: Work = {
  unit: { id: 71, serialNumber: 'SN-0001', ...UNIT },
  run: { id: 12, title: 'Pump assembly', status: 'IN_PROGRESS' },
  step: {
    ...{ id: '345', title: 'Proof test', status: 'IN_PROGRESS', position: 3 },
    ...{ availableToWork: true, batched: false, location: { id: 4, name: 'Test bench' } },
  },
};
const SEVERAL: WorkAnswer = {
  found: 'several',
  reason: 'Two units have the serial number "SN-0001".',
  candidates: [{ unit: WORK.unit as never }, { run: WORK.run }],
};

type Options = { rememberMs: number; signal: AbortSignal };
type Message = Record<string, unknown> & { ion?: Record<string, unknown> };

/** A node without a Node-RED, whose config node answers as the test says. */
function nodeWith(
  properties: object = {},
  answer: WorkAnswer | ((query: WorkQuery, options: Options) => Promise<LookupResult>) = {
    found: 'one',
    work: WORK,
  },
) {
  const asked: [WorkQuery, number][] = [];
  const users = new Set<{ work(): unknown }>();
  const lookups = {
    async find(query: WorkQuery, options: Options): Promise<LookupResult> {
      asked.push([query, options.rememberMs]);
      if (typeof answer === 'function') return answer(query, options);
      return { answer, source: 'ion', readAt: READ_AT, attempts: 2, traceId: 'abc' };
    },
  };
  const statuses: { text?: string; fill?: string; shape?: string }[] = [];
  const node = Object.assign(new EventEmitter(), {
    ...{ id: 'node', type: 'ion-lookup', name: '', warn() {} },
    status: (status: object) => void statuses.push(status),
    context: () => ({ flow: { get: () => undefined }, global: { get: () => undefined } }),
  });
  let create: ((this: Node, config: object) => void) | undefined;
  const RED = {
    nodes: {
      getNode: () => ({ type: 'ion-config', lookups, users }),
      registerType: (_name: string, type: typeof create) => {
        create = type;
      },
      createNode() {},
    },
    util,
    _: (key: string, { name, since }: Record<string, string>) =>
      [key.replace(/^.*\.status\./, ''), name, since].filter(Boolean).join(' | '),
  };
  ionLookup(RED as unknown as NodeAPI);
  create?.call(node as unknown as Node, { ...lookupNode, ...properties });
  const receive = async (msg: Message) => {
    const sent: unknown[] = [];
    const error = await new Promise<IonError | undefined>((resolve) =>
      node.emit('input', msg, (each: unknown) => sent.push(each), resolve),
    );
    return { sent, error, msg };
  };
  const close = () => new Promise<void>((resolve) => node.emit('close', false, resolve));
  const shown = () => statuses.at(-1);
  const lastStatus = async () => {
    await until(() => shown()?.text?.startsWith('lookup.') ?? false);
    return shown();
  };
  return { asked, users, receive, close, lastStatus };
}

describe('a message of ion-lookup', () => {
  it('leaves output 1 with the work, and with the IDs that ion-step reads', async () => {
    const { receive, asked } = nodeWith();
    const { sent, error, msg } = await receive({ payload: 'SN-0001\r\n', topic: 'scanner' });
    assert.equal(error, undefined);
    assert.deepEqual(sent, [msg]);
    const { ion, ...rest } = msg;
    assert.deepEqual(rest, {
      payload: 'SN-0001\r\n',
      topic: 'scanner',
      work: { ...WORK, source: 'ion', readAt: READ_AT },
      run: 12,
      step: '345',
    });
    const { durationMs, ...details } = ion ?? {};
    assert.equal(typeof durationMs, 'number');
    assert.deepEqual(details, { operation: 'query', attempts: 2, traceId: 'abc' });
    const query = { by: 'barcode', value: 'SN-0001', part: '', step: '', fields: true };
    assert.deepEqual(asked, [[query, 24 * 3_600_000]]);
  });

  for (const answer of [
    SEVERAL,
    { found: 'none', reason: 'ION has no unit "x".', candidates: [] },
    { found: 'blocked', reason: 'Step 3 is on hold.', candidates: [{ step: WORK.step }] },
  ] as WorkAnswer[]) {
    it(`leaves output 2 without an error if the answer is "${answer.found}"`, async () => {
      const { receive } = nodeWith({}, answer);
      const { sent, error, msg } = await receive({ payload: 'x', run: 'before' });
      assert.equal(error, undefined);
      assert.deepEqual(sent, [[null, msg]]);
      assert.deepEqual(msg.work, { ...answer, source: 'ion', readAt: READ_AT });
      assert.deepEqual([msg.run, 'step' in msg], ['before', false]);
      assert.equal(msg.ion?.operation, 'query');
    });
  }

  it('has its own copy of an answer that several messages share', async () => {
    const { receive } = nodeWith();
    const [one, other] = await Promise.all([receive({ payload: 'a' }), receive({ payload: 'a' })]);
    (one.msg.work as Work).run.title = 'changed by a flow';
    assert.equal((other.msg.work as Work).run.title, 'Pump assembly');
    assert.equal(WORK.run.title, 'Pump assembly');
  });

  it('has the result in the property that the node names', async () => {
    const { receive } = nodeWith({ output: 'scan.work', value: 'topic' });
    const { msg: found } = await receive({ topic: 'SN-0001' });
    assert.deepEqual((found.scan as Message).work, { ...WORK, source: 'ion', readAt: READ_AT });
    assert.equal(found.run, 12);
  });

  const QUERIES: [string, object, Message, Partial<WorkQuery>][] = [
    ['a number, as from a PLC', {}, { payload: 12 }, { value: '12' }],
    ['zero', {}, { payload: 0 }, { value: '0' }],
    ['a bigint', {}, { payload: 2n ** 60n }, { value: '1152921504606846976' }],
    ['a fixed value', { value: 'LINE 2', valueType: 'str' }, {}, { value: 'LINE 2' }],
    [
      'a fixed number',
      { value: '12345678901234567890', valueType: 'num' },
      {},
      { value: '12345678901234567890' },
    ],
    [
      'JSONata',
      { value: '"SN-" & payload', valueType: 'jsonata' },
      { payload: 7 },
      { value: 'SN-7' },
    ],
    ['white space within', {}, { payload: '\t a  b\u0000\r\n' }, { value: 'a  b' }],
    [
      'a part number',
      { by: 'serial', part: 'part', partType: 'msg' },
      { payload: 'x', part: 'P-1' },
      { by: 'serial', part: 'P-1' },
    ],
    [
      'no part number with a barcode',
      { part: 'part', partType: 'msg' },
      { payload: 'x' },
      { by: 'barcode', part: '' },
    ],
    [
      'a step',
      { step: 'topic', stepType: 'msg' },
      { payload: 'x', topic: 'Test' },
      { step: 'Test' },
    ],
    [
      'an empty step',
      { step: 'topic', stepType: 'msg' },
      { payload: 'x', topic: '' },
      { step: '' },
    ],
    ['no fields', { fields: false }, { payload: 'x' }, { fields: false }],
    ['no fields, from a variable', { fields: 'false' }, { payload: 'x' }, { fields: false }],
  ];
  for (const [what, properties, msg, expected] of QUERIES) {
    it(`asks with ${what}`, async () => {
      const { receive, asked } = nodeWith(properties);
      const { error } = await receive(msg);
      assert.equal(error, undefined);
      assert.deepEqual({ ...asked[0]?.[0], ...expected }, asked[0]?.[0]);
    });
  }

  const HOURS: [number | string, number][] = [
    [0, 0],
    ['0.5', 1_800_000],
    ['', 86_400_000],
  ];
  for (const [remember, ms] of HOURS) {
    it(`remembers for ${ms} ms if the property is ${JSON.stringify(remember)}`, async () => {
      const { receive, asked } = nodeWith({ remember });
      await receive({ payload: 'x' });
      assert.equal(asked[0]?.[1], ms);
    });
  }

  it('works with a node that has only its type and its config node', async () => {
    const missing = Object.fromEntries(Object.keys(lookupNode).map((name) => [name, undefined]));
    const { receive, asked } = nodeWith({ ...missing, config: 'config' });
    const { msg } = await receive({ payload: 'SN-0001' });
    const query = { by: 'barcode', value: 'SN-0001', part: '', step: '', fields: true };
    assert.deepEqual(asked, [[query, 86_400_000]]);
    assert.equal((msg.work as Work).run.id, 12);
  });

  const REFUSED: [string, object, Message, string, RegExp][] = [
    ['no value', {}, {}, 'ION_VARIABLES', /^The barcode has no value: msg\.payload does not exist/],
    [
      'null',
      {},
      { payload: null },
      'ION_VARIABLES',
      /^The barcode has no value: msg\.payload is null/,
    ],
    [
      'an empty text',
      {},
      { payload: ' \r\n' },
      'ION_VARIABLES',
      /^The barcode is empty \(msg\.payload\)/,
    ],
    [
      'an object',
      { by: 'serial' },
      { payload: { a: 1 } },
      'ION_VARIABLES',
      /^The serial number \(msg\.payload\) must be text or a number, but is an object/,
    ],
    ['a Buffer', {}, { payload: Buffer.from('a') }, 'ION_VARIABLES', /but is a Buffer/],
    ['a boolean', { by: 'run' }, { payload: true }, 'ION_VARIABLES', /^The run .* is boolean true/],
    ['NaN', {}, { payload: Number.NaN }, 'ION_VARIABLES', /must be text or a number/],
    [
      'a rounded number',
      { by: 'location' },
      { payload: 2 ** 60 },
      'ION_VARIABLES',
      /^The location is the number .* too many digits .* as text/,
    ],
    [
      'a step that does not exist',
      { step: 'topic', stepType: 'msg' },
      { payload: 'x' },
      'ION_VARIABLES',
      /^The title of the step has no value: msg\.topic does not exist/,
    ],
    [
      'a part that does not exist',
      { by: 'serial', part: 'topic', partType: 'msg' },
      { payload: 'x' },
      'ION_VARIABLES',
      /^The part number has no value: msg\.topic/,
    ],
    [
      'an expression without a value',
      { value: 'payload.x', valueType: 'jsonata' },
      { payload: 1 },
      'ION_VARIABLES',
      /JSONata expression returns nothing/,
    ],
    [
      'another kind of value',
      { by: 'lot' },
      { payload: 'x' },
      'ION_CONFIG',
      /"by" .* must be "barcode", "serial", "run" or "location"/,
    ],
    [
      'a kind from a variable that is not set',
      { by: '${ION_NOT_SET}' },
      { payload: 'x' },
      'ION_CONFIG',
      /ION_NOT_SET/,
    ],
    [
      'a value from a variable that is not set',
      { value: '${ION_NOT_SET}', valueType: 'str' },
      {},
      'ION_VARIABLES',
      /ION_NOT_SET/,
    ],
    [
      'hours that are no number',
      { remember: 'a day' },
      { payload: 'x' },
      'ION_CONFIG',
      /^"Memory \(h\)" .* from 0 to 8760/,
    ],
    [
      'a switch that is none',
      { fields: 'some' },
      { payload: 'x' },
      'ION_CONFIG',
      /"fields".* true or false/,
    ],
    [
      'the place of the run',
      { output: 'run' },
      { payload: 'x' },
      'ION_CONFIG',
      /msg\.run: the node itself sets/,
    ],
    [
      'a place in the step',
      { output: 'step.work' },
      { payload: 'x' },
      'ION_CONFIG',
      /msg\.step\.work/,
    ],
    ['the place of the details', { output: 'ion' }, { payload: 'x' }, 'ION_CONFIG', /msg\.ion/],
  ];
  for (const [what, properties, msg, code, text] of REFUSED) {
    it(`fails before ION is asked because of ${what}`, async () => {
      const { receive, asked } = nodeWith(properties);
      const { sent, error } = await receive(msg);
      assert.deepEqual([sent, asked], [[], []]);
      assert.equal(error?.code, code);
      assert.match(String(error?.message), text);
      assert.equal(msg.ion?.code, code);
    });
  }

  it('fails as the look-up does', async () => {
    const { receive } = nodeWith({}, async () => {
      throw new IonError('ION_NETWORK', 'No connection.').with({ attempts: 4 });
    });
    const { sent, error, msg } = await receive({ payload: 'x', run: 1 });
    assert.deepEqual([sent, error?.code, msg.ion?.attempts], [[], 'ION_NETWORK', 4]);
    assert.deepEqual([msg.run, 'work' in msg], [1, false]);
  });

  it('fails with ION_CLOSED if the flow is stopped, and a late answer goes nowhere', async () => {
    let answer: ((result: LookupResult) => void) | undefined;
    let signal: AbortSignal | undefined;
    const { receive, close } = nodeWith({}, (_query, options) => {
      signal = options.signal;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    const ended = receive({ payload: 'x' });
    await new Promise((resolve) => setImmediate(resolve));
    await close();
    const { error, sent } = await ended;
    assert.deepEqual([error?.code, signal?.aborted], ['ION_CLOSED', true]);
    answer?.({ answer: SEVERAL, source: 'ion', readAt: READ_AT, attempts: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(sent, []);
  });

  const readAt = new Date();
  const two = (number: number) => String(number).padStart(2, '0');
  const clock = `${two(readAt.getHours())}:${two(readAt.getMinutes())}`;
  const remembered = (answer: WorkAnswer) => async () =>
    ({ answer, source: 'remembered', readAt: readAt.toISOString(), attempts: 1 }) as const;
  const bare = { ...WORK, unit: null };
  const lot = { ...WORK, unit: { id: 1, serialNumber: null, ...UNIT } };
  const untitled: Work = {
    ...bare,
    run: { ...WORK.run, title: null },
    step: { ...WORK.step, title: null },
  };
  const one = (work: Work): WorkAnswer => ({ found: 'one', work });
  const SHOWN: [string, Parameters<typeof nodeWith>[1], string, string][] = [
    ['the unit and the step', one(WORK), 'green', 'lookup.found | SN-0001 · Proof test'],
    ['the lot', one(lot), 'green', 'lookup.found | LOT-9 · Proof test'],
    ['the run without a unit', one(bare), 'green', 'lookup.found | Pump assembly · Proof test'],
    ['IDs without titles', one(untitled), 'green', 'lookup.found | 12 · 345'],
    ['several', SEVERAL, 'yellow', 'lookup.several | A\u00a0code'],
    [
      'the time of a remembered answer',
      remembered(one(WORK)),
      'yellow',
      `lookup.remembered | SN-0001 · Proof test | ${clock}`,
    ],
  ];
  for (const [what, answer, fill, text] of SHOWN) {
    it(`shows ${what} below the node`, async () => {
      const { receive, lastStatus } = nodeWith({}, answer);
      const { msg } = await receive({ payload: 'A\u00a0code' });
      const status = await lastStatus();
      assert.equal(status?.text?.replace(/\s/g, ' '), text.replace(/\s/g, ' '));
      assert.deepEqual([status?.fill, status?.shape], [fill, fill === 'green' ? 'dot' : 'ring']);
      const { source } = msg.work as { source: string };
      assert.equal(source, typeof answer === 'function' ? 'remembered' : 'ion');
    });
  }

  it('shows a long code in short', async () => {
    const { receive, lastStatus } = nodeWith({}, SEVERAL);
    await receive({ payload: `A\nlong code with ${'x'.repeat(4000)}` });
    const text = `A long code with ${'x'.repeat(23)}…`;
    assert.equal((await lastStatus())?.text, `lookup.several | ${text}`);
  });
});
