import assert from 'node:assert/strict';
import { Scheduler } from '../../nodes/outbox/scheduler.js';

describe('outbox: the scheduler', () => {
  let partitions: string[];
  let blocked: Set<string>;
  let maxBusy: number;
  let begun: string[];
  let working: Map<string, { end: () => void; fail: (error: Error) => void }>;
  let failed: string[];
  let failSearch: boolean;
  let scheduler: Scheduler;
  const settled = () => new Promise(setImmediate);
  const end = async (partition: string) => {
    working.get(partition)?.end();
    await settled();
  };
  beforeEach(() => {
    partitions = ['a', 'b', 'c', 'd'];
    blocked = new Set();
    maxBusy = 2;
    begun = [];
    working = new Map();
    failed = [];
    failSearch = false;
    scheduler = new Scheduler({
      partitionAfter: async (after) => {
        if (failSearch) throw new Error('the disk');
        const partition = partitions.find((each) => each > after);
        return partition === undefined ? undefined : { partition, sequence: 1 };
      },
      isBlocked: ({ partition }) => blocked.has(partition),
      maxBusy: () => maxBusy,
      deliverFrom: (partition) =>
        new Promise((resolve, reject) => {
          begun.push(partition);
          working.set(partition, { end: resolve, fail: reject });
        }),
      onFailure: (partition) => failed.push(partition),
      onIdle: () => {},
      delayMs: () => 1,
    });
  });

  it('gives each partition its turn, as many at once as may be busy', async () => {
    scheduler.run();
    await settled();
    assert.deepEqual(begun, ['a', 'b']);
    for (const partition of ['b', 'a', 'd', 'c', 'a']) await end(partition);
    assert.deepEqual(begun, ['a', 'b', 'c', 'd', 'a', 'b', 'c']);
  });

  it('passes over blocked partitions, until it is asked again after that', async () => {
    blocked = new Set(['a', 'c']);
    scheduler.run();
    await settled();
    assert.deepEqual(begun, ['b', 'd']);
    partitions = ['a', 'c'];
    await end('b');
    assert.deepEqual(begun, ['b', 'd']);
    blocked.delete('c');
    scheduler.run();
    await settled();
    assert.deepEqual(begun, ['b', 'd', 'c']);
  });

  it('starts nothing while nothing may be busy', async () => {
    maxBusy = 0;
    scheduler.run();
    await settled();
    assert.deepEqual(begun, []);
    maxBusy = 1;
    scheduler.run();
    await settled();
    assert.deepEqual(begun, ['a']);
  });

  it('does one thing at a time in a partition', async () => {
    partitions = ['a'];
    scheduler.start('a');
    scheduler.start('a');
    scheduler.run();
    await settled();
    assert.deepEqual(begun, ['a']);
    partitions = [];
    const isOver = scheduler.busy('a');
    await end('a');
    await isOver;
    assert.equal(scheduler.busy('a'), undefined);
  });

  it('reports work that failed, and searches again after a failure of the disk', async () => {
    scheduler.start('a');
    working.get('a')?.fail(new Error('the disk'));
    failSearch = true;
    await settled();
    assert.deepEqual(failed, ['a']);
    failSearch = false;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(begun, ['a', 'a', 'b']);
  });

  it('closes when all work has ended', async () => {
    scheduler.run();
    await settled();
    maxBusy = 0;
    let isClosed = false;
    const closing = scheduler.close().then(() => {
      isClosed = true;
    });
    await end('a');
    assert.equal(isClosed, false);
    await end('b');
    await closing;
    assert.deepEqual(begun, ['a', 'b']);
  });
});
