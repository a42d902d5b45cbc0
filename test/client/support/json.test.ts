import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  isPlainObject,
  JsonLimitError,
  jsonShape,
  MAX_JSON_DEPTH,
} from '../../../nodes/client/support/json.js';
import { boundedCopy } from '../../../nodes/client/support/json-size.js';
import { MAX_TEXT_AT_ONCE, parseJson, writeJson } from '../../../nodes/client/support/long-json.js';
import { inputs } from '../../support/length.js';

const nested = (depth: number, inside = '') => '['.repeat(depth) + inside + ']'.repeat(depth);
/** Lengthens a text so that it is read in slices, without changing its meaning. */
const PADDING = ' '.repeat(MAX_TEXT_AT_ONCE);
const LONG_TEXT = JSON.stringify('é"\\\n😀'.repeat(20_000));

/** The result of a function, or the kind of error that it throws. */
async function outcomeOf(work: () => unknown): Promise<unknown> {
  try {
    return { value: await work() };
  } catch (thrown) {
    return (thrown as Error).name;
  }
}

describe('external JSON', () => {
  const around: [string, (json: string) => string][] = [
    ['short', (json) => json],
    ['behind much space', (json) => PADDING + json],
    ['before much space', (json) => json + PADDING],
    ['behind a long text in a list', (json) => `[${LONG_TEXT},${json}]`],
    ['as a property behind a long text', (json) => `{"a":${LONG_TEXT},"b":${json}}`],
    ['between many others', (json) => `[${'{"a":[1,"]"]},'.repeat(12_000)}${json},null]`],
    ['in lists in lists', (json) => nested(5, `${PADDING}${json}`)],
  ];
  for (const [where, place] of around) {
    it(`has the same value as with JSON.parse (${where})`, async () => {
      const json = fc
        .oneof(
          fc.json({ maxDepth: 4 }),
          fc.json().chain((text) => fc.nat(text.length).map((at) => text.slice(0, at))),
          fc
            .tuple(fc.json(), fc.nat(200), fc.constantFrom(...'[]{},:"\\ 1nu'))
            .map(([text, at, sign]) => text.slice(0, at) + sign + text.slice(at)),
          fc.constantFrom(
            ...['', '[]', '{}', '[1,]', '[,1]', '[1,,2]', '{"a":1,}', '{,}', '[1}', '{]', '[[1],]'],
            ...[
              'tru',
              '01',
              '-',
              '1e',
              '"\\u00"',
              '"\\',
              '"\n"',
              '[1] x',
              '{"a"}',
              '{1:2}',
              '][',
              ',',
            ],
            '{"__proto__":{"polluted":1},"a":1,"a":2}',
          ),
        )
        .filter((text) => !/\d{16}/.test(text));
      const property = fc.asyncProperty(json, async (text) => {
        const whole = place(text);
        assert.deepEqual(
          await outcomeOf(() => parseJson(whole)),
          await outcomeOf(() => JSON.parse(whole)),
        );
      });
      await fc.assert(property, { numRuns: inputs(60) });
    });
  }

  for (const [what, text] of [
    ['in a short text', (depth: number) => nested(depth)],
    ['of objects', (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`],
    ['in a long text', (depth: number) => nested(depth, LONG_TEXT)],
    ['in a part of a long text', (depth: number) => `[${LONG_TEXT},${nested(depth - 1)}]`],
  ] as const) {
    it(`may be nested ${MAX_JSON_DEPTH} levels deep and no deeper (${what})`, async () => {
      await parseJson(text(MAX_JSON_DEPTH));
      for (const depth of [MAX_JSON_DEPTH + 1, 20_000]) {
        await assert.rejects(async () => parseJson(text(depth)), JsonLimitError);
      }
    });
  }

  it('is rejected if it exceeds the memory limit', async () => {
    const wide = Array.from({ length: 20_001 }, (_, index) => `"k${index}":0`).join(',');
    for (const text of [`{${wide}}`, `[${'[],'.repeat(1_100_000)}[]]`]) {
      await assert.rejects(async () => parseJson(text), JsonLimitError);
    }
  });

  it('does not block the event loop while a long text is read or written', async () => {
    const row = { id: 1, title: 'Größe', steps: [{ id: 2 }] };
    const rows = Array.from({ length: 200_000 }, () => row);
    const text = String(await writeJson(rows));
    assert.equal(text, JSON.stringify(rows));
    let turns = 0;
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const value = await parseJson(text);
    clearImmediate(timer);
    assert.deepEqual(value, rows);
    assert.ok(turns > 3, `${turns} turns of the event loop`);
  });

  for (const [where, place] of around) {
    it(`keeps all digits of an integer that a number cannot hold (${where})`, async () => {
      const number = fc.oneof(
        fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
        fc.constantFrom('9007199254740991', '9007199254740993', '-9007199254740993', '0', '-1'),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
          const text = JSON.stringify(value);
          return /[.e]/.test(text) ? text : `${text}.0`;
        }),
      );
      const property = fc.asyncProperty(
        fc.array(number, { minLength: 1, maxLength: 5 }),
        fc.nat(20),
        async (numbers, spaces) => {
          const expected = numbers.map((each) => {
            const isExact = /[.e]/.test(each) || Number.isSafeInteger(Number(each));
            return isExact ? Number(each) : each;
          });
          const space = ' '.repeat(spaces);
          // The same digits in a text or a property name are not affected.
          const texts = numbers.map((each) => `"${each}":"[${each},\\"${each}"`);
          const whole = place(`[${numbers.join(`,${space}`)},{${texts.join(',')}}]`);
          const inner = JSON.stringify(await parseJson(whole));
          const wanted = JSON.stringify(expected).slice(0, -1);
          assert.ok(inner.includes(wanted), `${wanted} in ${inner.slice(0, 500)}`);
          for (const each of numbers) {
            assert.ok(inner.includes(`"${each}":"[${each},\\"${each}"`), each);
          }
        },
      );
      await fc.assert(property, { numRuns: inputs(20) });
    });
  }

  it('is invalid with a long number in place of a property name', async () => {
    await assert.rejects(async () => parseJson('{9007199254740993:1}'), SyntaxError);
    await assert.rejects(async () => parseJson('[9007199254740993 1]'), SyntaxError);
    await assert.rejects(async () => parseJson('[09007199254740993]'), SyntaxError);
  });

  it('is read after a byte order mark', async () => {
    assert.deepEqual(await parseJson('\ufeff{"a":1}'), { a: 1 });
    assert.deepEqual(await parseJson(`\ufeff${PADDING}[1]`), [1]);
  });

  it('is written like JSON.stringify', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        assert.equal(String(await writeJson(value)), JSON.stringify(value));
      }),
      { numRuns: inputs(100) },
    );
    const odd = { a: undefined, b: [undefined], c: {}, d: [], e: '' };
    assert.equal(String(await writeJson(odd)), '{"b":[null],"c":{},"d":[],"e":""}');
    const long = { long: 'é"\\\n😀'.repeat(30_000) };
    assert.deepEqual(JSON.parse(String(await writeJson(long))), long);
  });

  it('is copied up to a budget, however large it is', () => {
    const copy = (value: unknown, values = 10) =>
      boundedCopy(value, { values, characters: 20, text: 8 }, 3);
    assert.deepEqual(copy({ a: [1, { b: null }] }), { a: [1, { b: null }] });
    assert.equal(copy('0123456789'), '01234567…');
    assert.deepEqual(copy([[[[1]]]]), [[[undefined]]]);
    assert.equal((copy(Array.from({ length: 1000 }).fill(1)) as unknown[]).length, 9);
    assert.ok(JSON.stringify(copy({ a: 'x'.repeat(10), b: 'y'.repeat(10), c: 'z' })).length < 50);
    const polluted = copy(JSON.parse('{"__proto__":{"polluted":1}}'));
    assert.equal((polluted as { polluted?: unknown }).polluted, undefined);
  });
});

/** Nesting depth of a value, and its total number of keys and entries. */
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

  it('is as deep as the result of JSON.parse, and counts at least its keys and entries', () => {
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

  it('of a million levels is found without recursion', () => {
    assert.equal(jsonShape('['.repeat(1_000_000)).depth, 1_000_000);
  });
});
