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
    };
    assert.deepEqual(resultDetails(details, 8), { ...details, durationMs: 8 });
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
