import assert from 'node:assert/strict';
import type { StepEntry } from '../../nodes/outbox/step-writes.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';
import { decode, encode } from '../../nodes/outbox/store/entry-codec.js';
import { thrown } from '../support/errors.js';

const entry = (context: unknown): StepEntry => ({
  write: { action: 'field', target: { field: 1 }, value: 1, onConflict: 'retry' },
  sender: 'node',
  context,
  acceptedAt: 1,
});
/** Few objects, each of which contains the one before it twice. */
const doubled = (times: number): object => {
  const inner = times === 0 ? { end: true } : doubled(times - 1);
  return { a: inner, b: inner };
};
const wide = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0]));

describe('outbox: an entry', () => {
  it('has few bytes if values refer to each other repeatedly', () => {
    const bytes = encode(entry({ a: new Date(0), b: doubled(40) }));
    assert.ok(bytes.length < 5000, `${bytes.length}`);
    const same = encode(entry(doubled(40)));
    assert.ok(same.length < 5000, `${same.length}`);
    const { a, b } = (decode(same) as Entry).context as { a: object; b: object };
    assert.equal(a, b);
  });

  it('keeps a message with thousands of rows', () => {
    const rows = Array.from({ length: 10_000 }, (_, id) => ({ id, title: 'x', status: 'TODO' }));
    assert.deepEqual((decode(encode(entry({ rows }))) as Entry).context, { rows });
  });

  for (const [what, context] of [
    ['objects of 50,000 properties', Array.from({ length: 20 }, () => wide(50_000))],
    ['half a million objects', Array.from({ length: 500_000 }, () => ({}))],
    ['three million numbers', Array(3_000_000).fill(1)],
    ['a Map of a million', new Map(Array.from({ length: 1_000_000 }, (_, index) => [index, 1]))],
    ['a text of 100 MB', 'x'.repeat(100_000_000)],
  ] as const) {
    it(`is rejected with ${what}, also next to a value that cannot be kept`, () => {
      thrown(() => encode(entry({ context })), 'ION_VARIABLES');
      thrown(() => encode(entry({ context, notKept: () => 1 })), 'ION_VARIABLES');
    });
  }
});
