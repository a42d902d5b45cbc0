// Seeded values of all kinds that do not belong in their places. Also bundled into the Node-RED
// process under test, so that it needs nothing but the language.

/** The same numbers for the same seed (mulberry32). */
export class Random {
  #state: number;

  /** @param seeds the identity of a case, such as the run's seed and the case's number */
  constructor(...seeds: (string | number)[]) {
    let hash = 2166136261;
    for (const char of seeds.join(' ')) {
      hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
    }
    this.#state = hash >>> 0;
  }

  /** From 0 to less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length - 1)] as Item;
  }
}

/** A value with a short description. */
export interface Described<Value> {
  value: Value;
  what: string;
}

/** Names with a meaning in JavaScript, Node-RED, HTTP or the nodes. */
const NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON', 'then', 'length'],
  ...['hasOwnProperty', 'id', 'error', 'ion', 'req', 'res', 'parts', 'edges', 'node', 'pageInfo'],
  ...['data', 'errors', 'message', 'extensions', 'path', 'code', 'source', 'a\r\nX-Injected: 1'],
];

export function hostileName(random: Random): string {
  return random.pick(NAMES);
}

/** Pieces whose repetition makes a search backtrack. */
const PIECES = [
  ...['0', ' ', '\t', '\n', '/', '\\', '"', "'", '@', '.', '-', '_', ',', '#', '?', '%', 'a', 'x:'],
  ...[
    '${',
    '}',
    '{',
    '{{',
    '[',
    '(',
    '<',
    '<title',
    '<title>',
    '<Message>',
    '<!--',
    '://',
    'http://',
  ],
  ...[
    'a@',
    '/*',
    '//',
    '../',
    'aA',
    '0,',
    '1e',
    'etag ',
    'permission',
    '\u0000',
    '\ud800',
    '→',
    '\u202e',
  ],
];
/** The most common targets of searches: URLs, numbers, variables, pages. */
const USUAL_PIECES = ['0', ' ', '/', '@', '${', '<title', '.', '-', '\n', 'a'];
const ENDS = ['', 'x', '!', '\n', '/', '@', '}', '>', '"', '\u0000'];
const SHORT = [
  ...[
    '',
    ' ',
    '0',
    '-0',
    '00',
    'NaN',
    'null',
    'true',
    '1e999',
    '\ud800',
    '\ufeff',
    '\0',
    '../../x',
    '/',
  ],
  ...['__proto__', 'constructor', '${HOME}', '{{x}}', '$.x', '-1', '99999999999999999999', "'; --"],
  ...['2026-13-45T99:99:99Z', 'a\r\nX-Injected: 1', 'COMPLETE', 'arrayconnection:0'],
];

export function hostileText(random: Random, maxLength = 100_000): Described<string> {
  if (random.chance(0.25)) {
    const value = random.pick(SHORT);
    return { value, what: `the text ${JSON.stringify(value)}` };
  }
  if (random.chance(0.3)) {
    const piece = random.pick(USUAL_PIECES);
    const count = Math.floor(Math.min(maxLength, 60_000) / piece.length) - 10;
    const begin = random.pick(['', '', 'a', 'https://a', '<title>']);
    const value = `${begin}${piece.repeat(count)}x`;
    return { value, what: `"${begin}", ${count} × ${JSON.stringify(piece)}, "x"` };
  }
  const piece = random.pick(random.chance(0.5) ? USUAL_PIECES : PIECES);
  // A search that fails at the end may start again at each position.
  const end = random.chance(0.5) ? 'x' : random.pick(ENDS);
  const lengths = [10, 300, 5000, 40_000, 40_000, 100_000, 1_000_000].filter(
    (each) => each <= maxLength,
  );
  const count = Math.ceil(random.pick(lengths) / piece.length);
  const begin = random.chance(0.3) ? random.pick(['a', '<', '"', 'https://', ' ']) : '';
  const value = begin + piece.repeat(count) + end;
  return {
    value,
    what: `${JSON.stringify(begin)}, ${count} × ${JSON.stringify(piece)}, ${JSON.stringify(end)}`,
  };
}

/** Raw JSON text, valid or not. */
export class Raw {
  constructor(
    readonly text: string,
    readonly what: string,
  ) {}
}

export type Json = null | boolean | number | string | Raw | Json[] | { [key: string]: Json };

/** JSON.stringify would fail for deep values, and could not write invalid ones. */
export function writeJson(value: Json): string {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}:${writeJson(each)}`,
  );
  return `{${members.join(',')}}`;
}

export interface Sizes {
  maxDepth: number;
  /** Members of one object, items of one list. */
  maxWidth: number;
  maxText: number;
}

/** Like request bodies and message properties. */
export const SMALL: Sizes = { maxDepth: 20_000, maxWidth: 10_000, maxText: 100_000 };
/** Like responses from the network. */
export const LARGE: Sizes = { maxDepth: 100_000, maxWidth: 100_000, maxText: 1_000_000 };

const around = (depth: number, open: string, inside: string, close: string) =>
  open.repeat(depth) + inside + close.repeat(depth);

/** Number of characters to repeat for a long list. */
const MAX_REPEATED = 50_000_000;

function many(count: number, item: (index: number) => string): string {
  const items = new Array<string>(count);
  for (let index = 0; index < count; index++) items[index] = item(index);
  return items.join(',');
}

/** A JSON value of any kind, as text. */
export function hostileJson(random: Random, sizes: Sizes): Raw {
  const depth = Math.min(sizes.maxDepth, random.pick([50, 400, 3000, 20_000, 100_000]));
  const width = Math.min(sizes.maxWidth, random.pick([30, 1000, 10_000, 100_000]));
  const simple = () =>
    random.pick([
      'null',
      'true',
      'false',
      '0',
      '-1',
      '1.5',
      '1e999',
      '-1e999',
      '123456789012345678901234567890',
      '""',
      '" "',
      '[]',
      '{}',
      '[null]',
      '[[]]',
      '{"id":null}',
      '5e-324',
    ]);
  const kinds: (() => Raw)[] = [
    () => {
      const text = simple();
      return new Raw(text, text);
    },
    () => {
      const { value, what } = hostileText(random, sizes.maxText);
      return new Raw(JSON.stringify(value), what);
    },
    () => new Raw(around(depth, '[', simple(), ']'), `a list ${depth} levels deep`),
    () => {
      const key = JSON.stringify(hostileName(random));
      return new Raw(
        around(depth, `{${key}:`, simple(), '}'),
        `an object ${depth} levels deep by ${key}`,
      );
    },
    () =>
      new Raw(
        around(Math.floor(depth / 2), '[{"a":', simple(), '}]'),
        `lists and objects ${depth} levels deep`,
      ),
    () => {
      const inside = simple();
      return new Raw(`[${many(width, () => inside)}]`, `a list of ${width} × ${inside}`);
    },
    () => {
      const inside = simple();
      return new Raw(
        `{${many(width, (index) => `"k${index}":${inside}`)}}`,
        `an object of ${width} keys`,
      );
    },
    () => {
      const name = JSON.stringify(hostileName(random));
      const inside = simple();
      return new Raw(
        `{${name}:${inside},${name}:{"polluted":1},"id":1}`,
        `an object with ${name} twice`,
      );
    },
    () => new Raw('"\\ud800\\udfff\\u0000"', 'lone surrogates'),
    () =>
      new Raw(
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
        'a polluting object',
      ),
  ];
  return random.pick(kinds)();
}

/** Deeper than JSON.stringify and copies of messages can follow. */
export function deepJson(random: Random): Raw {
  const depth = random.pick([4000, 20_000, 50_000]);
  const key = JSON.stringify(random.pick(['a', 'code', 'message', 'extensions', 'id', 'toJSON']));
  if (random.chance(0.5))
    return new Raw(around(depth, '[', '1', ']'), `a list ${depth} levels deep`);
  return new Raw(around(depth, `{${key}:`, '1', '}'), `an object ${depth} levels deep by ${key}`);
}

/** Far larger than any request, like a single response can be. */
export function hugeJson(random: Random): Raw {
  const kinds: (() => Raw)[] = [
    () =>
      new Raw(`[${many(1_000_000, (index) => String(index % 10))}]`, 'a list of 1,000,000 numbers'),
    () => new Raw(`[${'[],'.repeat(2_000_000)}[]]`, 'a list of 2,000,000 empty lists'),
    () => new Raw(`[${'{},'.repeat(1_000_000)}{}]`, 'a list of 1,000,000 empty objects'),
    () =>
      new Raw(
        `{${many(500_000, (index) => `"key${index}":${index}`)}}`,
        'an object of 500,000 keys',
      ),
    () => new Raw(`"${'x'.repeat(20 * 1024 * 1024)}"`, 'a text of 20 MiB'),
    () => new Raw(`"${'→'.repeat(3 * 1024 * 1024)}"`, 'a text of 3 Mi arrows'),
    () => new Raw(`"${'\\u0000'.repeat(1024 * 1024)}"`, 'a text of 1 Mi escapes'),
    () => new Raw(around(2_000_000, '[', '1', ']'), 'a list 2,000,000 levels deep'),
    () => new Raw(around(1_000_000, '{"a":', '1', '}'), 'an object 1,000,000 levels deep'),
    () =>
      new Raw(
        `[${many(200_000, (index) => `{"message":"m${index}","path":["a",${index}]}`)}]`,
        'a list of 200,000 errors',
      ),
  ];
  return random.pick(kinds)();
}

/** All positions in a value, as lists of keys; the value itself is the empty list. */
function placesIn(value: Json, path: string[] = [], found: string[][] = []): string[][] {
  found.push(path);
  if (typeof value === 'object' && value !== null && !(value instanceof Raw)) {
    for (const [key, inner] of Object.entries(value)) placesIn(inner, [...path, key], found);
  }
  return found;
}

function changedAt(
  value: Json,
  path: string[],
  change: (value: Json) => Json | undefined,
): Json | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.flatMap((inner, index) => {
      if (String(index) !== key) return [inner];
      const changed = changedAt(inner, rest, change);
      return changed === undefined ? [] : [changed];
    });
  }
  const entries = Object.entries(value as { [key: string]: Json }).flatMap(([name, inner]) => {
    if (name !== key) return [[name, inner] as const];
    const changed = changedAt(inner, rest, change);
    return changed === undefined ? [] : [[name, changed] as const];
  });
  return Object.fromEntries(entries);
}

/** Puts one or two unexpected values into a valid one, or removes some. */
export function mutate(
  random: Random,
  right: Json,
  hostile: (random: Random) => Raw,
): Described<Json> {
  let value = right;
  const told: string[] = [];
  for (let count = random.int(1, 2); count > 0; count--) {
    const path = random.pick(placesIn(value));
    const place = path.join('.') || 'the whole';
    const roll = random.next();
    const change = (old: Json): Json | undefined => {
      if (roll < 0.12) {
        told.push(`${place} left out`);
        return path.length === 0 ? null : undefined;
      }
      const { text, what } = hostile(random);
      if (roll < 0.2) {
        told.push(`${place} in a list with ${what}`);
        return [old, new Raw(text, what)];
      }
      if (
        roll < 0.3 &&
        typeof old === 'object' &&
        old !== null &&
        !Array.isArray(old) &&
        !(old instanceof Raw)
      ) {
        const name = hostileName(random);
        told.push(`${place} with ${name}: ${what}`);
        const own = writeJson(old).slice(1);
        return new Raw(`{${JSON.stringify(name)}:${text}${own === '}' ? '' : ','}${own}`, what);
      }
      if (roll < 0.36 && Array.isArray(old) && old.length > 0) {
        const items = writeJson(old).slice(1, -1);
        // Few for huge values: this process has to hold the whole.
        const times = Math.min(
          random.pick([100, 3000]),
          1 + Math.floor(MAX_REPEATED / items.length),
        );
        told.push(`${place} ${times} times`);
        return new Raw(`[${many(times, () => items)}]`, what);
      }
      told.push(`${place} = ${what}`);
      return new Raw(text, what);
    };
    value = changedAt(value, path, change) ?? null;
  }
  return { value, what: told.join('; ') };
}
