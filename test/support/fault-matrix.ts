import type { IonErrorCode } from '../../nodes/client/errors.js';
import type { Fault, FaultEffect, Sandbox } from '../../sandbox/server.js';

/** Location of the failure: the API, or the auth server's token endpoint. */
export type Endpoint = Fault['target'];
export type OperationKind = 'query' | 'mutation';

/**
 * Outcome of a write through the outbox while the fault lasts: it `waits` until somebody answers again,
 * `tries` a number of times while ION answers others, `rejects` at once, or is `delivered`.
 */
export type ByOutbox = 'waits' | 'tries' | 'rejects' | 'delivered';

/** The expected outcome of a message. */
export interface Expected {
  /** Missing if it succeeds after all. */
  code?: IonErrorCode;
  /** Requests to the endpoint. */
  tries: number;
  /** Pauses of the back-off between them. */
  pauses?: number;
  /** Requests that end with the timeout. */
  timeouts?: number;
  /** The server says when to come back: at least and at most so many ms. */
  asked?: { least: number; most: number };
  /** The text says of a mutation that it may have been executed. */
  mayHaveRun?: boolean;
}

/** Actions that a fault may need in addition to the faults of the sandbox. */
export interface Stage {
  sandbox: Sandbox;
  /** Sends a message through the node under test, before anything goes wrong. */
  warmUp(): Promise<void>;
  /** Sets the clock of the Node-RED process a day ahead. */
  jumpClock(): Promise<void>;
}

/** A fault at one endpoint, and what comes of it. */
export interface FaultCase {
  effect?: FaultEffect | (() => FaultEffect);
  /** Number of requests that it hits; all by default. */
  times?: number;
  /** A regular expression for the bodies of these requests. */
  match?: string;
  /** Properties of the config node. */
  config?: (places: Places) => object;
  /** Properties of the node of the query. */
  queryNode?: object;
  prepare?: (stage: Stage) => Promise<void>;
  /** The server says itself that it did not execute the operation, and is taken at its word. */
  turnsAway?: boolean;
  query: Expected;
  mutation: Expected;
  /** `delivered` by default for a temporary fault, otherwise `waits`. */
  outbox?: ByOutbox;
  /** An additional note for the table. */
  note?: string;
}

/** Hosts with a failure before HTTP begins. */
export interface Places {
  nobody: string;
  untrusted: string;
}

export interface FaultRow {
  name: string;
  api: FaultCase;
  token: FaultCase;
}

const RETRIES = 3;
const UNKNOWN_HOST = 'invalid';
/** Timeout of the whole exchange, in s. */
export const SHORT_TIMEOUT = 0.5;
/** Rows of a page and of the list, for cases that read pages. */
const PAGE = 5;
const PAGES = 4;
export const LIST = PAGE * PAGES;

const answered: Expected = { tries: 1 };
const givenUp = (code: IonErrorCode): Expected => ({
  code,
  tries: 1 + RETRIES,
  pauses: RETRIES,
});
const atOnce = (code: IonErrorCode): Expected => ({ code, tries: 1 });
const maybe = (expected: Expected): Expected => ({ ...expected, mayHaveRun: true });
const timedOut = (expected: Expected): Expected => ({ ...expected, timeouts: expected.tries });
const afterOneSecond: Expected = { tries: 2, asked: { least: 1000, most: 1000 } };
/** Dates have whole seconds. */
const atDate: Expected = { tries: 2, asked: { least: 900, most: 2000 } };

/** A query is retried, a mutation is not, because it may have run. */
const passing = (code: IonErrorCode) => ({
  query: givenUp(code),
  mutation: maybe(atOnce(code)),
});
/** Neither is retried; the mutation may have run. */
const useless = (code: IonErrorCode) => ({
  query: atOnce(code),
  mutation: maybe(atOnce(code)),
});
/** Nothing was executed, whatever the operation. */
const both = (expected: Expected) => ({ query: expected, mutation: expected });

const status = (
  code: number,
  body = 'The server says no.',
  headers: Record<string, string> = {},
): FaultEffect => ({ kind: 'status', status: code, body, headers });
const json = (code: number, value: object): FaultEffect => ({
  kind: 'status',
  status: code,
  body: JSON.stringify(value),
  contentType: 'application/json',
});
/** A response of a gateway, a firewall or a captive portal. */
const webPage = (code: number, title: string, headers: Record<string, string> = {}) =>
  ({
    kind: 'status',
    status: code,
    body: `<!doctype html><html><head><title>${title}</title></head><body>Sorry.</body></html>`,
    contentType: 'text/html',
    headers,
  }) as const satisfies FaultEffect;
const inTwoSeconds = () => new Date(Math.floor(Date.now() / 1000) * 1000 + 2000).toUTCString();
const oauthError = (error: string) => ({ error, error_description: 'Explained in other words.' });

const shortTimeout = () => ({ timeout: SHORT_TIMEOUT });
const large = 65 * 1024 * 1024;

/** An effect with the same meaning at both endpoints, and its outcome at each. */
const anywhere = (
  name: string,
  effect: FaultEffect | (() => FaultEffect),
  api: Pick<FaultCase, 'query' | 'mutation'>,
  token: Expected,
  more: Partial<FaultCase> = {},
): FaultRow => ({
  name,
  api: { effect, ...api, ...more },
  token: { effect, ...both(token), ...more },
});

/** After 404, each token request is repeated at the other path. */
const atBothPaths = (code: number, expected: Expected): Expected =>
  code === 404 ? { ...expected, tries: 2 * expected.tries } : expected;

/** Statuses of requests that were not processed, so that a mutation is retried as well. */
const UNREAD = [408, 421, 425];
/** A web page instead of a response: a query is retried; a mutation is known not to have run. */
const page = (
  code: number,
  title: string,
  api: IonErrorCode,
  token: IonErrorCode = 'ION_RESPONSE',
): FaultRow =>
  anywhere(
    `web page with HTTP ${code}`,
    webPage(code, title, code === 408 ? { connection: 'close' } : {}),
    { query: givenUp(api), mutation: UNREAD.includes(code) ? givenUp(api) : atOnce(api) },
    atBothPaths(code, givenUp(token)),
    { turnsAway: true },
  );

const NOT_IN_STOCK = 'The part is not in stock.';
/** ION's errors about the operation: it is rejected, whatever the status. */
const graphqlWith = (
  code: number,
  api: IonErrorCode,
  token: IonErrorCode = 'ION_RESPONSE',
): FaultRow => ({
  name: `GraphQL \`errors\` with HTTP ${code}`,
  api: {
    effect: json(code, { errors: [{ message: NOT_IN_STOCK }] }),
    ...both(atOnce(api)),
    turnsAway: true,
    outbox: 'rejects',
  },
  token: {
    effect: json(code, { errors: [{ message: NOT_IN_STOCK }] }),
    ...both(token === 'ION_AUTH' ? atOnce(token) : atBothPaths(code, givenUp(token))),
  },
});

/** A query of the test, and the operations of its mutations and the outbox; nothing else. */
const OPERATIONS = 'run\\(id|createRun|UpdateRunStepFieldValue';
/** ION's errors about itself, in response to some operations: it answers others. */
const trouble = (name: string, message: string, extensions?: object): FaultRow => {
  const errors = [{ message, path: ['operation'], ...(extensions && { extensions }) }];
  return {
    name,
    api: {
      effect: { kind: 'graphql', data: null, errors },
      match: OPERATIONS,
      ...passing('ION_SERVER'),
      outbox: 'tries',
    },
    token: { effect: json(200, { errors }), ...both(givenUp('ION_RESPONSE')) },
  };
};

/** All faults, row by row. */
export const faultRows: FaultRow[] = [
  {
    name: 'host name not found (DNS)',
    api: {
      config: () => ({ apiUrl: `https://ion-api.${UNKNOWN_HOST}` }),
      ...both(givenUp('ION_NETWORK')),
    },
    token: {
      config: () => ({ authUrl: `https://ion-auth.${UNKNOWN_HOST}` }),
      ...both(givenUp('ION_NETWORK')),
    },
  },
  {
    name: 'connection refused',
    api: { config: ({ nobody }) => ({ apiUrl: nobody }), ...both(givenUp('ION_NETWORK')) },
    token: { config: ({ nobody }) => ({ authUrl: nobody }), ...both(givenUp('ION_NETWORK')) },
  },
  anywhere(
    'connection reset before the headers',
    { kind: 'reset' },
    passing('ION_NETWORK'),
    givenUp('ION_NETWORK'),
  ),
  anywhere(
    'connection reset in the middle of the body',
    { kind: 'half' },
    passing('ION_NETWORK'),
    givenUp('ION_NETWORK'),
  ),
  anywhere(
    'truncated JSON',
    { kind: 'body', body: '{"data": {"run": {"id": 1' },
    passing('ION_RESPONSE'),
    givenUp('ION_RESPONSE'),
  ),
  {
    name: 'untrusted certificate',
    api: { config: ({ untrusted }) => ({ apiUrl: untrusted }), ...both(atOnce('ION_NETWORK')) },
    token: { config: ({ untrusted }) => ({ authUrl: untrusted }), ...both(atOnce('ION_NETWORK')) },
  },
  anywhere(
    'no response within the timeout',
    { kind: 'hang' },
    {
      query: timedOut(givenUp('ION_TIMEOUT')),
      mutation: timedOut(maybe(atOnce('ION_TIMEOUT'))),
    },
    timedOut(givenUp('ION_TIMEOUT')),
    { config: shortTimeout },
  ),
  anywhere(
    'slow response, byte by byte',
    { kind: 'drip', ms: 20 },
    {
      query: timedOut(givenUp('ION_TIMEOUT')),
      mutation: timedOut(maybe(atOnce('ION_TIMEOUT'))),
    },
    timedOut(givenUp('ION_TIMEOUT')),
    { config: shortTimeout },
  ),
  {
    name: 'HTTP 400',
    api: {
      effect: status(400),
      query: givenUp('ION_RESPONSE'),
      mutation: atOnce('ION_RESPONSE'),
      turnsAway: true,
    },
    token: { effect: json(400, oauthError('invalid_request')), ...both(atOnce('ION_AUTH')) },
  },
  {
    name: 'HTTP 401 once',
    api: {
      effect: { kind: 'unauthorized' },
      times: 1,
      ...both({ tries: 2 }),
      turnsAway: true,
      note: 'retried in the other format if the token was never accepted, else with a new token',
    },
    token: {
      effect: json(401, oauthError('invalid_client')),
      times: 1,
      ...both(atOnce('ION_AUTH')),
      note: 'next token request with the first message after 1 s',
    },
  },
  {
    name: 'HTTP 401 permanently',
    api: {
      effect: { kind: 'unauthorized' },
      ...both({ code: 'ION_AUTH', tries: 4 }),
      turnsAway: true,
      note: 'two tokens, each in both formats',
    },
    token: {
      effect: json(401, oauthError('invalid_client')),
      ...both(atOnce('ION_AUTH')),
      note: 'next token request after 1 s, doubling to 60 s; until then messages fail without a request',
    },
  },
  page(400, 'Bad Request', 'ION_RESPONSE'),
  {
    name: 'web page with HTTP 401',
    api: {
      effect: webPage(401, 'Sign in'),
      ...both({ code: 'ION_AUTH', tries: 4 }),
      turnsAway: true,
      note: 'two tokens, each in both formats',
    },
    token: { effect: webPage(401, 'Sign in'), ...both(givenUp('ION_RESPONSE')) },
  },
  page(403, 'Access Denied', 'ION_FORBIDDEN'),
  page(404, 'No such route', 'ION_NOT_FOUND', 'ION_NOT_FOUND'),
  page(405, 'Not Allowed', 'ION_RESPONSE'),
  page(408, 'Request Timeout', 'ION_TIMEOUT', 'ION_TIMEOUT'),
  page(409, 'Conflict', 'ION_CONFLICT'),
  page(410, 'Gone', 'ION_RESPONSE'),
  anywhere(
    'web page with HTTP 413',
    webPage(413, 'Request Entity Too Large'),
    both(atOnce('ION_RESPONSE')),
    givenUp('ION_RESPONSE'),
    { turnsAway: true },
  ),
  page(421, 'Misdirected Request', 'ION_RESPONSE'),
  page(422, 'Unprocessable', 'ION_RESPONSE'),
  page(425, 'Too Early', 'ION_RESPONSE'),
  page(451, 'Blocked', 'ION_RESPONSE'),
  graphqlWith(400, 'ION_GRAPHQL'),
  graphqlWith(403, 'ION_FORBIDDEN'),
  graphqlWith(404, 'ION_NOT_FOUND', 'ION_NOT_FOUND'),
  graphqlWith(405, 'ION_GRAPHQL'),
  graphqlWith(409, 'ION_CONFLICT'),
  graphqlWith(410, 'ION_GRAPHQL'),
  graphqlWith(413, 'ION_GRAPHQL'),
  graphqlWith(422, 'ION_GRAPHQL'),
  graphqlWith(451, 'ION_GRAPHQL'),
  {
    name: 'GraphQL `errors` with HTTP 408',
    api: {
      effect: json(408, { errors: [{ message: 'Come again.' }] }),
      ...both(givenUp('ION_TIMEOUT')),
      turnsAway: true,
    },
    token: {
      effect: json(408, { errors: [{ message: 'Come again.' }] }),
      ...both(givenUp('ION_TIMEOUT')),
    },
  },
  ...[421, 425].map((code) =>
    anywhere(
      `GraphQL \`errors\` with HTTP ${code}`,
      json(code, { errors: [{ message: 'Come again.' }] }),
      both(givenUp('ION_SERVER')),
      givenUp('ION_RESPONSE'),
      { turnsAway: true },
    ),
  ),
  anywhere(
    'GraphQL `errors` with HTTP 500',
    json(500, { errors: [{ message: 'list index out of range' }] }),
    passing('ION_SERVER'),
    givenUp('ION_SERVER'),
  ),
  trouble('database deadlock in `errors`', '(psycopg2.errors.DeadlockDetected) deadlock detected'),
  trouble(
    'exhausted connection pool in `errors`',
    'QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00',
  ),
  trouble('time limit in `errors`', 'canceling statement due to statement timeout'),
  trouble('`INTERNAL_SERVER_ERROR` in `extensions.code`', 'It did not work.', {
    code: 'INTERNAL_SERVER_ERROR',
  }),
  anywhere(
    'HTTP 429 with `Retry-After` in seconds, once',
    status(429, '', { 'retry-after': '1' }),
    both(afterOneSecond),
    afterOneSecond,
    { times: 1, turnsAway: true },
  ),
  anywhere(
    'HTTP 429 with `Retry-After` as a date, once',
    () => status(429, '', { 'retry-after': inTwoSeconds() }),
    both(atDate),
    atDate,
    { times: 1, turnsAway: true },
  ),
  anywhere(
    'HTTP 429 without `Retry-After`',
    status(429),
    both(givenUp('ION_RATE_LIMITED')),
    givenUp('ION_RATE_LIMITED'),
    { turnsAway: true },
  ),
  anywhere('HTTP 500', status(500), passing('ION_SERVER'), givenUp('ION_SERVER')),
  anywhere('HTTP 502', status(502), passing('ION_SERVER'), givenUp('ION_SERVER')),
  anywhere(
    'HTTP 503 with `Retry-After`, once',
    status(503, '', { 'retry-after': '1' }),
    both(afterOneSecond),
    afterOneSecond,
    { times: 1, turnsAway: true },
  ),
  anywhere(
    'HTTP 503 without `Retry-After`',
    status(503),
    passing('ION_SERVER'),
    givenUp('ION_SERVER'),
  ),
  ...['-5', '1,5', 'soon 3'].map((after) =>
    anywhere(
      `HTTP 503 with \`Retry-After: ${after}\``,
      status(503, '', { 'retry-after': after }),
      passing('ION_SERVER'),
      givenUp('ION_SERVER'),
    ),
  ),
  anywhere('HTTP 504', status(504), passing('ION_SERVER'), givenUp('ION_SERVER')),
  anywhere(
    'web page with HTTP 520',
    webPage(520, 'Unknown Error'),
    passing('ION_SERVER'),
    givenUp('ION_SERVER'),
  ),
  anywhere(
    'redirect',
    { kind: 'redirect', location: 'https://login.example.com/' },
    passing('ION_RESPONSE'),
    givenUp('ION_RESPONSE'),
  ),
  anywhere(
    'web page with HTTP 200 (captive portal)',
    {
      kind: 'body',
      body: '<!doctype html><title>Guest network</title><p>Welcome',
      contentType: 'text/html',
    },
    passing('ION_RESPONSE'),
    givenUp('ION_RESPONSE'),
  ),
  anywhere(
    'empty response with HTTP 200',
    { kind: 'body', body: '' },
    passing('ION_RESPONSE'),
    givenUp('ION_RESPONSE'),
  ),
  anywhere(
    'JSON with an unexpected structure',
    { kind: 'body', body: '{"status": "ok"}' },
    passing('ION_RESPONSE'),
    givenUp('ION_RESPONSE'),
  ),
  anywhere(
    '`errors` only',
    { kind: 'graphql', errors: [{ message: 'The part is not in stock.' }] },
    both(atOnce('ION_GRAPHQL')),
    givenUp('ION_RESPONSE'),
    { turnsAway: true, outbox: 'rejects' },
  ),
  anywhere(
    '`data` and `errors`',
    {
      kind: 'graphql',
      data: { createRun: { run: null } },
      errors: [{ message: 'The run cannot be read.', path: ['createRun', 'run'] }],
    },
    useless('ION_GRAPHQL'),
    givenUp('ION_RESPONSE'),
    { outbox: 'rejects' },
  ),
  {
    name: '`errors` that refuse the token, with HTTP 200',
    api: {
      effect: {
        kind: 'graphql',
        errors: [{ message: 'Log in.', extensions: { code: 'UNAUTHENTICATED' } }],
      },
      ...both({ code: 'ION_AUTH', tries: 4 }),
      turnsAway: true,
      note: 'two tokens, each in both formats',
    },
    token: {
      effect: json(200, oauthError('invalid_client')),
      ...both(atOnce('ION_AUTH')),
    },
  },
  anywhere(
    'response over 64 MiB',
    { kind: 'big', bytes: large },
    useless('ION_RESPONSE'),
    atOnce('ION_RESPONSE'),
  ),
  anywhere(
    'gzip bomb',
    { kind: 'gzip-bomb', bytes: large },
    useless('ION_RESPONSE'),
    atOnce('ION_RESPONSE'),
  ),
  anywhere(
    'invalid UTF-8',
    { kind: 'body', base64: Buffer.from('{"data": {"run": "\xff"}}', 'latin1').toString('base64') },
    passing('ION_RESPONSE'),
    givenUp('ION_RESPONSE'),
  ),
  {
    name: 'the token expires in the middle of a list, or between two messages',
    api: {
      effect: { kind: 'unauthorized', message: 'Token is expired.' },
      times: 1,
      // All pages except the first: they have a cursor.
      match: `${Buffer.from('arrayconnection').toString('base64')}|createRun`,
      queryNode: {
        query: '{ runs { edges { node { id } } } }',
        pages: 'all',
        pageSize: PAGE,
        limit: LIST,
      },
      prepare: ({ warmUp }) => warmUp(),
      query: { tries: PAGES + 1 },
      mutation: { tries: 2 },
      turnsAway: true,
      note: 'retried with a new token',
    },
    token: {
      effect: status(503),
      times: 1,
      prepare: async ({ sandbox, warmUp }) => {
        await warmUp();
        sandbox.control.revokeTokens();
      },
      ...both({ tries: 2, pauses: 1 }),
      note: 'the auth server is unavailable once, at that moment',
    },
  },
  {
    name: 'the clock of this machine jumps by a day',
    api: {
      effect: () => status(429, '', { 'retry-after': inTwoSeconds() }),
      times: 1,
      prepare: ({ jumpClock }) => jumpClock(),
      ...both(atDate),
      turnsAway: true,
      note: 'with a `Retry-After` date',
    },
    token: {
      prepare: async ({ warmUp, jumpClock }) => {
        await warmUp();
        await jumpClock();
      },
      ...both({ ...answered, tries: 0 }),
      note: 'the token is used until it expires',
    },
  },
];
