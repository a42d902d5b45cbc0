import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IonError } from '../../nodes/client/errors.js';
import { RejectionCounts } from '../../nodes/outbox/rejection-counts.js';
import type { Entry, Stored } from '../../nodes/outbox/store/entries.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';

const ERROR = new IonError('ION_GRAPHQL', 'no');

describe('the counts of the rejected writes after a restart', () => {
  let folder: string;
  let store: OutboxStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-rejections-test-'));
    store = await OutboxStore.open(folder, { entries: 10_000, bytes: 1e9 });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  const entryOf = (sender: string, payload: string): Entry =>
    ({ sender, context: { payload }, acceptedAt: 1 }) as Entry;

  async function add(sender: string, count: number, payload = ''): Promise<Stored[]> {
    const entry = entryOf(sender, payload);
    return Promise.all(Array.from({ length: count }, () => store.add(entry, 'partition')));
  }

  const reject = (entries: Stored[]) =>
    Promise.all(entries.map((stored) => store.reject(stored, ERROR, 1)));

  const shown = ({ bySender }: RejectionCounts) =>
    Object.fromEntries([...bySender].map(([sender, { count }]) => [sender, count]));

  it('are those of all senders, however large their messages are', async () => {
    await reject(await add('first', 50, 'x'.repeat(200_000)));
    await reject(await add('second', 30, 'x'.repeat(200_000)));
    assert.deepEqual(shown(await RejectionCounts.read(store)), { first: 50, second: 30 });
  });

  it('have the reason of the newest one, which an earlier process did not leave', async () => {
    await reject(await add('first', 1));
    const counts = await RejectionCounts.read(store);
    const reasonOf = (sender: string) => counts.bySender.get(sender)?.reason;
    assert.equal(reasonOf('first'), undefined);
    const entries = await add('first', 3);
    const [older, newer, unreadable] = entries as [Stored, Stored, Stored];
    await reject(entries);
    const last = new IonError('ION_CONFLICT', 'stale');
    counts.add(older, ERROR);
    counts.add(newer, last);
    const [, storedOlder, storedNewer] = await store.firstRejected(3);
    assert.ok(storedOlder && storedNewer);
    counts.remove(storedOlder);
    assert.equal(reasonOf('first'), last);
    counts.remove(storedNewer);
    assert.equal(reasonOf('first'), undefined);
    counts.add(newer, last);
    counts.add(unreadable, undefined);
    assert.equal(reasonOf('first'), undefined);
    assert.deepEqual(shown(counts), { first: 3 });
  });

  it('stay right when entries are removed that were too many to be counted', async () => {
    await reject(await add('first', 995));
    const [pending] = await add('second', 1);
    await reject(await add('second', 10));
    const [newest] = await add('third', 1);
    const counts = await RejectionCounts.read(store);
    assert.deepEqual(shown(counts), { first: 995, second: 5 });
    await reject([newest as Stored, pending as Stored]);
    counts.add(newest as Stored, ERROR);
    counts.add(pending as Stored, ERROR);
    assert.deepEqual(shown(counts), { first: 995, second: 6, third: 1 });
    const rejected = (await store.firstRejected(2000)).slice(995);
    for (const uncounted of rejected.splice(6, 5)) counts.remove(uncounted);
    assert.deepEqual(shown(counts), { first: 995, second: 6, third: 1 });
    for (const counted of rejected) counts.remove(counted);
    assert.deepEqual(shown(counts), { first: 995 });
  });

  it('never hide the rejections of a sender that was not counted before', async () => {
    await reject(await add('first', 1000));
    const [inherited] = await add('second', 1);
    const [own] = await add('second', 1);
    await reject([inherited as Stored]);
    const counts = await RejectionCounts.read(store);
    counts.add(own as Stored, ERROR);
    const [uncounted] = await store.firstRejected(1, 1000);
    assert.ok(uncounted);
    counts.remove(uncounted);
    assert.deepEqual(shown(counts), { first: 1000, second: 1 });
  });
});
