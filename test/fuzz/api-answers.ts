import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { registeredHook, rightMessages, targetIds } from './flow.js';
import type { Answerer, Reply } from './ion.js';
import { type Bench, type FuzzCase, judgeMessage, type Outcome, type Surface } from './surface.js';
import {
  deepJson,
  hostileJson,
  hostileText,
  hugeJson,
  type Json,
  LARGE,
  mutate,
  Random,
  Raw,
  SMALL,
  writeJson,
} from './values.js';

const HUGE = 0.05;
const LARGE_SHARE = 0.15;

/** Values in responses: most of them small, so that many can be tried. */
export function hostileInAnswer(random: Random): Raw {
  const roll = random.next();
  if (roll > 0.85) return deepJson(random);
  if (roll < HUGE) return hugeJson(random);
  return hostileJson(random, roll < HUGE + LARGE_SHARE ? LARGE : { ...SMALL, maxWidth: 3000 });
}

const PAGES = [
  '<html><head><title>502 Bad Gateway</title></head></html>',
  `<!doctype html>${'<title'.repeat(30_000)}`,
  `<html>${'<title>'.repeat(30_000)}`,
  ' '.repeat(200_000),
  `${' '.repeat(200_000)}<html`,
  `<Error>${'<Message>'.repeat(30_000)}</Error>`,
  'no JSON at all',
  '',
  '\u0000',
  'NaN',
  '{"data":',
  '{"data":{}}{"data":{}}',
  '\ufeff{"data":{"me":{"id":6}}}',
  '{"data":{"me":NaN}}',
  "{'data':{}}",
  '[]',
  '"text"',
  '{}',
  '{"data":null}',
  '{"data":[]}',
  '{"errors":{}}',
  '{"errors":[]}',
  '{"data":{},"errors":[null]}',
];

function hostileBody(random: Random, right: Json): { text: string; what: string } {
  const roll = random.next();
  if (roll < 0.6) {
    const { value, what } = mutate(random, right, hostileInAnswer);
    return { text: writeJson(value), what };
  }
  if (roll < 0.7) {
    // Members of a list's page info that determine the next page.
    const cursor = () =>
      random.pick<Json>([
        'x',
        '',
        null,
        5,
        Buffer.from(`arrayconnection:${random.int(0, 9)}`).toString('base64'),
        new Raw(JSON.stringify('c'.repeat(100_000)), 'c'),
      ]);
    const lie = {
      startCursor: cursor(),
      endCursor: cursor(),
      hasNextPage: random.pick<Json>([true, 'yes', 1, null]),
      totalCount: random.pick<Json>([0, -1, 1e9, 1e300, '3', null, 30]),
    };
    const text = writeJson(right).replace(
      /"pageInfo":\{[^{}]*\}/,
      () => `"pageInfo":${writeJson(lie)}`,
    );
    return { text, what: `page info ${writeJson(lie).slice(0, 200)}` };
  }
  if (roll < 0.85) {
    const message = hostileText(random, 1_000_000);
    const error: Json = {
      message: random.chance(0.7) ? message.value : hostileInAnswer(random),
      ...(random.chance(0.3) && { details: deepJson(random) }),
      ...(random.chance(0.4) && { path: ['a', hostileInAnswer(random)] }),
      ...(random.chance(0.4) && { extensions: { code: hostileInAnswer(random) } }),
      ...(random.chance(0.2) && { locations: hostileInAnswer(random) }),
    };
    const count = random.pick([1, 1, 3, 1000]);
    const written = writeJson(error);
    const times = written.length > 10_000 ? 1 : count;
    const errors = `[${new Array(times).fill(written).join(',')}]`;
    const whole = random.chance(0.3)
      ? { ...(right as object), errors: new Raw(errors, '') }
      : { errors: new Raw(errors, '') };
    return {
      text: writeJson(whole as Json),
      what: `${times} errors with ${message.what}, ${written.length} characters each`,
    };
  }
  if (roll < 0.93) {
    const text = random.pick(PAGES);
    return { text, what: `the text ${JSON.stringify(text.slice(0, 60))} (${text.length})` };
  }
  const { text, what } = hostileInAnswer(random);
  return { text, what };
}

/** An HTTP response with an odd body, head or end. */
export function hostileReply(random: Random, right: Json): { reply: Reply; what: string } {
  const { text, what } = hostileBody(random, right);
  const told = [what];
  const headers: Record<string, string | string[]> = { 'content-type': 'application/json' };
  const reply: Reply = { headers, body: text };
  if (random.chance(0.2)) {
    reply.status = random.pick([
      201, 204, 206, 301, 304, 307, 400, 403, 404, 409, 413, 418, 429, 500, 502, 503, 504, 599, 999,
    ]);
    told.push(`status ${reply.status}`);
  }
  if (random.chance(0.25)) {
    const name = random.pick([
      'content-type',
      'retry-after',
      'location',
      'date',
      'x-b3-trace-id',
      'etag',
      'set-cookie',
      'www-authenticate',
    ]);
    const value = random.pick([
      '',
      '-5',
      '1e9',
      '99999999999',
      'Tue, 99 Foo 9999 99:99:99 GMT',
      'soon 3',
      'a'.repeat(8000),
      '/'.repeat(8000),
      'text/html',
      'application/json; charset=utf-16',
      'http://127.0.0.1:1/',
      '"'.repeat(100),
    ]);
    headers[name] = random.chance(0.2) ? [value, value] : value;
    told.push(`${name}: ${value.slice(0, 40)}`);
  }
  if (random.chance(0.12)) {
    const kinds: [string, () => Reply['body'], string][] = [
      ['gzip', () => gzipSync(text, { level: 1 }), 'gzip'],
      [
        'br',
        () => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
        'br',
      ],
      ['GZIP', () => gzipSync(text, { level: 1 }).subarray(0, 30), 'half gzip'],
      ['gzip', () => text, 'gzip that is none'],
      ['br', () => Buffer.from([0xff, 0, 1, 2]), 'br that is none'],
      ['gzip', () => BOMB, 'a bomb of 70 MiB'],
      ['gzip', () => SMALL_BOMB, 'a bomb of 20 MiB of spaces'],
      ['deflate', () => text, 'deflate'],
      ['gzip, gzip', () => gzipSync(gzipSync(text)), 'gzip twice'],
    ];
    const [encoding, make, name] = random.pick(kinds);
    if (text.length < 1_000_000) {
      headers['content-encoding'] = encoding;
      reply.body = make();
      told.push(name);
    }
  }
  if (random.chance(0.05)) {
    reply.body = Buffer.concat([
      Buffer.from(reply.body as string),
      Buffer.from([0xff, 0xfe, 0xc0]),
    ]);
    told.push('bytes that are no UTF-8');
  }
  if (random.chance(0.06)) {
    reply.breakOffAt = random.int(0, Math.min(reply.body.length, 1000));
    told.push(`breaks off after ${reply.breakOffAt} bytes`);
  } else if (random.chance(0.03)) {
    reply.pauseMs = 200;
    told.push('a pause in the middle');
  }
  return { reply, what: told.join('; ') };
}

const BOMB = gzipSync(Buffer.alloc(70 * 1024 * 1024, 32), { level: 9 });
const SMALL_BOMB = gzipSync(
  Buffer.concat([Buffer.from('{"data":{}}'), Buffer.alloc(20 * 1024 * 1024, 32)]),
  { level: 9 },
);

/**
 * Makes responses hostile from the n-th request of a kind on, once or always.
 * @returns a function that creates a new responder, which records its responses
 */
export function hostileAnswerer(
  random: Random,
  kinds: readonly string[],
): (told: string[]) => Answerer {
  const first = random.pick([1, 1, 1, 2, 3]);
  const isOnce = random.chance(0.5);
  // Each generator has one seed, because the order of requests may differ.
  const seed = random.int(0, 2 ** 31);
  return (told) => {
    let count = 0;
    return (kind, right) => {
      if (!kinds.includes(kind)) return undefined;
      count++;
      if (count < first || (isOnce && count > first)) return undefined;
      const { reply, what } = hostileReply(new Random(seed, count), right);
      if (told.length < 4) told.push(`${kind} ${count}: ${what}`);
      return reply;
    };
  };
}

/** The nodes' reasons to send requests to ION. */
type Asking = 'message' | 'registration' | 'poll';

export const apiAnswers: Surface = {
  name: 'API answers',
  make(random, bench) {
    const answererOf = hostileAnswerer(random, ['api', 'storage']);
    const roll = random.next();
    const asking: Asking = roll < 0.02 ? 'registration' : roll < 0.12 ? 'poll' : 'message';
    const id = random.pick(targetIds);
    const msg = random.pick(rightMessages(id));
    const round = random.int(1, 1000);
    const fuzzCase: FuzzCase = {
      what: '',
      async run(): Promise<Outcome> {
        const told: string[] = [];
        if (asking === 'poll') await renew(bench);
        bench.ion.answerBy(answererOf(told), asking === 'poll' ? 'polled' : 'hostile');
        try {
          if (asking === 'registration') return await registration(bench, round);
          if (asking === 'poll') return await polls(bench);
          const { outcome, code } = await judgeMessage(bench, { node: id, msg });
          // The client requests no other token for a while.
          if (code === 'ION_AUTH') await renew(bench);
          return outcome;
        } finally {
          bench.ion.answerBy();
          const who =
            asking === 'message' ? `${id} asks with ${JSON.stringify(msg)}` : `a ${asking}`;
          fuzzCase.what = [who, ...told].join('; ');
        }
      },
    };
    return fuzzCase;
  },
};

/** The node polls as soon as it has started, and again after its shortest interval. */
async function polls({ ion }: Bench): Promise<Outcome> {
  const begun = performance.now();
  while (ion.requests < 3 && performance.now() - begun < 400) await sleep(10);
  await sleep(50);
  return 'clear';
}

/** Deploys a webhook that registers itself, and lets it try. */
async function registration({ target, ion }: Bench, round: number): Promise<Outcome> {
  await target.deploy('nodes', [registeredHook(round)]);
  const begun = performance.now();
  while (ion.requests === 0 && performance.now() - begun < 1000) await sleep(10);
  await sleep(150);
  await target.deploy('nodes', []);
  return 'clear';
}

/** Restarts all nodes, and with them the client and its token. */
export async function renew({ target }: Bench): Promise<void> {
  await target.deploy('full', []);
}
