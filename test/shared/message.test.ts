import assert from 'node:assert/strict';
import { type MessageDetails, resultDetails } from '../../nodes/shared/message.js';

describe('the details of a result', () => {
  it('are all that are known, and the duration', () => {
    const details: Required<MessageDetails> = {
      operation: 'mutation',
      name: 'Act',
      attempts: 1,
      pages: 2,
      count: 3,
      totalCount: 4,
      traceId: '5',
      extensions: { cost: 6 },
      results: { torque: 7 },
      started: true,
      found: true,
      notSent: [{ query: 'a' }, { query: 'b' }],
    };
    const { notSent, ...shown } = details;
    assert.deepEqual(resultDetails(details, 8), {
      ...{ ...shown, durationMs: 8 },
      ...{ dryRun: true, request: { query: 'b' }, requests: notSent },
    });
  });

  it('have no properties without a value', () => {
    const details: MessageDetails = { operation: 'query', name: undefined, attempts: 1 };
    assert.deepEqual(Object.keys(resultDetails(details, 0)), [
      'operation',
      'attempts',
      'durationMs',
    ]);
  });
});
