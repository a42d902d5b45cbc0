import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isPlainObject, jsonShape } from '../../nodes/client/json.js';

/** The levels of lists and objects of a value, and how many keys and entries it has in all. */
function measured(value: unknown): { depth: number; entries: number } {
  if (!Array.isArray(value) && !isPlainObject(value)) return { depth: 0, entries: 0 };
  const inner = Object.values(value).map(measured);
  const sum = inner.reduce((total, { entries }) => total + entries, inner.length);
  return { depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)), entries: sum };
}

describe('the shape of JSON', () => {
  for (const [text, depth, values] of [
    ['', 0, 0],
    ['1', 0, 0],
    ['"[{,:"', 0, 0],
    ['[]', 1, 1],
    ['[1, 2, [3]]', 2, 4],
    ['{"a": {"b": []}}', 3, 5],
    ['["\\"[", "\\\\", ["]"]]', 2, 4],
    ['["\\u0022[", []]', 2, 3],
    ['"never ends [', 0, 0],
    ['"ends with a backslash \\', 0, 0],
    [']]]][[', 0, 2],
  ] as const) {
    it(`of ${text || 'nothing'} is ${depth} deep, with ${values} values`, () => {
      assert.deepEqual(jsonShape(text), { depth, values });
    });
  }

  it('is as deep as what JSON.parse makes, and counts at least its keys and entries', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary', maxDepth: 8 }), fc.nat(3), (json, indent) => {
        const value: unknown = JSON.parse(json);
        const text = JSON.stringify(value, undefined, indent);
        const { depth, entries } = measured(value);
        const shape = jsonShape(text);
        assert.equal(shape.depth, depth);
        assert.ok(shape.values >= entries, `${shape.values} for ${entries}`);
      }),
    );
  });

  it('of a million levels is found without a call for each', () => {
    assert.equal(jsonShape('['.repeat(1_000_000)).depth, 1_000_000);
  });

  it('takes a time that grows with the length alone', () => {
    const milliseconds = (text: string) => {
      const startedAt = performance.now();
      jsonShape(text);
      return performance.now() - startedAt;
    };
    for (const piece of ['"', '\\', '"\\', '[', '{"', '\\"']) {
      assert.ok(milliseconds(piece.repeat(5_000_000 / piece.length)) < 2000, piece);
    }
  });
});
