import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OperationsPerRequest } from '../../../nodes/client/batching/batch-size.js';
import { RequestBatches } from '../../../nodes/client/batching/request-batches.js';
import type { IonClient, RequestOptions, RequestState } from '../../../nodes/client/client.js';
import { type IonError, toIonError } from '../../../nodes/client/errors.js';
import { type Operation, parseOperation } from '../../../nodes/client/graphql/operation.js';
import { ownOperation } from '../../../nodes/client/graphql/own-operation.js';
import type { IonClientSettings } from '../../../nodes/client/ion-client-settings.js';
import { failure } from '../../support/errors.js';
import { withoutPauses } from '../../support/pauses.js';
import { closeAfterEach } from '../../support/servers.js';
import { SharedDocumentServer, USUAL } from '../../support/shared-documents.js';
import { until } from '../../support/until.js';

const ACT = parseOperation(
  'mutation Act($key: ID!, $behave: String, $number: Int) { act(key: $key, behave: $behave, number: $number) { key note } }',
);
const MUST = parseOperation(
  'mutation Must($key: ID!, $behave: String) { mustAct(key: $key, behave: $behave) { key note } }',
);
const THING = parseOperation(
  'query Thing($id: ID!, $behave: String) { thing(id: $id, behave: $behave) { id name } }',
);
const OTHER_THING = parseOperation('query Other($id: ID!) { thing(id: $id) { name } }');

describe('requests that share documents', () => {
  withoutPauses();
  const closing = closeAfterEach();
  let server: SharedDocumentServer;
  let client: IonClient;
  let batches: RequestBatches;
  let operations: OperationsPerRequest;
  /** Lets the answers of the server pass. */
  let open: () => void;
  let settings: Partial<IonClientSettings>;
  beforeEach(async () => {
    server = closing(await SharedDocumentServer.start());
    operations = 50;
    settings = {};
    open = () => {};
  });

  const start = () => {
    client = closing(server.client(settings));
    batches = new RequestBatches(client, operations);
  };
  /** The server answers after `open`. */
  const shut = () => {
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    server.before = () => opened;
  };
  const ask = (
    operation: Operation,
    variables: Record<string, unknown>,
    more: Partial<RequestOptions> = {},
  ) => {
    if (!batches) start();
    const { signal } = new AbortController();
    return batches.request(operation, { variables, signal, sharesDocument: true, ...more });
  };
  const act = (key: string, behave?: string, more?: Partial<RequestOptions>) =>
    ask(ACT, { key, ...(behave && { behave }) }, more);
  const data = ({ data: own }: { data: unknown }) => own;
  const done = (key: string) => ({ act: { key, note: `note ${key}` } });
  const errorOf = (promise: Promise<unknown>): Promise<IonError> =>
    promise.then(
      () => assert.fail('did not fail'),
      (thrown) => toIonError(thrown),
    );
  afterEach(() => {
    batches = undefined as unknown as RequestBatches;
  });

  it('take one request if they arrive in the same turn, and each gets its own data', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    const responses = await Promise.all(keys.map((key) => act(key)));
    assert.deepEqual(responses.map(data), keys.map(done));
    assert.deepEqual(server.sizes, [50]);
    const [first] = responses;
    assert.deepEqual(
      [first?.attempts, first?.traceId, first?.extensions],
      [1, 'abc123', { cost: 1 }],
    );
  });

  it('are sent at once and unchanged if nothing else waits', async () => {
    assert.deepEqual(data(await act('a')), done('a'));
    assert.equal(server.documents[0], ACT.text);
  });

  it('wait only while all requests of the client are in flight, and then share documents', async () => {
    settings = { concurrency: 2 };
    shut();
    const first = [act('a'), ask(THING, { id: 'b' })];
    await until(() => server.documents.length === 2);
    const later = [act('c')];
    await nextTurn();
    later.push(act('d'), act('e'));
    const queries = ['f', 'g'].map((id) => ask(THING, { id }));
    await Promise.resolve();
    open();
    await Promise.all([...first, ...later, ...queries]);
    assert.deepEqual(server.sizes.slice(2).sort(), [2, 3]);
  });

  it('wait a moment for others while ION works on another document, and no longer', async () => {
    shut();
    const first = act('a');
    await until(() => server.documents.length === 1);
    const later = [];
    for (const key of ['b', 'c', 'd']) {
      later.push(act(key));
      await nextTurn();
    }
    await until(() => server.documents.length === 2);
    open();
    await Promise.all([first, ...later]);
    assert.deepEqual(server.sizes, [1, 3]);
  });

  it('do not queue up in the client behind the requests of others', async () => {
    settings = { concurrency: 2 };
    shut();
    start();
    const { signal } = new AbortController();
    const others = ['x', 'y'].map((id) =>
      client.request(OTHER_THING, { variables: { id }, signal }),
    );
    await until(() => server.documents.length === 2);
    const states: RequestState[] = [];
    const first = act('a', undefined, { onState: (state) => states.push(state) });
    await until(() => states.length > 0);
    assert.deepEqual(states, ['waiting']);
    const later = [];
    for (const key of ['b', 'c', 'd']) {
      later.push(act(key));
      await nextTurn();
    }
    open();
    await Promise.all([...others, first, ...later]);
    assert.deepEqual(server.sizes, [1, 1, 1, 3]);
  });

  it('keep mutations and queries apart', async () => {
    await Promise.all([act('a'), ask(THING, { id: 'b' }), act('c'), ask(THING, { id: 'd' })]);
    assert.deepEqual(server.sizes, [2, 2]);
    const kinds = server.documents.map((text) => text.split(' ')[0]);
    assert.deepEqual(kinds.sort(), ['mutation', 'query']);
  });

  it('have one alias for the same query with the same variables, and data of their own', async () => {
    const responses = await Promise.all([
      ask(THING, { id: 'a' }),
      ask(THING, { id: 'a' }),
      ask(THING, { id: 'b' }),
      ask(OTHER_THING, { id: 'a' }),
    ]);
    assert.deepEqual(server.sizes, [3]);
    const [one, two] = responses;
    assert.deepEqual(one?.data, two?.data);
    assert.notEqual(one?.data.thing, two?.data.thing);
    assert.deepEqual(responses[3]?.data, { thing: { name: 'thing a' } });
    await Promise.all([act('k'), act('k')]);
    assert.equal(server.executed.get('k'), 2);
  });

  it('fail one by one, by the path of the error', async () => {
    const bad = act('b', 'refuse');
    const stale = act('c', 'conflict');
    const [good, refused, conflict] = await Promise.all([act('a'), errorOf(bad), errorOf(stale)]);
    assert.deepEqual(data(good), done('a'));
    assert.deepEqual(server.sizes, [3]);
    assert.deepEqual([refused.code, refused.mayHaveRun], ['ION_GRAPHQL', false]);
    assert.deepEqual(refused.errors, [
      { message: 'The leak rate of this part is too high.', path: ['act'] },
    ]);
    assert.deepEqual(refused.data, { act: null });
    assert.deepEqual([conflict.code, conflict.attempts], ['ION_CONFLICT', 1]);
  });

  it('have an unknown fate, without the error of another one, if that one nulled all data', async () => {
    const results = ['a', 'c'].map((key) => errorOf(act(key)));
    const bad = errorOf(ask(MUST, { key: 'b', behave: 'refuse' }));
    const after = errorOf(act('d'));
    for (const error of await Promise.all([...results, after])) {
      assert.deepEqual(
        [error.code, error.mayHaveRun, error.transient],
        ['ION_RESPONSE', true, true],
      );
      assert.equal(error.errors, undefined);
      assert.doesNotMatch(error.message, /leak rate/);
    }
    const { code, mayHaveRun, errors } = await bad;
    assert.deepEqual([code, mayHaveRun, errors?.length], ['ION_GRAPHQL', false, 1]);
    assert.equal(batches.size, 1);
  });

  it('have the results that ION returned, and otherwise an unknown fate, if errors have no path', async () => {
    server.reading = { ...USUAL, paths: false };
    const good = act('a');
    const [bad, worse] = await Promise.all([
      errorOf(act('b', 'refuse')),
      errorOf(act('c', 'conflict')),
    ]);
    assert.deepEqual(data(await good), done('a'));
    for (const error of [bad, worse]) {
      assert.deepEqual(
        [error.code, error.mayHaveRun, error.transient],
        ['ION_RESPONSE', true, true],
      );
      assert.match(error.message, /The leak rate of this part is too high/);
    }
    assert.equal(batches.size, 1, 'this ION does not distinguish operations');
    assert.equal((await errorOf(act('d', 'refuse'))).code, 'ION_GRAPHQL');
  });

  it('are asked again one by one if they are queries whose document failed', async () => {
    server.fault = (count) => (count === 1 ? '502 before' : 'none');
    const responses = await Promise.all(['a', 'b', 'c'].map((id) => ask(THING, { id })));
    assert.deepEqual(
      responses.map((each) => [each.data.thing, each.attempts]),
      ['a', 'b', 'c'].map((id) => [{ id, name: `thing ${id}` }, 2]),
    );
    assert.deepEqual(server.sizes, [3, 1, 1, 1]);
  });

  it('say that they may have been executed if they are mutations whose answer was lost', async () => {
    for (const fault of ['502 after', 'reset after', 'half after'] as const) {
      server.fault = () => fault;
      const keys = ['a', 'b'].map((key) => `${key} ${fault}`);
      for (const error of await Promise.all(keys.map((key) => errorOf(act(key))))) {
        assert.equal(error.mayHaveRun, true, fault);
        assert.match(error.message, /It may have been executed/);
      }
      assert.deepEqual([...keys.map((key) => server.executed.get(key))], [1, 1]);
    }
    assert.deepEqual(server.sizes, [2, 2, 2]);
  });

  it('are repeated together if ION turned the document away', async () => {
    server.fault = (count) => (count === 1 ? '429' : 'none');
    const responses = await Promise.all(['a', 'b'].map((key) => act(key)));
    assert.deepEqual(
      responses.map(({ attempts }) => attempts),
      [2, 2],
    );
    assert.deepEqual(server.sizes, [2, 2]);
  });

  it('are sent without the one whose variables ION refuses, and that one has its own error', async () => {
    const bad = errorOf(ask(ACT, { key: 'b', number: 'no number' }));
    const good = ['a', 'c', 'd', 'e'].map((key) => act(key));
    const error = await bad;
    assert.deepEqual([error.code, error.mayHaveRun], ['ION_GRAPHQL', false]);
    assert.match(error.message, /^Variable "number": "no number" is not a value of Int/);
    assert.deepEqual((await Promise.all(good)).map(data), ['a', 'c', 'd', 'e'].map(done));
    assert.deepEqual([...server.sizes].sort(), [1, 4, 5]);
    assert.equal(batches.size, 50);
  });

  it('are divided until ION accepts them, if one of them is refused with its whole document', async () => {
    const invalid = parseOperation('mutation ($key: ID!) { act(key: $key) { weight } }');
    const bad = errorOf(ask(invalid, { key: 'x' }));
    const good = Array.from({ length: 7 }, (_, index) => act(`k${index}`));
    assert.match((await bad).message, /Cannot query field "weight"/);
    await Promise.all(good);
    assert.deepEqual([...server.executed.values()], Array(7).fill(1));
    assert.equal(batches.size, 50, 'the document was refused, not its size');
  });

  it('are as many as ION accepts in one document', async () => {
    operations = 'auto';
    server.reading = { ...USUAL, maxFields: 3 };
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 12 }, (_, index) => act(`r${round}k${index}`)));
    }
    assert.deepEqual([...server.executed.values()], Array(48).fill(1));
    assert.equal(batches.size, 2);
    assert.deepEqual(server.sizes.slice(-6), Array(6).fill(2));
  });

  it('are more in one document after ION has answered a full one quickly', async () => {
    operations = 'auto';
    await Promise.all(Array.from({ length: 4 }, (_, index) => act(`a${index}`)));
    assert.equal(batches.size, 16);
    await Promise.all(Array.from({ length: 18 }, (_, index) => act(`b${index}`)));
    assert.deepEqual(server.sizes, [4, 16, 2]);
  });

  it('are sent alone for a while if ION refuses documents with several operations', async () => {
    server.reading = { ...USUAL, maxFields: 1 };
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => act(key)));
    assert.equal(batches.size, 1);
    server.documents.length = 0;
    await Promise.all(['e', 'f'].map((key) => act(key)));
    assert.deepEqual(server.sizes, [1, 1]);
  });

  it('do without the parts that the schema lacks, which the first of them finds out', async () => {
    const own = ownOperation(
      'mutation Own($key: ID!) { act(key: $key) { key ... on Done @wished { note } } }',
    );
    server.lacks = ['note'];
    const keys = Array.from({ length: 6 }, (_, index) => `k${index}`);
    const responses = await Promise.all(keys.map((key) => ask(own, { key })));
    assert.deepEqual(
      responses.map(data),
      keys.map((key) => ({ act: { key } })),
    );
    assert.deepEqual(server.sizes, [6, 1, 1, 5]);
    assert.deepEqual(client.lacks, [{ kind: 'field', type: 'Done', field: 'note' }]);
    assert.equal(batches.size, 50);
    server.documents.length = 0;
    await Promise.all(['a', 'b'].map((key) => ask(own, { key })));
    assert.deepEqual(server.sizes, [2]);
    batches.forgetLack('Done.note');
    server.lacks = [];
    const again = await Promise.all(['c', 'd'].map((key) => ask(own, { key })));
    assert.deepEqual(again.map(data), ['c', 'd'].map(done));
  });

  it('with unsendable variables fail alone', async () => {
    const bad = failure(ask(ACT, { key: 'a', number: Number.NaN }), 'ION_VARIABLES');
    const large = act(`${'x'.repeat(300_000)}`);
    await Promise.all([bad, large, act('b'), act('c')]);
    assert.deepEqual([...server.sizes].sort(), [1, 2]);
    assert.ok(server.documents.includes(ACT.text), 'the large one has its own document');
  });

  it('have no more than 256 kB of variables together', async () => {
    const keys = Array.from({ length: 6 }, (_, index) => `${index}${'x'.repeat(100_000)}`);
    await Promise.all(keys.map((key) => act(key)));
    assert.deepEqual(server.sizes, [2, 2, 2]);
  });

  const alone: [what: string, options: Partial<RequestOptions>][] = [
    ['dialogs', { isEditor: true }],
    ['callers who want that', { sharesDocument: false }],
    ['callers who do not say', { sharesDocument: undefined }],
    ['callers who change them before a retry', { onRetry: () => undefined }],
  ];
  for (const [what, options] of alone) {
    it(`have a document of their own if they are of ${what}`, async () => {
      await Promise.all(['a', 'b'].map((key) => act(key, undefined, options)));
      assert.deepEqual(server.documents, [ACT.text, ACT.text]);
    });
  }

  it('have documents of their own if the setting is 1', async () => {
    operations = 1;
    await Promise.all(['a', 'b'].map((key) => act(key)));
    assert.deepEqual(server.documents, [ACT.text, ACT.text]);
  });

  it('pass on the states of their document', async () => {
    const states: string[][] = [[], []];
    server.fault = (count) => (count === 1 ? '503 later' : 'none');
    await Promise.all(
      states.map((own, index) => act(`k${index}`, undefined, { onState: (s) => own.push(s) })),
    );
    const expected = ['running', 'retrying', 'running'];
    assert.deepEqual(states, [expected, expected]);
  });

  it('end alone if their signal aborts, and the others get their data', async () => {
    shut();
    const stopping = new AbortController();
    const { signal } = stopping;
    const stopped = failure(act('a', undefined, { signal }), 'ION_CLOSED');
    const same = [ask(THING, { id: 'q' }, { signal }), ask(THING, { id: 'q' })];
    const other = act('b');
    await until(() => server.documents.length === 2);
    stopping.abort();
    const { mayHaveRun, message } = await stopped;
    assert.equal(mayHaveRun, true);
    assert.match(message, /It may have been executed/);
    assert.equal((await failure(same[0] as Promise<unknown>, 'ION_CLOSED')).mayHaveRun, false);
    open();
    assert.deepEqual(data(await other), done('b'));
    assert.deepEqual(((await same[1]) as { data: unknown }).data, {
      thing: { id: 'q', name: 'thing q' },
    });
  });

  it('are not sent if their signal aborts while they wait', async () => {
    operations = 2;
    settings = { concurrency: 1 };
    shut();
    const first = act('a');
    await until(() => server.documents.length === 1);
    const stopping = new AbortController();
    const stopped = failure(act('b', undefined, { signal: stopping.signal }), 'ION_CLOSED');
    const others = ['c', 'd'].map((key) => act(key));
    stopping.abort();
    assert.equal((await stopped).mayHaveRun, false);
    open();
    await Promise.all([first, ...others]);
    assert.equal(server.executed.get('b'), undefined);
    assert.deepEqual(server.sizes, [1, 2], 'it takes no place of another one');
    const aborted = await failure(act('d', undefined, { signal: stopping.signal }), 'ION_CLOSED');
    assert.equal(aborted.mayHaveRun, false);
  });

  it('end together, with the fate of their document, if all signals abort', async () => {
    settings = { concurrency: 1 };
    shut();
    start();
    const { signal: never } = new AbortController();
    const other = client.request(OTHER_THING, { variables: { id: 'x' }, signal: never });
    await until(() => server.documents.length === 1);
    const stopping = new AbortController();
    const states: RequestState[] = [];
    const onState = (state: RequestState) => void states.push(state);
    const stopped = ['a', 'b'].map((key) =>
      failure(act(key, undefined, { ...{ signal: stopping.signal }, onState }), 'ION_CLOSED'),
    );
    await until(() => states.length === 2);
    stopping.abort();
    for (const { mayHaveRun } of await Promise.all(stopped)) {
      assert.equal(mayHaveRun, false, 'it was still in the queue of the client');
    }
    open();
    await other;
    assert.equal(server.executed.size, 0);
  });

  it('end with the client', async () => {
    shut();
    const inFlight = ['a', 'b'].map((key) => failure(act(key), 'ION_CLOSED'));
    await until(() => server.documents.length === 1);
    await client.close();
    await Promise.all(inFlight);
    await failure(act('c'), 'ION_CLOSED');
    assert.equal(batches.isClosed, true);
    open();
  });

  it('never show the secrets of the client in their errors', async () => {
    const secret = 'a secret of the test';
    server.texts = { leak: `The key is "${secret}".` };
    const errors = await Promise.all([errorOf(act('a', 'leak')), errorOf(act('b', 'leak'))]);
    for (const error of errors) {
      assert.doesNotMatch(JSON.stringify({ ...error, message: error.message }), /a secret of/);
      assert.match(error.message, /The key is/);
    }
    assert.deepEqual(server.sizes, [2]);
  });

  it('are sent again with a new token if ION refused only theirs', async () => {
    server.before = async () => {
      server.texts = server.documents.length > 1 ? {} : { once: 'Token is expired.' };
    };
    const answers = [act('a', 'once'), act('b')];
    assert.deepEqual((await Promise.all(answers)).map(data), ['a', 'b'].map(done));
  });

  it('are not sent again if ION refused a token for one of them, except that one', async () => {
    const errors = [errorOf(act('a', 'token')), act('b')] as const;
    assert.equal((await errors[0]).code, 'ION_AUTH');
    assert.deepEqual(data(await errors[1]), done('b'));
    assert.equal(server.sizes[0], 2);
    assert.ok(server.sizes.slice(1).every((size) => size === 1));
    assert.equal(server.executed.get('b'), 1);
  });
});
