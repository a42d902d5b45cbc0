import assert from 'node:assert/strict';
import { oneAtATime } from '../../nodes/runtime/one-at-a-time.js';
import { thrown } from '../support/errors.js';

describe('triggers that are worked on one at a time', () => {
  it('keep their order, also after one that failed', async () => {
    const inTurn = oneAtATime();
    const done: number[] = [];
    const works = [1, 2, 3].map((number) =>
      inTurn(10, async () => {
        done.push(number);
        if (number === 1) throw new Error('failed');
      }).catch(() => {}),
    );
    await Promise.all(works);
    assert.deepEqual(done, [1, 2, 3]);
  });

  it('fail with ION_OVERLOADED where too many wait, and are taken again later', async () => {
    const inTurn = oneAtATime();
    const works = [0, 1, 2].map(() => inTurn(2, async () => {}));
    assert.match(thrown(() => inTurn(2, async () => {}), 'ION_OVERLOADED').message, /^2 messages/);
    await Promise.all(works);
    await inTurn(2, async () => {});
  });
});
