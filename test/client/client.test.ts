import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { IonClient, type RequestOptions, type RequestState } from '../../nodes/client/client.js';
import type { IonErrorCode } from '../../nodes/client/errors.js';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import type { Fault, FaultEffect } from '../../sandbox/faults/fault.js';
import { everythingIn, failure, thrown } from '../support/errors.js';
import { withoutPauses } from '../support/pauses.js';
import { clientSettings, useSandbox } from '../support/sandbox.js';
import { closeAfterEach, httpServer, tcpServer, unusedPort } from '../support/servers.js';
import { until } from '../support/until.js';

const ME = '{ me { id } }';
const RUN = 'query Run($id: ID!) { run(id: $id) { id } }';
const CREATE = 'mutation { createRun(input: { title: "Made by a test" }) { run { id } } }';
const MAY_HAVE_RUN = /It may have been executed\. Check in ION before you send it again\./;

/** One operation through a client. */
const ask = (client: IonClient, text = ME, options: Partial<RequestOptions> = {}) =>
  client.request(parseOperation(text), { signal: new AbortController().signal, ...options });

describe('client', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 20 });
  const closing = closeAfterEach();
  const counters = () => ion.sandbox.control.counters();
  const fault = (effect: FaultEffect, more: Partial<Fault> = {}) =>
    ion.sandbox.control.fault({ target: 'api', ...more, ...effect } as Fault);
  /** Request bodies of the API, oldest first. */
  const bodies = () =>
    counters()
      .recent.filter(({ path }) => path === '/graphql')
      .map(({ body }) => body as { query: string; variables: Record<string, unknown> });

  describe('request', () => {
    it('returns data, attempts, trace ID, duration and ION’s time', async () => {
      const { traceId, date, textLength, durationMs, extensions, ...response } = await ask(
        ion.client(),
        '{ me { id name } }',
      );
      assert.deepEqual(response, {
        data: { me: { id: 6, name: 'Sandbox Service Account' } },
        attempts: 1,
      });
      assert.match(String(traceId), /^[0-9a-f]{16}$/);
      assert.ok(Math.abs(Date.parse(String(date)) - Date.now()) < 5000);
      assert.equal(extensions, undefined);
      assert.ok(Number(textLength) > 0);
      assert.ok(Number(durationMs) > 0);
    });

    it('returns no trace ID that contains the token', async () => {
      const server = closing(
        await httpServer((request, response) => {
          response.setHeader('content-type', 'application/json');
          if (request.url?.endsWith('/token')) {
            const token = { access_token: 'tok-abcdefghij-0123456789', token_type: 'Bearer' };
            response.end(JSON.stringify(token));
            return;
          }
          response.setHeader('x-b3-trace-id', String(request.headers.authorization));
          response.end('{"data":{"me":{}}}');
        }),
      );
      const client = ion.client({ apiUrl: server.url, authUrl: server.url });
      const { traceId, data } = await ask(client);
      assert.deepEqual([traceId, data], [undefined, { me: {} }]);
    });

    it('rejects a client secret that is too long for ION', () => {
      const { clientId } = ion.sandbox;
      const clientWith = (clientSecret: string) => ion.client({ key: { clientId, clientSecret } });
      clientWith('x'.repeat(4096));
      const { message } = thrown(() => clientWith('x'.repeat(4097)), 'ION_CONFIG');
      assert.match(message, /client secret .* longer than 4096 characters/);
    });

    it('sends the query, its variables and the operation name, nothing else', async () => {
      const text = `query A { me { id } } ${RUN}`;
      await ion.client().request(parseOperation(text, 'Run'), {
        variables: { id: 5 },
        signal: new AbortController().signal,
      });
      const sent = counters().recent.at(-1);
      assert.deepEqual(sent?.body, { query: text, variables: { id: 5 }, operationName: 'Run' });
      assert.equal(sent.headers['content-type'], 'application/json');
      assert.match(String(sent.headers.accept), /^application\/json/);
    });

    it('omits variables and operation name if there are none', async () => {
      await ask(ion.client());
      assert.deepEqual(counters().recent.at(-1)?.body, { query: ME });
    });

    for (const [authScheme, sent] of [
      ['raw', /^ey[\w.-]+$/],
      ['bearer', /^Bearer ey[\w.-]+$/],
    ] as const) {
      it(`authorizes with the scheme "${authScheme}"`, async () => {
        let authorization: string | undefined;
        const api = closing(
          await httpServer((request, response) => {
            authorization = request.headers.authorization;
            response.end('{"data":{"me":null}}');
          }),
        );
        await ask(ion.client({ apiUrl: api.url, authScheme }));
        assert.match(String(authorization), sent);
        await ask(ion.client({ authScheme }));
      });
    }

    it('uses one token for all requests, and one connection for each concurrent one', async () => {
      const client = ion.client({ concurrency: 4 });
      await Promise.all(Array.from({ length: 100 }, () => ask(client)));
      assert.equal(counters().token.total, 1);
      assert.equal(counters().api.total, 100);
    });

    const unsendable: [string, () => Record<string, unknown>, RegExp][] = [
      [
        'refer to themselves',
        () => {
          const loop: Record<string, unknown> = {};
          loop.self = loop;
          return loop;
        },
        /circular/,
      ],
      ['hold a BigInt', () => ({ id: 5n }), /BigInt/],
    ];
    for (const [what, variables, message] of unsendable) {
      it(`is not sent with variables that ${what}`, async () => {
        const error = await failure(
          ask(ion.client(), RUN, { variables: variables() }),
          'ION_VARIABLES',
        );
        assert.match(error.message, message);
        assert.equal(error.attempts, 0);
        assert.equal(counters().token.total + counters().api.total, 0);
      });
    }

    it('is not sent without a complete key', () => {
      for (const [key, missing] of [
        [{ clientId: '', clientSecret: 'x' }, /no client ID/],
        [{ clientId: 'x', clientSecret: '' }, /no client secret/],
      ] as const) {
        const settings = clientSettings(ion.sandbox, { key });
        assert.match(thrown(() => new IonClient(settings), 'ION_CONFIG').message, missing);
      }
    });

    it('reports its progress', async () => {
      const client = ion.client({ concurrency: 1 });
      const states: RequestState[][] = [[], [], []];
      const [first, second, third] = states.map((seen) => ({
        onState: (state: RequestState) => void seen.push(state),
      }));
      await Promise.all([ask(client, ME, first), ask(client, ME, second)]);
      fault({ kind: 'status', status: 503 });
      await ask(client, ME, third);
      assert.deepEqual(states, [
        ['running'],
        ['waiting', 'running'],
        ['running', 'retrying', 'running'],
      ]);
    });
  });

  describe('errors', () => {
    const cases: [string, FaultEffect, IonErrorCode][] = [
      ['GraphQL errors', { kind: 'graphql', errors: [{ message: 'No.' }] }, 'ION_GRAPHQL'],
      ['HTTP 413', { kind: 'status', status: 413 }, 'ION_RESPONSE'],
      ['too much', { kind: 'big', bytes: 200_000 }, 'ION_RESPONSE'],
    ];
    for (const [what, effect, code] of cases) {
      it(`${what} → ${code} at once`, async () => {
        fault(effect);
        const error = await failure(ask(ion.client({ maxResponseBytes: 100_000 })), code);
        assert.equal(error.attempts, 1);
        assert.equal(counters().api.total, 1);
        assert.doesNotMatch(error.message, MAY_HAVE_RUN);
      });
    }

    it('contain the trace ID and the partial data', async () => {
      fault({
        kind: 'graphql',
        errors: [{ message: 'No.', path: ['b'] }],
        data: { a: 1, b: null },
      });
      const error = await failure(ask(ion.client()), 'ION_GRAPHQL');
      assert.deepEqual(error.data, { a: 1, b: null });
      assert.deepEqual(error.errors, [{ message: 'No.', path: ['b'] }]);
      assert.match(String(error.traceId), /^[0-9a-f]{16}$/);
    });

    it('of a stale etag are ION_CONFLICT, with HTTP 200 and 409', async () => {
      const stale =
        'mutation { updateRun(input: { id: 1, etag: "0", title: "x" }) { run { id } } }';
      for (const etagConflict of ['errors', 'status'] as const) {
        ion.sandbox.control.set({ etagConflict });
        const error = await failure(ask(ion.client(), stale), 'ION_CONFLICT');
        assert.match(error.message, /read it again/);
        assert.doesNotMatch(error.message, MAY_HAVE_RUN);
      }
    });
  });

  describe('retries of queries', () => {
    const passing: [string, FaultEffect, IonErrorCode][] = [
      ['HTTP 429', { kind: 'status', status: 429 }, 'ION_RATE_LIMITED'],
      ['HTTP 502', { kind: 'status', status: 502 }, 'ION_SERVER'],
      ['HTTP 503', { kind: 'status', status: 503 }, 'ION_SERVER'],
      ['HTTP 504', { kind: 'status', status: 504 }, 'ION_SERVER'],
      ['HTTP 400', { kind: 'status', status: 400 }, 'ION_RESPONSE'],
      ['HTTP 403', { kind: 'status', status: 403 }, 'ION_FORBIDDEN'],
      ['HTTP 404', { kind: 'status', status: 404 }, 'ION_NOT_FOUND'],
      ['HTTP 405', { kind: 'status', status: 405 }, 'ION_RESPONSE'],
      ['HTTP 408', { kind: 'status', status: 408 }, 'ION_TIMEOUT'],
      ['HTTP 409', { kind: 'status', status: 409 }, 'ION_CONFLICT'],
      ['HTTP 425', { kind: 'status', status: 425 }, 'ION_RESPONSE'],
      ['HTTP 451', { kind: 'status', status: 451 }, 'ION_RESPONSE'],
      ['HTTP 500', { kind: 'status', status: 500 }, 'ION_SERVER'],
      ['HTTP 520', { kind: 'status', status: 520 }, 'ION_SERVER'],
      ['a web page', { kind: 'body', body: '<html>', contentType: 'text/html' }, 'ION_RESPONSE'],
      ['nothing', { kind: 'body' }, 'ION_RESPONSE'],
      ['a redirect', { kind: 'redirect', location: 'https://x.example/' }, 'ION_RESPONSE'],
      ['a reset', { kind: 'reset' }, 'ION_NETWORK'],
      ['half a response', { kind: 'half' }, 'ION_NETWORK'],
      [
        'a deadlock in the database',
        {
          kind: 'graphql',
          data: { me: null },
          errors: [
            { message: '(psycopg2.errors.DeadlockDetected) deadlock detected', path: ['me'] },
          ],
        },
        'ION_SERVER',
      ],
    ];
    for (const [what, effect, code] of passing) {
      it(`happen after ${what}`, async () => {
        fault(effect, { times: 3 });
        const response = await ask(ion.client());
        assert.equal(response.attempts, 4);
      });

      it(`stop after the configured number after ${what}`, async () => {
        fault(effect, { times: 10 });
        const error = await failure(ask(ion.client({ retries: 2 })), code);
        assert.equal(error.attempts, 3);
        assert.equal(counters().api.total, 3);
        assert.doesNotMatch(error.message, MAY_HAVE_RUN);
        assert.equal(error.mayHaveRun, false);
      });
    }

    it('happen after a timeout', async () => {
      fault({ kind: 'hang' });
      assert.equal((await ask(ion.client({ timeoutMs: 500 }))).attempts, 2);
      const client = ion.client({ timeoutMs: 1000, retries: 0 });
      // Its token must not be late.
      await ask(client);
      fault({ kind: 'hang' });
      const error = await failure(ask(client), 'ION_TIMEOUT');
      assert.equal(error.attempts, 1);
    });

    it('happen after a refused connection', async () => {
      const apiUrl = `http://127.0.0.1:${await unusedPort()}`;
      const error = await failure(ask(ion.client({ apiUrl })), 'ION_NETWORK');
      assert.equal(error.attempts, 4);
    });

    it('may change the variables', async () => {
      fault({ kind: 'status', status: 502 }, { times: 2 });
      const seen: unknown[] = [];
      await ask(ion.client(), RUN, {
        variables: { id: 1 },
        onRetry(error) {
          seen.push(error.status);
          return seen.length === 1 ? { id: 2 } : undefined;
        },
      });
      assert.deepEqual(seen, [502, 502]);
      assert.deepEqual(
        bodies().map(({ variables }) => variables),
        [{ id: 1 }, { id: 2 }, { id: 2 }],
      );
    });
  });

  describe('retries of mutations', () => {
    // Failures after which it is unknown whether the mutation ran: here it did.
    const unclear: [string, FaultEffect, IonErrorCode][] = [
      ['a reset', { kind: 'reset' }, 'ION_NETWORK'],
      ['half a response', { kind: 'half' }, 'ION_NETWORK'],
      ['a timeout', { kind: 'hang' }, 'ION_TIMEOUT'],
      ['HTTP 500', { kind: 'status', status: 500 }, 'ION_SERVER'],
      ['HTTP 502', { kind: 'status', status: 502 }, 'ION_SERVER'],
      ['HTTP 503', { kind: 'status', status: 503 }, 'ION_SERVER'],
      ['HTTP 504', { kind: 'status', status: 504 }, 'ION_SERVER'],
      [
        'HTTP 504 with Retry-After',
        { kind: 'status', status: 504, headers: { 'retry-after': '0' } },
        'ION_SERVER',
      ],
      ['a response that is not JSON', { kind: 'body', body: 'ok' }, 'ION_RESPONSE'],
      ['a response that is too large', { kind: 'big', bytes: 200_000 }, 'ION_RESPONSE'],
    ];
    for (const [what, effect, code] of unclear) {
      it(`do not happen after ${what}, and the message says that it may have run`, async () => {
        fault(effect, { execute: true });
        const client = ion.client({ timeoutMs: 500, maxResponseBytes: 100_000 });
        const error = await failure(ask(client, CREATE), code);
        assert.equal(error.attempts, 1);
        assert.match(error.message, MAY_HAVE_RUN);
        assert.equal(error.mayHaveRun, true);
        assert.deepEqual(counters().executed, { createRun: 1 });
      });
    }

    // Failures after which it is certain that the mutation did not run.
    const turnedAway: [string, FaultEffect][] = [
      ['HTTP 429', { kind: 'status', status: 429 }],
      [
        'HTTP 503 with Retry-After',
        { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
      ],
      ['HTTP 401', { kind: 'unauthorized' }],
      ['HTTP 408', { kind: 'status', status: 408, headers: { connection: 'close' } }],
      ['HTTP 421', { kind: 'status', status: 421 }],
      ['HTTP 425', { kind: 'status', status: 425 }],
      [
        'a rate limit in GraphQL',
        { kind: 'graphql', errors: [{ message: 'No.', extensions: { code: 'RATE_LIMITED' } }] },
      ],
    ];
    for (const [what, effect] of turnedAway) {
      it(`happen after ${what}, and it runs once`, async () => {
        fault(effect);
        const response = await ask(ion.client(), CREATE);
        assert.equal(response.attempts, 2);
        assert.deepEqual(counters().executed, { createRun: 1 });
      });
    }

    it('happen after a refused connection, and the message does not say that it may have run', async () => {
      const apiUrl = `http://127.0.0.1:${await unusedPort()}`;
      const error = await failure(ask(ion.client({ apiUrl }), CREATE), 'ION_NETWORK');
      assert.equal(error.attempts, 4);
      assert.doesNotMatch(error.message, MAY_HAVE_RUN);
      assert.equal(error.mayHaveRun, false);
    });

    it('do not happen after a token request that broke off, which says nothing about the mutation', async () => {
      ion.sandbox.control.fault({ target: 'token', kind: 'reset' });
      const error = await failure(ask(ion.client({ retries: 0 }), CREATE), 'ION_NETWORK');
      assert.deepEqual([error.attempts, error.mayHaveRun], [0, false]);
      assert.doesNotMatch(error.message, MAY_HAVE_RUN);
    });

    // Texts about a token that come from the execution.
    const log = { message: 'Token is expired.', extensions: { code: 'UNAUTHENTICATED' } };
    const TWO = `mutation { a: createRun(input: { title: "a" }) { run { id } }
      b: createRun(input: { title: "b" }) { run { id } } }`;
    for (const [what, text, path] of [
      ['below a field that ran', CREATE, ['createRun', 'run', 'title']],
      ['in a field after one that ran', TWO, ['b']],
    ] as const) {
      it(`do not happen after a rejected token ${what}`, async () => {
        fault({ kind: 'graphql', errors: [{ ...log, path }] }, { execute: true, times: 2 });
        const error = await failure(ask(ion.client(), text), 'ION_GRAPHQL');
        assert.equal(error.attempts, 1);
        assert.match(error.message, MAY_HAVE_RUN);
        assert.equal(counters().executed.createRun, text === TWO ? 2 : 1);
      });
    }

    it('do not happen after HTTP 401 with data that shows that a part ran', async () => {
      let requests = 0;
      const api = closing(
        await httpServer((_request, response) => {
          requests++;
          const body = {
            data: { a: { run: { id: 1 } }, b: null },
            errors: [{ ...log, path: ['b'] }],
          };
          response.writeHead(401).end(JSON.stringify(body));
        }),
      );
      const error = await failure(ask(ion.client({ apiUrl: api.url }), TWO), 'ION_AUTH');
      assert.equal(requests, 1);
      assert.match(error.message, MAY_HAVE_RUN);
    });

    for (const [what, effect, code] of [
      ['GraphQL errors', { kind: 'graphql', errors: [{ message: 'No.' }] }, 'ION_GRAPHQL'],
      ['HTTP 400', { kind: 'status', status: 400 }, 'ION_RESPONSE'],
      ['HTTP 403', { kind: 'status', status: 403 }, 'ION_FORBIDDEN'],
    ] as [string, FaultEffect, IonErrorCode][]) {
      it(`do not happen after ${what}, which is a clear rejection`, async () => {
        fault(effect);
        const error = await failure(ask(ion.client(), CREATE), code);
        assert.equal(error.attempts, 1);
        assert.doesNotMatch(error.message, MAY_HAVE_RUN);
        assert.deepEqual(counters().executed, {});
      });
    }

    it('do not blame a mutation for a missing token', async () => {
      ion.sandbox.control.fault({ target: 'token', kind: 'hang' });
      const client = ion.client({ timeoutMs: 100, retries: 0 });
      const error = await failure(ask(client, CREATE), 'ION_TIMEOUT');
      assert.equal(error.attempts, 0);
      assert.doesNotMatch(error.message, MAY_HAVE_RUN);
    });

    it('never run a mutation twice, in any sequence of failures', async () => {
      const client = ion.client({ timeoutMs: 500, concurrency: 3 });
      const effects: FaultEffect[] = [
        { kind: 'reset' },
        { kind: 'status', status: 502 },
        { kind: 'half' },
        { kind: 'status', status: 503 },
        { kind: 'body', body: '' },
      ];
      // Some are hit after they ran, some before.
      for (const [i, effect] of effects.entries()) fault(effect, { execute: i % 2 === 0 });
      fault({ kind: 'status', status: 429 }, { times: 3 });
      fault({ kind: 'unauthorized' }, { times: 2 });
      const results = await Promise.allSettled(
        Array.from({ length: 12 }, () => ask(client, CREATE)),
      );
      const succeeded = results.filter(({ status }) => status === 'fulfilled').length;
      assert.equal(succeeded, 12 - effects.length);
      assert.equal(counters().executed.createRun, succeeded + 3);
    });
  });

  describe('Retry-After', () => {
    const asked = (value: string, status = 429) =>
      fault({ kind: 'status', status, headers: { 'retry-after': value } });

    it('is respected, in seconds', async () => {
      asked('1');
      const start = performance.now();
      assert.equal((await ask(ion.client())).attempts, 2);
      assert.ok(performance.now() - start > 990);
    });

    it('is respected, as a date', async () => {
      const at = Math.ceil(Date.now() / 1000) * 1000;
      asked(new Date(at).toUTCString(), 503);
      assert.equal((await ask(ion.client())).attempts, 2);
      // Timers may be a millisecond early.
      assert.ok(Date.now() >= at - 2);
    });

    it('above a minute is reported instead', async () => {
      asked('61');
      const error = await failure(ask(ion.client()), 'ION_RATE_LIMITED');
      assert.equal(error.attempts, 1);
      assert.equal(error.retryAfterMs, 61_000);
      asked(new Date(Date.now() + 120_000).toUTCString(), 503);
      const later = await failure(ask(ion.client()), 'ION_SERVER');
      assert.ok((later.retryAfterMs ?? 0) > 110_000);
    });
  });

  describe('tokens', () => {
    it('that were revoked are replaced, once for all requests', async () => {
      const client = ion.client({ concurrency: 5 });
      await ask(client);
      ion.sandbox.control.revokeTokens();
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(client)));
      assert.ok(answers.some(({ attempts }) => attempts === 2));
      assert.equal(counters().token.total, 2);
    });

    it('that are revoked again immediately are replaced again', async () => {
      const client = ion.client();
      await ask(client);
      for (let i = 0; i < 3; i++) {
        ion.sandbox.control.revokeTokens();
        assert.equal((await ask(client)).attempts, 2);
      }
    });

    it('that were rejected as replacements are not used again', async () => {
      const client = ion.client();
      await ask(client);
      fault({ kind: 'unauthorized' }, { times: 3 });
      await failure(ask(client), 'ION_AUTH');
      ion.sandbox.control.resetCounters();
      assert.equal((await ask(client)).attempts, 1);
      assert.equal(counters().token.total, 1);
    });

    it('that the API accepts only after a while cost no message, neither at first nor at a renewal', async () => {
      // More than a second, because `iat` is cut to whole seconds.
      ion.sandbox.control.set({ clockBehind: 2, tokenLifetime: 8 });
      const client = ion.client({ retries: 0 });
      const { total } = counters().token;
      // Until there was a renewal, and some time with the new token.
      await until(async () => {
        await ask(client);
        return counters().token.total === total + 3;
      });
      const refused = counters().api.byStatus[401] ?? 0;
      assert.ok(refused >= 2 && refused < 20, `${refused} were refused`);
    });

    it('that are still valid are not replaced if ION only reports an error of its own', async () => {
      const { now } = performance;
      let clock = 0;
      const sent: string[] = [];
      let grants = 0;
      const server = closing(
        await httpServer((request, response) => {
          if (request.url !== '/graphql') {
            const token = { access_token: `token-${++grants}`, token_type: 'bearer' };
            response.end(JSON.stringify({ ...token, expires_in: 300 }));
            return;
          }
          sent.push(String(request.headers.authorization));
          const fault = { errors: [{ message: 'Internal server error' }] };
          const isNew = sent.at(-1) === 'token-2';
          response.end(JSON.stringify(isNew ? fault : { data: { me: { id: 1 } } }));
        }),
      );
      const client = ion.client({ apiUrl: server.url, authUrl: server.url, retries: 0 });
      try {
        performance.now = () => clock;
        await ask(client);
        clock = 250_000;
        await until(async () => {
          await ask(client).catch(() => {});
          return sent.at(-1) === 'token-2';
        });
        await ask(client);
        assert.equal(sent.at(-1), 'token-1');
      } finally {
        performance.now = now;
      }
    });

    it('that expired are replaced', async () => {
      ion.sandbox.control.set({ tokenLifetime: 1 });
      const client = ion.client();
      await ask(client);
      const { total } = counters().token;
      await until(async () => {
        await ask(client);
        return counters().token.total > total;
      });
    });

    it('that are rejected again and again end in ION_AUTH', async () => {
      for (const [authScheme, times] of [
        ['raw', 2],
        ['bearer', 2],
        // Each token in both forms.
        ['auto', 4],
      ] as const) {
        fault({ kind: 'unauthorized', message: 'Token is expired.' }, { times });
        const error = await failure(ask(ion.client({ authScheme })), 'ION_AUTH');
        assert.match(error.message, /"Token is expired\."/);
        assert.equal(error.attempts, times);
        assert.equal(error.status, 401);
      }
    });

    it('of another environment lead to that advice and are not requested with every message', async () => {
      const client = ion.client({ authUrl: ion.sandbox.foreignAuthUrl, concurrency: 3 });
      for (let i = 0; i < 10; i++) {
        const error = await failure(ask(client), 'ION_AUTH');
        assert.match(error.message, /Unable to find appropriate RSA key.*another environment/);
      }
      await Promise.all(Array.from({ length: 10 }, () => failure(ask(client), 'ION_AUTH')));
      assert.equal(counters().token.total, 2);
    });

    it('are refused to a wrong key, once for many messages', async () => {
      const client = ion.client({ key: { clientId: 'sandbox-key', clientSecret: 'wrong' } });
      await Promise.all(Array.from({ length: 20 }, () => failure(ask(client), 'ION_AUTH')));
      const error = await failure(ask(client), 'ION_AUTH');
      assert.match(error.message, /refused the API key/);
      assert.equal(error.attempts, 0);
      assert.equal(counters().token.total, 1);
      assert.equal(counters().api.total, 0);
    });
  });

  describe('concurrency', () => {
    it('reaches its limit and never exceeds it', async () => {
      ion.sandbox.control.set({ latency: 5 });
      const client = ion.client({ concurrency: 3 });
      await Promise.all(Array.from({ length: 30 }, () => ask(client)));
      assert.equal(counters().api.peakConcurrent, 3);
    });

    it('is not exceeded by retries', async () => {
      ion.sandbox.control.set({ latency: 5 });
      fault({ kind: 'status', status: 503 }, { times: 10 });
      const client = ion.client({ concurrency: 2, retries: 10 });
      await Promise.all(Array.from({ length: 10 }, () => ask(client)));
      assert.ok(counters().api.peakConcurrent <= 2);
    });

    it('is released after failures of every kind', async () => {
      const client = ion.client({ concurrency: 1, retries: 0, timeoutMs: 500 });
      fault({ kind: 'reset' });
      fault({ kind: 'status', status: 500 });
      fault({ kind: 'hang' });
      fault({ kind: 'unauthorized' }, { times: 4 });
      await failure(ask(client), 'ION_NETWORK');
      await failure(ask(client), 'ION_SERVER');
      await failure(ask(client), 'ION_TIMEOUT');
      await failure(ask(client), 'ION_AUTH');
      ion.sandbox.control.clearFaults();
      await ask(client);
    });

    it('processes messages in order', async () => {
      const client = ion.client({ concurrency: 1 });
      const ids = Array.from({ length: 20 }, (_, i) => i + 1);
      await Promise.all(ids.map((id) => ask(client, RUN, { variables: { id } })));
      assert.deepEqual(
        bodies().map(({ variables }) => variables.id),
        ids,
      );
    });

    it('processes a retried message before queued ones', async () => {
      fault({ kind: 'status', status: 503 }, { match: '"id":1' });
      fault({ kind: 'latency', ms: 50 }, { match: '"id":2' });
      const client = ion.client({ concurrency: 1 });
      await Promise.all([1, 2, 3].map((id) => ask(client, RUN, { variables: { id } })));
      assert.deepEqual(
        bodies().map(({ variables }) => variables.id),
        [1, 2, 1, 3],
      );
    });

    it('queues only the configured number, and fails the next with ION_OVERLOADED', async () => {
      ion.sandbox.control.set({ latency: 20 });
      const client = ion.client({ concurrency: 2, queueLimit: 3 });
      const accepted = Array.from({ length: 5 }, () => ask(client));
      const error = await failure(ask(client), 'ION_OVERLOADED');
      assert.match(error.message, /3 messages are already queued/);
      assert.equal(error.attempts, 0);
      // The next page of a list in progress is let in.
      accepted.push(ask(client, ME, { isNew: false }));
      await Promise.all(accepted);
      assert.equal(counters().api.total, 6);
    });
  });

  describe('that closes', () => {
    it('ends running, queued and pausing messages with ION_CLOSED', async () => {
      const client = ion.client({ concurrency: 1 });
      fault({ kind: 'status', status: 503, headers: { 'retry-after': '30' } });
      fault({ kind: 'hang' });
      let pauses = false;
      const pausing = failure(
        ask(client, ME, {
          onState: (state) => {
            pauses ||= state === 'retrying';
          },
        }),
        'ION_CLOSED',
      );
      await until(() => pauses);
      const running = failure(ask(client), 'ION_CLOSED');
      await until(() => counters().api.total === 2);
      const waiting = failure(ask(client), 'ION_CLOSED');
      await client.close();
      const [paused, ran, waited] = await Promise.all([pausing, running, waiting]);
      assert.deepEqual([paused.attempts, ran.attempts, waited.attempts], [1, 1, 0]);
      await until(() => counters().api.concurrent === 0);
    });

    it('says of a running mutation that it may have been executed, but not of a queued one', async () => {
      const client = ion.client({ concurrency: 1 });
      fault({ kind: 'hang' }, { execute: true });
      const running = failure(ask(client, CREATE), 'ION_CLOSED');
      const waiting = failure(ask(client, CREATE), 'ION_CLOSED');
      await until(() => counters().executed.createRun === 1);
      await client.close();
      assert.match((await running).message, MAY_HAVE_RUN);
      assert.doesNotMatch((await waiting).message, MAY_HAVE_RUN);
    });

    for (const [what, effect] of [
      ['is asked for', { kind: 'hang' }],
      [
        'will be asked for again',
        { kind: 'status', status: 503, headers: { 'retry-after': '30' } },
      ],
    ] as [string, FaultEffect][]) {
      it(`ends messages that wait for a token that ${what}`, async () => {
        ion.sandbox.control.fault({ target: 'token', ...effect });
        const client = ion.client();
        const waiting = failure(ask(client, CREATE), 'ION_CLOSED');
        await until(() => counters().token.total === 1);
        await client.close();
        assert.doesNotMatch((await waiting).message, MAY_HAVE_RUN);
      });
    }

    it('accepts no more requests, and may be closed again', async () => {
      const client = ion.client();
      await client.close();
      await failure(ask(client), 'ION_CLOSED');
      await client.close();
      assert.equal(counters().token.total, 0);
    });
  });

  describe('that drops one message', () => {
    it('ends it with ION_CLOSED and continues with the others', async () => {
      const client = ion.client({ concurrency: 1 });
      fault({ kind: 'hang' });
      const controllers = [new AbortController(), new AbortController()];
      const [running, waiting] = controllers.map(({ signal }) =>
        failure(ask(client, ME, { signal }), 'ION_CLOSED'),
      );
      const last = ask(client);
      await until(() => counters().api.total === 1);
      for (const controller of controllers.reverse()) controller.abort();
      await Promise.all([running, waiting]);
      assert.equal((await last).attempts, 1);
    });

    it('ends before a pause begins, and leaves no timer behind', async () => {
      const controller = new AbortController();
      fault({ kind: 'status', status: 429, headers: { 'retry-after': '0' } });
      const { signal } = controller;
      const onState = (state: RequestState) => {
        if (state === 'retrying') controller.abort();
      };
      await failure(ask(ion.client(), ME, { signal, onState }), 'ION_CLOSED');
      // Effects of such a timer would be visible before this one.
      await new Promise((resolve) => setTimeout(resolve, 1));
    });

    it('ends a pause before a retry', async () => {
      const controller = new AbortController();
      fault({ kind: 'status', status: 429, headers: { 'retry-after': '30' } });
      const { signal } = controller;
      const onState = (state: RequestState) => {
        if (state === 'retrying') setImmediate(() => controller.abort());
      };
      await failure(ask(ion.client(), ME, { signal, onState }), 'ION_CLOSED');
    });
  });

  describe('secrets', () => {
    const clientSecret = `S3CRET p@ss w*rd!(x)~'"&%\\`;
    const key = { clientId: 'test-key', clientSecret };

    /** Servers that copy their requests into their responses. */
    const echoing = async (
      tokenAnswer: (received: string, response: ServerResponse) => void,
      apiAnswer: (received: string, response: ServerResponse) => void = () => {},
    ) => {
      const handler = async (request: IncomingMessage, response: ServerResponse) => {
        let body = '';
        for await (const chunk of request.setEncoding('utf8')) body += chunk;
        if (request.url === '/graphql') apiAnswer(String(request.headers.authorization), response);
        else tokenAnswer(body, response);
      };
      const server = closing(
        await httpServer((request, response) => void handler(request, response)),
      );
      return ion.client({ apiUrl: server.url, authUrl: server.url, key, retries: 0 });
    };
    const json = (response: ServerResponse, status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    let tokens = 0;
    const grant = (_received: string, response: ServerResponse) =>
      json(response, 200, {
        access_token: `T0KEN.${++tokens}.${'x'.repeat(500)}`,
        token_type: 'Bearer',
        expires_in: 300,
      });
    const check = async (client: IonClient) => {
      const error = await ask(client, CREATE).then(
        () => assert.fail('did not fail'),
        (thrown: unknown) => thrown,
      );
      const all = everythingIn(error);
      assert.ok(!/S3CR|T0KE|p%40ss|p@ss/.test(all), all);
      return error as Error;
    };

    const byTokenServer: [string, (received: string, response: ServerResponse) => void][] = [
      [
        'as the reason',
        (received, response) =>
          json(response, 401, { error: received, error_description: received }),
      ],
      [
        'with the secret in clear',
        (received, response) =>
          json(response, 400, { error: new URLSearchParams(received).get('client_secret') }),
      ],
      [
        'in a redirect',
        (received, response) =>
          response.writeHead(302, { location: `https://login.example/?${received}` }).end(),
      ],
      ['as text', (received, response) => response.end(received)],
      ['as text with a fault', (received, response) => response.writeHead(500).end(received)],
      [
        'in JSON that is no token',
        (received, response) => json(response, 200, { [received]: received }),
      ],
    ];
    for (const [what, response] of byTokenServer) {
      it(`are not shown when the auth server repeats them ${what}`, async () => {
        await check(await echoing(response));
      });
    }

    const byApi: [string, (received: string, response: ServerResponse) => void][] = [
      [
        'in errors',
        (received, response) =>
          json(response, 200, {
            errors: [{ message: `Bad ${received}`, extensions: { headers: [received] } }],
          }),
      ],
      [
        'in errors, at the place where a quote ends',
        (received, response) =>
          json(response, 200, { errors: [{ message: `${'-'.repeat(190)}${received}` }] }),
      ],
      [
        'in a refusal',
        (received, response) => json(response, 401, { errors: [{ message: received }] }),
      ],
      ['as text', (received, response) => response.end(`You sent ${received}`)],
      [
        'in a web page',
        (received, response) =>
          response.writeHead(500).end(`<html><title>${received}</title><h1>${received}</h1>`),
      ],
      [
        'in headers',
        (received, response) =>
          response.writeHead(307, { location: received, 'x-b3-trace-id': received }).end(),
      ],
    ];
    for (const [what, response] of byApi) {
      it(`are not shown when the API repeats them ${what}`, async () => {
        const error = await check(await echoing(grant, response));
        assert.match(error.message, /\*\*\*|HTTP 500/);
      });
    }

    it('are not shown when the API repeats them in a response that is not HTTP', async () => {
      const auth = closing(await httpServer((_request, response) => grant('', response)));
      const api = closing(
        await tcpServer((socket) =>
          socket.on('data', (received) => socket.end(`HTTP/1.1 nonsense ${received}`)),
        ),
      );
      const client = ion.client({ apiUrl: api.url, authUrl: auth.url, key, retries: 0 });
      const error = await check(client);
      assert.ok(error.cause instanceof Error, 'the cause is kept');
    });

    it('are not shown when a late response repeats a replaced token', async () => {
      const late: ServerResponse[] = [];
      const client = await echoing(grant, (received, response) => {
        if (late.length === 0) {
          response.setHeader('x-received', received);
          late.push(response);
        } else {
          json(response, 401, { errors: [{ message: 'Token is expired.' }] });
        }
      });
      const slow = check(client);
      await until(() => late.length === 1);
      await failure(ask(client), 'ION_AUTH');
      const [response] = late;
      if (response) {
        json(response, 500, { errors: [{ message: String(response.getHeader('x-received')) }] });
      }
      assert.match((await slow).message, /\*\*\*/);
    });
  });

  it('requests no token with every message if ION rejects them with HTTP 200', async () => {
    const errors = [{ message: 'Log in.', extensions: { code: 'UNAUTHENTICATED' } }];
    ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, times: 100 });
    const client = ion.client();
    for (let message = 0; message < 5; message++) {
      await failure(ask(client, '{ me { id } }'), 'ION_AUTH');
    }
    assert.ok(counters().token.total <= 2, `${counters().token.total} token requests`);
  });

  it('never reports that the storage host may have executed something', async () => {
    const storage = closing(
      await tcpServer((socket) => socket.once('data', () => socket.destroy())),
    );
    const { signal } = new AbortController();
    const url = new URL(storage.url);
    const body = (async function* () {})();
    const client = ion.client();
    const lookUp = await failure(client.storedObject(url, signal), 'ION_NETWORK');
    const upload = client.upload({ url, headers: {}, size: 0, body, signal });
    assert.equal(lookUp.mayHaveRun, false);
    assert.equal((await failure(upload, 'ION_NETWORK')).mayHaveRun, false);
  });
});
