import assert from 'node:assert/strict';
import type { IonClient } from '../../../nodes/client/client.js';
import type { IonErrorCode } from '../../../nodes/client/errors.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { cursorAt, offsetOf } from '../../../nodes/client/paging/cursors.js';
import { type Page, type PagesOptions, pages } from '../../../nodes/client/paging/paginator.js';
import type { FaultEffect } from '../../../sandbox/faults/fault.js';
import { failure } from '../../support/errors.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import { until } from '../../support/until.js';

const RUNS = 60;
const IDS = '{ runs(sort: [ID_ASC]) { edges { node { id } } } }';

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
const idsOf = ({ edges }: Page) => edges.map((edge) => (edge as { node: { id: number } }).node.id);

describe('pages', () => {
  withoutPauses();
  const ion = useSandbox({ runs: RUNS });

  const read = (text: string, options: Partial<PagesOptions> = {}, client = ion.client()) =>
    pages(client, parseOperation(text), {
      pageSize: 25,
      limit: 0,
      signal: new AbortController().signal,
      ...options,
    });
  const all = async (...given: Parameters<typeof read>) => {
    const read_: Page[] = [];
    for await (const page of read(...given)) read_.push(page);
    return read_;
  };
  const fail = (code: IonErrorCode, ...given: Parameters<typeof read>) =>
    failure(all(...given), code);
  const fault = (effect: FaultEffect, more: { times?: number; match?: string } = {}) =>
    ion.sandbox.control.fault({ target: 'api', ...more, ...effect });
  /** Variables of all requests, oldest first. */
  const sent = () =>
    ion.sandbox.control
      .counters()
      .recent.filter(({ path }) => path === '/graphql')
      .map(({ body }) => (body as { variables: Record<string, unknown> }).variables);
  /** A response made up by the test. */
  const answer = (data: object, times = 1) =>
    fault({ kind: 'body', body: JSON.stringify({ data }) }, { times });

  it('arrive one after the other, to the end', async () => {
    const read = await all(IDS);
    assert.deepEqual(read.map(idsOf), [upTo(25), upTo(50).slice(25), upTo(60).slice(50)]);
    assert.deepEqual(
      read.map(({ isLast, totalCount, attempts }) => ({ isLast, totalCount, attempts })),
      [
        { isLast: false, totalCount: RUNS, attempts: 1 },
        { isLast: false, totalCount: RUNS, attempts: 2 },
        { isLast: true, totalCount: RUNS, attempts: 3 },
      ],
    );
  });

  it('are requested only as they are read', async () => {
    const iterator = read(IDS);
    await iterator.next();
    await iterator.next();
    await iterator.return();
    assert.equal(sent().length, 2);
  });

  it("have the size in the document, not the node's", async () => {
    const sizes = async (...given: Parameters<typeof all>) =>
      (await all(...given)).map(({ edges }) => edges.length);
    assert.deepEqual(await sizes('{ runs(first: 30) { edges { node { id } } } }'), [30, 30]);
    const text = 'query ($n: Int = 40) { runs(first: $n) { edges { node { id } } } }';
    assert.deepEqual(await sizes(text), [40, 20]);
    assert.deepEqual(await sizes(text, { variables: { n: 50 } }), [50, 10]);
    assert.deepEqual(await sizes('{ runs(first: 0) { edges { node { id } } } }'), [25, 25, 10]);
  });

  it("start at the document's position", async () => {
    const [page] = await all('{ runs(first: 5) { edges { cursor node { id } } } }', { limit: 5 });
    const after = (page as Page & { edges: { cursor: string }[] }).edges[4]?.cursor;
    const text = 'query ($after: String) { runs(after: $after) { edges { node { id } } } }';
    assert.deepEqual((await all(text, { variables: { after } })).flatMap(idsOf), upTo(60).slice(5));
    const literal = `{ runs(after: "${after}") { edges { node { id } } } }`;
    assert.deepEqual((await all(literal)).flatMap(idsOf), upTo(60).slice(5));
  });

  it('keep the other variables of the message', async () => {
    const text =
      'query ($filters: RunsInputFilters) { runs(filters: $filters) { edges { node { id } } } }';
    const variables = { filters: { id: { gt: '20' } } };
    const read = await all(text, { variables, pageSize: 15 });
    assert.deepEqual(read.flatMap(idsOf), upTo(60).slice(20));
    assert.equal(read[0]?.totalCount, 40);
    assert.deepEqual(variables, { filters: { id: { gt: '20' } } });
  });

  for (const [limit, sizes] of [
    [10, [10]],
    [25, [25]],
    [26, [25, 1]],
    [50, [25, 25]],
    [60, [25, 25, 10]],
    [1000, [25, 25, 10]],
  ] as const) {
    it(`end at a limit of ${limit} exactly`, async () => {
      const read = await all(IDS, { limit });
      assert.deepEqual(
        read.map(({ edges }) => edges.length),
        sizes,
      );
      assert.deepEqual(
        read.map(({ isLast }) => isLast),
        sizes.map((_, i) => i === sizes.length - 1),
      );
    });
  }

  it('end at the limit, also if the server sends more than requested', async () => {
    const edges = upTo(40).map((id) => ({ node: { id } }));
    answer({ runs: { edges, pageInfo: { hasNextPage: true, endCursor: 'a' } } });
    const [page, ...others] = await all(IDS, { limit: 12 });
    assert.deepEqual(page?.data.runs, {
      edges: edges.slice(0, 12),
      pageInfo: { hasNextPage: true, endCursor: 'a' },
    });
    assert.equal(page.isLast, true);
    assert.deepEqual(others, []);
  });

  it('are one, and empty, for an empty list', async () => {
    const read = await all('{ runs(filters: { id: { eq: "0" } }) { edges { node { id } } } }');
    assert.deepEqual(
      read.map(({ edges, isLast, totalCount }) => ({ edges, isLast, totalCount })),
      [{ edges: [], isLast: true, totalCount: 0 }],
    );
  });

  const OBJECT = '{ run(id: 1) { rows { edges { node { id } } } } }';
  for (const [what, data] of [
    ['an object that does not exist', { run: null }],
    ['a list that is null', { run: { rows: null } }],
    ['a part that a directive left out', { run: {} }],
  ] as const) {
    it(`are one, and empty, for ${what}`, async () => {
      answer(data);
      const read = await all(OBJECT);
      assert.deepEqual(
        read.map(({ edges, isLast, data }) => ({ edges, isLast, data })),
        [{ edges: [], isLast: true, data }],
      );
    });
  }

  it('are found in an object', async () => {
    const page = (id: number, hasNextPage: boolean) => ({
      run: {
        id: 1,
        rows: { edges: [{ node: { id } }], pageInfo: { hasNextPage, endCursor: `${id}` } },
      },
    });
    answer(page(1, true));
    answer(page(2, false));
    const read = await all(OBJECT);
    assert.deepEqual(read.flatMap(idsOf), [1, 2]);
    assert.deepEqual(
      sent().map(({ after }) => after),
      [null, '1'],
    );
  });

  it('are rejected inside a list, of which each entry has its own', async () => {
    answer({ runs: [{ rows: { edges: [], pageInfo: { hasNextPage: false } } }] });
    const error = await fail('ION_QUERY', '{ runs { rows { edges { node { id } } } } }');
    assert.match(error.message, /"runs\.rows" lies inside a list/);
  });

  for (const [what, data] of [
    ['no edges', { runs: { pageInfo: { hasNextPage: false } } }],
    ['no page info', { runs: { edges: [] } }],
    ['a list in its place', { runs: [] }],
  ] as const) {
    it(`are ION_RESPONSE with ${what}`, async () => {
      answer(data);
      const error = await fail('ION_RESPONSE', IDS);
      assert.match(error.message, /"runs"/);
    });
  }

  it('do not loop forever when a cursor repeats', async () => {
    const edges = [{ node: { id: 1 } }];
    answer({ runs: { edges, pageInfo: { hasNextPage: true, endCursor: 'same' } } }, 9);
    const error = await fail('ION_RESPONSE', IDS);
    assert.match(error.message, /cursor that was used before.*up to row 1/);
    // The second page contains the same row, which is not delivered twice.
    assert.equal(error.pages, 1);
    assert.equal(error.attempts, 2);
  });

  for (const endCursor of [null, undefined]) {
    it(`do not start over when the next cursor is ${endCursor}`, async () => {
      answer({ runs: { edges: [], pageInfo: { hasNextPage: true, endCursor } } }, 9);
      assert.equal((await fail('ION_RESPONSE', IDS)).pages, 0);
    });
  }

  it('are read from lists without a count, which is detected once', async () => {
    const text = '{ apiKeys { edges { node { id clientId } } } }';
    const client = ion.client();
    const first = await all(text, {}, client);
    assert.equal(first[0]?.edges.length, 1);
    assert.equal(first[0].totalCount, undefined);
    assert.equal(first[0].attempts, 2);
    const second = await all(text, {}, client);
    assert.equal(second[0]?.attempts, 1);
  });

  it("whose document requests a missing count fail with ION's message", async () => {
    const text = '{ apiKeys { pageInfo { totalCount } edges { node { id } } } }';
    const error = await fail('ION_GRAPHQL', text);
    assert.match(error.message, /totalCount/);
    assert.equal(error.attempts, 1);
  });

  describe('that are too large', () => {
    const tooMuch: [string, FaultEffect, number][] = [
      ['HTTP 502', { kind: 'status', status: 502 }, 10_000],
      ['HTTP 504', { kind: 'status', status: 504 }, 10_000],
      ['a timeout', { kind: 'hang' }, 600],
    ];
    for (const [what, effect, timeoutMs] of tooMuch) {
      it(`are halved after ${what}, and no row is lost or duplicated`, async () => {
        fault(effect, { match: '"first":40,"after":"' });
        const options = { pageSize: 40, prefetch: false };
        const read = await all(IDS, options, ion.client({ timeoutMs }));
        assert.deepEqual(
          sent().map(({ first }) => first),
          [40, 40, 20],
        );
        assert.deepEqual(read.flatMap(idsOf), upTo(RUNS));
        assert.equal(read.at(-1)?.attempts, 3);
      });
    }

    it('stay small, and are not smaller than 10', async () => {
      fault({ kind: 'status', status: 502 }, { times: 3 });
      const read = await all(IDS, { pageSize: 50 });
      assert.deepEqual(
        sent().map(({ first }) => first),
        [50, 25, 12, 10, 10, 10, 10, 10, 10],
      );
      assert.deepEqual(read.flatMap(idsOf), upTo(RUNS));
    });

    it('are not larger than requested', async () => {
      fault({ kind: 'status', status: 502 }, { times: 2 });
      await all(IDS, { pageSize: 4, limit: 8 });
      assert.deepEqual(
        sent().map(({ first }) => first),
        [4, 4, 4, 4],
      );
    });

    it('are halved from the requested size if a limit is smaller than a page', async () => {
      fault({ kind: 'status', status: 502 });
      const read = await all(IDS, { pageSize: 100, limit: 40 });
      assert.deepEqual(
        sent().map(({ first }) => first),
        [40, 20, 20],
      );
      assert.deepEqual(read.flatMap(idsOf), upTo(40));
    });

    it('are halved if the size is a variable of the message', async () => {
      fault({ kind: 'status', status: 502 });
      const text = 'query ($n: Int) { runs(first: $n) { edges { node { id } } } }';
      const read = await all(text, { variables: { n: 40 } });
      assert.deepEqual(
        sent().map(({ n }) => n),
        [40, 20, 20, 20],
      );
      assert.deepEqual(read.flatMap(idsOf), upTo(RUNS));
    });

    for (const effect of [{ kind: 'status', status: 503 }, { kind: 'reset' }] as const) {
      it(`are not the reason for ${effect.kind === 'reset' ? 'a reset' : 'HTTP 503'}`, async () => {
        fault(effect);
        await all(IDS, { pageSize: 60 });
        assert.deepEqual(
          sent().map(({ first }) => first),
          [60, 60],
        );
      });
    }
  });

  describe('in parallel', () => {
    const offsets = () => sent().map(({ after }) => offsetOf(after));

    it("are requested up to the client's concurrency, and arrive in order", async () => {
      ion.sandbox.control.set({ latency: 30 });
      const client = ion.client({ concurrency: 4 });
      const read = await all(IDS, { pageSize: 5 }, client);
      assert.deepEqual(read.flatMap(idsOf), upTo(RUNS));
      assert.equal(ion.sandbox.control.counters().api.peakConcurrent, 4);
      assert.equal(ion.sandbox.control.counters().api.total, 12);
    });

    it('do not block all other messages', async () => {
      ion.sandbox.control.set({ latency: 10 });
      const client = ion.client({ concurrency: 2 });
      const order: string[] = [];
      const reading = all(IDS, { pageSize: 2 }, client).then(() => order.push('list'));
      const { signal } = new AbortController();
      const message = client
        .request(parseOperation('{ me { id } }'), { signal })
        .then(() => order.push('message'));
      await Promise.all([reading, message]);
      assert.deepEqual(order, ['message', 'list']);
    });

    it('are not requested if the server has other cursors', async () => {
      const page = (cursor: string, hasNextPage: boolean) => ({
        runs: {
          edges: [{ node: { id: cursor } }],
          pageInfo: { hasNextPage, startCursor: cursor, endCursor: cursor, totalCount: 3 },
        },
      });
      answer(page('a', true));
      answer(page('b', true));
      answer(page('c', false));
      const read = await all(IDS, { pageSize: 1 });
      assert.equal(read.length, 3);
      assert.deepEqual(
        sent().map(({ after }) => after),
        [null, 'a', 'b'],
      );
    });

    it('continue sequentially if a page does not start at the predicted position', async () => {
      // A server whose cursors look like offsets, but count in tens.
      const cursor = (n: number) => cursorAt(n * 10);
      const page = (n: number) => ({
        runs: {
          edges: [{ node: { id: n } }],
          pageInfo: {
            hasNextPage: n < 4,
            startCursor: n === 0 ? cursorAt(0) : cursor(n),
            endCursor: n === 0 ? cursorAt(0) : cursor(n),
            totalCount: 5,
          },
        },
      });
      fault({ kind: 'body', body: JSON.stringify({ data: page(0) }) }, { match: '"after":null' });
      for (const n of [1, 2, 3, 4]) {
        const after = n === 1 ? cursorAt(0) : cursor(n - 1);
        fault(
          { kind: 'body', body: JSON.stringify({ data: page(n) }) },
          { match: `"after":"${after}"`, times: 2 },
        );
      }
      const read = await all(IDS, { pageSize: 1 }, ion.client({ concurrency: 1 }));
      assert.deepEqual(read.flatMap(idsOf), [0, 1, 2, 3, 4]);
    });

    it('continue sequentially if the list changes, also if the document selects no ID', async () => {
      const { data } = ion.sandbox;
      const text = '{ runs(sort: [ID_ASC]) { edges { node { title } } } }';
      const iterator = read(text, { pageSize: 10 }, ion.client({ concurrency: 2 }));
      await iterator.next();
      const { id: _, ...run } = data.runs.get(1) as { id: number };
      const added = data.runs.insert({ ...run, title: 'Added' } as never, 1);
      try {
        const titles: unknown[] = [];
        for await (const page of { [Symbol.asyncIterator]: () => iterator }) {
          titles.push(
            ...page.edges.map((edge) => (edge as { node: { title: string } }).node.title),
          );
        }
        assert.equal(titles.length, RUNS - 10 + 1);
        assert.equal(titles.at(-1), 'Added');
        // Each page needs one request more than those that were wasted.
        assert.deepEqual(offsets().slice(-4), [29, 39, 49, 59]);
      } finally {
        data.runs.delete(added.id);
      }
    });

    it('stay sequential when ION is overloaded, and start at the right position', async () => {
      fault({ kind: 'status', status: 502 }, { match: cursorAt(19) as string });
      const read = await all(IDS, { pageSize: 20 });
      assert.deepEqual(read.flatMap(idsOf), upTo(RUNS));
      assert.deepEqual(
        read.map(({ edges }) => edges.length),
        [20, 10, 10, 10, 10],
      );
    });

    it('are not delivered if the server starts over', async () => {
      const text = '{ runs(sort: [ID_ASC]) { edges { node { title } } } }';
      const { signal } = new AbortController();
      const first = parseOperation(
        '{ runs(first: 10) { edges { node { title } } pageInfo { startCursor endCursor hasNextPage totalCount } } }',
      );
      const { data } = await ion.client().request(first, { signal });
      fault({ kind: 'body', body: JSON.stringify({ data }) }, { match: cursorAt(9) as string });
      const read = await all(text, { pageSize: 10 });
      const titles = read.flatMap(({ edges }) => edges.map((edge) => JSON.stringify(edge)));
      assert.equal(titles.length, RUNS);
      assert.equal(new Set(titles).size, RUNS);
    });

    it('are dropped when the read ends early', async () => {
      const client = ion.client({ concurrency: 3 });
      fault({ kind: 'hang' }, { match: cursorAt(3) as string });
      fault({ kind: 'hang' }, { match: cursorAt(5) as string });
      const iterator = read(IDS, { pageSize: 2 }, client);
      await iterator.next();
      await iterator.next();
      const { control } = ion.sandbox;
      await until(() => control.counters().api.concurrent === 2);
      await iterator.return();
      await until(() => control.counters().api.concurrent === 0);
    });
  });

  describe('that fail halfway', () => {
    it('report the number of delivered ones', async () => {
      fault(
        { kind: 'status', status: 500 },
        { times: 4, match: '"first":20,"after":"YXJyYXljb25uZWN0aW9uOjM5"' },
      );
      const delivered: Page[] = [];
      const reading = async () => {
        for await (const page of read(IDS, { pageSize: 20 })) delivered.push(page);
      };
      const error = await failure(reading(), 'ION_SERVER');
      assert.equal(delivered.length, 2);
      assert.equal(error.pages, 2);
      assert.equal(error.attempts, 2 + 4);
    });

    it('report it for the first page as well', async () => {
      const error = await fail('ION_GRAPHQL', '{ nothing { edges { node { id } } } }');
      assert.deepEqual([error.pages, error.attempts], [0, 1]);
    });

    it('end when the message is dropped', async () => {
      const controller = new AbortController();
      const reading = async () => {
        for await (const _ of read(IDS, { signal: controller.signal })) controller.abort();
      };
      assert.equal((await failure(reading(), 'ION_CLOSED')).pages, 1);
    });

    it('send no request if there is no list', async () => {
      await fail('ION_QUERY', '{ me { id } }');
      assert.equal(sent().length, 0);
    });
  });

  it('continue although new messages are rejected', async () => {
    const client: IonClient = ion.client({ concurrency: 1, queueLimit: 0 });
    const iterator = read(IDS, {}, client);
    await iterator.next();
    ion.sandbox.control.set({ latency: 20 });
    const other = client.request(parseOperation('{ me { id } }'), {
      signal: new AbortController().signal,
    });
    assert.equal((await iterator.next()).done, false);
    await other;
  });
});
