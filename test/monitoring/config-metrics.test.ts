import assert from 'node:assert/strict';
import { IonError, type IonErrorCode, type IonErrorDetails } from '../../nodes/client/errors.js';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { ConfigMetrics } from '../../nodes/monitoring/config-metrics.js';
import { EventMetrics } from '../../nodes/monitoring/event-metrics.js';
import { metricFamilies } from '../../nodes/monitoring/metric-families.js';
import type { Sample } from '../../nodes/monitoring/metric-text.js';
import { Reachability } from '../../nodes/monitoring/reachability.js';

const LABELS = { config: 'ION', id: 'config' };

describe('the metrics of a config node', () => {
  let metrics: ConfigMetrics;
  beforeEach(() => {
    metrics = new ConfigMetrics();
  });

  const ended = (text: string, code?: IonErrorCode, attempts = 1, durationMs = 1) => {
    const operation = parseOperation(text);
    const error = code && new IonError(code, 'No.');
    metrics.onOutcome({ operation, variables: undefined, error, attempts, durationMs });
  };
  const samples = (
    name: string,
    more: Partial<Parameters<typeof metricFamilies>[0][number]> = {},
  ): Sample[] => {
    const none = { client: undefined, outbox: undefined, isDryRun: false };
    const config = { labels: LABELS, metrics, ...none, ...more };
    const family = metricFamilies([config]).find((each) => each.name === name);
    assert.ok(family, name);
    return [...family.samples];
  };
  const outcomes = () =>
    samples('ion_requests_total').map(({ labels, value }) => [
      labels.operation,
      labels.code,
      value,
    ]);

  it('count operations by name and outcome', () => {
    ended('query Runs { me { id } }');
    ended('query Runs { me { id } }', 'ION_TIMEOUT', 4);
    ended('query Runs { me { id } }');
    ended('{ me { id } }', 'ION_AUTH', 0);
    assert.deepEqual(outcomes(), [
      ['Runs', 'ok', 2],
      ['Runs', 'ION_TIMEOUT', 1],
      ['anonymous', 'ION_AUTH', 1],
    ]);
    assert.deepEqual(samples('ion_attempts_total'), [{ labels: LABELS, value: 6 }]);
  });

  it('count mutations of a dry run as not sent', () => {
    ended('mutation Write { write }', undefined, 0);
    assert.deepEqual(outcomes(), [['Write', 'not_sent', 1]]);
    assert.equal(samples('ion_dry_run')[0]?.value, 0);
    assert.equal(samples('ion_dry_run', { isDryRun: true })[0]?.value, 1);
  });

  it('have a bounded number of names, although a flow makes one for each run', () => {
    for (let run = 0; run < 200; run++) ended(`query Run${run} { me { id } }`);
    ended('{ me { id } }');
    ended('query Run7 { me { id } }');
    const counted = outcomes();
    assert.equal(counted.length, 52);
    assert.deepEqual(counted[7], ['Run7', 'ok', 2]);
    assert.deepEqual(counted.slice(50), [
      ['other', 'ok', 150],
      ['anonymous', 'ok', 1],
    ]);
  });

  it('keep no long name', () => {
    ended(`query ${'a'.repeat(101)} { me { id } }`);
    assert.deepEqual(outcomes(), [['other', 'ok', 1]]);
  });

  it('measure queries and mutations separately, in seconds', () => {
    ended('{ me { id } }', undefined, 1, 300);
    ended('mutation { a }', undefined, 1, 70_000);
    const of = (kind: string, suffix: string, le?: string) =>
      samples('ion_request_duration_seconds').find(
        (each) => each.labels.kind === kind && each.suffix === suffix && each.labels.le === le,
      )?.value;
    assert.deepEqual(
      [of('query', '_bucket', '0.25'), of('query', '_bucket', '0.5'), of('query', '_sum')],
      [0, 1, 0.3],
    );
    assert.deepEqual(
      [of('mutation', '_bucket', '60.0'), of('mutation', '_bucket', '+Inf')],
      [0, 1],
    );
  });

  it('leave out what is not known', () => {
    const ofClient = ['running', 'waiting'].map((name) => `ion_requests_${name}`);
    const ofOutbox = ['waiting', 'oldest_seconds', 'delivered_total', 'refused'];
    const unknown = [
      ...ofClient,
      'ion_token_expires_in_seconds',
      ...ofOutbox.map((name) => `ion_outbox_${name}`),
      'ion_event_lag_seconds',
    ];
    for (const name of unknown) assert.deepEqual(samples(name), [], name);
    const client = { load: { running: 2, waiting: 5 }, tokenExpiresInMs: undefined };
    assert.equal(samples('ion_requests_waiting', { client })[0]?.value, 5);
    assert.deepEqual(samples('ion_token_expires_in_seconds', { client }), []);
    const valid = { ...client, tokenExpiresInMs: 1500 };
    assert.equal(samples('ion_token_expires_in_seconds', { client: valid })[0]?.value, 1.5);
  });

  it('know the lag of the last event that has a time, which is never negative', () => {
    const events = new EventMetrics();
    events.add(undefined);
    assert.deepEqual([events.total, events.lagSeconds], [1, undefined]);
    events.add(1000, 3500);
    events.add(undefined);
    assert.deepEqual([events.total, events.lagSeconds], [3, 2.5]);
    events.add(5000, 4900);
    assert.equal(events.lagSeconds, 0);
  });
});

describe('the reachability of ION', () => {
  const succeeded = { error: undefined, attempts: 1 };
  const failed = (code: IonErrorCode, details: IonErrorDetails = {}) => ({
    ...{ error: new IonError(code, 'No.', details), attempts: 1 },
  });
  /** One outcome each second, and the outage at the time of the last one. */
  const outageAfter = (...outcomes: Parameters<Reachability['add']>[0][]) => {
    let now = 0;
    const reachability = new Reachability(() => now);
    for (const outcome of outcomes) {
      now += 1000;
      reachability.add(outcome);
    }
    return reachability.outage;
  };

  it('ends with a failure without an answer, and is back with the first answer', () => {
    assert.deepEqual(outageAfter(succeeded, failed('ION_NETWORK'), failed('ION_TIMEOUT')), {
      ...{ code: 'ION_TIMEOUT', ageMs: 1000, lastAgeMs: 0 },
    });
    assert.equal(outageAfter(failed('ION_NETWORK'), succeeded), undefined);
    assert.equal(outageAfter(failed('ION_NETWORK'), failed('ION_FORBIDDEN')), undefined);
  });

  it('does not depend on failures of this machine', () => {
    const local = [failed('ION_OVERLOADED'), failed('ION_CLOSED'), failed('ION_VARIABLES')];
    assert.equal(outageAfter(...local), undefined);
    assert.deepEqual(outageAfter(failed('ION_AUTH'), ...local), {
      ...{ code: 'ION_AUTH', ageMs: 3000, lastAgeMs: 3000 },
    });
  });

  it('is not shown by the mutations of a dry run', () => {
    const { error } = failed('ION_GRAPHQL', { dryRun: true });
    for (const answered of [
      { error: undefined, attempts: 0 },
      { error, attempts: 0 },
    ]) {
      assert.equal(outageAfter(failed('ION_NETWORK'), answered)?.code, 'ION_NETWORK');
    }
  });

  it('does not end with a response that is too large, but with that of another server', () => {
    const tooLarge = failed('ION_RESPONSE', { status: 200 });
    assert.equal(outageAfter(tooLarge), undefined);
    assert.equal(outageAfter(failed('ION_NETWORK'), tooLarge), undefined);
    const page = failed('ION_RESPONSE', { status: 200, origin: 'gateway' });
    assert.equal(outageAfter(page)?.code, 'ION_RESPONSE');
  });
});
