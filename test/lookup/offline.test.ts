import assert from 'node:assert/strict';
import { IonError, type IonErrorDetails } from '../../nodes/client/errors.js';
import type { WorkAnswer } from '../../nodes/client/work/work.js';
import { failure } from '../support/errors.js';
import {
  failures,
  found,
  HOUR_MS,
  nothing,
  queryOf,
  useLookups,
  workOf,
} from '../support/lookups.js';
import { until } from '../support/until.js';

/** Failures that show that ION is out of reach. */
const OUT_OF_REACH: readonly [string, IonError][] = [
  ['no connection', failures.network()],
  ['a certificate that is not trusted', failures.certificate()],
  ['no response in time', failures.timeout()],
  ...[500, 502, 503, 504].map((status): [string, IonError] => [
    `HTTP ${status} of a gateway`,
    failures.gateway(status),
  ]),
  ['HTTP 503 of the auth server', failures.auth(503)],
  ['GraphQL errors with HTTP 503', failures.service(503)],
];

const withOrigin = (code: IonError['code'], details: IonErrorDetails) =>
  new IonError(code, 'refused', details);
/** Failures with which ION answers. */
const ANSWERS: readonly [string, IonError][] = [
  [
    'a rate limit',
    withOrigin('ION_RATE_LIMITED', { origin: 'gateway', transient: true, status: 429 }),
  ],
  ['a refused key', withOrigin('ION_AUTH', { origin: 'auth', status: 401 })],
  ['a refused token', withOrigin('ION_AUTH', { origin: 'gateway', status: 401 })],
  ['a permission', withOrigin('ION_FORBIDDEN', { origin: 'operation', status: 403 })],
  ['a refused operation', withOrigin('ION_GRAPHQL', { origin: 'operation', status: 200 })],
  ['trouble with its database', failures.service(200)],
  ['an error of its own', failures.service(500)],
  [
    'a time limit of its own',
    withOrigin('ION_TIMEOUT', { origin: 'service', transient: true, status: 408 }),
  ],
  [
    'a page instead of a response',
    withOrigin('ION_RESPONSE', { origin: 'gateway', transient: true }),
  ],
];

describe('look-ups: remembered answers', () => {
  const ion = useLookups();
  const { find, open, reopen } = ion;
  const down = (error: IonError = failures.network()) => {
    ion.finder.fail = () => error;
  };
  const up = () => {
    ion.finder.fail = () => undefined;
  };
  /** Look-ups that remember units 1 and 2, as a later process finds them. */
  const known = async (options: Parameters<typeof open>[0] = {}) => {
    const lookups = open();
    await find(lookups, 1);
    await find(lookups, 2);
    const later = await reopen(lookups, options);
    ion.finder.queries.length = 0;
    return later;
  };

  for (const [what, error] of OUT_OF_REACH) {
    it(`serve while ION is out of reach: ${what}`, async () => {
      const lookups = await known();
      down(error);
      const before = new Date().toISOString();
      const { readAt, ...result } = await find(lookups, 1);
      assert.deepEqual(result, {
        answer: found(workOf(1)),
        source: 'remembered',
        attempts: 0,
      });
      assert.ok(readAt < before);
    });

    it(`are not there for an unknown value, which fails: ${what}`, async () => {
      const lookups = await known();
      down(error);
      const { message } = await failure(find(lookups, 3), error.code);
      assert.equal(message, error.message);
      assert.equal((await find(lookups, 1)).source, 'remembered');
      await failure(find(lookups, 3), error.code);
    });
  }

  for (const [what, error] of ANSWERS) {
    it(`never serve while ION answers: ${what}`, async () => {
      const lookups = await known();
      down(error);
      await failure(find(lookups, 1), error.code);
      await failure(find(lookups, 1), error.code);
    });

    it(`no longer serve when ION answers again, if only with ${what}`, async () => {
      const lookups = await known({ firstPauseMs: 5 });
      down();
      assert.equal((await find(lookups, 1)).source, 'remembered');
      down(error);
      await until(async () => {
        const { source } = await find(lookups, 2).catch(({ code }) => ({ source: code }));
        return source === error.code;
      });
      await failure(find(lookups, 1), error.code);
    });
  }

  for (const [what, answer] of [
    ['nothing', nothing],
    ['several', { found: 'several', reason: 'Two.', candidates: [{}, {}] }],
    ['a blocked step', { found: 'blocked', reason: 'It is on hold.', candidates: [{}] }],
  ] satisfies [string, WorkAnswer][]) {
    it(`are removed when ION finds ${what}`, async () => {
      const lookups = await known();
      ion.finder.answer = () => answer;
      assert.equal((await find(lookups, 1)).answer.found, answer.found);
      const later = await reopen(lookups);
      down();
      await failure(find(later, 1), 'ION_NETWORK');
      assert.equal((await find(later, 2)).source, 'remembered');
    });
  }

  it('serve at once after the first failed try, not after the retries', async () => {
    const lookups = await known();
    ion.finder.pause = () => new Promise(() => {});
    down();
    const { source, attempts } = await find(lookups, 1);
    assert.deepEqual([source, attempts], ['remembered', 1]);
  });

  it('serve as well for look-ups that are under way when another one fails', async () => {
    const lookups = await known();
    const never = new Promise<void>(() => {});
    ion.finder.before = ({ value }) => (value === '1' ? never : Promise.resolve());
    const hanging = find(lookups, 1);
    down();
    await failure(find(lookups, 3), 'ION_NETWORK');
    assert.equal((await hanging).source, 'remembered');
  });

  it('do not serve a node that remembers nothing', async () => {
    const lookups = await known();
    down();
    await failure(find(lookups, queryOf('1'), 0), 'ION_NETWORK');
    await failure(find(lookups, queryOf('1'), -1), 'ION_NETWORK');
    assert.equal((await find(lookups, 1)).source, 'remembered');
    await failure(find(lookups, queryOf('1'), Number.NaN), 'ION_NETWORK');
  });

  it('serve only up to the age that the node wants', async () => {
    const lookups = await known();
    await until(() => Date.now() % 10 === 0);
    down();
    await failure(find(lookups, queryOf('1'), 1), 'ION_NETWORK');
    assert.equal((await find(lookups, queryOf('1'), HOUR_MS)).source, 'remembered');
  });

  it('are replaced by the first answer when ION is back, which ends the outage', async () => {
    const lookups = await known({ firstPauseMs: 5 });
    down();
    assert.equal((await find(lookups, 1)).source, 'remembered');
    ion.finder.answer = () => found(workOf(1, 'COMPLETE'));
    up();
    // The probe asks for the value that was scanned last, so nobody has to scan.
    const asked = ion.finder.queries.length;
    await until(() => ion.finder.queries.length > asked);
    const after = await find(lookups, 1);
    assert.deepEqual([after.source, after.answer], ['ion', found(workOf(1, 'COMPLETE'))]);
    const later = await reopen(lookups);
    down();
    const { answer, source } = await find(later, 1);
    assert.deepEqual([source, answer], ['remembered', found(workOf(1, 'COMPLETE'))]);
  });

  it('end to serve when an unknown value is answered', async () => {
    const lookups = await known({ firstPauseMs: 1e6 });
    down();
    await find(lookups, 1);
    await until(() => ion.finder.atOnce === 0);
    up();
    assert.equal((await find(lookups, 3)).source, 'ion');
    assert.equal((await find(lookups, 2)).source, 'ion');
  });

  it('are asked for with one try at a time, of the last scanned value', async () => {
    const lookups = await known({ firstPauseMs: 1e6 });
    down();
    await find(lookups, 1);
    await until(() => ion.finder.atOnce === 0);
    ion.finder.queries.length = 0;
    ion.finder.mostAtOnce = 0;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    ion.finder.before = () => held;
    for (let scan = 0; scan < 20; scan++) {
      assert.equal((await find(lookups, 1 + (scan % 2))).source, 'remembered');
    }
    assert.deepEqual([ion.finder.values, ion.finder.mostAtOnce], [['1'], 1]);
    release();
    await until(() => ion.finder.atOnce === 0);
    await find(lookups, 2);
    await until(() => ion.finder.queries.length === 2 && ion.finder.atOnce === 0);
    assert.deepEqual(ion.finder.values, ['1', '2']);
  });

  it('a probe makes one try, without its retries', async () => {
    const lookups = await known({ firstPauseMs: 1e6 });
    down();
    ion.finder.pause = () => new Promise(() => {});
    await find(lookups, 1);
    await until(() => ion.finder.abandoned === 2);
    await find(lookups, 2);
    await until(() => ion.finder.abandoned === 3);
    assert.deepEqual(ion.finder.values, ['1', '1', '2']);
  });

  it('close while a probe is under way', async () => {
    const lookups = await known({ firstPauseMs: 1 });
    down();
    await find(lookups, 1);
    ion.finder.before = () => new Promise(() => {});
    await until(() => ion.finder.atOnce === 1);
    await ion.close(lookups);
    await until(() => ion.finder.atOnce === 0);
    const asked = ion.finder.queries.length;
    await failure(find(lookups, 1), 'ION_CLOSED');
    assert.equal(ion.finder.queries.length, asked);
  });

  it('are not stored for a node that remembers nothing, but replaced by what it reads', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), 0);
    await find(lookups, queryOf('2'), HOUR_MS);
    const later = await reopen(lookups);
    ion.finder.answer = () => found(workOf(2, 'COMPLETE'));
    await find(later, queryOf('9'), HOUR_MS);
    await find(later, queryOf('2'), 0);
    const last = await reopen(later);
    down();
    await failure(find(last, 1), 'ION_NETWORK');
    assert.deepEqual((await find(last, 2)).answer, found(workOf(2, 'COMPLETE')));
  });
});
