import assert from 'node:assert/strict';
import type { IonError, IonErrorCode } from '../../../nodes/client/errors.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { readBody, readResponse } from '../../../nodes/client/graphql/response.js';
import type { HttpResponse } from '../../../nodes/client/http/transport.js';
import { thrown } from '../../support/errors.js';

const HOST = 'api.example.com';

const answer = (status: number, body: unknown, headers: HttpResponse['headers'] = {}) => ({
  status,
  headers,
  text: typeof body === 'string' ? body : JSON.stringify(body),
});
const read = (given: HttpResponse) => readResponse(given, HOST, readBody(given, HOST));
const errors = (...messages: string[]) => ({ errors: messages.map((message) => ({ message })) });
const fail = (code: IonErrorCode, ...given: Parameters<typeof answer>) =>
  thrown(() => read(answer(...given)), code);

describe('response', () => {
  it('returns data, extensions and trace ID', () => {
    const body = { data: { me: { id: 6 } }, extensions: { cost: 3 } };
    const date = 'Wed, 25 Nov 2026 12:00:00 GMT';
    assert.deepEqual(read(answer(200, body, { 'x-b3-trace-id': 'abc', date })), {
      data: { me: { id: 6 } },
      extensions: { cost: 3 },
      traceId: 'abc',
      date,
      textLength: JSON.stringify(body).length,
    });
  });

  const good: [string, unknown][] = [
    ['nothing but data', { data: { me: null } }],
    ['an empty list of errors', { data: { me: null }, errors: [] }],
    ['null for errors', { data: { me: null }, errors: null }],
    ['extensions that are no object', { data: { me: null }, extensions: null }],
  ];
  for (const [what, body] of good) {
    it(`is valid with ${what}`, () => {
      const { data, extensions } = read(answer(200, body));
      assert.deepEqual(data, { me: null });
      assert.equal(extensions, undefined);
    });
  }

  const PAGE = '<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head></html>';
  const codes: [IonErrorCode, number, unknown, RegExp][] = [
    // GraphQL errors with HTTP 200.
    ['ION_GRAPHQL', 200, errors('Cannot query field "x".'), /^Cannot query field "x"\.$/],
    ['ION_GRAPHQL', 200, errors('One.', 'Two.'), /^One\. · Two\.$/],
    [
      'ION_GRAPHQL',
      200,
      errors('Torque above 50 has to be confirmed.'),
      /^Torque above 50 has to be confirmed\.$/,
    ],
    ['ION_GRAPHQL', 200, { errors: ['a text'], data: {} }, /^a text$/],
    ['ION_GRAPHQL', 200, { errors: [{}], data: {} }, /unknown error/],
    ['ION_GRAPHQL', 200, { errors: [{ message: ' ' }], data: {} }, /^" "$/],
    ['ION_GRAPHQL', 200, { errors: [{ message: '' }], data: {} }, /^"unknown error"$/],
    ['ION_GRAPHQL', 200, { errors: [5, { message: 'One.' }] }, /^5 · One\.$/],
    ['ION_GRAPHQL', 200, { errors: [{ message: 'One.' }], data: {}, version: 2 }, /^One\.$/],
    ['ION_GRAPHQL', 200, { errors: [{ message: { code: 5 } }], data: {} }, /\{"code":5\}/],
    // JSON of gateways.
    ['ION_RESPONSE', 200, { errors: ['a text'] }, /a text/],
    ['ION_RESPONSE', 200, { errors: [{ title: 'Forbidden' }] }, /Forbidden/],
    ['ION_RESPONSE', 200, { success: false, errors: [{ message: 'No.' }], result: null }, /No\./],
    ['ION_FORBIDDEN', 403, { errors: ['Access denied'] }, /gateway.*Access denied/],
    ['ION_FORBIDDEN', 403, { errors: [{ status: '403', title: 'No' }] }, /gateway.*No/],
    ['ION_NOT_FOUND', 404, { errors: [{ status: '404' }] }, /gateway/],
    ['ION_RESPONSE', 400, { errors: [] }, /gateway/],
    ['ION_FORBIDDEN', 200, errors('User does not have permission to update this resource.'), /key/],
    ['ION_FORBIDDEN', 200, errors('Missing permissions: UpdateRunStep'), /Missing permissions/],
    [
      'ION_FORBIDDEN',
      200,
      { errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] },
      /^No\./,
    ],
    [
      'ION_CONFLICT',
      200,
      errors('The etag 1 does not match the current etag of Run 5.'),
      /read it/,
    ],
    ['ION_CONFLICT', 200, errors('ETag mismatch'), /new etag/],
    ['ION_CONFLICT', 200, errors('E-Tag mismatch'), /new etag/],
    ['ION_CONFLICT', 200, errors('The _etag is stale.'), /new etag/],
    ['ION_CONFLICT', 200, errors('stale_etag'), /new etag/],
    ['ION_GRAPHQL', 200, errors('The vintage stage tag is wrong.'), /stage tag/],
    // Reading again would not help a document without the etag.
    [
      'ION_GRAPHQL',
      200,
      errors('Field "UpdateRunInput.etag" of required type "String!" was not provided.'),
      /was not provided\.$/,
    ],
    ['ION_GRAPHQL', 200, errors('Cannot query field "etag" on type "Run".'), /Cannot query/],
    ['ION_GRAPHQL', 200, errors('Variable "$etag" is not defined by operation "X".'), /\$etag/],
    ['ION_GRAPHQL', 200, errors('Variable "$etag" is never used in operation "X".'), /\$etag/],
    ['ION_AUTH', 200, errors('Token is expired.'), /Token is expired/],
    [
      'ION_AUTH',
      200,
      { errors: [{ message: 'Log in.', extensions: { code: 'UNAUTHENTICATED' } }], data: null },
      /Log in/,
    ],
    // Statuses with a GraphQL body: its message has priority.
    ['ION_GRAPHQL', 400, errors('Must provide query string.'), /^Must provide query string\.$/],
    ['ION_GRAPHQL', 422, errors('The step is not in progress.'), /^The step is not in progress\.$/],
    ['ION_FORBIDDEN', 403, errors('Not yours.'), /^Not yours\. .*creator/],
    ['ION_NOT_FOUND', 404, errors('Run 5 was not found.'), /^Run 5 was not found\.$/],
    ['ION_CONFLICT', 409, errors('Somebody was faster.'), /^Somebody was faster\. .*new etag/],
    ['ION_RATE_LIMITED', 429, errors('Slow down.'), /^ION's rate limit .*: "Slow down\."\. Send/],
    ['ION_SERVER', 500, errors('list index out of range'), /HTTP 500\): "list index out of range"/],
    ['ION_SERVER', 503, errors('Maintenance.'), /Maintenance/],
    [
      'ION_SERVER',
      200,
      { errors: [{ message: 'No.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }] },
      /^ION returned a server error: "No\."\. Try again later/,
    ],
    [
      'ION_AUTH',
      401,
      errors('Unable to find appropriate RSA key'),
      /belongs to another environment/,
    ],
    ['ION_AUTH', 401, errors('Token is expired.'), /clock/],
    ['ION_AUTH', 401, errors('The token is not yet valid (iat)'), /clock/],
    ['ION_AUTH', 401, PAGE, /gateway.*"502 Bad Gateway"/],
    ['ION_FORBIDDEN', 403, '<title>Access Denied - WAF</title>', /gateway.*Access Denied - WAF/],
    [
      'ION_AUTH',
      401,
      errors('Unable to parse authentication token'),
      /automatic authorization header/,
    ],
    ['ION_AUTH', 401, errors('Please provide proper credentials'), /proxy.*Authorization header/],
    ['ION_AUTH', 401, errors('Something new'), /"Something new".*environment/],
    // Statuses alone.
    ['ION_AUTH', 401, '', /refused the access token\. Check/],
    [
      'ION_FORBIDDEN',
      403,
      '<html>Forbidden</html>',
      /^A gateway, proxy or firewall responded for api\.example\.com, not ION \(HTTP 403\)/,
    ],
    ['ION_NOT_FOUND', 404, 'Not Found', /gateway.*HTTP 404: "Not Found"\)\. Check the API URL/],
    ['ION_CONFLICT', 409, '', /HTTP 409/],
    ['ION_RATE_LIMITED', 429, 'Too many', /^ION's rate limit .*\(HTTP 429: "Too many"\)\. Send/],
    ['ION_RESPONSE', 413, 'No', /\(HTTP 413: "No"\)\. It is too large: send less/],
    ['ION_RESPONSE', 300, '', /redirects to nowhere\. Redirects are not followed/],
    ['ION_SERVER', 500, PAGE, /HTTP 500/],
    ['ION_SERVER', 502, PAGE, /HTTP 502.*30 s.*page by page/],
    ['ION_SERVER', 503, '', /HTTP 503.*status\.firstresonance\.io/],
    ['ION_SERVER', 504, PAGE, /HTTP 504.*30 s/],
    ['ION_SERVER', 599, '', /HTTP 599/],
    // Responses that are not GraphQL.
    ['ION_RESPONSE', 200, '', /api\.example\.com sent an empty response/],
    ['ION_RESPONSE', 200, PAGE, /web page "502 Bad Gateway" instead of JSON/],
    ['ION_RESPONSE', 200, '<!doctype html><p>hello', /web page instead of JSON/],
    ['ION_RESPONSE', 200, 'it works!', /not JSON.*"it works!"/],
    ['ION_RESPONSE', 200, '{"data":{"me":', /not JSON/],
    ['ION_RESPONSE', 200, ' \n', /api\.example\.com sent an empty response/],
    ['ION_RESPONSE', 200, '{"status":"up"}', /response \(HTTP 200: \{"status":"up"\}\)\. Check/],
    ['ION_RESPONSE', 200, '["up"]', /response \(HTTP 200\)\. Check/],
    ['ION_RESPONSE', 200, '"up"', /response \(HTTP 200\)\. Check/],
    ['ION_RESPONSE', 200, '{"data":"https://example.com/"}', /response \(HTTP 200\)\. Check/],
    ['ION_RESPONSE', 200, '{}', /JSON that is not a GraphQL response/],
    ['ION_RESPONSE', 200, 'null', /JSON that is not a GraphQL response/],
    ['ION_RESPONSE', 200, '[{"data":{}}]', /JSON that is not a GraphQL response/],
    ['ION_RESPONSE', 200, { data: null }, /JSON that is not a GraphQL response/],
    ['ION_RESPONSE', 200, { data: [] }, /JSON that is not a GraphQL response/],
    ['ION_RESPONSE', 204, '', /empty response \(HTTP 204\)/],
    ['ION_RESPONSE', 400, 'Bad Request', /HTTP 400/],
    ['ION_RESPONSE', 405, '', /HTTP 405/],
  ];
  for (const [code, status, body, message] of codes) {
    const shown = typeof body === 'string' ? body : JSON.stringify(body);
    it(`HTTP ${status} ${shown.replace(/\s+/g, ' ').slice(0, 70)} → ${code}`, () => {
      assert.match(fail(code, status, body).message, message);
    });
  }

  it('contains some of the requested fields, unless directives left them out', () => {
    const asked = (text: string, data: object, more: object = {}) => {
      const given = answer(200, { ...more, data });
      return readResponse(given, HOST, readBody(given, HOST), { operation: parseOperation(text) });
    };
    asked('{ me { id } }', { me: null });
    asked('{ who: me { id } }', { who: null });
    asked('query ($x: Boolean!) { me @include(if: $x) { id } }', {});
    asked('{ run { id } me { id } }', { me: null });
    asked('{ ...Part } fragment Part on Query { me { id } }', { me: null });
    for (const data of [{}, { items: [] }, { me2: 1 }]) {
      const error = thrown(() => asked('{ me { id } }', data, { success: false }), 'ION_RESPONSE');
      assert.equal(error.origin, 'gateway');
      assert.equal(error.mayHaveRun, true);
    }
    thrown(() => asked('{ who: me { id } }', { me: null }), 'ION_RESPONSE');
  });

  it('with a redirect names its target, which is not followed', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const location = 'https://login.example.com/';
      const error = fail('ION_RESPONSE', status, '', { location });
      assert.match(error.message, /redirects to https:\/\/login\.example\.com\/.*API URL/);
    }
  });

  it('with data and errors fails and keeps both', () => {
    const body = {
      data: { me: { id: 6 }, run: null },
      errors: [
        { message: 'No such run.', path: ['run'], locations: [{ line: 1, column: 2 }], x: 1 },
      ],
    };
    const error = fail('ION_GRAPHQL', 200, body, { 'x-b3-trace-id': 'abc' });
    assert.deepEqual(error.data, body.data);
    assert.deepEqual(error.errors, body.errors);
    assert.equal(error.status, 200);
    assert.equal(error.traceId, 'abc');
  });

  it('that cannot be used names the limit, unless its status explains the failure', async () => {
    const deep = '['.repeat(300) + ']'.repeat(300);
    const error = thrown(() => readBody(answer(200, deep), HOST), 'ION_RESPONSE');
    assert.match(error.message, /^The response of api\.example\.com cannot be used\. .*200 levels/);
    assert.deepEqual([error.status, error.mayHaveRun], [200, true]);
    assert.equal(readBody(answer(500, deep), HOST), undefined);
    assert.equal(readBody(answer(199, deep), HOST), undefined);
    thrown(() => readBody(answer(299, deep), HOST), 'ION_RESPONSE');
  });

  it('that forbids a mutation names the permissions that it needs, as ION names them', () => {
    const forbidden = (text: string) => {
      const given = answer(200, errors('User does not have permission to do this.'));
      const operation = parseOperation(text);
      const readIt = () => readResponse(given, HOST, readBody(given, HOST), { operation });
      return thrown(readIt, 'ION_FORBIDDEN').message;
    };
    const fields = ['a: updateRun', 'updateRun', 'createPart', 'deleteX', 'createY'];
    assert.match(
      forbidden(`mutation { ${fields.map((field) => `${field} { id }`).join(' ')} }`),
      /; this needs UpdateRun, CreatePart, DeleteX\)$/,
    );
    for (const text of ['{ runs { id } }', 'mutation { ...F } fragment F on Mutation { a }']) {
      assert.match(forbidden(text), /when it was created\)$/);
    }
  });

  it('drops data next to errors that is too large to be copied for a Catch node', () => {
    const rows = (count: number) => ({ runs: Array.from({ length: count }, (_, id) => ({ id })) });
    for (const [count, isKept] of [
      [10_000, true],
      [100_000, false],
    ] as const) {
      const body = { data: rows(count), ...errors('No.') };
      const good = { status: 200, headers: {}, text: '' };
      const error = thrown(() => readResponse(good, 'host', body), 'ION_GRAPHQL');
      assert.equal(error.data !== undefined, isKept, String(count));
      assert.equal(error.mayHaveRun, true);
    }
  });

  it('passes on a trace ID only if it looks like one and contains no piece of the token', () => {
    const token = 'tok-abcdefghij-0123456789.klmnopqrst';
    const given: [string, boolean][] = [
      ['463ac35c9f6413ad', true],
      ['463ac35c9f6413ad48485a3953bb6124', true],
      ['Root=1-67891233-abcdef012345678912345678:a/b+c.d_e', true],
      ['x'.repeat(128), true],
      ['x'.repeat(129), false],
      [`t ${'1'.repeat(16)}`, false],
      ['<b>1</b>', false],
      ['', false],
      [token, false],
      [`trace-${token}`, false],
      [token.slice(10, 22), false],
      [`${'1'.repeat(60)}${token.slice(-12)}`, false],
      [token.slice(0, 11), true],
    ];
    const shown = { data: { me: {} } };
    for (const [id, isPassedOn] of given) {
      const headers = { 'x-b3-trace-id': id };
      const good = { status: 200, headers, text: JSON.stringify(shown) };
      const bad = { status: 500, headers, text: '' };
      const expected = isPassedOn ? id : undefined;
      assert.equal(readResponse(good, 'host', shown, { token }).traceId, expected, id);
      const error = thrown(() => readResponse(bad, 'host', undefined, { token }), 'ION_SERVER');
      assert.equal(error.traceId, expected, id);
    }
  });

  it('that mentions tokens next to data does not mean a rejected token', () => {
    fail('ION_GRAPHQL', 200, { data: { me: {} }, ...errors('Token is expired.') });
  });

  it('counts a token rejected by GraphQL as status 401, so that a new one is fetched', () => {
    assert.equal(fail('ION_AUTH', 200, errors('Token is expired.')).status, 401);
  });

  it('keeps at most 100 errors', () => {
    const many = errors(...Array.from({ length: 101 }, (_, index) => `No. ${index}`));
    assert.equal(fail('ION_GRAPHQL', 200, many).errors?.length, 100);
  });

  it('quotes at most a line of a long text', () => {
    const { message } = fail('ION_GRAPHQL', 200, errors('x'.repeat(10_000)));
    assert.equal(message, `${'x'.repeat(200)}…`);
    const { errors: kept } = fail('ION_GRAPHQL', 200, errors('x'.repeat(10_000)));
    assert.equal(kept?.[0]?.message.length, 10_000);
  });

  it('passes on the retry delay, in seconds or as a date', () => {
    const date = new Date(Date.now() + 30_000).toUTCString();
    for (const [status, code] of [
      [429, 'ION_RATE_LIMITED'],
      [503, 'ION_SERVER'],
    ] as const) {
      assert.equal(fail(code, status, '', { 'retry-after': '7' }).retryAfterMs, 7000);
      const inTime = fail(code, status, '', { 'retry-after': date }).retryAfterMs ?? 0;
      assert.ok(inTime > 25_000 && inTime <= 30_000);
      assert.equal(fail(code, status, '').retryAfterMs, undefined);
    }
  });

  // For retries see the table in the tests of the client.
  const safety: [number, HttpResponse['headers'], { transient: boolean; mayHaveRun: boolean }][] = [
    [200, {}, { transient: true, mayHaveRun: true }],
    [302, {}, { transient: true, mayHaveRun: true }],
    [400, {}, { transient: true, mayHaveRun: false }],
    [401, {}, { transient: false, mayHaveRun: false }],
    [403, {}, { transient: true, mayHaveRun: false }],
    [404, {}, { transient: true, mayHaveRun: false }],
    [408, {}, { transient: true, mayHaveRun: false }],
    [409, {}, { transient: true, mayHaveRun: false }],
    [413, {}, { transient: false, mayHaveRun: false }],
    [429, {}, { transient: true, mayHaveRun: false }],
    [500, {}, { transient: true, mayHaveRun: true }],
    [502, {}, { transient: true, mayHaveRun: true }],
    [503, {}, { transient: true, mayHaveRun: true }],
    [503, { 'retry-after': '1' }, { transient: true, mayHaveRun: false }],
    [503, { 'retry-after': '-5' }, { transient: true, mayHaveRun: true }],
    [503, { 'retry-after': 'soon 3' }, { transient: true, mayHaveRun: true }],
    [504, {}, { transient: true, mayHaveRun: true }],
    [504, { 'retry-after': '1' }, { transient: true, mayHaveRun: true }],
  ];
  for (const [status, headers, expected] of safety) {
    const after = headers['retry-after'];
    const name = after ? `${status} with Retry-After ${after}` : `${status}`;
    it(`of HTTP ${name} is ${expected.transient ? '' : 'not '}temporary, the operation ${expected.mayHaveRun ? 'may have' : 'has not'} run`, () => {
      const isExpected = (error: unknown) => {
        const { transient, mayHaveRun } = error as IonError;
        assert.deepEqual({ transient, mayHaveRun }, expected);
        return true;
      };
      assert.throws(() => read(answer(status, '', headers)), isExpected);
    });
  }

  it('with errors shows whether the operation had begun: by data, or by a path below its fields', () => {
    const told: [object, boolean][] = [
      [errors('Refused.'), false],
      [{ data: null, errors: [{ message: 'Refused.', path: ['createRun'] }] }, false],
      [{ data: { createRun: null }, errors: [{ message: 'No.', path: ['createRun'] }] }, false],
      [{ data: null, errors: [{ message: 'No.', path: ['createRun', 'run'] }] }, true],
      [{ data: { createRun: { run: null } }, ...errors('No.') }, true],
    ];
    for (const [body, expected] of told) {
      assert.equal(fail('ION_GRAPHQL', 200, body).mayHaveRun, expected, JSON.stringify(body));
    }
  });

  it('with a redirect leaves open whether the operation ran', () => {
    assert.equal(fail('ION_RESPONSE', 303, '').mayHaveRun, true);
  });

  it('that is invalid after a success leaves open whether the operation ran', () => {
    assert.equal(fail('ION_RESPONSE', 200, 'it works!').mayHaveRun, true);
  });
});
