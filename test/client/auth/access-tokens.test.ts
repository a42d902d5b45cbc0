import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import {
  AccessTokens,
  type AccessTokensOptions,
} from '../../../nodes/client/auth/access-tokens.js';
import { IonError, type IonErrorCode } from '../../../nodes/client/errors.js';
import type { HttpRequest, HttpResponse } from '../../../nodes/client/http/transport.js';
import { Transport } from '../../../nodes/client/http/transport.js';
import { everythingIn, failure } from '../../support/errors.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import { closeAfterEach } from '../../support/servers.js';
import { until } from '../../support/until.js';

const key = { clientId: 'test-key', clientSecret: 'test-secret' };
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** An auth server without a network: its requests and responses. */
class AuthServer {
  readonly asked: HttpRequest[] = [];
  /** Next responses; after these, a token of 300 s. */
  readonly answers: (Partial<HttpResponse> | IonError)[] = [];
  #held: (() => void)[] | undefined;

  /** From now on responses wait for `release()`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    for (const go of this.#held ?? []) go();
    this.#held = undefined;
  }

  readonly post = async (request: HttpRequest): Promise<HttpResponse> => {
    this.asked.push(request);
    const response =
      this.answers.shift() ?? granted({ access_token: `token-${this.asked.length}` });
    if (this.#held) await new Promise<void>((resolve) => this.#held?.push(resolve));
    if (response instanceof IonError) throw response;
    return { status: 200, headers: {}, text: '', ...response };
  };
}

function json(status: number, body: object): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) };
}

function granted(more: object = {}): HttpResponse {
  return json(200, { access_token: 'token', token_type: 'Bearer', expires_in: 300, ...more });
}

const refusedKey = json(401, {
  error: 'invalid_client',
  error_description: 'Invalid client or Invalid client credentials',
});

describe('tokens', () => {
  withoutPauses();
  const closing = closeAfterEach();
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  let auth: AuthServer;
  let clock: number;
  beforeEach(() => {
    auth = new AuthServer();
    clock = 1_000_000;
  });

  const tokens = (options: Partial<AccessTokensOptions> = {}) =>
    closing(
      new AccessTokens({
        tokenUrl: new URL('https://auth.example/realms/api-keys/protocol/openid-connect/token'),
        key,
        audience: 'https://api.example',
        retries: 3,
        transport: auth,
        now: () => clock,
        ...options,
      }),
    );
  const get = async (from: AccessTokens) => from.get(signal);
  /** Runs everything that does not wait for the network or a clock. */
  const settle = async () => {
    // A request begins with this import, which is not done at once.
    await import('oauth4webapi');
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  };

  describe('request', () => {
    it('is the client-credentials grant with the key in the form', async () => {
      assert.equal(await get(tokens()), 'token-1');
      const [request] = auth.asked;
      assert.equal(request?.peer, 'auth');
      assert.equal(
        request?.url.href,
        'https://auth.example/realms/api-keys/protocol/openid-connect/token',
      );
      assert.deepEqual(Object.fromEntries(new URLSearchParams(request.body)), {
        grant_type: 'client_credentials',
        client_id: key.clientId,
        client_secret: key.clientSecret,
        audience: 'https://api.example',
      });
      assert.equal([...new URLSearchParams(request.body)].length, 4);
      const headers = new Headers(request.headers);
      assert.match(
        headers.get('content-type') ?? '',
        /^application\/x-www-form-urlencoded(;charset=UTF-8)?$/i,
      );
      assert.equal(headers.get('accept'), 'application/json');
      assert.equal(headers.get('authorization'), null);
    });

    it('can have a key with any characters', async () => {
      const odd = { clientId: 'a&b=c+d e', clientSecret: 'p@ss w%rd&ü=✓+' };
      await get(tokens({ key: odd }));
      const form = new URLSearchParams(auth.asked[0]?.body);
      assert.equal(form.get('client_id'), odd.clientId);
      assert.equal(form.get('client_secret'), odd.clientSecret);
    });

    it('is shared by a thousand waiting messages', async () => {
      const from = tokens();
      const all = await Promise.all(Array.from({ length: 1000 }, () => get(from)));
      assert.deepEqual(new Set(all), new Set(['token-1']));
      assert.equal(auth.asked.length, 1);
    });

    it('continues for the others when one waiting message leaves', async () => {
      auth.hold();
      const from = tokens();
      const controller = new AbortController();
      const leaves = failure(Promise.resolve(from.get(controller.signal)), 'ION_CLOSED');
      const stays = get(from);
      await settle();
      controller.abort();
      await leaves;
      auth.release();
      assert.equal(await stays, 'token-1');
      assert.equal(auth.asked.length, 1);
    });

    it('is not sent for a message that has left before', async () => {
      const from = tokens();
      await failure((async () => from.get(AbortSignal.abort()))(), 'ION_CLOSED');
      await settle();
      assert.equal(auth.asked.length, 0);
    });
  });

  describe('path', () => {
    const PATH = '/realms/api-keys/protocol/openid-connect/token';
    const missing: Partial<HttpResponse> = { status: 404 };
    const paths = () => auth.asked.map(({ url }) => url.pathname);
    const at = (path: string) =>
      tokens({ tokenUrl: new URL(`https://auth.example${path}`), retries: 0 });

    for (const [given, other] of [
      [PATH, `/auth${PATH}`],
      [`/auth${PATH}`, PATH],
      [`/plant/auth${PATH}`, `/plant${PATH}`],
      [`/authority${PATH}`, `/authority/auth${PATH}`],
    ] as const) {
      it(`${given} is replaced by ${other} from the time that only this one exists`, async () => {
        auth.answers.push(missing, granted({ access_token: 'first' }));
        const from = at(given);
        assert.equal(await get(from), 'first');
        assert.equal(from.grant?.url, `https://auth.example${other}`);
        from.refuse('first');
        assert.equal(await get(from), 'token-3');
        assert.deepEqual(paths(), [given, other, other]);
      });
    }

    it('stays if neither exists, and both are named', async () => {
      auth.answers.push(missing, missing, missing, missing);
      const from = at(PATH);
      const error = await failure(get(from), 'ION_NOT_FOUND');
      const [url, other] = [`https://auth.example${PATH}`, `https://auth.example/auth${PATH}`];
      assert.ok(error.message.includes(`no token endpoint at ${url} or ${other} `), error.message);
      clock += MINUTE;
      await failure(get(from), 'ION_NOT_FOUND');
      assert.deepEqual(paths(), [PATH, `/auth${PATH}`, PATH, `/auth${PATH}`]);
    });

    it('of another server is not replaced', async () => {
      auth.answers.push(missing);
      const error = await failure(get(at(`${PATH}/oauth/token`)), 'ION_NOT_FOUND');
      assert.ok(error.message.includes(`no token endpoint at ${PATH}/oauth/token `));
      assert.equal(auth.asked.length, 1);
    });

    it('is not replaced after another failure', async () => {
      auth.answers.push({ status: 500 });
      await failure(get(at(PATH)), 'ION_SERVER');
      assert.equal(auth.asked.length, 1);
    });

    it('is the missing one if a gateway blocks the other', async () => {
      const page = { status: 403, text: '<html>Blocked</html>' };
      auth.answers.push(missing, page);
      await failure(get(at(PATH)), 'ION_NOT_FOUND');
    });

    it('exists if it refuses the key, or fails', async () => {
      auth.answers.push(missing, refusedKey);
      await failure(get(at(PATH)), 'ION_AUTH');
      auth.answers.push(missing, new IonError('ION_NETWORK', 'A test.'));
      await failure(get(at(PATH)), 'ION_NETWORK');
    });
  });

  describe('lifetime', () => {
    /** [expires_in, seconds after which it is refreshed, seconds after which it is not used] */
    const lifetimes: [string, object, number, number][] = [
      ['300 s', { expires_in: 300 }, 240, 300],
      ['"300" (a text)', { expires_in: '300' }, 240, 300],
      ['an hour', { expires_in: 3600 }, 2880, 3600],
      ['100 s: 30 s are kept for the refresh', { expires_in: 100 }, 70, 100],
      ['20 s: at most half is kept for the refresh', { expires_in: 20 }, 10, 20],
      ['not stated: 60 s', { expires_in: undefined }, 30, 60],
      ['null: 60 s', { expires_in: null }, 30, 60],
      ['an empty text: 60 s', { expires_in: '' }, 30, 60],
      ['no number: 60 s', { expires_in: 'soon' }, 30, 60],
      ['less than nothing: 60 s', { expires_in: -1 }, 30, 60],
    ];
    for (const [what, response, refresh, end] of lifetimes) {
      it(`of ${what}`, async () => {
        auth.answers.push(granted({ access_token: 'first', ...response }));
        const from = tokens();
        assert.equal(await get(from), 'first');
        clock += refresh * SECOND - 1;
        assert.equal(from.get(signal), 'first');
        await settle();
        assert.equal(auth.asked.length, 1, 'was refreshed too early');
        clock += 1;
        auth.hold();
        assert.equal(from.get(signal), 'first');
        await settle();
        assert.equal(auth.asked.length, 2, 'was not refreshed');
        clock += (end - refresh) * SECOND - 1;
        assert.equal(from.get(signal), 'first', 'was not used to its end');
        clock += 1;
        const next = from.get(signal);
        assert.notEqual(next, 'first', 'was used after its end');
        auth.release();
        assert.equal(await next, 'token-2');
      });
    }

    it('counts from before the request', async () => {
      const from = tokens();
      auth.hold();
      const first = get(from);
      await settle();
      clock += 100 * SECOND;
      auth.release();
      await first;
      clock += 200 * SECOND;
      assert.equal(await get(from), 'token-2');
    });

    it('is refreshed once, however many requests are sent at that time', async () => {
      const from = tokens();
      await get(from);
      clock += 250 * SECOND;
      auth.hold();
      for (let i = 0; i < 100; i++) assert.equal(from.get(signal), 'token-1');
      await until(() => auth.asked.length > 1);
      auth.release();
      await until(() => from.get(signal) === 'token-2');
      from.accept('token-2');
      for (let i = 0; i < 100; i++) assert.equal(from.get(signal), 'token-2');
      assert.equal(auth.asked.length, 2);
    });

    it('is not shortened by a failed refresh, which is retried at a slow rate', async () => {
      const from = tokens({ retries: 0 });
      from.accept(await get(from));
      clock += 250 * SECOND;
      auth.answers.push({ status: 503 }, { status: 503 });
      const times: number[] = [];
      for (let waited = 0; from.get(signal) === 'token-1'; waited += 0.25) {
        await settle();
        if (auth.asked.length > times.length + 1) times.push(waited);
        // The API accepts the old one in the time between.
        from.accept('token-1');
        clock += SECOND / 4;
      }
      assert.deepEqual(times, [0, 1, 3]);
      from.accept('token-4');
      assert.equal(from.get(signal), 'token-4');
    });

    it('of 0 s still serves waiting messages', async () => {
      auth.answers.push(granted({ access_token: 'short', expires_in: 0 }));
      const from = tokens();
      assert.equal(await get(from), 'short');
      assert.equal(await get(from), 'token-2');
    });
  });

  describe('rejected by the API', () => {
    it('is forgotten, and no newer one', async () => {
      const from = tokens();
      const first = await get(from);
      assert.equal(from.refuse(first), 'again');
      const second = await get(from);
      assert.equal(second, 'token-2');
      // A request with the first token returns late.
      assert.equal(from.refuse(first), 'again');
      assert.equal(await get(from), 'token-2');
      assert.equal(auth.asked.length, 2);
    });

    it('is judged alone: a late response for an older one says nothing about it', async () => {
      const from = tokens();
      const first = await get(from);
      assert.equal(from.refuse(first), 'again');
      const second = await get(from);
      from.accept(first);
      assert.equal(from.refuse(second), 'fail');
    });

    it('in both forms of the header is remembered, unless it was accepted once', async () => {
      const from = tokens();
      from.refuseBothForms('another');
      assert.equal(from.acceptanceOf('another'), undefined);
      const token = await get(from);
      assert.equal(from.acceptanceOf(token), 'unknown');
      from.refuseBothForms('another');
      assert.equal(from.acceptanceOf(token), 'unknown');
      from.refuseBothForms(token);
      assert.equal(from.acceptanceOf(token), 'refusedInBothForms');
      assert.equal(from.acceptanceOf('another'), undefined);
      from.accept(token);
      from.refuseBothForms(token);
      assert.equal(from.acceptanceOf(token), 'accepted');
    });

    it('is replaced once for all requests that were rejected at the same time', async () => {
      const from = tokens();
      const first = await get(from);
      from.accept(first);
      const again = Array.from({ length: 50 }, async () => {
        assert.equal(from.refuse(first), 'again');
        return get(from);
      });
      assert.deepEqual(new Set(await Promise.all(again)), new Set(['token-2']));
      assert.equal(auth.asked.length, 2);
    });

    it('is replaced without delay if it was accepted before', async () => {
      const from = tokens();
      for (let i = 1; i <= 5; i++) {
        const token = await get(from);
        assert.equal(token, `token-${i}`);
        from.accept(token);
        assert.equal(from.refuse(token), 'again');
      }
    });

    it('is replaced at a slow rate if none was ever accepted', async () => {
      const from = tokens();
      const pauses: number[] = [];
      let asked = clock;
      assert.equal(from.refuse(await get(from)), 'again');
      for (let i = 0; i < 8; i++) {
        const token = await get(from);
        while (from.refuse(token) === 'fail') clock += SECOND / 2;
        pauses.push((clock - asked) / SECOND);
        asked = clock;
      }
      assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    });
  });

  describe("that is not valid yet, because the API's clock is slow", () => {
    it('is kept, and not replaced by a younger one', async () => {
      const from = tokens();
      const first = await get(from);
      for (let i = 0; i < 100; i++) assert.equal(from.refuse(first, true), 'later');
      assert.equal(await get(from), first);
      assert.equal(auth.asked.length, 1);
    });

    it('leaves the old one in use, which is still valid, and is tried by one request at a time', async () => {
      const from = tokens();
      const first = await get(from);
      from.accept(first);
      clock += 250 * SECOND;
      assert.equal(from.get(signal), first);
      await until(() => auth.asked.length === 2);
      await settle();
      const tried: number[] = [];
      const begin = clock;
      for (; clock < begin + 10 * SECOND; clock += SECOND / 10) {
        const token = await get(from);
        if (token === first) continue;
        tried.push((clock - begin) / SECOND);
        assert.equal(token, 'token-2');
        assert.equal(from.refuse(token, true), 'again');
        assert.equal(from.get(signal), first, 'the same request goes out with the old one');
      }
      assert.deepEqual(tried, [0, 1, 3, 7]);
      clock = begin + 20 * SECOND;
      from.accept(await get(from));
      for (let i = 0; i < 10; i++) assert.equal(from.get(signal), 'token-2');
      assert.equal(auth.asked.length, 2);
    });

    it('is not used after its end, if that comes before the end of the old one', async () => {
      for (const [age, expected] of [
        [275, 'token-1'],
        [305, 'token-3'],
      ] as const) {
        auth = new AuthServer();
        const from = tokens();
        from.accept(await get(from));
        const begin = clock;
        clock = begin + 250 * SECOND;
        auth.answers.push(granted({ access_token: 'short', expires_in: 20 }));
        assert.equal(from.get(signal), 'token-1');
        await settle();
        clock = begin + age * SECOND;
        assert.equal(await get(from), expected);
      }
    });

    it('is tried by one request in a second, until its response comes', async () => {
      const from = tokens();
      from.accept(await get(from));
      clock += 250 * SECOND;
      from.get(signal);
      await settle();
      assert.deepEqual([from.get(signal), from.get(signal)], ['token-2', 'token-1']);
      clock += SECOND;
      assert.deepEqual([from.get(signal), from.get(signal)], ['token-2', 'token-1']);
    });

    it('is kept at its renewal as well, if it was never accepted yet', async () => {
      const from = tokens();
      const first = await get(from);
      // Rejected for most of its life: the next ones arrive while it is still too young.
      for (let second = 0; second < 290; second++) {
        for (;;) {
          const token = await get(from);
          await settle();
          if (from.refuse(token, true) === 'later') break;
        }
        clock += SECOND;
      }
      assert.equal(auth.asked.length, 2);
      let token = await get(from);
      // The younger one is tried now and then.
      if (token !== first && from.refuse(token, true) === 'again') token = await get(from);
      assert.equal(token, first);
      from.accept(first);
      assert.equal(from.get(signal), first);
    });

    it('replaces the old one when that expires or is rejected', async () => {
      for (const ends of [true, false]) {
        const from = tokens();
        const first = await get(from);
        from.accept(first);
        clock += 250 * SECOND;
        from.get(signal);
        const asked = auth.asked.length;
        await until(() => auth.asked.length === asked + 1);
        await settle();
        assert.equal(from.refuse(await get(from), true), 'again');
        if (ends) clock += 60 * SECOND;
        else assert.equal(from.refuse(first), 'again');
        assert.notEqual(await get(from), first);
        assert.equal(auth.asked.length, asked + 1);
        auth.asked.length = 0;
      }
    });
  });

  describe('of a refused key', () => {
    it('are not requested with every message, but with pauses from 1 s to 60 s', async () => {
      const from = tokens();
      const times: number[] = [];
      const start = clock;
      while (clock < start + 5 * MINUTE) {
        auth.answers.splice(0, Infinity, refusedKey);
        const before = auth.asked.length;
        const error = await failure(get(from), 'ION_AUTH');
        assert.match(
          error.message,
          /auth\.example refused the API key \(HTTP 401: invalid_client, Invalid client/,
        );
        if (auth.asked.length > before) times.push((clock - start) / SECOND);
        clock += SECOND / 4;
      }
      assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    });

    it('are available again automatically when the key works again', async () => {
      const from = tokens();
      auth.answers.push(refusedKey, refusedKey);
      await failure(get(from), 'ION_AUTH');
      clock += SECOND;
      await failure(get(from), 'ION_AUTH');
      clock += 2 * SECOND;
      const token = await get(from);
      assert.equal(token, 'token-3');
      from.accept(token);
      // The pauses start over.
      from.refuse(token);
      auth.answers.push(refusedKey);
      await failure(get(from), 'ION_AUTH');
      clock += SECOND;
      assert.equal(await get(from), 'token-5');
    });

    it('fail all waiting messages with one request', async () => {
      auth.answers.push(refusedKey);
      const from = tokens();
      await Promise.all(Array.from({ length: 50 }, () => failure(get(from), 'ION_AUTH')));
      assert.equal(auth.asked.length, 1);
    });
  });

  describe('retries', () => {
    const passing: [string, Partial<HttpResponse> | IonError][] = [
      ['HTTP 429', { status: 429 }],
      ['HTTP 502 with a web page', { status: 502, text: '<html>Bad Gateway</html>' }],
      ['HTTP 503', { status: 503 }],
      ['HTTP 503 with Retry-After', { status: 503, headers: { 'retry-after': '0' } }],
      ['HTTP 504', { status: 504 }],
      ['a network error', new IonError('ION_NETWORK', 'A test.', { transient: true })],
      ['a timeout', new IonError('ION_TIMEOUT', 'A test.', { transient: true, mayHaveRun: true })],
    ];
    for (const [what, response] of passing) {
      it(`happen after ${what}`, async () => {
        auth.answers.push(response, response, response);
        assert.equal(await get(tokens()), 'token-4');
      });
    }

    it('end when the client closes', async () => {
      auth.answers.push({ status: 503, headers: { 'retry-after': '2' } });
      const from = tokens();
      const waiting = failure(get(from), 'ION_CLOSED');
      await until(() => auth.asked.length === 1);
      await settle();
      from.close();
      await waiting;
    });

    it('that fail say nothing about the operation, which was not sent', async () => {
      auth.answers.push(new IonError('ION_TIMEOUT', 'A test.', { mayHaveRun: true }));
      const error = await failure(get(tokens({ retries: 0 })), 'ION_TIMEOUT');
      assert.equal(error.mayHaveRun, false);
    });

    it('stop after the configured number', async () => {
      auth.answers.push(...Array.from({ length: 9 }, () => ({ status: 503 })));
      const error = await failure(get(tokens({ retries: 2 })), 'ION_SERVER');
      assert.equal(auth.asked.length, 3);
      assert.equal(error.status, 503);
    });

    it('start again automatically, with pauses from 1 s to 10 s; until then messages fail immediately', async () => {
      auth.answers.push(...Array.from({ length: 6 }, () => ({ status: 503 })));
      const from = tokens({ retries: 0 });
      const times: number[] = [];
      for (let waited = 0; auth.answers.length > 0; waited += 0.25) {
        await failure(get(from), 'ION_SERVER');
        if (auth.asked.length > times.length) times.push(waited);
        clock += SECOND / 4;
      }
      assert.deepEqual(times, [0, 1, 3, 7, 15, 25]);
      clock += 10 * SECOND;
      assert.equal(await get(from), 'token-7');
    });

    it('start again when the auth server asks, within a minute', async () => {
      const headers = { 'content-type': 'text/plain', 'retry-after': '20' };
      auth.answers.push({ status: 429, headers });
      const from = tokens({ retries: 0 });
      await failure(get(from), 'ION_RATE_LIMITED');
      clock += 19 * SECOND;
      await failure(get(from), 'ION_RATE_LIMITED');
      assert.equal(auth.asked.length, 1);
      clock += SECOND;
      assert.equal(await get(from), 'token-2');
    });
  });

  describe('responses', () => {
    const PAGE = '<html><title>Sign in</title></html>';
    const html = (status: number) => ({
      status,
      headers: { 'content-type': 'text/html' },
      text: PAGE,
    });
    const cases: [string, Partial<HttpResponse>, IonErrorCode, RegExp][] = [
      ['401 invalid_client', refusedKey, 'ION_AUTH', /HTTP 401: invalid_client.*enabled/],
      [
        '401 unauthorized_client',
        json(401, { error: 'unauthorized_client' }),
        'ION_AUTH',
        /unauthorized_client/,
      ],
      ['400 invalid_client', json(400, { error: 'invalid_client' }), 'ION_AUTH', /HTTP 400/],
      [
        '401 with a challenge',
        {
          ...refusedKey,
          headers: { ...refusedKey.headers, 'www-authenticate': 'Basic realm="x"' },
        },
        'ION_AUTH',
        /HTTP 401: invalid_client/,
      ],
      [
        '401 with a long text',
        { ...refusedKey, text: refusedKey.text.padEnd(200_000) },
        'ION_AUTH',
        /HTTP 401: invalid_client/,
      ],
      [
        '401 with another grant type',
        json(401, { error: 'unsupported_grant_type' }),
        'ION_AUTH',
        /new/,
      ],
      [
        '400 with another form',
        json(400, { error: 'invalid_request' }),
        'ION_AUTH',
        /the audience/,
      ],
      ['400 with another scope', json(400, { error: 'invalid_scope' }), 'ION_AUTH', /the audience/],
      ['400 with a number as its error', json(400, { error: 5 }), 'ION_RESPONSE', /HTTP 400\)/],
      [
        '401 with an object as its reason',
        json(401, { error: 'invalid_client', error_description: {} }),
        'ION_AUTH',
        /HTTP 401: invalid_client\)/,
      ],
      ['500 with a token', { ...granted(), status: 500 }, 'ION_SERVER', /HTTP 500\)/],
      [
        '200 with a long text',
        { text: granted().text.padEnd(100_001) },
        'ION_RESPONSE',
        /auth\.example cannot be used: it is longer than 100000 characters/,
      ],
      [
        '200 with deep JSON',
        { text: `${'['.repeat(300)}${']'.repeat(300)}` },
        'ION_RESPONSE',
        /cannot be used: it is nested too deeply/,
      ],
      ['401 without a reason', { status: 401 }, 'ION_AUTH', /HTTP 401\)/],
      ['401 with a web page', html(401), 'ION_RESPONSE', /HTTP 401: "Sign in".*gateway/],
      ['403 with a web page', html(403), 'ION_RESPONSE', /HTTP 403: "Sign in".*gateway/],
      ['405 with a web page', html(405), 'ION_RESPONSE', /HTTP 405: "Sign in".*gateway/],
      ['408', { status: 408 }, 'ION_TIMEOUT', /HTTP 408/],
      [
        'a reason in words',
        json(401, {
          error: 'unauthorized_client',
          error_description: 'Client not enabled to retrieve service account',
        }),
        'ION_AUTH',
        /unauthorized_client, Client not enabled to retrieve service account\).*create a new API key/,
      ],
      [
        'an audience that is not known',
        json(400, { error: 'invalid_target', error_description: 'Audience not found' }),
        'ION_AUTH',
        /Audience not found\)\. Check the audience/,
      ],
      ['a fault as an OAuth error', json(400, { error: 'server_error' }), 'ION_SERVER', /later/],
      [
        '404',
        json(404, { error: 'Realm does not exist' }),
        'ION_NOT_FOUND',
        /no token endpoint at/,
      ],
      ['404 with a web page', html(404), 'ION_NOT_FOUND', /auth URL/],
      ['429', { status: 429 }, 'ION_RATE_LIMITED', /rate limit of \S+ for token requests/],
      [
        '500',
        html(500),
        'ION_SERVER',
        /auth server auth\.example, or a gateway before it, returned a server error \(HTTP 500: "Sign in"\)/,
      ],
      ['503', { status: 503 }, 'ION_SERVER', /HTTP 503/],
      ['400 with a web page', html(400), 'ION_RESPONSE', /HTTP 400.*proxy or firewall/],
      [
        'a redirect',
        { status: 302, headers: { location: 'https://login.example/' } },
        'ION_RESPONSE',
        /HTTP 302, redirected to https:\/\/login\.example\//,
      ],
      ['200 with a web page', html(200), 'ION_RESPONSE', /like an auth server.*proxy or firewall/],
      ['200 with nothing', { status: 200 }, 'ION_RESPONSE', /like an auth server/],
      ['204', { status: 204 }, 'ION_RESPONSE', /HTTP 204/],
      [
        '200 with broken JSON',
        { headers: { 'content-type': 'application/json' }, text: '{"access_' },
        'ION_RESPONSE',
        /like an auth server/,
      ],
      ['200 with a list', json(200, []), 'ION_RESPONSE', /like an auth server/],
      ['no access token', granted({ access_token: undefined }), 'ION_RESPONSE', /auth server/],
      ['an empty access token', granted({ access_token: '' }), 'ION_RESPONSE', /auth server/],
      [
        'an access token that is no text',
        granted({ access_token: 5 }),
        'ION_RESPONSE',
        /auth server/,
      ],
      [
        'an access token that would break out of its header',
        granted({ access_token: 'a\r\nx-evil: 1' }),
        'ION_RESPONSE',
        /cannot be sent/,
      ],
    ];
    for (const [what, response, code, message] of cases) {
      it(`${what} → ${code}`, async () => {
        auth.answers.push(response);
        // The other path is tried as well.
        if (code === 'ION_NOT_FOUND') auth.answers.push(response);
        const error = await failure(get(tokens({ retries: 0 })), code);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /undefined|\[object/);
        assert.ok(!everythingIn(error).includes(key.clientSecret));
      });
    }

    const usable: [string, HttpResponse][] = [
      ['no token type', granted({ token_type: undefined })],
      ['another name for the token type', granted({ token_type: 'BearerToken' })],
      ['a token type that is null', granted({ token_type: null })],
      ['a refresh token and a scope that are null', granted({ refresh_token: null, scope: null })],
      ['an identity token of nobody', granted({ id_token: null })],
      ['a list of scopes', granted({ scope: ['a', 'b'] })],
      ['another content type', { ...granted(), headers: { 'content-type': 'text/plain' } }],
      ['no content type', { ...granted(), headers: {} }],
      ['a byte order mark', { ...granted(), text: `\ufeff${granted().text}` }],
    ];
    for (const [what, response] of usable) {
      it(`with ${what} are accepted`, async () => {
        auth.answers.push(response);
        assert.equal(await get(tokens({ retries: 0 })), 'token');
      });
    }

    it('pass on the retry delay', async () => {
      auth.answers.push({ status: 429, headers: { 'retry-after': '90' } });
      const error = await failure(get(tokens()), 'ION_RATE_LIMITED');
      assert.equal(error.retryAfterMs, 90_000);
      assert.equal(auth.asked.length, 1);
    });
  });

  it('too long for a header are rejected', async () => {
    auth.answers.push(granted({ access_token: 'x'.repeat(16_384) }));
    assert.equal((await get(tokens())).length, 16_384);
    auth.answers.push(granted({ access_token: 'x'.repeat(16_385) }));
    const { message } = await failure(get(tokens()), 'ION_RESPONSE');
    assert.match(message, /cannot be sent: it is longer than 16384 characters/);
  });

  it('names the secrets that must not be shown', async () => {
    const from = tokens();
    assert.deepEqual(from.secrets(), [key.clientSecret]);
    await get(from);
    assert.deepEqual(from.secrets(), [key.clientSecret, 'token-1']);
  });

  it('say where the present one comes from', async () => {
    const from = tokens();
    assert.equal(from.grant, undefined);
    await get(from);
    const url = 'https://auth.example/realms/api-keys/protocol/openid-connect/token';
    assert.deepEqual(from.grant, { url, lifetimeMs: 300 * SECOND });
  });

  describe('with a real auth server', () => {
    const ion = useSandbox({ runs: 20 });
    const real = (options: Partial<AccessTokensOptions> = {}) => {
      const { clientId, clientSecret, authUrl, url } = ion.sandbox;
      const transport = closing(new Transport({ timeoutMs: 10_000, connections: 2 }));
      return tokens({
        tokenUrl: new URL(`${authUrl}/realms/api-keys/protocol/openid-connect/token`),
        key: { clientId, clientSecret },
        audience: url,
        transport,
        ...options,
      });
    };

    it('are granted, with one request for a thousand waiting messages', async () => {
      const from = real();
      const all = await Promise.all(Array.from({ length: 1000 }, () => get(from)));
      assert.equal(new Set(all).size, 1);
      assert.match(all[0] ?? '', /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
      const { token, recent } = ion.sandbox.control.counters();
      assert.equal(token.total, 1);
      assert.equal(recent[0]?.path, '/realms/api-keys/protocol/openid-connect/token');
      assert.deepEqual(recent[0].body, {
        grant_type: 'client_credentials',
        client_id: ion.sandbox.clientId,
        client_secret: '(hidden)',
        audience: ion.sandbox.url,
      });
    });

    it('are refused to a wrong secret', async () => {
      const wrong = { clientId: ion.sandbox.clientId, clientSecret: 'wrong' };
      const error = await failure(get(real({ key: wrong })), 'ION_AUTH');
      assert.equal(error.status, 401);
    });

    it('are refused to a disabled key until it is enabled again', async () => {
      const from = real();
      ion.sandbox.control.set({ keyEnabled: false });
      await failure(get(from), 'ION_AUTH');
      ion.sandbox.control.set({ keyEnabled: true });
      await failure(get(from), 'ION_AUTH');
      clock += SECOND;
      assert.match(await get(from), /^eyJ/);
      assert.equal(ion.sandbox.control.counters().token.total, 2);
    });

    for (const kind of ['reset', 'half'] as const) {
      it(`are requested again after a broken connection (${kind})`, async () => {
        ion.sandbox.control.fault({ target: 'token', kind, times: 2 });
        assert.match(await get(real()), /^eyJ/);
        assert.equal(ion.sandbox.control.counters().token.total, 3);
      });
    }

    it('fail waiting messages with ION_CLOSED when the client closes', async () => {
      ion.sandbox.control.fault({ target: 'token', kind: 'hang' });
      const from = real();
      const waiting = Array.from({ length: 5 }, () => failure(get(from), 'ION_CLOSED'));
      from.close();
      await Promise.all(waiting);
      await failure(get(from), 'ION_CLOSED');
    });
  });
});
