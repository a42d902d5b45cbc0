import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RequestBatches } from '../../../nodes/client/batching/request-batches.js';
import { type Operation, parseOperation } from '../../../nodes/client/graphql/operation.js';
import { newTraceContext, type TraceContext } from '../../../nodes/client/http/trace-context.js';
import { withoutPauses } from '../../support/pauses.js';
import { closeAfterEach } from '../../support/servers.js';
import { SharedDocumentServer } from '../../support/shared-documents.js';

const ACT = parseOperation('mutation Act($key: ID!) { act(key: $key) { key note } }');
const THING = parseOperation('query Thing($id: ID!) { thing(id: $id) { id name } }');

describe('requests with traces that share documents', () => {
  withoutPauses();
  const closing = closeAfterEach();
  const [first, second] = [newTraceContext(), newTraceContext()];
  let server: SharedDocumentServer;
  let batches: RequestBatches;
  beforeEach(async () => {
    server = closing(await SharedDocumentServer.start());
    batches = new RequestBatches(closing(server.client()), 50);
  });

  const ask = (
    operation: Operation,
    variables: object,
    trace?: TraceContext,
    { signal } = new AbortController(),
  ) =>
    batches.request(operation, {
      variables: variables as Record<string, unknown>,
      ...{ signal, trace, sharesDocument: true },
    });
  const act = (key: string, trace?: TraceContext) => ask(ACT, { key }, trace);
  /** The number of operations and the trace of each document. */
  const sent = () =>
    server.sizes.map((size, index) => [size, server.traces[index]] as const).sort(byTrace);

  it('have the trace of all their operations', async () => {
    const writes = ['a', 'b', 'c', 'd', 'e', 'f'].map((key, index) =>
      act(key, [first, undefined, second][index % 3]),
    );
    const responses = await Promise.all(writes);
    assert.deepEqual(
      responses.map(({ data }) => (data.act as { key: string }).key),
      ['a', 'b', 'c', 'd', 'e', 'f'],
    );
    const expected = [first, second].map(({ traceparent }) => [2, traceparent] as const);
    assert.deepEqual(sent(), [...expected, [2, undefined] as const].sort(byTrace));
  });

  it('have one alias for the same query only if it has the same trace', async () => {
    const queries = [first, second, first, undefined].map((trace) =>
      ask(THING, { id: 'a' }, trace),
    );
    const responses = await Promise.all(queries);
    for (const { data } of responses) assert.deepEqual(data, responses[0]?.data);
    assert.deepEqual(
      sent().map(([size]) => size),
      [1, 1, 1],
    );
  });

  it('do not wait for others while ION works on another document', async () => {
    const traces: (string | undefined)[] = [];
    batches = new RequestBatches(
      {
        ...{ isClosed: false, forgetLack: () => {}, concurrency: 10 },
        adapted: () => assert.fail('each is alone'),
        request: (_operation, { trace }) => {
          traces.push(trace?.traceparent);
          return new Promise(() => {});
        },
      },
      50,
    );
    for (const trace of [undefined, undefined, first]) {
      void act('a', trace);
      await nextTurn();
    }
    assert.deepEqual(traces, [undefined, first.traceparent]);
  });

  it('come in turn, so that neither those with a trace nor the others wait for all of them', async () => {
    batches = new RequestBatches(closing(server.client({ concurrency: 1 })), 2);
    const without = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => act(key));
    await Promise.all([...without, act('t', first), act('u', second)]);
    assert.deepEqual(server.traces.slice(0, 3), [undefined, first.traceparent, second.traceparent]);
    assert.deepEqual(server.sizes, [2, 1, 1, 2, 2]);
  });

  it('leave the others alone if nobody waits for them any more', async () => {
    const controller = new AbortController();
    const given = ask(ACT, { key: 'x' }, first, controller);
    const others = [act('a', first), act('b', second)];
    controller.abort();
    await assert.rejects(given, { code: 'ION_CLOSED' });
    await Promise.all(others);
    assert.equal(server.executed.get('x'), undefined);
    assert.deepEqual(
      sent().map(([size]) => size),
      [1, 1],
    );
    await act('c', first);
    assert.equal(server.executed.get('c'), 1);
  });

  it('keep their trace if ION refuses the document and they are sent alone', async () => {
    server.reading = { ...server.reading, maxFields: 1 };
    await Promise.all(['a', 'b', 'c'].map((key) => act(key, first)));
    assert.ok(server.traces.length >= 4);
    assert.deepEqual(new Set(server.traces), new Set([first.traceparent]));
  });
});

function byTrace([, a = '']: readonly unknown[], [, b = '']: readonly unknown[]): number {
  return String(a).localeCompare(String(b));
}
