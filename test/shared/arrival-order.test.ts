import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArrivalOrder } from '../../nodes/shared/arrival-order.js';

describe('work in the order of its arrival', () => {
  it('continues in that order, whatever each takes before and whichever of them fail', async () => {
    const oneWork = fc.record({
      turnsBefore: fc.integer({ min: 0, max: 20 }),
      failsBefore: fc.boolean(),
      turnsAfter: fc.integer({ min: 0, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(oneWork, { maxLength: 30 }), async (works) => {
        const order = new ArrivalOrder();
        const begun: number[] = [];
        const ended: number[] = [];
        await Promise.all(
          works.map(async ({ turnsBefore, failsBefore, turnsAfter }, index) => {
            const { turn, leave } = order.enter();
            try {
              for (let left = turnsBefore; left > 0; left--) await undefined;
              if (failsBefore) return;
              await turn;
              assert.equal(begun.length, ended.length, 'one at a time');
              begun.push(index);
              for (let left = turnsAfter; left > 0; left--) await undefined;
              ended.push(index);
            } finally {
              leave();
            }
          }),
        );
        const expected = works.flatMap(({ failsBefore }, index) => (failsBefore ? [] : [index]));
        assert.deepEqual(begun, expected);
      }),
      { seed: 9 },
    );
  });
});
