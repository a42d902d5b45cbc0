import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OldestPending } from '../../nodes/outbox/oldest-pending.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';
import { partitionOf } from '../../nodes/outbox/store/keys.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';

describe('the oldest pending write', () => {
  let folder: string;
  let store: OutboxStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-oldest-test-'));
    store = await OutboxStore.open(folder, { entries: 1000, bytes: 1e9 });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  const add = (acceptedAt: number, orderKey?: string) => {
    const entry = { sender: 'node', context: {}, acceptedAt } as Entry;
    return store.add(entry, orderKey === undefined ? undefined : partitionOf(orderKey));
  };

  it('is missing in an empty outbox', async () => {
    assert.equal(await new OldestPending(store).acceptedAt(), undefined);
  });

  it('is found among all order keys, and among writes whose run is not known yet', async () => {
    await add(1, 'z');
    await add(2);
    await add(3, 'a');
    assert.equal(await new OldestPending(store).acceptedAt(), 1);
    const [first] = await store.first(partitionOf('z'), 1);
    assert.ok(first);
    await store.remove(first);
    assert.equal(await new OldestPending(store).acceptedAt(), 2);
  });

  it('is not searched again while it is pending', async () => {
    let searches = 0;
    const counted = {
      partitionAfter: (partition: string) => store.partitionAfter(partition),
      first: (partition: string, limit: number) => store.first(partition, limit),
      firstUnresolved(limit: number) {
        searches++;
        return store.firstUnresolved(limit);
      },
      has: (stored: Parameters<OutboxStore['has']>[0]) => store.has(stored),
    };
    const oldest = new OldestPending(counted);
    await add(1, 'a');
    for (let time = 0; time < 5; time++) assert.equal(await oldest.acceptedAt(), 1);
    assert.equal(searches, 1);
  });
});
