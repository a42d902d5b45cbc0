import { adminRequest } from './admin-requests.js';
import { hostileReply } from './api-answers.js';
import type { Answerer, Reply } from './ion.js';
import { type FuzzCase, judgeMessage, type Outcome, type Surface } from './surface.js';
import { hostileText, type Json, Random, type Raw, Raw as RawText } from './values.js';

const EXPIRIES = [
  '0',
  '-1',
  '1e999',
  '1e300',
  '"300"',
  'null',
  '[]',
  '0.0001',
  '9007199254740993',
  '{"a":1}',
  '""',
];
const TOKENS = [
  '""',
  '" "',
  '"a\\r\\nX-Injected: 1"',
  '"\\u0000"',
  '"→"',
  'null',
  '5',
  '["token"]',
  '{"a":1}',
];

function hostileToken(random: Random, right: Json): { reply: Reply; what: string } {
  if (random.chance(0.25)) {
    const { value, what } = hostileText(random, 1_000_000);
    const token: Json = {
      access_token: random.chance(0.5) ? new RawText(random.pick(TOKENS), '') : value,
      token_type: random.pick<Json>(['Bearer', 'bearer', 'dpop', 5, null, value]),
      expires_in: new RawText(random.pick(EXPIRIES), ''),
    };
    const { reply } = hostileReply(new Random('plain'), token);
    reply.body = writeToken(token);
    return { reply, what: `a token with ${what}, ${reply.body.slice(0, 80)}` };
  }
  if (random.chance(0.15)) {
    const { value, what } = hostileText(random, 1_000_000);
    const body = JSON.stringify({
      error: random.pick([value, 'invalid_client', 'x'.repeat(5_000_000)]),
      error_description: value,
    });
    return {
      reply: {
        status: random.pick([200, 400, 401, 403, 500]),
        headers: { 'content-type': 'application/json' },
        body,
      },
      what: `an OAuth error with ${what}`,
    };
  }
  return hostileReply(random, right);
}

function writeToken(token: Json): string {
  return Object.entries(token as { [key: string]: Json })
    .map(
      ([key, value]) =>
        `"${key}":${value instanceof RawText ? (value as Raw).text : JSON.stringify(value)}`,
    )
    .join(',')
    .replace(/^/, '{')
    .replace(/$/, '}');
}

/** A separate client for each case, like in the dialog's connection test. */
export const tokenAnswers: Surface = {
  name: 'token answers',
  make(random, bench) {
    const seed = random.int(0, 2 ** 31);
    const byFlow = random.chance(0.15);
    const fuzzCase: FuzzCase = { what: '', run: () => run() };
    const run = async (): Promise<Outcome> => {
      let count = 0;
      const answerer: Answerer = (kind, right) => {
        if (kind !== 'token') return undefined;
        const { reply, what } = hostileToken(new Random(seed, ++count), right);
        if (count === 1) fuzzCase.what = `${byFlow ? 'a flow' : 'a connection test'} gets ${what}`;
        return reply;
      };
      bench.ion.answerBy(answerer);
      try {
        if (!byFlow) {
          const { url } = bench.ion;
          const config = {
            environment: 'custom',
            apiUrl: `${url}/hostile`,
            authUrl: `${url}/hostile`,
            timeout: 4,
          };
          const body = {
            id: 'new',
            config,
            credentials: { clientId: 'client', clientSecret: 'secret' },
          };
          return await adminRequest(bench, {
            path: '/ion-config/test',
            body: JSON.stringify(body),
          });
        }
        await bench.target.deploy('full', []);
        const { outcome } = await judgeMessage(bench, {
          node: 'graphql-fixed',
          msg: { payload: {} },
        });
        return outcome;
      } finally {
        bench.ion.answerBy();
        if (byFlow) await bench.target.deploy('full', []);
      }
    };
    return fuzzCase;
  },
};
