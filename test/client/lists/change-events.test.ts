import assert from 'node:assert/strict';
import { ChangeEvents } from '../../../nodes/client/lists/change-events.js';
import type { Change } from '../../../nodes/client/lists/change-feed.js';
import { weightOf } from '../../../nodes/client/support/json-size.js';

const change = (state: string, row: Record<string, unknown>): Change => ({
  row,
  id: 1,
  key: '1',
  state,
  isNew: false,
  isUpdated: true,
});
const numbers = (count: number) => Array<number>(count).fill(1);

describe('change events', () => {
  it('contain the previous values of the changed fields', () => {
    const events = new ChangeEvents();
    events.next(change('a', { id: 1, title: 'A', status: 'x' }));
    const event = events.next(change('b', { id: 1, title: 'B', status: 'x' }));
    assert.deepEqual(event?.previous, { title: 'A' });
  });

  for (const [what, before, after] of [
    ['was very large', numbers(10_000), 'B'],
    ['became very large', 'A', numbers(10_000)],
    ['had a very long property name', { ['k'.repeat(100_000)]: 1 }, 'B'],
  ] as const) {
    it(`contain no previous values of a row that ${what}`, () => {
      const events = new ChangeEvents();
      events.next(change('a', { id: 1, title: before }));
      const event = events.next(change('b', { id: 1, title: after }));
      assert.equal(event?.action, 'UPDATE');
      assert.equal(event?.previous, undefined);
      assert.deepEqual(event?.row, { id: 1, title: after });
    });
  }

  it('are not repeated for a very large row in the same state', () => {
    const events = new ChangeEvents();
    assert.ok(events.next(change('a', { id: 1, title: numbers(10_000) })));
    assert.equal(events.next(change('a', { id: 1, title: numbers(10_000) })), undefined);
  });
});

describe('the weight of JSON', () => {
  it('counts property names, and more for an object or a list than for a value', () => {
    assert.equal(weightOf({ ['k'.repeat(1000)]: 1 }, 10_000), 104);
    assert.equal(weightOf([[], {}, 1, 'x'.repeat(10)], 10_000), 3 + 3 + 3 + 1 + 2);
  });

  it('is counted up to a maximum', () => {
    let looked = 0;
    const values = Array.from({ length: 1000 }, () => ({
      get value() {
        looked++;
        return 1;
      },
    }));
    const weight = weightOf(values, 100);
    assert.ok(weight > 100 && weight < 110, String(weight));
    assert.ok(looked < 30, String(looked));
  });
});
