import assert from 'node:assert/strict';
import type { IonResponse, RequestOptions, RequestState } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import type { DeliveryTry } from '../../nodes/outbox/entry-kind.js';
import {
  type Evaluate,
  type GraphqlEntry,
  GraphqlWrites,
  graphqlEntry,
  type NewGraphqlWrite,
} from '../../nodes/outbox/graphql-writes.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';

const MUTATION = 'mutation Create($title: String, $note: String) { create(title: $title) { id } }';
const PREPARE = 'query Prepare($title: String) { things(title: $title) { id } }';
const SECOND = 1000;

describe('outbox: a try to deliver a mutation', () => {
  let sent: { kind: string; name: string | undefined; options: RequestOptions }[];
  let respond: (kind: string, count: number) => Partial<IonResponse> | Promise<never>;
  let evaluate: Evaluate;
  let saved: { urgency: string | undefined; sentAt: number | undefined; sent: number }[];
  let closing: AbortController;
  beforeEach(() => {
    sent = [];
    saved = [];
    closing = new AbortController();
    respond = () => ({});
    evaluate = async () => undefined;
  });

  const kind = new GraphqlWrites(
    {
      async request({ kind, name }: Operation, options: RequestOptions): Promise<IonResponse> {
        sent.push({ kind, name, options });
        const count = sent.filter((each) => each.kind === kind).length;
        const data = { data: { of: kind }, attempts: 1, traceId: `${kind} ${count}` };
        return { ...data, ...(await respond(kind, count)) } as IonResponse;
      },
    },
    (...given) => evaluate(...given),
  );
  const entryOf = (more: Partial<NewGraphqlWrite> = {}, common: Partial<GraphqlEntry> = {}) => {
    const { own } = graphqlEntry({
      ...{ query: MUTATION, operationName: '', variables: { title: 'a', other: 1 } },
      ...{ orderKey: 'key', prepare: '', prepareVariables: '', alreadyDone: '', keepForMs: 0 },
      ...more,
    });
    const entry = { sender: 'node', context: { payload: 5 }, acceptedAt: 0, ...own, ...common };
    return entry as GraphqlEntry;
  };
  const deliver = (entry: GraphqlEntry, more: Partial<DeliveryTry> = {}) =>
    kind.deliver(entry, {
      ...{ signal: closing.signal, isRepeated: false, sharesDocument: true },
      ...{ partition: '', filePath: '' },
      save: async (urgency) => {
        saved.push({ urgency, sentAt: entry.sentAt, sent: sent.length });
      },
      ...more,
    });
  const thrownBy = async (entry: GraphqlEntry, more?: Partial<DeliveryTry>): Promise<IonError> => {
    const thrown = await deliver(entry, more).then(
      () => assert.fail('did not fail'),
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof IonError, String(thrown));
    return thrown;
  };
  const fail = (...given: ConstructorParameters<typeof IonError>) =>
    Promise.reject(new IonError(...given));
  const refused = () => fail('ION_GRAPHQL', 'no', { origin: 'operation' });
  const lost = () => fail('ION_NETWORK', 'lost', { mayHaveRun: true });
  const ago = (ms: number) => Date.now() - ms;

  it('ends with the outbox, gives way to new messages, and sends declared variables only', async () => {
    await deliver(entryOf({ prepare: PREPARE }));
    const { signal } = closing;
    const common = { signal, isNew: false, sharesDocument: true, trace: undefined };
    const options = { variables: { title: 'a' }, ...common };
    const compared = sent.map(({ options: { onState, ...others }, ...rest }) => ({
      ...rest,
      options: others,
    }));
    assert.deepEqual(compared, [
      { kind: 'query', name: 'Prepare', options },
      { kind: 'mutation', name: 'Create', options: { ...options, origin: undefined } },
    ]);
    sent = [];
    await deliver(entryOf({ variables: undefined }));
    assert.deepEqual(sent[0]?.options.variables, {});
  });

  it('has the result of the mutation, and the number of all requests', async () => {
    respond = () => ({ attempts: 2, extensions: { cost: 1 } });
    const result = await deliver(entryOf({ prepare: PREPARE }));
    assert.deepEqual(result, {
      ...{ payload: { of: 'mutation' }, name: 'Create', attempts: 4 },
      ...{ traceId: 'mutation 1', extensions: { cost: 1 } },
    });
  });

  it('stores before it sends that it sends, in time for a crash of Node-RED', async () => {
    const before = Date.now();
    await deliver(entryOf());
    assert.equal(saved.length, 1);
    const [{ urgency, sentAt = 0, sent: count } = {}] = saved;
    assert.deepEqual([urgency, count], ['now', 0]);
    assert.ok(sentAt >= before && sentAt <= Date.now());
  });

  it('stores the time again when it was queued for a second or longer', async () => {
    const { now } = Date;
    const begun = now();
    const states: [RequestState, number][] = [
      ['waiting', 5000],
      ['running', 999],
      ['running', 1000],
      ['retrying', 9000],
      ['running', 1999],
    ];
    try {
      Date.now = () => begun;
      respond = async () => {
        for (const [state, ms] of states) {
          Date.now = () => begun + ms;
          sent[0]?.options.onState?.(state);
        }
        return {} as never;
      };
      const entry = entryOf();
      await deliver(entry);
      assert.deepEqual(
        saved.map(({ urgency, sentAt = 0 }) => [urgency, sentAt - begun]),
        [
          ['now', 0],
          ['now', 1000],
        ],
      );
      // A failure of the disk is left for the next write to it.
      sent = [];
      let saves = 0;
      const save = () => (++saves === 1 ? Promise.resolve() : Promise.reject(new Error('full')));
      Date.now = () => begun;
      await deliver(entryOf(), { save });
      assert.equal(saves, 2);
    } finally {
      Date.now = now;
    }
  });

  it('leaves the time of a try that may have been executed, and no other', async () => {
    const before = ago(60 * SECOND);
    const cases: [() => Promise<never>, boolean, number][] = [
      [lost, true, 2],
      [() => fail('ION_SERVER', 'no', { mayHaveRun: true }), true, 2],
      [refused, false, 1],
      [() => fail('ION_NETWORK', 'not connected', { notRun: true }), false, 2],
      [() => fail('ION_GRAPHQL', 'no', { origin: 'operation', notRun: false }), false, 1],
      [() => fail('ION_GRAPHQL', 'no', { origin: 'operation', mayHaveRun: true }), true, 2],
    ];
    for (const [response, isKept, saves] of cases) {
      saved = [];
      respond = response;
      const entry = entryOf({}, { sentAt: before });
      await thrownBy(entry);
      assert.equal(entry.sentAt !== before, isKept, String(response));
      assert.equal(saved.length, saves, String(response));
    }
    saved = [];
    respond = () => {
      closing.abort();
      return fail('ION_CLOSED', 'closed', { notRun: true });
    };
    await thrownBy(entryOf());
    assert.equal(saved.length, 1, 'a store that closes is left alone');
  });

  it('says that an earlier one may have been executed, unless it was the last', async () => {
    respond = refused;
    const sentence = /^no An earlier try may have been executed\.$/;
    const unknown = await thrownBy(entryOf({}, { sentAt: ago(60 * SECOND) }));
    assert.match(unknown.message, sentence);
    assert.deepEqual([unknown.mayHaveRun, unknown.attempts], [true, 0]);
    const first = await thrownBy(entryOf());
    assert.deepEqual([first.message, first.mayHaveRun], ['no', false]);
    respond = lost;
    assert.equal((await thrownBy(entryOf())).message, 'lost');
  });

  it('looks for an earlier one if there may be one, by the expression of the sender', async () => {
    const asked: unknown[][] = [];
    evaluate = async (...given) => {
      asked.push(given);
      return [{ id: 3 }];
    };
    const write = { prepare: PREPARE, alreadyDone: 'data.things' };
    assert.equal('found' in (await deliver(entryOf(write))), false);
    assert.deepEqual(asked, []);
    for (const [common, more] of [
      [{}, { isRepeated: true }],
      [{ tried: true }, {}],
    ] as const) {
      sent = [];
      assert.deepEqual(await deliver(entryOf(write, common), more), {
        ...{ payload: [{ id: 3 }], name: 'Create', attempts: 1, traceId: 'query 1', found: true },
      });
      assert.equal(sent.length, 1);
      const variables = { title: 'a', other: 1 };
      const input = { variables, data: { of: 'query' }, msg: { payload: 5 } };
      assert.deepEqual(asked.pop(), ['data.things', input, 'node']);
    }
    assert.equal((await deliver(entryOf({ alreadyDone: '' }), { isRepeated: true })).attempts, 1);
  });

  it('waits while ION may still execute an earlier one: 30 s, also by a clock that was set back', async () => {
    const write = { prepare: PREPARE, alreadyDone: 'data.things' };
    for (const [sentAt, wait] of [
      [ago(10 * SECOND), 20 * SECOND],
      [Date.now() + 3600 * SECOND, 30 * SECOND],
    ] as const) {
      sent = [];
      saved = [];
      const isAhead = sentAt > Date.now();
      const error = await thrownBy(entryOf(write, { sentAt }), { isRepeated: true });
      const urgencies = saved.map(({ urgency }) => urgency);
      assert.deepEqual(urgencies, isAhead ? ['now'] : []);
      assert.deepEqual([error.code, error.transient, sent.length], ['ION_TIMEOUT', true, 1]);
      assert.match(error.message, /may still be executing an earlier try/);
      const { retryAfterMs = 0 } = error;
      assert.ok(retryAfterMs > wait - 5 * SECOND && retryAfterMs <= wait, String(retryAfterMs));
    }
    const entry = entryOf(write, { sentAt: ago(30 * SECOND) });
    respond = (of) => (of === 'mutation' ? refused() : {});
    const error = await thrownBy(entry, { isRepeated: true });
    assert.deepEqual([error.message, entry.sentAt], ['no', undefined]);
  });

  it('sends the variables of the expression, which must give an object', async () => {
    evaluate = async () => ({ title: 'b', unknown: 1 });
    await deliver(entryOf({ prepareVariables: '{ "title": "b" }' }));
    assert.deepEqual(sent[0]?.options.variables, { title: 'b' });
    for (const value of [undefined, null, 'text', [{}]]) {
      evaluate = async () => value;
      const error = await thrownBy(entryOf({ prepareVariables: 'x' }));
      assert.equal(error.code, 'ION_VARIABLES');
      assert.match(error.message, /"Variables to send" must give an object such as/);
    }
    assert.equal(sent.length, 1);
  });

  it('names the expression that failed; one that never ends does not outlive the outbox', async () => {
    const cause = new Error('No such function');
    evaluate = async () => {
      throw cause;
    };
    const error = await thrownBy(entryOf({ prepareVariables: 'x' }));
    assert.deepEqual(
      [error.code, error.message, error.cause],
      ['ION_VARIABLES', 'The expression "Variables to send" failed: No such function', cause],
    );
    const done = await thrownBy(entryOf({ alreadyDone: 'x' }), { isRepeated: true });
    assert.match(done.message, /^The expression "Already done" failed/);
    evaluate = () => new Promise(() => {});
    const waiting = thrownBy(entryOf({ prepareVariables: 'x' }));
    closing.abort();
    assert.equal((await waiting).code, 'ION_CLOSED');
  });

  it('is repeated at once after a conflict with the prepared object, three times', async () => {
    const conflict = () => fail('ION_CONFLICT', 'stale', { origin: 'operation' });
    const write = { prepare: PREPARE, prepareVariables: 'x' };
    evaluate = async () => ({ title: 'b' });
    respond = (of, count) => (of === 'mutation' && count <= 3 ? conflict() : {});
    assert.equal((await deliver(entryOf(write))).attempts, 5);
    assert.deepEqual(
      sent.map((each) => each.kind === 'query'),
      [true, false, true, false, true, false, true, false],
    );
    respond = (of) => (of === 'mutation' ? conflict() : {});
    sent = [];
    const error = await thrownBy(entryOf(write));
    assert.deepEqual([sent.length, error.code, error.origin], [8, 'ION_CONFLICT', 'service']);
    assert.equal(error.attempts, 4);
    for (const [more, response] of [
      [{ prepareVariables: '' }, conflict],
      [{ prepare: '' }, conflict],
      [{}, () => fail('ION_CONFLICT', 'stale', { origin: 'operation', mayHaveRun: true })],
      [{}, refused],
    ] as const) {
      sent = [];
      respond = (of) => (of === 'mutation' ? response() : {});
      await thrownBy(entryOf({ ...write, ...more }));
      assert.equal(sent.filter((each) => each.kind === 'mutation').length, 1);
    }
  });

  it('looks for an earlier one after a conflict, which it may have caused itself', async () => {
    evaluate = async (expression) =>
      expression === 'done' && sent.length > 2 ? 'it' : { title: 'b' };
    respond = (of) =>
      of === 'mutation' ? fail('ION_CONFLICT', 'stale', { origin: 'operation' }) : {};
    const write = { prepare: PREPARE, prepareVariables: 'x', alreadyDone: 'done' };
    assert.equal((await deliver(entryOf(write))).payload, 'it');
  });

  it('names the required variables that the expression does not give, if ION rejects it', async () => {
    const query = 'mutation Create($title: String!, $id: ID!, $note: String) { create { id } }';
    evaluate = async () => ({ title: null });
    respond = () => fail('ION_GRAPHQL', 'Variable "$id" is missing.', { origin: 'operation' });
    const write = { query, prepareVariables: 'x' };
    const error = await thrownBy(entryOf(write));
    assert.match(
      error.message,
      /^Variable "\$id" is missing\. The expression "Variables to send" gives no \$title, \$id\. "Prepare" may have found nothing/,
    );
    assert.deepEqual(error.reason, { key: 'noValue', name: '$title' });
    evaluate = async () => undefined;
    const without = await thrownBy(entryOf({ ...write, prepareVariables: '' }));
    assert.equal(without.message, 'Variable "$id" is missing.');
    evaluate = async () => ({ title: 'a', id: 0 });
    assert.equal((await thrownBy(entryOf(write))).message, 'Variable "$id" is missing.');
    respond = lost;
    evaluate = async () => ({});
    assert.equal((await thrownBy(entryOf(write))).message, 'lost');
  });

  it('counts the requests of a query that fails', async () => {
    respond = () => Promise.reject(new IonError('ION_SERVER', 'no').with({ attempts: 4 }));
    const error = await thrownBy(entryOf({ prepare: PREPARE }));
    assert.equal(error.message, 'The query of "Prepare" failed: no');
    assert.equal(error.attempts, 4);
    assert.deepEqual(saved, []);
  });

  it('is of an entry in the queue of its order key, and kept for a time if one is given', async () => {
    const entry = entryOf({ keepForMs: 1.5 });
    assert.deepEqual([entry.kind, entry.keepForMs], ['graphql', 2]);
    assert.equal('keepForMs' in entryOf(), false);
    assert.equal('keepForMs' in entry.write, false);
    const keys = [
      kind.orderKey(entry),
      await kind.findOrderKey(entry),
      kind.unknownOrderKey(entry),
    ];
    assert.deepEqual(keys, ['key', 'key', 'key']);
    assert.deepEqual(kind.restored(entry), { ...entry, tried: true });
  });

  it('is of an entry whose texts and variables can all be read', () => {
    const { write } = entryOf();
    const isValid = (changed: unknown) => kind.isValid({ ...entryOf(), write: changed } as Entry);
    assert.equal(isValid(write), true);
    assert.equal(isValid({ ...write, variables: undefined }), true);
    for (const name of Object.keys(write)) {
      assert.equal(isValid({ ...write, [name]: 5 }), false, name);
    }
    for (const other of [undefined, null, 'text', []]) assert.equal(isValid(other), false);
  });

  it('is of an entry that is shown by the name of its mutation, or of its field', () => {
    const shown = (query: string, operationName = '') =>
      kind.summary(entryOf({ query, operationName })).operation;
    assert.equal(shown(MUTATION), 'Create');
    assert.equal(shown('mutation { create { id } }'), 'create');
    assert.equal(shown('mutation { ...F } fragment F on Mutation { a }'), '');
    assert.equal(shown('mutation A { a } mutation B { b }', 'B'), 'B');
    assert.equal(shown('not a document', 'B'), 'B');
    const { value } = kind.summary(entryOf({ variables: undefined }));
    assert.equal(value, '{  }');
  });
});
