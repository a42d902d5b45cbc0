import assert from 'node:assert/strict';
import { IonError } from '../../nodes/client/errors.js';
import { CircuitBreaker } from '../../nodes/outbox/circuit-breaker.js';
import { outage } from '../support/outbox.js';
import { until } from '../support/until.js';

describe('outbox: the circuit breaker', () => {
  let checks: number;
  let check: () => Promise<void>;
  let probes: number[];
  let ready: string[];
  let changes: number;
  let breaker: CircuitBreaker;
  beforeEach(() => {
    checks = 0;
    check = async () => {};
    probes = [];
    ready = [];
    changes = 0;
    breaker = new CircuitBreaker({
      check: () => {
        checks++;
        return check();
      },
      delayMs: (count) => {
        probes.push(count);
        return 1;
      },
      onChange: () => {
        changes++;
      },
      onReady: () => ready.push(breaker.state),
    });
  });

  it('opens, lets one probe through, and opens again if that fails', async () => {
    assert.equal(breaker.state, 'closed');
    breaker.open(outage());
    assert.equal(breaker.state, 'open');
    const { openSince, nextProbeAt = 0 } = breaker;
    assert.ok(Math.abs(nextProbeAt - Date.now()) < 1000);
    assert.notEqual(openSince, undefined);
    await until(() => ready.length === 1);
    assert.equal(breaker.nextProbeAt, undefined);
    breaker.open(outage());
    assert.equal(breaker.state, 'open');
    assert.equal(breaker.openSince, openSince);
    await until(() => ready.length === 2);
    assert.deepEqual(
      [ready, probes],
      [
        ['half-open', 'half-open'],
        [1, 2],
      ],
    );
  });

  it('finds out without a write whether ION is back', async () => {
    await breaker.probe();
    assert.equal(checks, 0);
    breaker.open(outage());
    await until(() => ready.length === 1);
    check = async () => {
      throw outage();
    };
    await breaker.probe();
    assert.equal(breaker.state, 'open');
    await until(() => ready.length === 2);
    check = async () => {};
    await breaker.probe();
    assert.deepEqual([breaker.state, checks], ['closed', 2]);
  });

  it('closes with any answer, also before the probe, and counts probes from the start', async () => {
    breaker.open(outage());
    breaker.responded();
    assert.deepEqual([breaker.state, breaker.openSince], ['closed', undefined]);
    assert.deepEqual(ready, ['closed']);
    breaker.open(outage());
    assert.deepEqual(probes, [1, 1]);
    await until(() => ready.length === 2);
    assert.equal(breaker.state, 'half-open');
  });

  it('asks ION once for all failures, and not if there was an answer since', async () => {
    check = async () => {
      throw outage();
    };
    const since = performance.now();
    const answers = [1, 2, 3].map(() => breaker.isResponding(since));
    assert.deepEqual(await Promise.all(answers), [false, false, false]);
    assert.equal(checks, 1);
    breaker.responded();
    assert.equal(await breaker.isResponding(since), true);
    assert.equal(checks, 1);
  });

  it('takes a rejection for an answer', async () => {
    check = async () => {
      throw new IonError('ION_FORBIDDEN', 'no permission');
    };
    breaker.open(outage());
    assert.equal(await breaker.isResponding(performance.now()), true);
    assert.equal(breaker.state, 'closed');
  });

  it('reports each change, with the last reason', () => {
    breaker.responded();
    assert.deepEqual([changes, ready], [0, []]);
    breaker.open(outage());
    const second = new IonError('ION_TIMEOUT', 'slow');
    breaker.open(second);
    assert.deepEqual([changes, breaker.reason, probes], [2, second, [1]]);
    breaker.responded();
    assert.deepEqual([changes, breaker.reason, breaker.nextProbeAt], [3, undefined, undefined]);
  });

  it('lets no probe through that was planned before it closed, or before it was stopped', async () => {
    breaker.open(outage());
    breaker.responded();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(ready, ['closed']);
    breaker.open(outage());
    breaker.stop();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(ready, ['closed']);
  });

  it('asks ION again for a later failure', async () => {
    assert.equal(await breaker.isResponding(performance.now()), true);
    check = async () => {
      throw outage();
    };
    const later = performance.now() + 1;
    assert.equal(await breaker.isResponding(later), false);
    assert.equal(await breaker.isResponding(later), false);
    assert.equal(checks, 3);
  });

  it('does not open after it was stopped', async () => {
    breaker.stop();
    breaker.open(outage());
    assert.deepEqual([breaker.state, probes], ['closed', []]);
  });
});
