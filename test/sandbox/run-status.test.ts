import assert from 'node:assert/strict';
import { rollUp } from '../../sandbox/data/computed-fields.js';
import type { RunStatus, StepStatus } from '../../sandbox/data/model.js';

const STATUSES: readonly StepStatus[] = [
  ...(['REDLINE', 'HOLD', 'FAILED'] as const),
  ...(['IN_PROGRESS', 'TODO', 'COMPLETE', 'CANCELED'] as const),
];

/** Every set of statuses that the steps of a run can have. */
const COMBINATIONS = Array.from({ length: 2 ** STATUSES.length - 1 }, (_, i) =>
  STATUSES.filter((_status, bit) => ((i + 1) >> bit) % 2 === 1),
);

/** The runs in which work goes its ordinary way: nothing is redlined, on hold or failed. */
const ORDINARY: Record<string, RunStatus> = {
  TODO: 'TODO',
  COMPLETE: 'COMPLETE',
  CANCELED: 'CANCELED',
  IN_PROGRESS: 'IN_PROGRESS',
  'IN_PROGRESS + TODO': 'IN_PROGRESS',
  'IN_PROGRESS + COMPLETE': 'IN_PROGRESS',
  'IN_PROGRESS + CANCELED': 'IN_PROGRESS',
  'IN_PROGRESS + TODO + COMPLETE': 'IN_PROGRESS',
  'IN_PROGRESS + TODO + CANCELED': 'IN_PROGRESS',
  'IN_PROGRESS + COMPLETE + CANCELED': 'IN_PROGRESS',
  'IN_PROGRESS + TODO + COMPLETE + CANCELED': 'IN_PROGRESS',
  // Between two steps, nobody works.
  'TODO + COMPLETE': 'IN_PROGRESS',
  'TODO + COMPLETE + CANCELED': 'IN_PROGRESS',
  'TODO + CANCELED': 'TODO',
  'COMPLETE + CANCELED': 'PARTIAL_COMPLETE',
};

describe('sandbox: status of a run', () => {
  const stopped = ['REDLINE', 'HOLD', 'FAILED'] as const;
  const counts = { REDLINE: 64, HOLD: 32, FAILED: 16 };
  for (const [i, status] of stopped.entries()) {
    const stronger = stopped.slice(0, i);
    const exception = stronger.length > 0 ? `, unless one is ${stronger.join(' or ')}` : '';
    it(`is ${status} as soon as one step is${exception}`, () => {
      const affected = COMBINATIONS.filter(
        (steps) => steps.includes(status) && !stronger.some((each) => steps.includes(each)),
      );
      assert.equal(affected.length, counts[status]);
      for (const steps of affected) assert.equal(rollUp(steps), status, steps.join(' + '));
    });
  }

  it('follows the work if no step is redlined, on hold or failed', () => {
    const ordinary = COMBINATIONS.filter((steps) => !stopped.some((each) => steps.includes(each)));
    const found = ordinary.map((steps) => [steps.join(' + '), rollUp(steps)]);
    assert.deepEqual(Object.fromEntries(found), ORDINARY);
  });

  it('depends neither on the order nor on the number of the steps', () => {
    for (const steps of COMBINATIONS) {
      assert.equal(rollUp([...steps].reverse()), rollUp(steps), steps.join(' + '));
      assert.equal(rollUp([...steps, ...steps]), rollUp(steps), steps.join(' + '));
    }
  });

  it('is TODO without steps', () => assert.equal(rollUp([]), 'TODO'));
});
