import assert from 'node:assert/strict';
import type { StepEntry } from '../../nodes/outbox/step-writes.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';
import { decode, encode, NotStorableError } from '../../nodes/outbox/store/entry-codec.js';
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

  const nested = (levels: number): object => (levels === 0 ? {} : { inner: nested(levels - 1) });
  /** Text, numbers and lists come back from JSON, which is ten times faster. */
  const PLAIN: [what: string, context: unknown][] = [
    ['texts, numbers, lists and nothing', { a: 'x', b: [1.5, null, [true]], c: { d: false } }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a property without a value', { a: undefined, b: 1 }],
    ['40 levels', nested(40)],
    ['one object in two places', Array(2).fill({ a: 1 })],
  ];
  for (const [what, context] of PLAIN) {
    it(`with ${what} is written as JSON and read back`, () => {
      const bytes = encode(entry({ context }));
      assert.equal(bytes.subarray(0, 1).toString(), '{');
      const { context: read } = decode(bytes) as Entry;
      assert.deepEqual(read, JSON.parse(JSON.stringify({ context })));
    });
  }

  class Own {
    a = 1;
  }
  const cyclic: { self?: object } = {};
  cyclic.self = cyclic;
  const OTHERS: [what: string, context: unknown][] = [
    ['a Buffer', Buffer.from('abc')],
    ['a time', new Date(5)],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a big whole number', 12n],
    ['no number', Number.NaN],
    ['an endless number', Number.POSITIVE_INFINITY],
    ['a hole in a list', [undefined, 1]],
    ['a Buffer after plain values in a list', ['a', 1, Buffer.from('abc'), 'b']],
    ['a Buffer after plain values in an object', { a: 1, b: Buffer.from('abc'), c: 'b' }],
    ['60 levels', nested(60)],
    ['an object in itself', cyclic],
  ];
  for (const [what, context] of OTHERS) {
    it(`with ${what} is read back as it was`, () => {
      const bytes = encode(entry({ context }));
      assert.notEqual(bytes.subarray(0, 1).toString(), '{');
      assert.deepEqual((decode(bytes) as Entry).context, { context });
    });
  }

  it('does not let an object decide how it is stored', () => {
    const toJSON = 'something else';
    const bytes = encode(entry({ context: { a: 1, toJSON } }));
    assert.deepEqual((decode(bytes) as Entry).context, { context: { a: 1, toJSON } });
  });

  it('keeps the values of an object of a class', () => {
    const { context } = decode(encode(entry({ own: new Own() }))) as { context: { own: object } };
    assert.deepEqual({ ...context.own }, { a: 1 });
  });

  it('with a function is not accepted', () => {
    assert.throws(() => encode(entry({ notKept: () => 1 })), NotStorableError);
  });
});
