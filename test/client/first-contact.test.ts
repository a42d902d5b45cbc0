import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import type { IonClient, RequestOptions } from '../../nodes/client/client.js';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import type { Settings } from '../../sandbox/server.js';
import { everythingIn, failure } from '../support/errors.js';
import { withoutPauses } from '../support/pauses.js';
import { useSandbox } from '../support/sandbox.js';
import { closeAfterEach, httpServer } from '../support/servers.js';
import { until } from '../support/until.js';

const ME = '{ me { id } }';
const CREATE = 'mutation { createRun(input: { title: "Made by a test" }) { run { id } } }';
const NEW_PATH = '/realms/api-keys/protocol/openid-connect/token';
const OLD_PATH = `/auth${NEW_PATH}`;

const ask = (client: IonClient, text = ME, options: Partial<RequestOptions> = {}) =>
  client.request(parseOperation(text), { signal: new AbortController().signal, ...options });

describe('first contact', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 20 });
  const closing = closeAfterEach();
  const counters = () => ion.sandbox.control.counters();
  const set = (settings: Partial<Settings>) => ion.sandbox.control.set(settings);
  /** Forms of the tokens of the API requests, oldest first. */
  const sent = () =>
    counters()
      .recent.filter(({ path }) => path === '/graphql')
      .map(({ headers }) => headers.authorization);
  const tokenPaths = () =>
    counters()
      .recent.filter(({ path }) => path.endsWith('/token'))
      .map(({ path }) => path);

  describe('authorization header', () => {
    it('is the bare token if ION accepts it', async () => {
      for (const authScheme of ['both', 'raw'] as const) {
        set({ authScheme });
        ion.sandbox.control.resetCounters();
        const client = ion.client();
        assert.equal((await ask(client)).attempts, 1);
        assert.deepEqual(sent(), ['raw']);
        assert.equal(client.authScheme, 'raw');
      }
    });

    it('becomes a bearer token if ION accepts nothing else, and stays one', async () => {
      set({ authScheme: 'bearer' });
      const client = ion.client({ retries: 0 });
      assert.equal((await ask(client)).attempts, 2);
      assert.equal((await ask(client)).attempts, 1);
      assert.deepEqual(sent(), ['raw', 'Bearer', 'Bearer']);
      assert.equal(client.authScheme, 'bearer');
      assert.equal(counters().token.total, 1);
    });

    it('is found with a mutation as well, which is executed once', async () => {
      set({ authScheme: 'bearer' });
      await ask(ion.client({ retries: 0 }), CREATE);
      assert.deepEqual(sent(), ['raw', 'Bearer']);
      assert.equal(counters().executed.createRun, 1);
    });

    it('stays as it is when a token that was accepted is replaced', async () => {
      for (const [authScheme, form] of [
        ['raw', 'raw'],
        ['bearer', 'Bearer'],
      ] as const) {
        set({ authScheme });
        const client = ion.client();
        await ask(client);
        ion.sandbox.control.resetCounters();
        ion.sandbox.control.revokeTokens();
        assert.equal((await ask(client)).attempts, 2);
        assert.deepEqual(sent(), [form, form]);
        assert.equal(counters().token.total, 1);
      }
    });

    it('changes if ION accepts another form from now on', async () => {
      set({ authScheme: 'bearer' });
      const client = ion.client();
      await ask(client);
      set({ authScheme: 'raw' });
      ion.sandbox.control.resetCounters();
      // The token that was accepted, a new one in both forms.
      assert.equal((await ask(client)).attempts, 3);
      assert.deepEqual(sent(), ['Bearer', 'Bearer', 'raw']);
      assert.equal((await ask(client)).attempts, 1);
    });

    for (const authScheme of ['raw', 'bearer'] as const) {
      it(`is never changed if "${authScheme}" is chosen`, async () => {
        set({ authScheme: authScheme === 'raw' ? 'bearer' : 'raw' });
        const client = ion.client({ authScheme });
        const { message } = await failure(ask(client), 'ION_AUTH');
        assert.match(message, /Select the automatic authorization header in the ION config node\./);
        assert.equal(new Set(sent()).size, 1);
      });
    }

    it('that is refused in both forms leads to other advice, with one more request for each token', async () => {
      const client = ion.client({ authUrl: ion.sandbox.foreignAuthUrl });
      const first = await failure(ask(client), 'ION_AUTH');
      assert.match(
        first.message,
        /RSA key.*another environment.*sent bare and as a bearer token\.$/,
      );
      assert.deepEqual(sent(), ['raw', 'Bearer', 'raw', 'Bearer']);
      // Its second token was tried in both forms already.
      const second = await failure(ask(client), 'ION_AUTH');
      assert.equal(second.attempts, 1);
      assert.equal(second.message, first.message);
      assert.equal(client.authScheme, 'raw');
    });

    it('never leads to the advice to choose another one if ION reads neither', async () => {
      const api = closing(
        await httpServer((_request, response) => {
          response.statusCode = 401;
          response.end('{"errors":[{"message":"Unable to parse authentication token"}]}');
        }),
      );
      const client = ion.client({ apiUrl: api.url });
      for (let i = 0; i < 3; i++) {
        const { message } = await failure(ask(client), 'ION_AUTH');
        assert.match(message, /Check that the API key belongs to this environment/);
        assert.match(message, /sent bare and as a bearer token/);
        assert.doesNotMatch(message, /select the automatic|other authorization header/i);
      }
    });

    it('of a key of another environment leads to that advice, whichever form ION reads', async () => {
      for (const authScheme of ['raw', 'bearer'] as const) {
        set({ authScheme });
        const client = ion.client({ authUrl: ion.sandbox.foreignAuthUrl });
        const { message } = await failure(ask(client), 'ION_AUTH');
        assert.match(message, /RSA key.*another environment/);
      }
    });

    const refusals: [string, number, string][] = [
      ...[
        'Please provide proper credentials',
        'Unable to parse authentication token',
        'Unable to find appropriate RSA key',
        'Token is expired.',
        'Unable to validate authentication token',
        'UNAUTHORIZED',
      ].flatMap((message) =>
        [401, 200].map((status): [string, number, string] => [
          `"${message}"`,
          status,
          JSON.stringify({ errors: [{ message }] }),
        ]),
      ),
      ['nothing', 401, ''],
      ['the JSON of a gateway', 401, '{"message":"Unauthorized"}'],
    ];
    for (const [what, status, body] of refusals) {
      it(`is found if ION refuses the bare token with ${what}, HTTP ${status}`, async () => {
        const api = closing(
          await httpServer((request, response) => {
            const isBearer = String(request.headers.authorization).startsWith('Bearer ');
            response.statusCode = isBearer ? 200 : status;
            response.end(isBearer ? '{"data":{"createRun":{"run":{"id":1}}}}' : body);
          }),
        );
        const client = ion.client({ apiUrl: api.url, retries: 0 });
        assert.equal((await ask(client, CREATE)).attempts, 2);
        assert.equal((await ask(client, CREATE)).attempts, 1);
        assert.equal(counters().token.total, 1);
      });
    }

    it('is not changed while the clock of ION is behind', async () => {
      set({ clockBehind: 1.5 });
      const client = ion.client();
      await ask(client);
      assert.ok(sent().every((form) => form === 'raw'));
      assert.ok(sent().length > 1);
    });

    it('is tried by one of many concurrent requests, and the others follow it', async () => {
      const received: string[] = [];
      let release = () => {};
      const api = closing(
        await httpServer((request, response) => {
          const form = formOf(request);
          received.push(form);
          if (form === 'raw') response.statusCode = 401;
          const answer = () => response.end(form === 'raw' ? '' : '{"data":{"me":null}}');
          if (received.filter((each) => each === 'Bearer').length === 1) release = answer;
          else answer();
        }),
      );
      const client = ion.client({ apiUrl: api.url, concurrency: 10, retries: 0 });
      const all = Promise.all(Array.from({ length: 10 }, () => ask(client)));
      await until(() => received.length === 11);
      // All bare tokens were refused, and one request alone tries the other form.
      assert.equal(received.filter((form) => form === 'Bearer').length, 1);
      release();
      await all;
      assert.equal(received.length, 20);
      assert.equal(counters().token.total, 1);
      await ask(client);
      assert.equal(received.at(-1), 'Bearer');
    });

    it('is tried by the next request if the first one ends without a verdict', async () => {
      const bearers: (() => void)[] = [];
      const api = closing(
        await httpServer((request, response) => {
          if (formOf(request) === 'raw') {
            response.statusCode = 401;
            response.end();
          } else if (bearers.length === 0) bearers.push(() => response.destroy());
          else {
            bearers.push(() => {});
            response.end('{"data":{"me":null}}');
          }
        }),
      );
      const client = ion.client({ apiUrl: api.url, concurrency: 5, retries: 0 });
      const results = Promise.allSettled(Array.from({ length: 5 }, () => ask(client)));
      await until(() => bearers.length === 1);
      bearers[0]?.();
      const failed = (await results).filter(({ status }) => status === 'rejected');
      assert.equal(failed.length, 1);
      assert.equal(client.authScheme, 'bearer');
    });

    it('does not delay the others if the request that tries it takes long', async () => {
      let slow: (() => void) | undefined;
      const api = closing(
        await httpServer((request, response) => {
          if (formOf(request) === 'raw') response.statusCode = 401;
          const answer = () => response.end('{"data":{"me":null}}');
          if (formOf(request) === 'raw' || slow) answer();
          else slow = answer;
        }),
      );
      const client = ion.client({ apiUrl: api.url, concurrency: 3, retries: 0 });
      const results = Array.from({ length: 3 }, () => ask(client));
      let finished = 0;
      for (const result of results) void result.then(() => finished++);
      await until(() => finished === 2);
      slow?.();
      await Promise.all(results);
    });

    it('ends a request that waits for it when the flow stops', async () => {
      const received: string[] = [];
      const api = closing(
        await httpServer((request, response) => {
          received.push(formOf(request));
          if (formOf(request) !== 'raw') return;
          response.statusCode = 401;
          response.end();
        }),
      );
      const client = ion.client({ apiUrl: api.url, concurrency: 2 });
      const controller = new AbortController();
      const failures = [1, 2].map(() =>
        failure(ask(client, CREATE, { signal: controller.signal }), 'ION_CLOSED'),
      );
      await until(() => received.length === 3);
      controller.abort();
      const errors = await Promise.all(failures);
      assert.deepEqual(received, ['raw', 'raw', 'Bearer']);
      // Only the request that was in progress may have been executed.
      assert.deepEqual(errors.map(({ mayHaveRun }) => mayHaveRun).sort(), [false, true]);
    });
  });

  describe('token path', () => {
    const cases: [tokenPath: 'new' | 'old', suffix: string, paths: string[]][] = [
      ['new', '', [NEW_PATH]],
      ['old', '', [NEW_PATH, OLD_PATH]],
      ['old', '/auth', [OLD_PATH]],
      ['new', '/auth', [OLD_PATH, NEW_PATH]],
      ['old', NEW_PATH, [NEW_PATH, OLD_PATH]],
    ];
    for (const [tokenPath, suffix, paths] of cases) {
      it(`is found on an auth server with the ${tokenPath} one for the auth URL …${suffix}, and kept`, async () => {
        set({ tokenPath });
        const client = ion.client({ authUrl: ion.sandbox.authUrl + suffix });
        await ask(client);
        assert.deepEqual(tokenPaths(), paths);
        ion.sandbox.control.revokeTokens();
        await ask(client);
        assert.deepEqual(tokenPaths(), [...paths, paths.at(-1)]);
      });
    }

    it('is found if the auth server sends a web page with 404', async () => {
      ion.sandbox.control.fault({
        target: 'token',
        kind: 'status',
        status: 404,
        body: '<html><title>Not Found</title></html>',
        contentType: 'text/html',
      });
      await ask(ion.client());
      assert.deepEqual(tokenPaths(), [NEW_PATH, OLD_PATH]);
    });

    it('is requested once for many messages', async () => {
      set({ tokenPath: 'old' });
      const client = ion.client();
      await Promise.all(Array.from({ length: 20 }, () => ask(client)));
      assert.deepEqual(tokenPaths(), [NEW_PATH, OLD_PATH]);
    });

    for (const status of [400, 401, 403, 405, 429, 500, 503]) {
      it(`is not changed after HTTP ${status}`, async () => {
        ion.sandbox.control.fault({ target: 'token', kind: 'status', status });
        await ask(ion.client({ retries: 0 })).catch(() => {});
        assert.deepEqual(tokenPaths(), [NEW_PATH]);
      });
    }

    it('that is missing at both places leads to an error with both URLs and no secret', async () => {
      ion.sandbox.control.fault({ target: 'token', kind: 'status', status: 404, times: 2 });
      const error = await failure(ask(ion.client({ retries: 0 })), 'ION_NOT_FOUND');
      const { authUrl, clientSecret } = ion.sandbox;
      const urls = `has no token endpoint at ${authUrl}${NEW_PATH} or ${authUrl}${OLD_PATH} (HTTP 404`;
      assert.ok(error.message.includes(urls), error.message);
      assert.ok(!everythingIn(error).includes(clientSecret));
      assert.equal(error.mayHaveRun, false);
    });

    it('at which the key is refused leads to that error', async () => {
      set({ tokenPath: 'old' });
      const client = ion.client({ key: { clientId: 'sandbox-key', clientSecret: 'wrong' } });
      const { message } = await failure(ask(client), 'ION_AUTH');
      assert.match(message, /refused the API key/);
    });

    it('that a gateway blocks at the other place leads to the error about the first', async () => {
      const auth = { target: 'token', kind: 'status' } as const;
      ion.sandbox.control.fault({ ...auth, status: 404 }, { ...auth, status: 403 });
      const { message } = await failure(ask(ion.client({ retries: 0 })), 'ION_NOT_FOUND');
      assert.match(message, /has no token endpoint at \/realms/);
    });

    it('is not guessed for a token URL of another form', async () => {
      const authUrl = `${ion.sandbox.authUrl}/oauth/token`;
      await failure(ask(ion.client({ authUrl, retries: 0 })), 'ION_NOT_FOUND');
    });
  });
});

function formOf({ headers }: IncomingMessage): 'raw' | 'Bearer' {
  return headers.authorization?.startsWith('Bearer ') ? 'Bearer' : 'raw';
}
