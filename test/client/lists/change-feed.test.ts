import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { buildSchema, parse, validate } from 'graphql';
import type { IonClient, IonResponse } from '../../../nodes/client/client.js';
import { IonError } from '../../../nodes/client/errors.js';
import {
  type Change,
  ChangeFeed,
  type Checkpoint,
  checkpointNow,
} from '../../../nodes/client/lists/change-feed.js';
import {
  type Resource,
  resourceNamed,
  runs as runsOfIon,
} from '../../../nodes/client/lists/resources.js';
import type { Row } from '../../../nodes/client/lists/rows.js';
import { type RowsQuery, rowsDocument } from '../../../nodes/client/lists/rows-query.js';
import type { PageSource } from '../../../nodes/client/paging/page-reader.js';
import { failure } from '../../support/errors.js';
import { inputs } from '../../support/length.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import { SlowTable } from '../../support/slow-table.js';

const RUNS = 30;
const QUERY: RowsQuery = { filters: [], fields: ['id', 'title'], sort: [] };

describe('changes', () => {
  withoutPauses();
  const ion = useSandbox({ runs: RUNS });
  let client: IonClient;
  beforeEach(() => {
    client = ion.client({ retries: 0 });
  });

  const options = (pageSize = 10) => ({ pageSize, signal: new AbortController().signal });
  const read = async (
    checkpoint: Checkpoint | undefined,
    query = QUERY,
    pageSize?: number,
    source: PageSource = client,
  ) => {
    const changes = new ChangeFeed(runsOfIon, checkpoint);
    const runs: Row[] = [];
    for await (const page of changes.read(source, query, options(pageSize)))
      runs.push(...page.changes.map(({ row }) => row));
    // The value after a round trip through a node's context.
    return { runs, checkpoint: JSON.parse(JSON.stringify(changes.checkpoint())) as Checkpoint };
  };
  const idsOf = (runs: Row[]) => runs.map(({ id }) => id);
  const data = () => ion.sandbox.data;
  /** A timestamp of ION, this long before now. */
  const ago = (ms: number) =>
    new Date(Date.now() - ms).toISOString().replace(/\.(\d{3})Z$/, '.$1000+00:00');

  it('are all runs at first, with the requested fields and no others', async () => {
    const { runs } = await read(undefined);
    assert.equal(runs.length, RUNS);
    assert.deepEqual(Object.keys(runs[0] ?? {}), ['id', 'title']);
  });

  it('are none when nothing changed, at the cost of one request', async () => {
    const { checkpoint } = await read(undefined);
    ion.sandbox.control.resetCounters();
    assert.deepEqual((await read(checkpoint)).runs, []);
    assert.equal(ion.sandbox.control.counters().api.total, 1);
  });

  it('are runs that changed themselves, and new ones', async () => {
    const { checkpoint } = await read(undefined);
    data().runs.update(7, { title: 'Renamed' });
    const { id: _, ...row } = data().runs.get(8) as { id: number };
    const added = data().runs.insert({ ...row, _updated: data().clock.now() } as never, 1);
    const next = await read(checkpoint);
    assert.deepEqual(idsOf(next.runs), [7, added.id]);
    assert.equal(next.runs[0]?.title, 'Renamed');
    data().runs.delete(added.id);
  });

  it('are runs of which only a step changed', async () => {
    const { checkpoint } = await read(undefined);
    const [, step] = data().runSteps.of(9);
    data().runSteps.update(Number(step?.id), { title: 'Renamed' });
    const next = await read(checkpoint);
    assert.deepEqual(idsOf(next.runs), [9]);
    assert.deepEqual((await read(next.checkpoint)).runs, []);
  });

  for (const [when, ms] of [
    ['just now', 0],
    ['long ago', 3_600_000],
  ] as const) {
    it(`are distinguished if they have the same time, ${when}`, async () => {
      const time = ago(ms);
      for (const run of data().runs.all()) data().runs.update(run.id, { _updated: ago(1e9) });
      for (const step of data().runSteps.all()) {
        data().runSteps.update(step.id, { _updated: ago(1e9) });
      }
      data().runs.update(3, { _updated: time });
      let { checkpoint, runs } = await read(undefined);
      for (const id of [4, 2, 30]) {
        data().runs.update(id, { _updated: time });
        ({ checkpoint, runs } = await read(checkpoint));
        assert.deepEqual(idsOf(runs), [id]);
      }
      // Changed a second time at the same instant.
      data().runs.update(3, { _updated: time });
      ({ checkpoint, runs } = await read(checkpoint));
      assert.deepEqual(idsOf(runs), [3]);
      assert.deepEqual((await read(checkpoint)).runs, []);
    });
  }

  it('are none if all rows that are read again are from the same millisecond', async () => {
    for (const run of data().runs.all()) data().runs.update(run.id, { _updated: ago(1e9) });
    for (const step of data().runSteps.all()) {
      data().runSteps.update(step.id, { _updated: ago(1e9) });
    }
    const newest = ago(3000).replace('000+', '900+');
    const fiveSecondsBefore = new Date(Date.parse(newest) - 5000).toISOString();
    data().runs.update(3, { _updated: newest });
    data().runs.update(4, { _updated: fiveSecondsBefore.replace('Z', '100+00:00') });
    const { checkpoint } = await read(undefined);
    assert.notEqual(checkpoint.begin, checkpoint.updated);
    assert.deepEqual((await read(checkpoint)).runs, []);
  });

  for (const [when, begin] of [
    ['after a row with a time in the future', async () => (await read(undefined)).checkpoint],
    [
      'after a row with a time in the future, and an answer without the time',
      async () => {
        const { checkpoint } = await read(undefined, QUERY, 100, withoutDate(client));
        return (await read(checkpoint)).checkpoint;
      },
    ],
    [
      "after ION's clock was set back",
      async () => {
        const { checkpoint } = await read(undefined);
        const ahead = { ...checkpoint, updated: ago(-3_600_000), begin: ago(-3_595_000) };
        return (await read(ahead)).checkpoint;
      },
    ],
  ] as const) {
    it(`are reported ${when}`, async () => {
      data().runs.update(2, { _updated: ago(-3_600_000) });
      try {
        let checkpoint = await begin();
        for (const title of ['Once', 'Twice']) {
          data().runs.update(1, { title });
          const next = await read(checkpoint);
          assert.ok(idsOf(next.runs).includes(1), title);
          checkpoint = next.checkpoint;
        }
      } finally {
        data().runs.update(2, {});
      }
    });
  }

  it('are not missed if they become visible after a later one', async () => {
    const earlier = data().clock.now();
    data().runs.update(5, { title: 'First to be seen' });
    const { checkpoint } = await read(undefined);
    data().runs.update(6, { title: 'Written before, seen after', _updated: earlier });
    const next = await read(checkpoint);
    assert.deepEqual(idsOf(next.runs), [6]);
    assert.deepEqual((await read(next.checkpoint)).runs, []);
  });

  it('are not missed if they happen on a page that was read already', async () => {
    const first = await read(undefined);
    for (const id of [1, 2, 3, 29, 30]) data().runs.update(id, { title: 'Changed' });
    const changes = new ChangeFeed(runsOfIon, first.checkpoint);
    const seen: Row[] = [];
    let isChangedMeanwhile = false;
    for await (const page of changes.read(client, QUERY, options(2))) {
      seen.push(...page.changes.map(({ row }) => row));
      if (isChangedMeanwhile) continue;
      isChangedMeanwhile = true;
      // In a read that takes minutes.
      data().runs.update(1, { title: 'Changed again', _updated: ago(-20_000) });
      data().runs.update(30, { title: 'Changed again, and read', _updated: ago(-60_000) });
    }
    assert.ok(idsOf(seen).includes(30));
    const next = await read(changes.checkpoint());
    assert.deepEqual(
      next.runs.filter(({ id }) => id === 1),
      [{ id: 1, title: 'Changed again' }],
    );
  });

  it('match the filters of the query as well', async () => {
    const filters = [{ field: 'id', op: 'lte', value: 10 }] as const;
    const query: RowsQuery = { ...QUERY, filters: [...filters], filter: { id: { gte: 5 } } };
    const { checkpoint, runs } = await read(undefined, query);
    assert.deepEqual(idsOf(runs), [5, 6, 7, 8, 9, 10]);
    for (const id of [4, 5, 11]) data().runs.update(id, { title: 'Renamed' });
    assert.deepEqual(idsOf((await read(checkpoint, query)).runs), [5]);
  });

  it('are reported again after a failure, because the checkpoint did not move', async () => {
    const { checkpoint } = await read(undefined);
    for (const run of data().runs.all()) data().runs.update(run.id, { title: 'Renamed' });
    ion.sandbox.control.fault({
      target: 'api',
      kind: 'status',
      status: 500,
      match: '"first":10,"after":"',
    });
    const error = await failure(read(checkpoint), 'ION_SERVER');
    assert.equal(error.pages, 1);
    assert.equal((await read(checkpoint)).runs.length, RUNS);
  });

  describe('from now on', () => {
    it('are only future ones', async () => {
      data().runs.update(5, { title: 'Before' });
      const checkpoint = await checkpointNow(client, runsOfIon, QUERY, options());
      assert.deepEqual((await read(checkpoint)).runs, []);
      data().runs.update(6, { title: 'After' });
      const [step] = data().runSteps.of(12);
      data().runSteps.update(Number(step?.id), { title: 'After' });
      assert.deepEqual(idsOf((await read(checkpoint)).runs), [6, 12]);
    });

    it('are no earlier ones, also if a row has a time in the future', async () => {
      data().runs.update(2, { _updated: ago(-3_600_000) });
      data().runs.update(3, { title: 'Just before' });
      try {
        const checkpoint = await checkpointNow(client, runsOfIon, QUERY, options());
        data().runs.update(1, { title: 'Now' });
        assert.deepEqual(idsOf((await read(checkpoint)).runs), [1]);
      } finally {
        data().runs.update(2, {});
      }
    });

    it('begin with the first run of an ION that has none', async () => {
      const nothing = { data: { runs: { edges: [] }, runSteps: { edges: [] } } };
      const body = JSON.stringify(nothing);
      ion.sandbox.control.fault({ target: 'api', kind: 'body', body });
      const checkpoint = await checkpointNow(client, runsOfIon, QUERY, options());
      assert.equal(checkpoint.updated, null);
      assert.equal((await read(checkpoint)).runs.length, RUNS);
    });
  });

  describe('of another resource', () => {
    const steps = resourceNamed('RUN_STEPS') as Resource;
    const readSteps = async (checkpoint: Checkpoint) => {
      const changes = new ChangeFeed(steps, checkpoint);
      const found: Change[] = [];
      for await (const page of changes.read(client, QUERY, options(1000)))
        found.push(...page.changes);
      return { found, checkpoint: changes.checkpoint() };
    };

    it('are those of its rows only, with new ones marked, for one request', async () => {
      let checkpoint = await checkpointNow(client, steps, QUERY, options(1000));
      data().runs.update(7, { title: 'Not a step' });
      ion.sandbox.control.resetCounters();
      let next = await readSteps(checkpoint);
      assert.deepEqual(next.found, []);
      assert.equal(ion.sandbox.control.counters().api.total, 1);
      ({ checkpoint } = next);
      const [step] = data().runSteps.of(9);
      data().runSteps.update(Number(step?.id), { title: 'Renamed' });
      const { id: _, _created, _updated, _etag, ...row } = step as NonNullable<typeof step>;
      const added = data().runSteps.insert({ ...row, title: 'Added' }, 1);
      next = await readSteps(checkpoint);
      assert.deepEqual(
        next.found.map(({ row: { title }, isNew }) => [title, isNew]),
        [
          ['Renamed', false],
          ['Added', true],
        ],
      );
      data().runSteps.update(added.id, { title: 'Changed' });
      const { found } = await readSteps(next.checkpoint);
      assert.deepEqual(
        found.map(({ id, isNew }) => [id, isNew]),
        [[added.id, false]],
      );
      data().runSteps.delete(added.id);
    });

    it('are requested according to the schema', () => {
      const schema = buildSchema(
        readFileSync(join(__dirname, '../../../sandbox/graphql/schema.graphql'), 'utf8'),
      );
      for (const name of ['RUNS', 'RUN_STEPS', 'RUN_STEPS_FIELDS', 'ISSUES', 'PARTS_INVENTORY']) {
        const resource = resourceNamed(name) as Resource;
        const document = parse(rowsDocument(resource, resource.fields));
        assert.deepEqual(validate(schema, document), [], name);
      }
    });
  });

  it('keep their checkpoint small, however many runs there are', async () => {
    for (const run of data().runs.all()) data().runs.update(run.id, { _updated: ago(1e7) });
    for (const step of data().runSteps.all())
      data().runSteps.update(step.id, { _updated: ago(1e7) });
    data().runs.update(11, { _updated: ago(1e6) });
    const { checkpoint } = await read(undefined);
    assert.deepEqual(Object.keys(checkpoint.states), ['11']);
    assert.equal(checkpoint.begin, checkpoint.updated);
  });

  it('do not start over if the last changed row is deleted', async () => {
    const { checkpoint } = await read(undefined);
    const none: RowsQuery = { ...QUERY, filter: { id: { eq: '0' } } };
    const next = await read(checkpoint, none);
    assert.equal(next.checkpoint.updated, checkpoint.updated);
  });

  describe('of generated rows', () => {
    const NOW = '2026-01-01T00:00:00Z';
    const answering = (rows: unknown[]): PageSource => ({
      concurrency: 1,
      request: async () => {
        const edges = rows.map((node) => ({ node }));
        const data = { runs: { edges, pageInfo: { hasNextPage: false } }, runSteps: { edges } };
        return { data, date: undefined, textLength: 1e7 } as unknown as IonResponse;
      },
    });
    const part = (id: number, etag: string) => ({ id, _updated: NOW, _etag: etag });

    it('are the same for any order of their many parts', async () => {
      const parts = Array.from({ length: 3000 }, (_, id) => part(id % 2000, 'x'.repeat(300)));
      const stateOf = async (steps: unknown[]) =>
        (await read(undefined, QUERY, 10, answering([{ ...part(1, 'a'), steps }]))).checkpoint
          .states;
      const states = await stateOf(parts);
      assert.deepEqual(await stateOf([...parts].reverse()), states);
      assert.notDeepEqual(states, await stateOf([...parts.slice(1), part(0, 'y'.repeat(300))]));
    });

    it('keep the state of many parts that earlier versions stored', async () => {
      const parts = Array.from({ length: 3000 }, (_, id) => part(id, `etag-${id}`));
      const line = ({ id, _etag }: (typeof parts)[0]) => `${id} ${NOW} ${_etag}`;
      const text = [line(part(1, 'a')), ...parts.map(line).sort()].join('\n');
      const source = answering([{ ...part(1, 'a'), steps: parts }]);
      const { checkpoint } = await read(undefined, QUERY, 10, source);
      assert.deepEqual(checkpoint.states, {
        1: createHash('sha256').update(text).digest('base64'),
      });
    });

    it('keep a small checkpoint', async () => {
      const long = 'x'.repeat(2900);
      const huge = 'x'.repeat(60_000_000);
      const parts = Array.from({ length: 19_000 }, (_, id) => part(id, long));
      for (const source of [
        answering([{ ...part(1, 'a'), steps: parts }]),
        answering([part(1, huge)]),
        answering([{ id: huge, _updated: NOW, _etag: huge }]),
      ]) {
        const { checkpoint } = await read(undefined, QUERY, 10, source);
        assert.ok(JSON.stringify(checkpoint).length < 10_000);
      }
    });
  });

  it('arrive in their latest state and never unchanged, in any sequence of events', async () => {
    const edit = fc.record({
      run: fc.integer({ min: 1, max: RUNS }),
      what: fc.constantFrom('run', 'step', 'same time', 'late') as fc.Arbitrary<
        'run' | 'step' | 'same time' | 'late'
      >,
    });
    const trigger = fc.record({ edits: fc.array(edit, { maxLength: 6 }), fails: fc.nat(9) });
    const shift = fc.array(trigger, { minLength: 10, maxLength: 25 });
    const states = () =>
      new Map(
        data()
          .runs.all()
          .map(({ id, _etag }) => [
            id,
            [
              _etag,
              ...data()
                .runSteps.of(id)
                .map((step) => step._etag),
            ].join(),
          ]),
      );
    await fc.assert(
      fc.asyncProperty(shift, async (triggers) => {
        let checkpoint: Checkpoint | undefined;
        const delivered = new Map<number, string>();
        let time = data().clock.now();
        for (const { edits, fails } of triggers) {
          for (const { run, what } of edits) {
            if (what === 'step') {
              data().runSteps.update(Number(data().runSteps.of(run)[0]?.id), {});
            } else if (what === 'run') {
              data().runs.update(run, {});
              time = data().runs.get(run)?._updated as typeof time;
            } else {
              const late = new Date(Date.parse(time) - 3000).toISOString() as typeof time;
              data().runs.update(run, { _updated: what === 'late' ? late : time });
            }
          }
          ion.sandbox.control.clearFaults();
          if (fails === 0) {
            ion.sandbox.control.fault({ target: 'api', kind: 'status', status: 500 });
          } else if (fails === 1) {
            ion.sandbox.control.fault({ target: 'api', kind: 'reset', match: '"after":"' });
          }
          try {
            const result = await read(checkpoint);
            checkpoint = result.checkpoint;
            const now = states();
            for (const id of idsOf(result.runs) as number[]) {
              assert.notEqual(delivered.get(id), now.get(id), `run ${id} came unchanged`);
              delivered.set(id, String(now.get(id)));
            }
            assert.deepEqual(
              [...now].filter(([id, state]) => delivered.get(id) !== state),
              [],
              'a change was missed',
            );
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error;
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  describe('of a slow ION', () => {
    const { now } = performance;
    afterEach(() => {
      performance.now = now;
    });

    const second = 1_000_000;
    const steps = resourceNamed('RUN_STEPS') as Resource;
    const shift = fc.array(
      fc.record({
        changes: fc.array(
          fc.record({
            id: fc.integer({ min: 1, max: 12 }),
            // Also within the millisecond of another one, and at exactly the same time.
            after: fc.oneof(fc.nat(2), fc.nat(900), fc.nat(6 * second)),
            visibleAfter: fc.oneof(
              fc.constant(0),
              fc.nat(5 * second - 1),
              fc.nat(1000).map((micros) => 5 * second - 1 - micros),
            ),
          }),
          { maxLength: 5 },
        ),
        journeys: fc.array(
          fc.record({
            there: fc.oneof(fc.constant(0), fc.nat(2 * second)),
            answering: fc.oneof(fc.constant(0), fc.nat(3 * second)),
            back: fc.nat(2 * second),
            fails: fc.nat(9).map((number) => number === 0),
          }),
          { maxLength: 4 },
        ),
        pause: fc.oneof(fc.nat(900), fc.nat(second), fc.nat(12 * second)),
      }),
      { minLength: 5, maxLength: 30 },
    );

    it('arrive in their latest state and never unchanged', async () => {
      await fc.assert(
        fc.asyncProperty(shift, async (triggers) => {
          const table = new SlowTable();
          performance.now = () => table.now / 1000;
          const delivered = new Map<unknown, string>();
          let checkpoint: Checkpoint | undefined;
          const readOnce = async () => {
            const changes = new ChangeFeed(steps, checkpoint);
            const read: Change[] = [];
            for await (const page of changes.read(
              table,
              { ...QUERY, fields: ['id'] },
              options(3),
            )) {
              read.push(...page.changes);
            }
            for (const { id, state } of read) {
              assert.notEqual(delivered.get(id), state, `${id} came unchanged`);
              delivered.set(id, state);
            }
            checkpoint = JSON.parse(JSON.stringify(changes.checkpoint())) as Checkpoint;
          };
          for (const { changes, journeys, pause } of triggers) {
            let updated = table.now;
            for (const { id, after, visibleAfter } of changes) {
              updated += after;
              table.change({ id, updated, visibleAt: updated + visibleAfter });
            }
            table.journeys = journeys;
            await readOnce().catch((error: unknown) => {
              if (!(error instanceof IonError)) throw error;
            });
            table.pass(pause);
          }
          table.journeys = [];
          table.pass(12 * second);
          await readOnce();
          const etags = [...delivered].map(([id, state]) => [id, Number(state.split(' ').at(-1))]);
          assert.deepEqual(new Map(etags as [number, number][]), table.states());
        }),
        { numRuns: inputs(500) },
      );
    });
  });
});

/** The same, through a proxy that removes the date of the responses. */
function withoutDate(client: IonClient): PageSource {
  return {
    concurrency: client.concurrency,
    async request(operation, options) {
      const { date: _, ...answer } = await client.request(operation, options);
      return answer;
    },
  };
}
