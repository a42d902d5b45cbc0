import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadlines } from '../../../nodes/client/http/deadlines.js';

const LIMIT = 50;

const item = (expire: () => void) => ({ expiresAt: 0, expire });

describe('deadlines with the same time limit', () => {
  it('expire once each, in their order, and not before', async () => {
    const deadlines = new Deadlines(LIMIT);
    const expired: [string, boolean][] = [];
    const begin = (name: string) => {
      const dueAt = performance.now() + LIMIT;
      return new Promise<void>((resolve) => {
        const expire = () => {
          expired.push([name, performance.now() >= dueAt]);
          resolve();
        };
        deadlines.begin(item(expire));
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
    deadlines.begin(item(() => expired.push('ended'))).remove();
    const renewed = deadlines.begin(item(() => expired.push('renewed')));
    await sleep(LIMIT / 2);
    const again = deadlines.renew(renewed);
    await new Promise<void>((resolve) => deadlines.begin(item(resolve)));
    assert.deepEqual(expired, ['renewed']);
    again.remove();
  });

  it('may end and begin others while they expire', async () => {
    const deadlines = new Deadlines(1);
    const expired: string[] = [];
    await new Promise<void>((resolve) => {
      const expire = () => {
        expired.push('first');
        other.remove();
        deadlines.begin(item(resolve));
      };
      deadlines.begin(item(expire));
      const other = deadlines.begin(item(() => expired.push('other')));
    });
    assert.deepEqual(expired, ['first']);
  });

  it('end when they are closed, in their order', async () => {
    const deadlines = new Deadlines(1);
    const expired: string[] = [];
    const items = ['first', 'second', 'third'].map((name) => ({
      ...item(() => expired.push(name)),
      name,
    }));
    const [, second] = items.map((each) => deadlines.begin(each));
    second?.remove();
    const closed: unknown[] = [];
    deadlines.close((each) => closed.push(each));
    assert.deepEqual(closed, [items[0], items[2]]);
    const other = new Deadlines(1);
    await new Promise<void>((resolve) => other.begin(item(resolve)));
    assert.deepEqual(expired, []);
  });
});
