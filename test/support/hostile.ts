import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

/** The codes that users know: those in the table of docs/nodes.md. */
const documentedCodes = new Set(
  readFileSync(join(__dirname, '../../docs/nodes.md'), 'utf8').match(/(?<=^\| `)ION_\w+/gm),
);

/** Texts that only a program error contains. */
const INTERNAL =
  /cannot read prop|is not a function|is not iterable|call stack|cannot convert|is not defined/i;
const MAX_MESSAGE = 2000;

/** A failure that a user can act on: a documented code, and a readable text. */
export function assertClear({ code, message }: { code?: unknown; message?: unknown }): void {
  assert.ok(documentedCodes.has(String(code)), `the code ${code} of "${message}"`);
  assert.ok(typeof message === 'string' && message.trim() !== '', `${code} without a text`);
  assert.ok(message.length <= MAX_MESSAGE, `${code} with ${message.length} characters`);
  // ION's own messages are passed on unchanged.
  if (code !== 'ION_GRAPHQL') assert.doesNotMatch(message, INTERNAL, String(code));
}

const prototypes = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Map.prototype,
];

/** @returns a check that all objects still have their original properties, and nothing else */
export function watchPrototypes(): () => void {
  // As lists: an object with an own "__proto__" does not equal its copy on every Node.js version.
  const describe = () =>
    prototypes.map((each) =>
      Reflect.ownKeys(each).map((key) => [key, Reflect.getOwnPropertyDescriptor(each, key)]),
    );
  const before = describe();
  return () => assert.deepEqual(describe(), before, 'a prototype was changed');
}

/** Records uncaught errors while the tests of a `describe` run, and fails the test then. */
export function nothingUnhandled(): void {
  const unhandled: unknown[] = [];
  const record = (reason: unknown) => void unhandled.push(reason);
  before(() => {
    process.on('unhandledRejection', record);
    process.on('uncaughtException', record);
  });
  afterEach(() => assert.deepEqual(unhandled.splice(0), []));
  after(() => {
    process.off('unhandledRejection', record);
    process.off('uncaughtException', record);
  });
}

/** Names with a meaning in JavaScript, HTTP or the nodes. */
export const hostileName = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'length',
  'edges',
  'node',
  'id',
  'polluted',
  'a\r\nX-Injected: 1',
);

/** Texts with line ends, lone surrogates, NUL and much more. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udfff', '\0', '\r\n', '"', '\\', '…', '→', 'a') }),
  fc.constantFrom(
    'x\r\nX-Injected: 1\r\n\r\nGET /injected HTTP/1.1\r\n',
    '__proto__',
    '${INJECTED}',
    '{{injected}}',
    '',
    ' ',
  ),
  fc.constant('→'.repeat(100_000)),
);

export function nested(depth: number, bottom: unknown = 1): Record<string, unknown> {
  let value: unknown = bottom;
  for (let level = 0; level < depth; level++) value = { inner: value };
  return value as Record<string, unknown>;
}

function cyclic(): Record<string, unknown> {
  const value: Record<string, unknown> = { list: [] };
  value.self = value;
  (value.list as unknown[]).push(value);
  return value;
}

class Gauge {
  readonly value = 5;
}

/** Any value that a flow can put into a message. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    key: fc.oneof(fc.string(), hostileName),
    maxDepth: 3,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withTypedArray: true,
    withObjectString: true,
  }),
  hostileText,
  // Created again for each message, because a node may change it.
  fc
    .constantFrom(
      cyclic,
      () => nested(500),
      () => 12345678901234567890n,
      () => Buffer.from([0, 255, 13, 10]),
      () => Symbol('hostile'),
      () => () => 'called',
      () => new Gauge(),
      () => new Error('hostile'),
      () => Promise.resolve({ id: 1 }),
      () => Object.fromEntries([['then', () => {}]]),
      () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
      () => ({
        toJSON() {
          throw Symbol('hostile');
        },
      }),
      () => ({
        toJSON() {
          throw Object.create(null);
        },
      }),
      () => new Array(1000).fill(Number.NaN),
      () => Number.POSITIVE_INFINITY,
    )
    .map((make) => make()),
);
