// Values that only a flow can create, because JSON cannot contain them. Bundled into the Node-RED process.
import {
  type Described,
  hostileName,
  hostileText,
  type Random,
  type Sizes,
  SMALL,
} from './values.js';

function nested(depth: number, key: string, bottom: unknown): unknown {
  let value = bottom;
  for (let level = 0; level < depth; level++) value = { [key]: value };
  return value;
}

function nestedLists(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = { list: [], id: 1 };
  value.self = value;
  (value.list as unknown[]).push(value);
  return value;
}

class Gauge {
  readonly value = 5;
  readonly #secret = 1;
  get secret() {
    return this.#secret;
  }
}

const throwing = {
  ownKeys: () => {
    throw new Error('no keys');
  },
  get: () => {
    throw new Error('no values');
  },
  getOwnPropertyDescriptor: () => {
    throw new Error('no descriptors');
  },
  getPrototypeOf: () => {
    throw new Error('no prototype');
  },
};

function simple(random: Random): Described<unknown> {
  const kinds: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['-0', -0],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['1e21', 1e21],
    ['2 ** 53', 2 ** 53],
    ['0.1', 0.1],
    ['-5', -5],
    ['true', true],
    ['a BigInt', 12345678901234567890n],
    ['a huge BigInt', 10n ** 3000n],
    ['a symbol', Symbol('hostile')],
    ['a function', () => 'called'],
    ['a class', Gauge],
    ['an instance', new Gauge()],
    ['an error', new Error('hostile')],
    ['an invalid date', new Date(Number.NaN)],
    ['a date', new Date(0)],
    ['a buffer', Buffer.from([0, 255, 13, 10])],
    ['an empty buffer', Buffer.alloc(0)],
    ['a typed array', new Float64Array([Number.NaN, 1])],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(8)],
    [
      'a map',
      new Map<unknown, unknown>([
        ['id', 1],
        [{}, 2],
      ]),
    ],
    ['a set', new Set([1, 'a'])],
    ['a weak map', new WeakMap()],
    ['a regular expression', /(a+)+$/],
    ['a promise', Promise.resolve({ id: 1 })],
    ['a text object', new String('text')],
    ['a number object', new Number(5)],
    ['an object without prototype', Object.assign(Object.create(null), { id: 1 })],
    ['a list with holes', new Array(3)],
    ['a list with properties', Object.assign([1], { extra: 2 })],
    ['a frozen object', Object.freeze({ id: 1 })],
    ['a date of another kind', Object.create(Date.prototype)],
    ['an object like a buffer', { type: 'Buffer', data: [1, 'x', {}] }],
    ['a request', { url: '/x', headers: {}, socket: {}, on: 5 }],
  ];
  const [what, value] = random.pick(kinds);
  return { value, what };
}

function special(random: Random): Described<unknown> {
  const kinds: [string, () => unknown][] = [
    ['a cycle', cyclic],
    ['a thenable', () => Object.fromEntries([['then', () => {}]])],
    [
      'a thenable that throws',
      () =>
        Object.fromEntries([
          [
            'then',
            () => {
              throw new Error('then');
            },
          ],
        ]),
    ],
    [
      'a throwing getter',
      () =>
        Object.defineProperty({ id: 1 }, 'title', {
          enumerable: true,
          get() {
            throw new Error('getter');
          },
        }),
    ],
    [
      'a throwing toJSON',
      () => ({
        toJSON() {
          throw new Error('toJSON');
        },
      }),
    ],
    [
      'a toJSON that throws a symbol',
      () => ({
        toJSON() {
          throw Symbol('hostile');
        },
      }),
    ],
    [
      'a toJSON that throws nothing',
      () => ({
        toJSON() {
          throw Object.create(null);
        },
      }),
    ],
    [
      'a toJSON that gives itself',
      () => ({
        toJSON() {
          return this;
        },
      }),
    ],
    [
      'a throwing toString',
      () => ({
        toString() {
          throw new Error('toString');
        },
      }),
    ],
    ['a toString that gives an object', () => ({ toString: () => ({}), valueOf: () => ({}) })],
    [
      'a throwing toPrimitive',
      () => ({
        [Symbol.toPrimitive]() {
          throw new Error('toPrimitive');
        },
      }),
    ],
    ['a proxy that throws', () => new Proxy({}, throwing)],
    ['a proxy of a list that throws', () => new Proxy([], throwing)],
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
    ['a proxy of a function', () => new Proxy(() => {}, {})],
    [
      'an error with a throwing message',
      () =>
        Object.defineProperty(new Error('x'), 'message', {
          get() {
            throw new Error('message');
          },
        }),
    ],
    [
      'an error that is its own cause',
      () => {
        const error = new Error('x');
        error.cause = error;
        return error;
      },
    ],
    [
      'a polluting object',
      () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    ],
    [
      'an endless iterable',
      () => ({
        *[Symbol.iterator]() {
          for (;;) yield 1;
        },
        length: 1,
      }),
    ],
    ['an object that says it has 2 ** 32 items', () => ({ length: 2 ** 32 - 1, 0: 'a' })],
    ['an own hasOwnProperty', () => ({ hasOwnProperty: 5, id: 1 })],
    ['a constructor without a name', () => ({ constructor: { name: Symbol('x') } })],
    [
      'a rejected promise that is handled',
      () => {
        const promise = Promise.reject(new Error('x'));
        promise.catch(() => {});
        return promise;
      },
    ],
  ];
  const [what, make] = random.pick(kinds);
  return { value: make(), what };
}

/** Any value that a flow can put into a message. */
export function hostileValue(
  random: Random,
  { maxDepth, maxWidth, maxText }: Sizes = SMALL,
): Described<unknown> {
  const roll = random.next();
  if (roll < 0.3) return simple(random);
  if (roll < 0.55) return special(random);
  if (roll < 0.75) return hostileText(random, maxText);
  if (roll < 0.87) {
    const depth = random.pick([50, 400, 2000, maxDepth]);
    if (random.chance(0.3))
      return { value: nestedLists(depth), what: `a list ${depth} levels deep` };
    const key = random.pick(['a', 'inner', 'node', 'toJSON', 'error']);
    return { value: nested(depth, key, 1), what: `an object ${depth} levels deep by ${key}` };
  }
  if (roll < 0.93) {
    const width = random.pick([30, 1000, maxWidth]);
    if (random.chance(0.5))
      return { value: new Array(width).fill(Number.NaN), what: `a list of ${width}` };
    const value = Object.fromEntries(
      Array.from({ length: width }, (_, index) => [`key ${index}`, index]),
    );
    return { value, what: `an object of ${width} keys` };
  }
  const name = hostileName(random);
  const inner = hostileValue(random, { maxDepth, maxWidth, maxText });
  const value = Object.create(Object.prototype, {
    [name]: { value: inner.value, enumerable: true, writable: true, configurable: true },
  });
  return { value, what: `{ ${JSON.stringify(name)}: ${inner.what} }` };
}

const around = (depth: number, open: string, inside: string, close: string) =>
  open.repeat(depth) + inside + close.repeat(depth);
const list = (inside: string) => `{ runs { edges { node { id ${inside} } } } }`;
const inList = (value: string) => `{ runs(filters: ${value}) { edges { node { id } } } }`;
const row = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => item(index)).join(' ');

/** Fragments that each use the next one twice: each one doubles the work. */
function doubling(count: number, use: (spread: string) => string, last: string): string {
  return Array.from({ length: count }, (_, n) => `fragment F${n} on Run { ${use(`...F${n + 1}`)} }`)
    .concat(`fragment F${count} on Run { ${last} }`)
    .join('\n');
}

const rightQueries = [
  '{ me { id name } }',
  list('title'),
  'query ($id: ID!) { run(id: $id) { id title } }',
  '{ runs(first: 3, after: "x") { edges { node { id ...F @skip(if: false) } } } } fragment F on Run { title }',
  'query A($n: Int = 5) { runs(first: $n) { edges { ... on RunsEdge { node { id } } } pageInfo { count } } }',
  'mutation ($title: String!) { createRun(input: { title: $title }) { run { id title } } }',
];

/** A GraphQL document, usually one that is hard to read. */
export function hostileQuery(random: Random): Described<string> {
  const depth = random.pick([100, 700, 3000, 20_000]);
  const count = random.pick([100, 1000, 4000]);
  const length = random.pick([1000, 70_000, 1_000_000]);
  const text = hostileText(random).value;
  const twice = (spread: string) => `${spread} ${spread}`;
  const twoFields = (spread: string) => `a { ${spread} } b { ${spread} }`;
  const kinds: [string, () => string][] = [
    ['a right query', () => random.pick(rightQueries)],
    [
      `selections ${depth} levels deep`,
      () => list(around(depth, '{ steps', '{ id }', '}').slice(1)),
    ],
    [`${depth} selections round the list`, () => around(depth, '{ a ', list(''), '}')],
    [`inline fragments ${depth} levels deep`, () => list(around(depth, '... { ', 'title', '}'))],
    [`lists ${depth} levels deep`, () => inList(around(depth, '[', '1', ']'))],
    [`objects ${depth} levels deep`, () => inList(around(depth, '{ or_: ', '1', '}'))],
    [
      `types ${depth} levels deep`,
      () => `query ($a: ${around(depth, '[', 'ID', ']')}) ${list('')}`,
    ],
    [
      'a fragment that uses itself',
      () => '{ ...F } fragment F on Query { ...F runs { edges { node { id } } } }',
    ],
    [
      'fragments that use each other',
      () => '{ ...F } fragment F on Query { a { ...G } } fragment G on Run { b { ...F } }',
    ],
    [
      '25 doubling fragments',
      () => `{ ...F0 } ${doubling(25, twice, 'runs { edges { node { id } } }')}`,
    ],
    ['25 fragments that double in fields', () => `{ ...F0 } ${doubling(25, twoFields, 'c')}`],
    [`${count} doubling fragments`, () => `${list('...F0')} ${doubling(count, twice, 'title')}`],
    [
      `${count} fragments in a row, each used by all`,
      () =>
        `{ ${row(count, (n) => `...F${n}`)} } ${row(count, (n) => `fragment F${n} on Query { ...F${(n + 1) % count} ...F${(n * 7) % count} }`)}`,
    ],
    [`a name of ${length}`, () => list('x'.repeat(length))],
    [`an operation name of ${length}`, () => `query ${'x'.repeat(length)} ${list('')}`],
    [`a name of ${length} in the wrong place`, () => `${list('')} ${'x'.repeat(length)}`],
    [`a text of ${length}`, () => inList(`{ title: { eq: "${'→'.repeat(length)}" } }`)],
    [
      `a block text of ${count} lines`,
      () => inList(`{ title: { eq: """${'\n  a'.repeat(count)}""" } }`),
    ],
    [`a number of ${length} digits`, () => inList(`{ id: { eq: ${'9'.repeat(length)} } }`)],
    [`a comment of ${length}`, () => `${list('')} #${'x'.repeat(length)}`],
    [`empty space of ${length}`, () => list(' \r\n,'.repeat(length / 4))],
    [`${count} fields`, () => list(row(count, (index) => `a${index}: __typename`))],
    [
      `${count} lists`,
      () => `{ ${row(count, (index) => `a${index}: runs { edges { node { id } } }`)} }`,
    ],
    [`${count} operations`, () => row(count, (index) => `query A${index} { me { id } }`)],
    [
      `${count} variables`,
      () => `query (${row(count, (index) => `$v${index}: Int = ${index}`)}) ${list('')}`,
    ],
    [
      `${count} directives`,
      () => `{ runs ${row(count, () => '@skip(if: false)')} { edges { node { id } } } }`,
    ],
    [`${length} brackets`, () => '{'.repeat(length)],
    // Small enough to keep, and much larger once it is parsed.
    ['9900 fields in 20,000 characters', () => `{ n${random.int(0, 1e9)}${' a'.repeat(9900)} }`],
    [
      'a right query with something in it',
      () => {
        const right = random.pick(rightQueries);
        const at = random.int(0, right.length);
        return right.slice(0, at) + text + right.slice(at + random.int(0, 5));
      },
    ],
    ['a subscription', () => 'subscription { runs { id } }'],
    ['a schema', () => 'type Query { me: ID }'],
    ['__proto__ as a list', () => '{ __proto__: runs { constructor: edges { node { id } } } }'],
  ];
  const [what, make] = random.pick(kinds);
  return { value: make(), what };
}

/** Properties that the nodes, Node-RED or HTTP nodes read or write. */
const PROPERTIES = [
  ...[
    'payload',
    'topic',
    'parts',
    'complete',
    'ion',
    'error',
    '_error',
    'req',
    'res',
    '_msgid',
    '_event',
  ],
  ...[
    'variables',
    'filters',
    'limit',
    'question',
    'run',
    'step',
    'field',
    'filename',
    'value',
    'status',
  ],
  ...[
    'headers',
    'url',
    'method',
    'statusCode',
    'query',
    'operationName',
    'reset',
    '__proto__',
    'toString',
  ],
  ...['hasOwnProperty', 'constructor', 'then', 'toJSON', 'config', 'client', 'delivery'],
];

const isSimple = (value: unknown) => typeof value === 'string' || typeof value === 'number';

/** A valid message with one to three unexpected properties. */
export function hostileMessage(
  random: Random,
  right: Record<string, unknown>,
): Described<Record<string, unknown>> {
  const msg: Record<string, unknown> = random.chance(0.03) ? Object.create(null) : {};
  Object.assign(msg, right);
  const told: string[] = [];
  const put = (name: string, { value, what }: Described<unknown>) => {
    Object.defineProperty(msg, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
    told.push(`msg.${name} = ${what}`);
  };
  // Mostly properties that the node reads: otherwise most messages would succeed unaffected.
  const own = Object.keys(right).filter((name) => name !== 'payload' || random.chance(0.5));
  for (let count = random.int(1, 3); count > 0; count--) {
    const name = random.chance(0.65) && own.length > 0 ? random.pick(own) : random.pick(PROPERTIES);
    if (name === 'question' && random.chance(0.85)) put(name, hostileQuery(random));
    else if (isSimple(right[name]) && random.chance(0.4)) put(name, hostileText(random));
    else put(name, hostileValue(random));
  }
  return { value: msg, what: told.join('; ') };
}
