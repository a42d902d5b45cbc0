import assert from 'node:assert/strict';
import { OrderBarrier } from '../../nodes/outbox/order-barrier.js';

describe('outbox: the order barrier', () => {
  /** Begins to add an entry. */
  const arrive = (barrier: OrderBarrier, partition: string | undefined, sequence: number) => {
    let end: (error?: Error) => void = () => {};
    const added = new Promise<void>((resolve, reject) => {
      end = (error) => (error ? reject(error) : resolve());
    });
    const arrival = barrier.arrive(partition, (onSequence) => {
      onSequence(sequence);
      return added;
    });
    return (error?: Error) => {
      end(error);
      return arrival.catch(() => {});
    };
  };

  it('lets later entries of a partition wait for those that arrive, in whatever order', async () => {
    const barrier = new OrderBarrier();
    const first = arrive(barrier, 'a', 1);
    const second = arrive(barrier, 'a', 2);
    assert.deepEqual([barrier.blocks('a', 3), barrier.blocks('b', 3)], [true, false]);
    await second();
    assert.equal(barrier.limitOf('a'), 1);
    await first();
    assert.equal(barrier.blocks('a', 3), false);
  });

  it('lets all partitions wait for an unresolved entry until it is resolved', async () => {
    const barrier = new OrderBarrier(5);
    assert.deepEqual([barrier.blocks('a', 5), barrier.blocks('a', 6)], [false, true]);
    barrier.beginScan();
    barrier.scanned(5);
    barrier.scanned(9);
    assert.deepEqual([barrier.blocks('a', 9), barrier.blocks('a', 10)], [false, true]);
    barrier.beginScan();
    barrier.scanned();
    assert.equal(barrier.blocks('a', 10), false);
  });

  it('remembers an unresolved entry that arrives during a scan, which may not have seen it', async () => {
    const barrier = new OrderBarrier();
    const arrived = arrive(barrier, undefined, 3);
    barrier.beginScan();
    await arrived();
    barrier.scanned();
    assert.equal(barrier.blocks('a', 4), true);
    barrier.beginScan();
    barrier.scanned();
    assert.equal(barrier.blocks('a', 4), false);
  });

  it('keeps waiting for an unresolved entry whose write failed, until the next scan', async () => {
    const barrier = new OrderBarrier();
    await arrive(barrier, undefined, 3)(new Error('the disk'));
    assert.equal(barrier.blocks('a', 4), true);
    await arrive(barrier, 'b', 4)(new Error('the disk'));
    barrier.beginScan();
    barrier.scanned();
    assert.equal(barrier.blocks('b', 5), false);
  });
});
