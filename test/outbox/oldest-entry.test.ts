import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IonError } from '../../nodes/client/errors.js';
import { partitionOf } from '../../nodes/outbox/store/keys.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';
import { write } from '../support/outbox.js';

describe('outbox: the oldest entry', () => {
  let folder: string;
  let store: OutboxStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-outbox-test-'));
    store = await OutboxStore.open(folder, { entries: 1000, bytes: 10_000_000 });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  const add = (acceptedAt: number, orderKey?: string) => {
    const entry = { ...write({ field: 1 }, 'x').own, sender: 'node', context: '', acceptedAt };
    return store.add(entry, orderKey === undefined ? undefined : partitionOf(orderKey));
  };

  it('is that of all order keys, until it is delivered', async () => {
    assert.equal(await store.oldest.acceptedAt(), undefined);
    const first = await add(10, 'z');
    const second = await add(20, 'a');
    await add(30, 'z');
    assert.equal(await store.oldest.acceptedAt(), 10);
    await store.remove(first);
    assert.equal(await store.oldest.acceptedAt(), 20);
    await store.remove(second);
    assert.equal(await store.oldest.acceptedAt(), 30);
  });

  it('may be one whose order key has to be looked up', async () => {
    const first = await add(10);
    await add(20, 'a');
    assert.equal(await store.oldest.acceptedAt(), 10);
    await store.resolve(first, partitionOf('b'));
    assert.equal(await store.oldest.acceptedAt(), 10);
  });

  it('is not one that was rejected', async () => {
    const first = await add(10, 'a');
    await add(20, 'b');
    assert.equal(await store.oldest.acceptedAt(), 10);
    await store.reject(first, new IonError('ION_GRAPHQL', 'no'), 1);
    assert.equal(await store.oldest.acceptedAt(), 20);
  });

  it('is found again without a search while it is pending', async () => {
    for (let key = 0; key < 20; key++) await add(key, `key${key}`);
    assert.equal(await store.oldest.acceptedAt(), 0);
    let searches = 0;
    const { partitionAfter } = store;
    store.partitionAfter = (partition) => {
      searches++;
      return partitionAfter.call(store, partition);
    };
    assert.equal(await store.oldest.acceptedAt(), 0);
    assert.equal(searches, 0);
  });
});
