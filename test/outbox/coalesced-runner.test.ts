import assert from 'node:assert/strict';
import { CoalescedRunner } from '../../nodes/outbox/coalesced-runner.js';
import { until } from '../support/until.js';

describe('outbox: the coalesced runner', () => {
  let runs: number;
  let finish: () => void;
  let fail: (error: Error) => void;
  let canRun: boolean;
  let failures: number[];
  let delay: number | undefined;
  let runner: CoalescedRunner;
  const runEnded = () => new Promise(setImmediate);
  beforeEach(() => {
    runs = 0;
    canRun = true;
    failures = [];
    delay = 0;
    runner = new CoalescedRunner({
      job: () =>
        new Promise((resolve, reject) => {
          runs++;
          finish = resolve;
          fail = reject;
        }),
      canRun: () => canRun,
      delayAfter: (count) => {
        failures.push(count);
        return delay;
      },
    });
  });

  it('runs once more, however often it is asked during a run', async () => {
    for (let count = 0; count < 5; count++) runner.run();
    assert.equal(runs, 1);
    finish();
    await runEnded();
    assert.equal(runs, 2);
    finish();
    await runEnded();
    assert.equal(runs, 2);
  });

  it('does not run while it may not, and runs when asked after that', async () => {
    canRun = false;
    runner.run();
    assert.equal(runs, 0);
    canRun = true;
    runner.run();
    assert.equal(runs, 1);
  });

  it('runs again after failures, which it counts until there is progress', async () => {
    runner.run();
    for (let count = 1; count <= 3; count++) {
      await until(() => runs === count);
      if (count === 3) runner.resetFailures();
      fail(new Error('the disk'));
    }
    await until(() => runs === 4);
    assert.deepEqual(failures, [1, 2, 1]);
  });

  it('waits for somebody to ask if a failure has no delay', async () => {
    delay = undefined;
    runner.run();
    fail(new Error('an outage'));
    await runEnded();
    assert.equal(runs, 1);
    runner.run();
    assert.equal(runs, 2);
  });

  it('closes when the present run has ended, and never runs again', async () => {
    runner.run();
    runner.run();
    let isClosed = false;
    const closing = runner.close().then(() => {
      isClosed = true;
    });
    await runEnded();
    assert.equal(isClosed, false);
    finish();
    await closing;
    runner.run();
    assert.equal(runs, 1);
  });
});
