import assert from 'node:assert/strict';
import {
  type GraphqlError,
  IonError,
  type IonErrorCode,
  type Origin,
} from '../../../nodes/client/errors.js';
import {
  classifyApiFailure,
  classifyTokenFailure,
  isNotYetValid,
  isOperationRejected,
} from '../../../nodes/client/failures/classify-failure.js';

const error = (message: string, more: object = {}): GraphqlError => ({ message, ...more });
const coded = (code: string) => error('It did not work.', { extensions: { code } });

function verdict(status: number, errors?: GraphqlError[], data?: Record<string, unknown>) {
  return classifyApiFailure({ status, errors, data, retryAfterMs: undefined });
}

describe('verdict: who answered, and what the answer says about the operation', () => {
  describe('ION about its own state', () => {
    // Texts of PostgreSQL, psycopg2, SQLAlchemy, proxies and servers, as clients receive them.
    const passing = [
      '(psycopg2.errors.DeadlockDetected) deadlock detected\nDETAIL: Process 1 waits for ShareLock',
      '(psycopg2.errors.SerializationFailure) could not serialize access due to concurrent update',
      '(psycopg2.errors.LockNotAvailable) canceling statement due to lock timeout',
      '(psycopg2.errors.QueryCanceled) canceling statement due to statement timeout',
      '(psycopg2.OperationalError) server closed the connection unexpectedly',
      '(psycopg2.OperationalError) could not connect to server: Connection refused',
      '(psycopg2.OperationalError) FATAL: sorry, too many clients already',
      '(psycopg2.OperationalError) FATAL:  remaining connection slots are reserved',
      '(psycopg2.InterfaceError) connection already closed',
      '(psycopg2.errors.AdminShutdown) terminating connection due to administrator command',
      '(psycopg2.errors.ReadOnlySqlTransaction) cannot execute UPDATE in a read-only transaction',
      '(psycopg2.errors.UndefinedColumn) column "x" does not exist',
      'FATAL: the database system is starting up',
      'QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00',
      "Can't reconnect until invalid transaction is rolled back.",
      "This Session's transaction has been rolled back due to a previous exception during flush.",
      'SSL connection has been closed unexpectedly',
      'could not translate host name "db" to address: Temporary failure in name resolution',
      'Connection pool exhausted',
      'connect ETIMEDOUT 10.0.0.5:5432',
      "HTTPConnectionPool(host='x', port=443): Read timed out. (read timeout=10)",
      'upstream request timeout',
      'Internal server error',
      'Internal Server Error',
      'Service temporarily unavailable',
      'Something went wrong. Please try again later.',
      'Request timed out',
      'Query timeout exceeded',
      'SoftTimeLimitExceeded()',
      'The operation took longer than the time limit of 25 s',
      'An unexpected error occurred',
      'asyncpg.exceptions.SerializationError: restart',
      "couldn't get a connection after 30.00 sec",
      'connection was closed in the middle of operation',
      'the connection is closed',
      'permission denied for table run_steps',
      'relation "run_steps" does not exist',
      'cannot execute UPDATE during recovery',
      'query_wait_timeout',
      'no more connections allowed (max_client_conn)',
      "(2006, 'MySQL server has gone away')",
      "(1040, 'Too many connections')",
      "READONLY You can't write against a read only replica.",
      'LOADING Redis is loading the dataset in memory',
      'Error -2 connecting to redis:6379. Name or service not known.',
      '[Errno 28] No space left on device',
      'Worker exited prematurely: signal 9 (SIGKILL)',
      'Hard time limit (30s) exceeded',
      'TimeoutError()',
      'no healthy upstream',
      'upstream connect error or disconnect/reset before headers',
      'socket hang up',
      'Unexpected error.',
      'The service is down for maintenance',
      'Error: timed out',
    ];
    for (const message of passing) {
      it(`is temporary: ${message.split('\n')[0]}`, () => {
        const found = verdict(200, [error(message, { path: ['updateRun'] })], { updateRun: null });
        assert.equal(found.origin, 'service');
        assert.equal(found.code, 'ION_SERVER');
        assert.equal(found.transient, true);
        // The error came from the execution: it is unknown how far that got.
        assert.equal(found.notRun, false);
        assert.equal(verdict(200, [error(message)]).notRun, true);
      });
    }

    for (const code of ['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE', 'TIMEOUT', 'internal']) {
      it(`is temporary with the code ${code}`, () => {
        assert.equal(verdict(200, [coded(code)]).code, 'ION_SERVER');
        assert.equal(verdict(200, [error('No.', { code })]).origin, 'service');
      });
    }

    for (const [what, found] of Object.entries({
      'HTTP 429': verdict(429, [error('Slow down.')]),
      'a code': verdict(200, [coded('RATE_LIMITED')]),
      'a text': verdict(200, [error('Rate limit exceeded')]),
    })) {
      it(`asks for fewer requests by ${what}`, () => {
        assert.equal(found.code, 'ION_RATE_LIMITED');
        assert.equal(found.origin, 'service');
        assert.equal(found.notRun, true);
      });
    }

    it('is temporary with an error status, whatever the text, and with a status that says so itself', () => {
      for (const status of [500, 502, 503, 504, 520]) {
        assert.equal(verdict(status, [error('list index out of range')]).code, 'ION_SERVER');
      }
      for (const status of [408, 421, 425]) {
        assert.equal(verdict(status, [error('Come again.')]).notRun, true);
      }
    });
  });

  describe('ION about the operation', () => {
    const refused: [string, IonErrorCode, number, GraphqlError][] = [
      ['a rule', 'ION_GRAPHQL', 200, error('Torque above 50 has to be confirmed.')],
      ['a rule that asks for another try', 'ION_GRAPHQL', 200, error('Try again with gloves.')],
      ['a rule about a pool', 'ION_GRAPHQL', 200, error('The pool of operators is too small.')],
      ['a rule about time', 'ION_GRAPHQL', 200, error('Cure time is 20 min at least.')],
      [
        'a value that is there already',
        'ION_GRAPHQL',
        200,
        error('(psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint'),
      ],
      [
        'a text that is no number',
        'ION_GRAPHQL',
        200,
        error('(psycopg2.errors.InvalidTextRepresentation) invalid input syntax for type integer'),
      ],
      ...[
        'Leak rate limit exceeded',
        'Feed rate limit is 200 mm/min',
        'The throttling valve must be closed first',
        'Scrap quota exceeded for this shift',
        'Interlock timeout: close the guard',
        'Adhesive timeout exceeded: mix a new batch',
        'Operation time out of tolerance',
        'Open time limit of 20 min exceeded',
        'Part exceeded the time between bake and coat',
        'Calibration deadline exceeded for gauge G-12',
        'Press 4 is under maintenance',
        'Tool 12 is temporarily unavailable',
        'The machine is in maintenance mode',
        'No space left on shelf B2',
        'The rinse pool is full',
        'The worker pool is too small for shift 2',
        'Broken pipe found at inspection',
        'Check that the coolant connection is closed',
        'Vacuum connection lost',
        'Too many connections at terminal 4',
        'Upstream connector J4 has no torque value',
        'Door unexpectedly closed during the test',
        'Oven not at temperature: try again in a few minutes',
        'An unknown error code was recorded for unit 5',
        'Deadlock bolt torque is missing',
        'Transaction was aborted by the operator',
      ].map((text): [string, IonErrorCode, number, GraphqlError] => [
        `"${text}"`,
        'ION_GRAPHQL',
        200,
        error(text, { path: ['updateRun'] }),
      ]),
      ['HTTP 400', 'ION_GRAPHQL', 400, error('No such field.')],
      ['HTTP 404', 'ION_NOT_FOUND', 404, error('No such run.')],
      ['HTTP 410', 'ION_GRAPHQL', 410, error('The run is gone.')],
      ['HTTP 422', 'ION_GRAPHQL', 422, error('Not in progress.')],
      ['HTTP 403', 'ION_FORBIDDEN', 403, error('Not yours.')],
      ['a permission', 'ION_FORBIDDEN', 200, error('User does not have permission.')],
      ['FORBIDDEN', 'ION_FORBIDDEN', 200, coded('FORBIDDEN')],
      ['an etag', 'ION_CONFLICT', 200, error('Etag does not match')],
      ['CONCURRENCY_ERROR as a code', 'ION_CONFLICT', 200, coded('CONCURRENCY_ERROR')],
      [
        'CONCURRENCY_ERROR beside the message',
        'ION_CONFLICT',
        200,
        error('It was changed.', { code: 'CONCURRENCY_ERROR' }),
      ],
      ['CONCURRENCY_ERROR in the text', 'ION_CONFLICT', 200, error('CONCURRENCY_ERROR: changed')],
      ['CONCURRENCY_ERROR with a fault', 'ION_CONFLICT', 500, coded('CONCURRENCY_ERROR')],
      ['CONCURRENCY_ERROR with HTTP 400', 'ION_CONFLICT', 400, coded('CONCURRENCY_ERROR')],
    ];
    for (const [what, code, status, entry] of refused) {
      it(`rejects it by ${what}`, () => {
        const found = verdict(status, [entry]);
        assert.equal(found.code, code);
        assert.equal(found.origin, 'operation');
        assert.equal(found.transient, false);
        assert.equal(isOperationRejected(new IonError(found.code, '', found)), true);
      });
    }

    it('rejects it if one of several errors does', () => {
      const found = verdict(200, [error('deadlock detected'), error('Not in stock.')]);
      assert.equal(found.code, 'ION_GRAPHQL');
      const both = [coded('INTERNAL_SERVER_ERROR'), error('Not in stock.')];
      assert.equal(verdict(200, both).code, 'ION_GRAPHQL');
      assert.equal(verdict(200, [both[0] as GraphqlError, error('timed out')]).code, 'ION_SERVER');
    });

    it('rejects it if a rule mentions another token', () => {
      assert.equal(verdict(200, [error('The release token is expired.')]).code, 'ION_GRAPHQL');
    });
  });

  describe('ION about the token', () => {
    const texts = [
      'Please provide proper credentials',
      'Unable to parse authentication token',
      'Unable to validate authentication token',
      'Unable to find appropriate RSA key',
      'Token is expired.',
      'UNAUTHORIZED',
      'Unauthorized',
    ];
    for (const text of texts) {
      it(`rejects it: ${text}`, () => {
        for (const found of [
          verdict(200, [error(text)]),
          verdict(400, [error(text)]),
          verdict(200, [error(text, { path: ['me'] })], { me: null }),
        ]) {
          assert.equal(found.code, 'ION_AUTH');
          assert.equal(found.origin, 'service');
          assert.equal(found.notRun, true);
        }
      });
    }

    it('does not reject it if a part of the operation ran, or a permission is missing', () => {
      const ran = verdict(200, [error('UNAUTHORIZED', { path: ['b'] })], { a: 1, b: null });
      assert.notEqual(ran.code, 'ION_AUTH');
      const entry = error('You do not have permission.', { extensions: { code: 'UNAUTHORIZED' } });
      assert.equal(verdict(200, [entry]).code, 'ION_FORBIDDEN');
    });

    it('does not say that a mutation did not run if a part of it may have', () => {
      const ran = { data: { a: 1, b: null }, errors: [error('Unauthorized', { path: ['b'] })] };
      const found = verdict(401, ran.errors, ran.data);
      assert.deepEqual([found.code, found.notRun, found.mayHaveRun], ['ION_AUTH', false, true]);
      // A field that is null without an error of its own.
      for (const text of ['Unauthorized', 'Too many requests']) {
        const entry = error(text, { path: ['b'] });
        assert.equal(verdict(200, [entry], { a: null, b: null }).notRun, false, text);
      }
      // Data with a status that says that the request was not processed.
      for (const status of [401, 408, 429]) {
        assert.equal(verdict(status, undefined, { a: { id: 1 } }).notRun, false);
        assert.equal(verdict(status, undefined, { a: null }).notRun, true);
      }
      const both = ['a', 'b'].map((name) => error('Unauthorized', { path: [name] }));
      assert.equal(verdict(200, both, { a: null, b: null }).notRun, true);
    });

    it('says in many ways that it is too young', () => {
      for (const [text, expected] of [
        ['The token is not yet valid (iat)', true],
        ['The token is not yet valid (nbf)', true],
        ['Token used before issued', true],
        ['ID Token not yet valid', true],
        ['jwt not active', true],
        ['The user is not active', false],
        ['Token is expired.', false],
      ] as const) {
        const found = isNotYetValid(new IonError('ION_AUTH', '', { errors: [error(text)] }));
        assert.equal(found, expected, text);
      }
    });
  });

  describe('an intermediary', () => {
    it('rejects nothing, whatever its status', () => {
      for (let status = 200; status < 600; status++) {
        const found = verdict(status);
        const origin: Origin = 'gateway';
        assert.equal(found.origin, origin, String(status));
        assert.equal(
          isOperationRejected(new IonError(found.code, '', found)),
          false,
          String(status),
        );
      }
    });
  });

  describe('the token endpoint', () => {
    it('says nothing about an operation, whatever the response', () => {
      for (const oauthError of [undefined, 'invalid_client', 'server_error', 'anything']) {
        for (let status = 200; status < 600; status++) {
          const found = classifyTokenFailure(status, oauthError, true);
          assert.equal(
            isOperationRejected(new IonError(found.code, '', found)),
            false,
            String(status),
          );
          assert.equal(found.notRun, true);
        }
      }
    });

    it('refuses the key only by an OAuth error, or without any reason', () => {
      assert.equal(classifyTokenFailure(401, 'invalid_client', false).code, 'ION_AUTH');
      assert.equal(classifyTokenFailure(400, 'invalid_grant', false).code, 'ION_AUTH');
      assert.equal(classifyTokenFailure(401, undefined, false).code, 'ION_AUTH');
      assert.equal(classifyTokenFailure(401, undefined, true).code, 'ION_RESPONSE');
      assert.equal(classifyTokenFailure(403, undefined, false).code, 'ION_RESPONSE');
      // Typical error names of web servers and gateways.
      assert.equal(classifyTokenFailure(403, 'Forbidden', false).transient, true);
      assert.equal(classifyTokenFailure(400, 'Bad Request', false).transient, true);
    });
  });
});
