import assert from 'node:assert/strict';
import { util } from '@node-red/util';
import type { Node, NodeAPI } from 'node-red';
import type { IonResponse, RequestOptions } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import { evaluateJsonata } from '../../nodes/config/evaluate-jsonata.js';
import type { DeliveryResult } from '../../nodes/outbox/entry-kind.js';
import {
  type Evaluate,
  type GraphqlEntry,
  GraphqlWrites,
  graphqlEntry,
  type NewGraphqlWrite,
} from '../../nodes/outbox/graphql-writes.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';
import { failure } from '../support/errors.js';
import { FakeIon, outage, useOutbox } from '../support/outbox.js';
import { until } from '../support/until.js';

interface Sent {
  kind: 'query' | 'mutation';
  variables: Record<string, unknown>;
}

const MUTATION = 'mutation Create($input: CreateInput!) { create(input: $input) { id } }';
const UPDATE = 'mutation Update($id: ID!, $etag: String!, $value: Int!) { update { id } }';
const RED = { util } as unknown as NodeAPI;
const node = { id: 'node', _flow: { getSetting: () => undefined } } as unknown as Node;
const evaluate: Evaluate = (text, input) => evaluateJsonata(RED, node, text, input);

describe('outbox: mutations of ion-graphql', () => {
  let sent: Sent[];
  /** The response to each request; it may throw. */
  let respond: (request: Sent, count: number) => unknown;
  let delivered: DeliveryResult[];
  let rejected: { entry: Entry; error: IonError }[];
  const listeners = new Map<string, OutboxListener>();
  const client = {
    async request(operation: Operation, { variables = {} }: RequestOptions): Promise<IonResponse> {
      const request = { kind: operation.kind, variables };
      sent.push(request);
      const data = respond(request, sent.filter(({ kind }) => kind === operation.kind).length);
      return { data, attempts: 1, traceId: 'trace' } as IonResponse;
    },
  };
  beforeEach(() => {
    sent = [];
    delivered = [];
    rejected = [];
    respond = () => ({ create: { id: 1 } });
    listeners.set('node', {
      delivered: (_entry, result) => void delivered.push(result),
      rejected: (entry, error) => void rejected.push({ entry, error }),
      failed: (thrown) => assert.fail(String(thrown)),
      changed() {},
    });
  });
  const outboxes = useOutbox(() => ({ writer: new FakeIon(), listeners }));
  const open = async (): Promise<Outbox> => {
    const outbox = await outboxes.open({
      kinds: [new GraphqlWrites(client, evaluate)],
      pauseMs: 5,
    });
    outbox.start();
    return outbox;
  };
  const write = (more: Partial<NewGraphqlWrite> = {}) =>
    graphqlEntry({
      query: MUTATION,
      operationName: '',
      variables: { input: { title: 'a' } },
      orderKey: 'key',
      ...{ prepare: '', prepareVariables: '', alreadyDone: '', keepForMs: 0 },
      ...more,
    });
  const mutations = () => sent.filter(({ kind }) => kind === 'mutation');
  const lost = () =>
    new IonError('ION_NETWORK', 'the response was lost', { transient: true, mayHaveRun: true });

  it('are sent as they are, with their result', async () => {
    const outbox = await open();
    await outbox.add('node', write(), {});
    await outboxes.empty(outbox);
    assert.deepEqual(sent, [{ kind: 'mutation', variables: { input: { title: 'a' } } }]);
    const result = { payload: { create: { id: 1 } }, name: 'Create', attempts: 1 };
    assert.deepEqual(delivered, [{ ...result, traceId: 'trace', extensions: undefined }]);
  });

  it('are prepared before each try, with the declared variables and with what the query found', async () => {
    respond = ({ kind }, count) => {
      if (kind === 'query') return { thing: { etag: `e${count}` } };
      if (count === 1) throw outage();
      return {};
    };
    const outbox = await open();
    const prepare = 'query Prepare($id: ID!) { thing(id: $id) { etag } }';
    const prepareVariables =
      '{ "id": variables.id, "etag": data.thing.etag, "value": msg.payload, "other": 1 }';
    const variables = { id: 7, unknown: true };
    await outbox.add('node', write({ query: UPDATE, variables, prepare, prepareVariables }), {
      payload: 5,
    });
    await outboxes.empty(outbox);
    assert.deepEqual(sent, [
      { kind: 'query', variables: { id: 7 } },
      { kind: 'mutation', variables: { id: 7, etag: 'e1', value: 5 } },
      { kind: 'query', variables: { id: 7 } },
      { kind: 'mutation', variables: { id: 7, etag: 'e2', value: 5 } },
    ]);
  });

  it('are not sent again if an earlier try is found, which is not looked for at the first try', async () => {
    respond = ({ kind }, count) => {
      if (kind === 'query') return { things: [{ id: 3 }] };
      if (count === 1) throw lost();
      return {};
    };
    const outbox = await open();
    const prepare = '{ things { id } }';
    const alreadyDone = '{ "create": data.things[0] }';
    await outbox.add('node', write({ prepare, alreadyDone }), {});
    await outboxes.empty(outbox);
    assert.equal(mutations().length, 1);
    assert.deepEqual(
      delivered.map(({ payload, found, name }) => ({ payload, found, name })),
      [{ payload: { create: { id: 3 } }, found: true, name: 'Create' }],
    );
  });

  it('are sent again if nothing is found, but not while ION may still execute the earlier try', async () => {
    respond = ({ kind }, count) => {
      if (kind === 'query') return { things: [] };
      if (count === 1) throw lost();
      return {};
    };
    const outbox = await open();
    const prepare = '{ things { id } }';
    await outbox.add('node', write({ prepare, alreadyDone: '{ "create": data.things[0] }' }), {});
    await until(() => sent.filter(({ kind }) => kind === 'query').length === 2);
    await until(() => outbox.state.failing.length > 0 || sent.length > 2);
    assert.equal(mutations().length, 1);
    assert.equal(outbox.state.pending, 1);
  });

  it('wait once for an earlier try if the clock is set back by hours', async () => {
    const { now } = Date;
    respond = ({ kind }) => (kind === 'query' ? { things: [] } : {});
    const writes = new GraphqlWrites(client, evaluate);
    const { own } = write({ prepare: '{ things { id } }', alreadyDone: 'data.things' });
    const entry = { ...own, sender: 'node', context: {}, acceptedAt: now(), sentAt: now() };
    let saved: Entry = entry;
    const attempt = async () => {
      const tried = structuredClone(saved) as GraphqlEntry;
      const save = async () => {
        saved = structuredClone(tried);
      };
      const { signal } = new AbortController();
      return writes.deliver(tried, { signal, isRepeated: true, partition: '', filePath: '', save });
    };
    try {
      Date.now = () => now() - 5 * 3_600_000;
      const { retryAfterMs = 0 } = await failure(attempt(), 'ION_TIMEOUT');
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 30_000, String(retryAfterMs));
      Date.now = () => now() - 5 * 3_600_000 + retryAfterMs + 1000;
      await attempt();
    } finally {
      Date.now = now;
    }
    assert.equal(mutations().length, 1);
  });

  it('wait for an earlier try from its end, because it may have been sent long after it was queued', async () => {
    const { now } = Date;
    let passed = 0;
    const writes = new GraphqlWrites(client, evaluate);
    const { own } = write({ prepare: '{ things { id } }', alreadyDone: 'data.things' });
    const entry = { ...own, sender: 'node', context: {}, acceptedAt: now() } as GraphqlEntry;
    respond = ({ kind }) => {
      if (kind === 'query') return { things: [] };
      passed += 60_000;
      throw lost();
    };
    const { signal } = new AbortController();
    let saved: Entry = entry;
    const attempt = (isRepeated: boolean) => {
      const tried = structuredClone(saved) as GraphqlEntry;
      const save = async () => {
        saved = structuredClone(tried);
      };
      return writes.deliver(tried, { signal, isRepeated, partition: '', filePath: '', save });
    };
    try {
      Date.now = () => now() + passed;
      await failure(attempt(false), 'ION_NETWORK');
      const { retryAfterMs = 0 } = await failure(attempt(true), 'ION_TIMEOUT');
      assert.ok(retryAfterMs > 29_000 && retryAfterMs <= 30_000, String(retryAfterMs));
    } finally {
      Date.now = now;
    }
    assert.equal(mutations().length, 1);
  });

  it('are sent again at once if the earlier try was certainly not executed', async () => {
    respond = ({ kind }, count) => {
      if (kind === 'query') return { things: [] };
      if (count === 1) throw new IonError('ION_NETWORK', 'refused', { transient: true });
      return {};
    };
    const outbox = await open();
    const prepare = '{ things { id } }';
    await outbox.add('node', write({ prepare, alreadyDone: 'data.things' }), {});
    await outboxes.empty(outbox);
    assert.equal(mutations().length, 2);
  });

  it('are looked for after a restart and after a rejection, because nobody knows', async () => {
    respond = () => ({ things: [{ id: 3 }] });
    const add = await outboxes.open({ kinds: [new GraphqlWrites(client, evaluate)] });
    const prepare = '{ things { id } }';
    const alreadyDone = 'data.things[0]';
    await add.add('node', write({ prepare, alreadyDone }), {});
    await outboxes.close(add);
    const outbox = await open();
    await outboxes.empty(outbox);
    assert.deepEqual([mutations().length, delivered[0]?.found], [0, true]);
    respond = ({ kind }) => {
      if (kind === 'query') return { things: [{ id: 4 }] };
      throw new IonError('ION_GRAPHQL', 'no', { origin: 'operation', notRun: false });
    };
    await outbox.add('node', write({ prepare, alreadyDone }), {});
    await until(() => rejected.length === 1);
    await outbox.decide('retry');
    await outboxes.empty(outbox);
    assert.deepEqual([mutations().length, delivered[1]?.payload], [1, { id: 4 }]);
  });

  it('are prepared again after a conflict, however often it happens', async () => {
    respond = ({ kind }, count) => {
      if (kind === 'query') return { etag: `e${count}` };
      if (count < 12) throw new IonError('ION_CONFLICT', 'stale etag', { origin: 'operation' });
      return {};
    };
    const outbox = await open();
    const more = { prepare: '{ etag }', prepareVariables: '{ "etag": data.etag }' };
    await outbox.add('node', write({ query: UPDATE, ...more }), {});
    await outboxes.empty(outbox);
    assert.equal(rejected.length, 0);
    assert.deepEqual(mutations().at(-1)?.variables, { etag: 'e12' });
  });

  it('do not wait for the end of a try that a conflict refused', async () => {
    respond = ({ kind }, count) => {
      const refused = { origin: 'operation', notRun: false } as const;
      if (kind === 'mutation' && count < 12) throw new IonError('ION_CONFLICT', 'stale', refused);
      return {};
    };
    const outbox = await open();
    const more = { prepare: '{ etag }', prepareVariables: '{}', alreadyDone: 'data.done' };
    await outbox.add('node', write({ query: UPDATE, ...more }), {});
    await until(() => mutations().length === 12);
    await outboxes.empty(outbox);
  });

  it('are looked for if they were sent, although the outbox could not store how that ended', async () => {
    const writes = new GraphqlWrites(client, evaluate);
    const own = write({ alreadyDone: '{ "id": 9 }' }).own as Pick<GraphqlEntry, 'kind' | 'write'>;
    const entry = { ...own, sender: 'node', context: {}, acceptedAt: 0, sentAt: Date.now() };
    const { signal } = new AbortController();
    const attempt = {
      signal,
      isRepeated: false,
      partition: '',
      filePath: '',
      save: async () => {},
    };
    const { payload, found } = await writes.deliver(entry, attempt);
    assert.deepEqual([payload, found, sent.length], [{ id: 9 }, true, 0]);
  });

  it('are rejected by a conflict without a query that would bring a fresh etag', async () => {
    respond = () => {
      throw new IonError('ION_CONFLICT', 'stale etag', { origin: 'operation' });
    };
    const outbox = await open();
    await outbox.add('node', write(), {});
    await until(() => rejected.length === 1);
    assert.equal(mutations().length, 1);
  });

  const failing: [string, Partial<NewGraphqlWrite>, RegExp][] = [
    [
      'an expression that fails',
      { prepareVariables: '$error("no id")' },
      /"Variables to send".*no id/,
    ],
    [
      'an expression that gives a function',
      { prepareVariables: 'function($each) { $each }' },
      /"Variables to send".*gives a function/,
    ],
    ['variables that are no object', { prepareVariables: 'data.nothing' }, /must give an object/],
    ['a rejected query', { prepare: '{ refused }' }, /"Prepare" failed: no such field/],
  ];
  for (const [what, more, text] of failing) {
    it(`are rejected with a reason for ${what}, and nothing is sent`, async () => {
      respond = () => {
        throw new IonError('ION_GRAPHQL', 'no such field', { origin: 'operation' });
      };
      const outbox = await open();
      await outbox.add('node', write(more), {});
      await until(() => rejected.length === 1);
      assert.match(rejected[0]?.error.message ?? '', text);
      assert.equal(mutations().length, 0);
    });
  }

  it('report that an earlier try may have been executed, when a later one is rejected', async () => {
    respond = (_request, count) => {
      if (count === 1) throw lost();
      throw new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });
    };
    const outbox = await open();
    await outbox.add('node', write(), {});
    await until(() => rejected.length === 1);
    const [{ error } = {}] = rejected;
    assert.equal(error?.mayHaveRun, true);
    assert.match(error?.message ?? '', /An earlier try may have been executed/);
  });

  it('say which expression lacks a variable, when ION rejects them for it', async () => {
    respond = ({ kind }) => {
      if (kind === 'query') return { thing: null };
      throw new IonError('ION_GRAPHQL', 'No $etag.', { origin: 'operation' });
    };
    const outbox = await open();
    const prepareVariables = '{ "id": variables.id, "etag": data.thing.etag, "value": 0 }';
    const prepared = { prepare: '{ thing { etag } }', prepareVariables, variables: { id: 7 } };
    await outbox.add('node', write({ query: UPDATE, ...prepared }), {});
    await until(() => rejected.length === 1);
    const [{ error } = {}] = rejected;
    assert.match(error?.message ?? '', /^No \$etag\. .*"Variables to send" gives no \$etag\. /);
    assert.deepEqual(error?.reason, { key: 'noValue', name: '$etag' });
  });

  it('are shown with their name, their order key and their variables', async () => {
    respond = () => {
      throw new IonError('ION_GRAPHQL', 'no', { origin: 'operation' });
    };
    const outbox = await open();
    await outbox.add('node', write({ orderKey: 'line 4' }), {});
    await outbox.add('node', write({ orderKey: 'node' }), {});
    await until(() => outbox.state.rejected === 2);
    const value = '{ input: { title: "a" } }';
    const shown = { action: 'graphql', target: {}, operation: 'Create', value, isEditable: true };
    const summaries = (await outbox.rejected(2)).map((stored) => outbox.summaryOf(stored));
    // The key of a node without one is its own ID, which says nothing to people.
    assert.deepEqual(new Set(summaries), new Set([{ ...shown, orderKey: 'line 4' }, shown]));
  });
});
