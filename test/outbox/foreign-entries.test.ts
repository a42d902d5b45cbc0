import assert from 'node:assert/strict';
import { serialize } from 'node:v8';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import { FakeIon, inStore, mutation, useOutbox, write } from '../support/outbox.js';
import { until } from '../support/until.js';

type Changes = Record<string, unknown>;

const without = (write: object, name: string) => ({ ...write, [name]: undefined });

/** Changes of a stored mutation by a later version or by damage. */
const CHANGES: [string, (entry: { write: object }) => Changes][] = [
  ...['query', 'operationName', 'orderKey', 'prepare', 'prepareVariables', 'alreadyDone'].map(
    (name): [string, (entry: { write: object }) => Changes] => [
      `no ${name}`,
      ({ write }) => ({ write: without(write, name) }),
    ],
  ),
  ['a query that is no text', ({ write }) => ({ write: { ...write, query: 5 } })],
  ['variables that are a list', ({ write }) => ({ write: { ...write, variables: [1] } })],
  ['variables that are text', ({ write }) => ({ write: { ...write, variables: '{}' } })],
  ['variables that are null', ({ write }) => ({ write: { ...write, variables: null } })],
  ['a write that is a list', () => ({ write: [] })],
  ['no write', () => ({ write: undefined })],
  ['a kind of a later version', () => ({ kind: 'graphql 2' })],
  ['a kind that is a list', () => ({ kind: ['graphql'] })],
  ...[-5, Number.NaN, Number.POSITIVE_INFINITY, 1e15, 1.5, 'soon', null, [], {}].flatMap(
    (value): [string, () => Changes][] =>
      ['keepUntil', 'keepForMs', 'sentAt', 'fileSize', 'retries'].map((name) => [
        `${name}: ${typeof value === 'number' ? value : JSON.stringify(value)}`,
        () => ({ [name]: value }),
      ]),
  ),
  ['a sender that is a number', () => ({ sender: 5 })],
  ['no sender', () => ({ sender: undefined })],
  ['an acceptedAt that is text', () => ({ acceptedAt: 'today' })],
  ['an object as what it replaces', () => ({ replaces: { run: 1 } })],
];

describe('outbox: stored mutations of a later version, or damaged ones', () => {
  let ion: FakeIon;
  let unreadable: number;
  beforeEach(() => {
    ion = new FakeIon();
    unreadable = 0;
  });
  const outboxes = useOutbox(() => ({
    writer: ion,
    listeners: new Map(),
    onUnreadable: () => unreadable++,
  }));
  const { open, close, empty } = outboxes;
  const values = () => ion.written.map(({ value }) => value);
  /** A closed outbox with one mutation for each change, in runs of their own, that expires in an hour. */
  const store = async () => {
    const outbox = await open();
    for (const run of CHANGES.keys()) {
      await outbox.add('node', mutation(run, run, { keepForMs: 3_600_000 }), { payload: run });
    }
    await close(outbox);
  };
  const change = async () => {
    const before = new Map<string, Buffer>();
    await inStore(outboxes.folder, async (level) => {
      for await (const [key, value] of level.iterator()) {
        if (!key.startsWith('q!')) continue;
        const entry = JSON.parse(String(value));
        const [, changes] = CHANGES[entry.context.payload] ?? assert.fail();
        before.set(key.slice(-15), value);
        await level.put(key, serialize({ ...entry, ...changes(entry) }));
      }
    });
    return () =>
      inStore(outboxes.folder, async (level) => {
        for (const key of await level.keys().all()) {
          const value = before.get(key.slice(-15));
          if (value && /^[qg]!/.test(key)) await level.put(key, value);
        }
      });
  };
  const start = async (): Promise<Outbox> => {
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    return outbox;
  };

  it('are set aside, let others pass, and are delivered by a version that can read them', async () => {
    await store();
    const restore = await change();
    const outbox = await start();
    for (const run of CHANGES.keys()) await outbox.add('node', write({ run }, `after ${run}`), {});
    await empty(outbox);
    const delivered = new Set(values());
    const shown = await outbox.rejected(1000);
    for (const [run, [what]] of CHANGES.entries()) {
      assert.ok(delivered.has(`after ${run}`), `behind ${what}`);
      assert.ok(!delivered.has(run), `${what} was sent`);
    }
    assert.deepEqual([outbox.state.rejected, unreadable], [CHANGES.length, CHANGES.length]);
    for (const stored of shown) {
      assert.match(stored.entry.error.message, /cannot be read/);
      assert.ok(outbox.summaryOf(stored));
    }
    await outbox.decide('retry');
    assert.equal(outbox.state.rejected, CHANGES.length);
    await close(outbox);
    await restore();
    const later = await start();
    await later.decide('retry');
    await until(() => later.state.rejected === 0);
    await empty(later);
    assert.deepEqual(
      values()
        .filter((value) => typeof value === 'number')
        .sort((a, b) => a - b),
      [...CHANGES.keys()],
    );
    await close(later);
    await inStore(outboxes.folder, async (level) => {
      assert.deepEqual(await level.keys({ gte: 'a', lt: 'x' }).all(), ['m']);
    });
  });

  it('are set aside when they expire, and when they are counted again', async () => {
    await store();
    const { now } = Date;
    try {
      await change();
      await inStore(outboxes.folder, (level) => level.del('m'));
      ion.isDown = true;
      Date.now = () => now() + 5_400_000;
      const outbox = await start();
      await until(() => outbox.state.pending === 0);
      assert.equal(outbox.state.rejected, CHANGES.length);
      await outbox.decide('discard');
      assert.deepEqual([outbox.state.pending, outbox.state.rejected], [0, 0]);
      await close(outbox);
      await inStore(outboxes.folder, async (level) => {
        const counts = JSON.parse(String(await level.get('m')));
        assert.deepEqual([counts.waiting, counts.givenUp, counts.bytes], [0, 0, 0]);
      });
    } finally {
      Date.now = now;
    }
  });

  it('can be shown and discarded if they are rejected, whatever their reason is', async () => {
    const reasons = [null, 5, 'no', {}, { code: 5, message: {} }, { message: 'no' }];
    const before = await open();
    for (const run of reasons.keys()) await before.add('node', mutation(run, run), {});
    await close(before);
    await inStore(outboxes.folder, async (level) => {
      for (const key of await level.keys({ gte: 'q!', lt: 'q"' }).all()) {
        const entry = JSON.parse(String(await level.get(key)));
        const error = reasons[entry.write.variables.value];
        await level.del(key);
        await level.put(`g!${key.slice(-15)}`, serialize({ ...entry, error, givenUpAt: 'then' }));
      }
      await level.del('m');
    });
    const outbox = await start();
    for (const stored of await outbox.rejected(10)) {
      const { error, givenUpAt } = stored.entry;
      assert.deepEqual(
        [typeof error.code, typeof error.message, typeof givenUpAt],
        ['string', 'string', 'number'],
      );
      assert.ok(outbox.summaryOf(stored));
    }
    const [first] = await outbox.rejected(1);
    await outbox.decide('discard', [first?.sequence ?? 0]);
    await outbox.decide('retry');
    await empty(outbox);
    assert.deepEqual(values().sort(), [1, 2, 3, 4, 5]);
  });

  it('are delivered with properties that this version does not know', async () => {
    const before = await open();
    await before.add('node', mutation(1, 'a'), {});
    await close(before);
    await inStore(outboxes.folder, async (level) => {
      for (const key of await level.keys({ gte: 'q!', lt: 'q"' }).all()) {
        const entry = JSON.parse(String(await level.get(key)));
        const more = { later: [1], write: { ...entry.write, later: {} } };
        await level.put(key, Buffer.from(JSON.stringify({ ...entry, ...more })));
      }
    });
    await empty(await start());
    assert.deepEqual(values(), ['a']);
  });
});
