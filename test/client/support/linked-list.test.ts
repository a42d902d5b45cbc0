import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Entry, LinkedList } from '../../../nodes/client/support/linked-list.js';

describe('linked list', () => {
  it('behaves like an array through any additions and removals', () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat() }),
      fc.record({ remove: fc.nat() }),
      fc.constant('shift' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const list = new LinkedList<number>();
        const entries: Entry<number>[] = [];
        const model: Entry<number>[] = [];
        for (const each of steps) {
          if (each === 'shift') {
            assert.equal(list.shift(), model.shift()?.item);
          } else if ('add' in each) {
            const entry = list.add(each.add);
            entries.push(entry);
            model.push(entry);
          } else {
            // Also an entry that was removed before.
            const entry = entries[each.remove % entries.length];
            entry?.remove();
            if (entry && model.includes(entry)) model.splice(model.indexOf(entry), 1);
          }
          assert.equal(list.size, model.length);
        }
        for (const { item } of model) assert.equal(list.shift(), item);
        assert.equal(list.shift(), undefined);
      }),
    );
  });
});
