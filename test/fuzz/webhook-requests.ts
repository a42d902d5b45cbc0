import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { hostileAnswerer } from './api-answers.js';
import { HOOKS, SECRET } from './flow.js';
import { Finding, type FuzzCase, type Outcome, type Surface } from './surface.js';
import {
  hostileJson,
  hostileText,
  type Json,
  mutate,
  type Random,
  SMALL,
  writeJson,
} from './values.js';

function rightBody(random: Random): Json {
  const id = random.int(1, 1e9);
  return {
    event_id: id,
    subscription_id: 1,
    resource: random.pick(['run_steps', 'RUN_STEPS', 'run_step', 'runs']),
    action: random.pick(['update', 'create', 'INSERT', 'delete']),
    object_id: id,
    row_data: { id, title: 'Assemble', old: { id }, status: 'todo' },
  };
}

function hostileBody(random: Random): { body: Buffer; what: string } {
  const roll = random.next();
  if (roll < 0.15) return { body: Buffer.from(writeJson(rightBody(random))), what: 'a right body' };
  if (roll < 0.7) {
    // Up to the node's body limit of 1 MiB.
    const sizes = { ...SMALL, maxDepth: 100_000, maxWidth: 10_000, maxText: 1_000_000 };
    const { value, what } = mutate(random, rightBody(random), (each) => hostileJson(each, sizes));
    return { body: Buffer.from(writeJson(value)), what };
  }
  const kinds: [string, () => Buffer][] = [
    ['nothing', () => Buffer.alloc(0)],
    ['half JSON', () => Buffer.from(writeJson(rightBody(random)).slice(0, random.int(1, 60)))],
    ['bytes that are no UTF-8', () => Buffer.from([0x22, 0xff, 0xc0, 0x80, 0x22])],
    ['a BOM', () => Buffer.from(`\ufeff${writeJson(rightBody(random))}`)],
    ['UTF-16', () => Buffer.from(writeJson(rightBody(random)), 'utf16le')],
    ['gzip', () => gzipSync(writeJson(rightBody(random)))],
    ['900,000 spaces', () => Buffer.alloc(900_000, 32)],
    ['1 MiB and a byte', () => Buffer.alloc(1024 * 1024 + 1, 0x5b)],
    ['3 MiB', () => Buffer.alloc(3 * 1024 * 1024, 0x5b)],
    ['500,000 brackets', () => Buffer.from(`${'['.repeat(500_000)}1${']'.repeat(500_000)}`)],
    ['340,000 empty lists', () => Buffer.from(`[${'[],'.repeat(340_000)}1]`)],
    ['a form', () => Buffer.from(`payload=${'%5B'.repeat(1000)}&${'a[b]=1&'.repeat(900)}`)],
  ];
  const [what, make] = random.pick(kinds);
  return { body: make(), what };
}

const CONTENT_TYPES = [
  'application/json',
  'application/json',
  'application/json',
  'application/xml',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  `a/${'b'.repeat(5000)}`,
  '',
];

function variantOf(random: Random, path: string): string {
  return random.pick([
    path,
    path,
    path,
    `/${path}`,
    `${path}/`,
    path.toUpperCase(),
    path.replace('/hook/', '/hook//'),
    path.replace('/hook/', '/hook%2f'),
    path.replace('hook', '%68ook'),
    `${path}?${'a=1&'.repeat(1000)}`,
    `${path}?__proto__[x]=1&a[b][c]=2`,
    `${path}#x`,
    `${path}%`,
    `${path}%00`,
    `http://127.0.0.1${path}`,
    `${path}/../verified`,
    '/'.repeat(8000) + path.slice(1),
    `${path}${'/'.repeat(8000)}`,
  ]);
}

export const webhookRequests: Surface = {
  name: 'webhook requests',
  make(random, bench) {
    const hook = random.pick([...Object.values(HOOKS), HOOKS.read]);
    const path = variantOf(random, hook);
    const { body, what } = hostileBody(random);
    const method = random.chance(0.06)
      ? random.pick(['GET', 'PUT', 'HEAD', 'OPTIONS', 'BREW'])
      : 'POST';
    const isSigned = random.chance(0.75);
    const right = createHmac('sha256', SECRET).update(body).digest();
    const signature = isSigned
      ? random.pick([
          right.toString('hex'),
          `sha256=${right.toString('hex')}`,
          right.toString('base64'),
          right.toString('base64url'),
        ])
      : random.pick([
          '',
          '0'.repeat(64),
          `sha256=${' '.repeat(6000)}x`,
          'x'.repeat(7000),
          `${right.toString('hex')}0`,
          '=',
          `${'sha256='.repeat(900)}`,
          right.toString('hex').slice(1),
        ]);
    const signatures = random.chance(0.08)
      ? [signature, signature]
      : random.chance(0.95)
        ? [signature]
        : [];
    const headers = [
      ...signatures.map((each) => `x-ion-signature: ${each}`),
      `content-type: ${random.pick(CONTENT_TYPES)}`,
    ];
    if (random.chance(0.08))
      headers.push(
        `content-encoding: ${random.pick(['gzip', 'br', 'deflate', 'identity', 'IDENTITY', 'x', ''])}`,
      );
    if (random.chance(0.08))
      headers.push(`x-odd: ${hostileText(random, 5000).value.replace(/[^\x20-\x7e]/g, 'y')}`);
    if (random.chance(0.05))
      headers.push(...Array.from({ length: 300 }, (_, index) => `x-${index}: y`));
    if (random.chance(0.05)) headers.push('expect: 100-continue');
    const isChunked = random.chance(0.15);
    const length = random.chance(0.03)
      ? random.pick(['-1', '1e9', '99999999999', '0', 'x'])
      : String(body.length);
    const framed = isChunked
      ? [
          Buffer.from(`${body.length.toString(16)}\r\n`),
          body,
          Buffer.from(body.length > 0 ? '\r\n0\r\n\r\n' : '\r\n'),
        ]
      : [body];
    headers.push(isChunked ? 'transfer-encoding: chunked' : `content-length: ${length}`);
    const head = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${headers.join('\r\n')}\r\n\r\n`;
    const toPath = (other: string) =>
      Buffer.concat([
        Buffer.from(
          head.replace(path, () => other),
          'latin1',
        ),
        ...framed,
      ]);
    const bytes = toPath(path);
    const isBrokenOff = random.chance(0.06) || (!isChunked && Number(length) > body.length);
    const breakOffAt = isBrokenOff ? random.int(1, bytes.length) : undefined;
    const pauseMs = random.chance(0.05) ? 150 : undefined;
    const answererOf =
      hook === HOOKS.read && random.chance(0.7) ? hostileAnswerer(random, ['api']) : undefined;
    const fuzzCase: FuzzCase = {
      what: '',
      async run(): Promise<Outcome> {
        const told: string[] = [];
        bench.ion.answerBy(answererOf?.(told));
        try {
          const { status } = await bench.target.raw({
            bytes,
            ...(breakOffAt !== undefined && { breakOffAt }),
            ...(pauseMs !== undefined && { pauseMs }),
          });
          // Reading the object sends requests to ION after the response.
          if (hook === HOOKS.read && status === 200)
            await new Promise((resolve) => setTimeout(resolve, 60));
          if (status === undefined) {
            if (breakOffAt === undefined && method === 'POST' && length === String(body.length))
              throw new Finding('no HTTP answer');
            return 'clear';
          }
          const isVerified = hook === HOOKS.verified;
          if (
            isVerified &&
            status === 200 &&
            method === 'POST' &&
            (!isSigned || signatures.length !== 1)
          ) {
            throw new Finding('a request without the right signature was taken');
          }
          if (status === 500) throw new Finding('HTTP 500');
          return status < 300 ? 'right' : 'clear';
        } finally {
          bench.ion.answerBy();
          fuzzCase.what = [
            `${method} ${path.slice(0, 60)}: ${what} (${body.length} bytes), ${isSigned ? 'signed' : 'not signed'}, headers ${headers
              .map((each) => each.slice(0, 60))
              .slice(0, 6)
              .join(' | ')}`,
            ...(breakOffAt === undefined ? [] : [`broken off at ${breakOffAt}`]),
            ...(pauseMs === undefined ? [] : ['sent slowly']),
            ...told,
          ].join('; ');
        }
      },
    };
    // Node-RED itself reads other requests, up to 5 MB.
    if (path !== hook || method !== 'POST') {
      fuzzCase.control = async () => {
        await bench.target.raw({ bytes: toPath('/no-hook') });
      };
    }
    return fuzzCase;
  },
};
