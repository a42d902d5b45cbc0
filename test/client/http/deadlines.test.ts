import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadlines } from '../../../nodes/client/http/deadlines.js';

const LIMIT = 50;

describe('deadlines with the same time limit', () => {
  it('expire once each, in their order, and not before', async () => {
    const deadlines = new Deadlines(LIMIT);
    const expired: [string, boolean][] = [];
    const begin = (name: string) => {
      const dueAt = performance.now() + LIMIT;
      return new Promise<void>((resolve) => {
        deadlines.begin(() => {
          expired.push([name, performance.now() >= dueAt]);
          resolve();
        });
      });
    };
    const first = begin('first');
    await sleep(LIMIT / 2);
    const second = begin('second');
    await first;
    assert.deepEqual(expired, [['first', true]]);
    await second;
    await begin('after all had expired');
    assert.deepEqual(expired, [
      ['first', true],
      ['second', true],
      ['after all had expired', true],
    ]);
  });

  it('do not expire if they have ended, and expire later if they are renewed', async () => {
    const deadlines = new Deadlines(LIMIT);
    const expired: string[] = [];
    deadlines.begin(() => expired.push('ended')).remove();
    const renewed = deadlines.begin(() => expired.push('renewed'));
    await sleep(LIMIT / 2);
    const again = deadlines.renew(renewed);
    await new Promise<void>((resolve) => deadlines.begin(resolve));
    assert.deepEqual(expired, ['renewed']);
    again.remove();
  });

  it('may end and begin others while they expire', async () => {
    const deadlines = new Deadlines(1);
    const expired: string[] = [];
    await new Promise<void>((resolve) => {
      deadlines.begin(() => {
        expired.push('first');
        other.remove();
        deadlines.begin(resolve);
      });
      const other = deadlines.begin(() => expired.push('other'));
    });
    assert.deepEqual(expired, ['first']);
  });
});
