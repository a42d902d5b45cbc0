import assert from 'node:assert/strict';
import { RecentRequests } from '../../nodes/monitoring/recent-requests.js';

const MINUTE = 60_000;

describe('the requests of the last 15 minutes', () => {
  let now: number;
  let recent: RecentRequests;
  beforeEach(() => {
    now = 1_000_000;
    recent = new RecentRequests(() => now);
  });

  it('have a median and a 99th percentile that are off by 10 % at most', () => {
    for (let ms = 1; ms <= 1000; ms++) recent.add(ms, undefined);
    const { requests, p50 = 0, p99 = 0 } = recent.summary();
    assert.equal(requests, 1000);
    assert.ok(Math.abs(p50 - 500) <= 50, `${p50}`);
    assert.ok(Math.abs(p99 - 990) <= 99, `${p99}`);
  });

  it('may take no time, or a day', () => {
    recent.add(0, undefined);
    assert.ok(Number(recent.summary().p50) < 0.5);
    recent.add(86_400_000, undefined);
    assert.ok(Number(recent.summary().p99) > 10 * MINUTE);
  });

  it('are counted by error code', () => {
    recent.add(5, undefined);
    recent.add(5, 'ION_GRAPHQL');
    now += MINUTE;
    recent.add(5, 'ION_GRAPHQL');
    recent.add(5, 'ION_TIMEOUT');
    const { requests, errors, codes } = recent.summary();
    assert.deepEqual({ requests, errors }, { requests: 4, errors: 3 });
    assert.deepEqual(codes, { ION_GRAPHQL: 2, ION_TIMEOUT: 1 });
  });

  it('of the last minute have a most frequent code', () => {
    recent.add(5, 'ION_GRAPHQL');
    now += 2 * MINUTE;
    recent.add(5, 'ION_GRAPHQL');
    for (let count = 0; count < 2; count++) recent.add(5, 'ION_TIMEOUT');
    recent.add(5, undefined);
    const expected = { requests: 4, errors: 3, code: 'ION_TIMEOUT' };
    assert.deepEqual(recent.summary().lastMinute, expected);
  });

  it('do not include those that ended because a node was stopped', () => {
    recent.add(5, 'ION_CLOSED');
    assert.equal(recent.summary().requests, 0);
  });

  it('are forgotten after 15 minutes, also if none follows', () => {
    recent.add(5, 'ION_TIMEOUT');
    now += 14 * MINUTE;
    recent.add(5, undefined);
    assert.equal(recent.summary().requests, 2);
    now += 2 * MINUTE;
    assert.equal(recent.summary().requests, 1);
    assert.deepEqual(recent.summary().codes, {});
    now += 60 * MINUTE;
    const lastMinute = { requests: 0, errors: 0 };
    assert.deepEqual(recent.summary(), { requests: 0, errors: 0, codes: {}, lastMinute });
    recent.add(5, undefined);
    assert.equal(recent.slots().filter(({ requests }) => requests > 0).length, 1);
    assert.equal(recent.total, 3);
  });

  it('are in parts of 15 s, the present one last', () => {
    recent.add(5, undefined);
    now += 30_000;
    recent.add(5, 'ION_SERVER');
    const slots = recent.slots();
    assert.equal(slots.length, 60);
    assert.deepEqual(
      slots.slice(-3).map(({ requests, errors }) => [requests, errors]),
      [
        [1, 0],
        [0, 0],
        [1, 1],
      ],
    );
    assert.deepEqual(
      recent.newest().map(({ errors }) => errors),
      [0, 1],
    );
  });

  it('fail since the last success', () => {
    assert.equal(recent.summary().failing, undefined);
    recent.add(5, 'ION_SERVER');
    recent.add(5, 'ION_TIMEOUT');
    assert.deepEqual(recent.summary().failing, { count: 2, code: 'ION_TIMEOUT' });
    recent.add(5, undefined);
    assert.equal(recent.summary().failing, undefined);
  });
});
