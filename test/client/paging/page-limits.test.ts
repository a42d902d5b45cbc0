import assert from 'node:assert/strict';
import type { IonClient } from '../../../nodes/client/client.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { pages } from '../../../nodes/client/paging/paginator.js';
import { register } from '../../../nodes/client/webhooks/registration.js';
import { failure } from '../../support/errors.js';
import { useSandbox } from '../../support/sandbox.js';

const { signal } = new AbortController();
const RUNS = parseOperation('{ runs(sort: [ID_ASC]) { edges { node { id } } } }');

async function idsOf(client: IonClient, pageSize = 1000): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const { edges } of pages(client, RUNS, { pageSize, limit: 0, signal })) {
    ids.push(...edges.map((edge) => (edge as { node: { id: unknown } }).node.id));
  }
  return ids;
}

describe('a page that is too large for ION', () => {
  const ion = useSandbox({ runs: 240 });
  const all = () => [...ion.sandbox.data.runs.all()].map(({ id }) => id);
  const requests = () => ion.sandbox.control.counters().api.total;

  const texts = [
    'first must be at most {max}.',
    'Page size cannot exceed {max}',
    'Requesting 1000 records on the `runs` connection exceeds the `first` limit of {max} records.',
    'The maximum is {max}, but 1000 rows were requested.',
    'first: ensure this value is less than or equal to {max}',
    'Choose a page size between 1 and {max}.',
  ];
  for (const maxPageSize of [50, 7]) {
    for (const pageRefusal of texts) {
      it(`has ${maxPageSize} rows after one refusal: ${pageRefusal}`, async () => {
        ion.sandbox.control.set({ maxPageSize, pageRefusal });
        const client = ion.client();
        assert.deepEqual(await idsOf(client), all());
        assert.equal(requests(), 1 + Math.ceil(240 / maxPageSize));
        await idsOf(client);
        assert.equal(requests(), 1 + 2 * Math.ceil(240 / maxPageSize), 'the size is remembered');
      });
    }
  }

  it('has the rows that ION names with a separator', async () => {
    ion.sandbox.control.set({ maxPageSize: 1000, pageRefusal: 'first must be at most 1,000.' });
    assert.deepEqual(await idsOf(ion.client(), 5000), all());
    assert.equal(requests(), 2);
  });

  // 1000, 500, 250, 125, 62 are refused, then perhaps 31 and 15.
  for (const [maxPageSize, refusals, size] of [
    [50, 5, 31],
    [7, 7, 7],
  ] as const) {
    it(`is halved until it has ${size} rows if ION names no number`, async () => {
      ion.sandbox.control.set({ maxPageSize, pageRefusal: 'The page size is too large.' });
      const client = ion.client();
      assert.deepEqual(await idsOf(client), all());
      assert.equal(requests(), refusals + Math.ceil(240 / size));
    });
  }

  it('is guessed again for the next list if ION names no number', async () => {
    ion.sandbox.control.set({ maxPageSize: 50, pageRefusal: 'The page size is too large.' });
    const client = ion.client();
    await idsOf(client);
    ion.sandbox.control.set({ maxPageSize: null });
    ion.sandbox.control.resetCounters();
    assert.deepEqual(await idsOf(client), all());
    assert.equal(requests(), 1);
  });

  it('is guessed again if the number is a cost', async () => {
    const pageRefusal = 'The cost of first: 1000 exceeds the limit of 20.';
    ion.sandbox.control.set({ maxPageSize: 500, pageRefusal });
    const client = ion.client();
    assert.deepEqual(await idsOf(client), all());
    assert.equal(requests(), 2);
    ion.sandbox.control.set({ maxPageSize: null });
    ion.sandbox.control.resetCounters();
    await idsOf(client);
    assert.equal(requests(), 1);
  });

  for (const message of [
    'Memory limit reached, the query was aborted',
    'Query cost 120 exceeds the limit of 20.',
    'The query reads 500000 rows and exceeds the limit of 20 seconds.',
  ]) {
    it(`is not the reason of: ${message}`, async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors: [{ message }] });
      const client = ion.client();
      assert.equal((await failure(idsOf(client), 'ION_GRAPHQL')).message, message);
      assert.deepEqual(await idsOf(client), all());
      assert.equal(requests(), 2, 'one page has all rows');
    });
  }

  it('fails with the text of ION if even one row is too much, and no size is kept', async () => {
    ion.sandbox.control.set({ maxPageSize: 0, pageRefusal: 'The page size is too large.' });
    const client = ion.client();
    const error = await failure(idsOf(client), 'ION_GRAPHQL');
    assert.equal(error.message, 'The page size is too large.');
    ion.sandbox.control.set({ maxPageSize: null });
    ion.sandbox.control.resetCounters();
    assert.deepEqual(await idsOf(client), all());
    assert.equal(requests(), 1);
  });

  it('may also have opaque cursors, and a page info with nothing but the last one', async () => {
    ion.sandbox.control.set({
      ...{ maxPageSize: 50, opaqueCursors: true },
      unknown: ['*.totalCount', 'IonPageInfo.hasNextPage', 'IonPageInfo.startCursor'],
    });
    assert.deepEqual(await idsOf(ion.client()), all());
  });

  it('is not the reason if ION refuses another part of the query', async () => {
    const message = 'The first run is locked.';
    const errors = [{ message, path: ['runs', 'edges', 3, 'node', 'steps'] }];
    ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors });
    const error = await failure(idsOf(ion.client()), 'ION_GRAPHQL');
    assert.equal(error.message, message);
    assert.equal(requests(), 1);
  });

  it('is no obstacle to the registration of a webhook', async () => {
    ion.sandbox.control.set({ maxPageSize: 7 });
    const registration = {
      ...{ nodeId: 'node1', instanceId: 'instance1', formerUris: [] },
      ...{ webhookUri: 'http://127.0.0.1:9/ion/node1', sharedSecret: 'example-secret' },
      ...{ expectedResponseCode: 200, resource: 'RUNS', actions: ['CREATE'] },
    };
    await register(ion.client(), registration, signal);
    await register(ion.client(), registration, signal);
    assert.equal([...ion.sandbox.data.webhookReceivers.all()].length, 1);
  });
});
