import assert from 'node:assert/strict';
import { KeyedMutex } from '../../../nodes/client/support/keyed-mutex.js';
import { failure } from '../../support/errors.js';

describe('keyed mutex', () => {
  it('keeps the order, also after a failed task', async () => {
    const turns = new KeyedMutex();
    const done: number[] = [];
    const works = [1, 2, 3].map((number) =>
      turns
        .run('same', 10, async () => {
          done.push(number);
          if (number === 1) throw new Error('failed');
        })
        .catch(() => {}),
    );
    await Promise.all(works);
    assert.deepEqual(done, [1, 2, 3]);
  });

  it('does not wait for tasks with another key', async () => {
    const turns = new KeyedMutex();
    let finish = () => {};
    const slow = turns.run('one', 10, () => new Promise<void>((resolve) => (finish = resolve)));
    assert.equal(await turns.run('other', 10, async () => 'done'), 'done');
    finish();
    await slow;
  });

  it('fails with ION_OVERLOADED if too many wait, and accepts tasks again later', async () => {
    const turns = new KeyedMutex();
    const works = [0, 1, 2].map(() => turns.run('same', 2, async () => {}));
    const error = await failure(
      turns.run('same', 2, async () => {}),
      'ION_OVERLOADED',
    );
    assert.match(error.message, /^2 messages/);
    await Promise.all(works);
    await turns.run('same', 2, async () => {});
  });
});
