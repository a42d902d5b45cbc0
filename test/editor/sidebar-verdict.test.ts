import assert from 'node:assert/strict';
import { type Status, withSlots } from '../../nodes/editor/sidebar/status.js';
import { verdictOf } from '../../nodes/editor/sidebar/verdict.js';

const quiet: Status = {
  ...{ id: 'config', version: 0, running: 0, waiting: 0, slots: [] },
  requests: { requests: 0, errors: 0, codes: {}, lastMinute: { requests: 0, errors: 0 } },
  details: {
    ...{ name: '', environment: 'production', queueLimit: 1000 },
    ...{ users: [], userCount: 0, slots: [] },
  },
};
const outbox = { waiting: 5, deliveredPerMinute: 0, refused: 0, failing: 0 };
const lists = { failing: [], refused: [] };
const failing = { count: 3, code: 'ION_AUTH' };

describe('the first line of a card', () => {
  const of = (changes: Partial<Status>, details: Partial<Status['details']> = {}) => {
    const { severity, key } = verdictOf({
      ...quiet,
      ...changes,
      details: { ...quiet.details, ...details },
    });
    return `${severity} ${key}`;
  };

  it('says that all is well', () => {
    assert.equal(of({}), 'ok idle');
    assert.equal(of({ requests: { ...quiet.requests, requests: 9 } }), 'ok well');
    assert.equal(of({ outbox }, { outbox: lists }), 'ok well');
  });

  it('says that nothing is written in a dry run, and what fails in it', () => {
    const requests = { ...quiet.requests, requests: 9, errors: 9, failing };
    assert.equal(of({ outbox }, { isDryRun: true }), 'attention dryRun');
    assert.equal(of({ requests }, { isDryRun: true }), 'failed requestsFail');
  });

  it('does not speak of waiting writes if none is pending in an outage', () => {
    const unreachable = { ...lists, unreachableSince: 1, reason: 'no', isOutage: true };
    const empty = { ...outbox, waiting: 0 };
    assert.equal(of({ outbox: empty }, { outbox: unreachable }), 'failed unreachable');
  });

  it('names the most severe finding', () => {
    const requests = { ...quiet.requests, requests: 9, errors: 9, failing };
    const unreachable = { ...lists, unreachableSince: 1, reason: 'no', isOutage: true };
    const refused = { ...outbox, refused: 2, failing: 1 };
    const problem = { of: 'settings', message: 'no' } as const;
    assert.equal(of({ requests, outbox: refused }, { problem }), 'failed problem.settings');
    assert.equal(of({ requests, outbox: refused }, { isHeld: true }), 'failed held');
    assert.equal(of({ requests, outbox: refused }, { outbox: unreachable }), 'failed outage');
    const refusing = { ...unreachable, isOutage: false };
    assert.equal(of({ requests, outbox: refused }, { outbox: refusing }), 'failed waiting');
    assert.equal(of({ requests, outbox: refused }, { outbox: lists }), 'failed requestsFail');
    assert.equal(of({ outbox: refused }, { outbox: lists }), 'failed refused');
    assert.equal(of({ outbox: { ...refused, refused: 0 } }), 'failed writesFail');
  });

  it('leaves a single failure alone, but not every tenth request', () => {
    const withErrors = (errors: number): Status['requests'] => {
      const lastMinute = { requests: 100, errors, code: 'ION_TIMEOUT' };
      return { ...quiet.requests, requests: 100, lastMinute, failing: { ...failing, count: 2 } };
    };
    assert.equal(of({ requests: withErrors(9) }), 'ok well');
    assert.equal(of({ requests: withErrors(10) }), 'attention someFail');
    assert.equal(verdictOf({ ...quiet, requests: withErrors(10) }).code, 'ION_TIMEOUT');
  });

  it('warns before the queue is full', () => {
    assert.equal(of({ waiting: 500 }), 'ok idle');
    assert.equal(of({ waiting: 501 }), 'attention busy');
  });
});

describe('the slots of a chart', () => {
  const counts = (slots: readonly { requests: number }[]) => slots.map(({ requests }) => requests);
  const slots = [1, 2, 3, 4].map((requests) => ({ requests, errors: 0 }));
  const newestAt = (number: number, ...requests: number[]) =>
    requests.map((each, index) => ({ number: number - 1 + index, requests: each, errors: 0 }));
  const slotsAt = (number: number) =>
    counts(withSlots(slots, newestAt(7, 3, 4), newestAt(number, 8, 9)));

  it('keep their number when time passes, and have what ended after the last message', () => {
    assert.deepEqual(slotsAt(7), [1, 2, 8, 9]);
    assert.deepEqual(slotsAt(8), [2, 3, 8, 9]);
    assert.deepEqual(slotsAt(9), [3, 4, 8, 9]);
    assert.deepEqual(slotsAt(10), [4, 0, 8, 9]);
    assert.deepEqual(slotsAt(100), [0, 0, 8, 9]);
  });
});
