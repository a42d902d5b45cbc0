import assert from 'node:assert/strict';
import type { Acceptance, AfterRefusal } from '../../../nodes/client/auth/access-tokens.js';
import { closedError, IonError } from '../../../nodes/client/errors.js';
import {
  ApiFailure,
  GraphqlApi,
  type GraphqlApiOptions,
} from '../../../nodes/client/graphql/graphql-api.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import type { HttpRequest, HttpResponse } from '../../../nodes/client/http/transport.js';

const QUERY = '{ me { id } }';
const MUTATION = 'mutation { createRun { id } }';
const json = (status: number, body: object): HttpResponse => ({
  ...{ status, headers: {}, text: JSON.stringify(body) },
});
const good = json(200, { data: { me: null, createRun: null } });
const errors = (message: string) => ({ errors: [{ message }] });
const refused = json(401, errors('Unable to parse authentication token'));

describe('a request to the API', () => {
  let posted: HttpRequest[];
  let responses: (HttpResponse | Error)[];
  let onPost: () => void;
  let calls: string[];
  let next: AfterRefusal;
  let acceptance: Acceptance | undefined;
  let closing: AbortController;
  let progress: { attempts: number; tokens: Set<string> };
  beforeEach(() => {
    posted = [];
    responses = [];
    onPost = () => {};
    calls = [];
    next = 'again';
    acceptance = 'unknown';
    closing = new AbortController();
    progress = { attempts: 0, tokens: new Set() };
  });

  const api = (authScheme: GraphqlApiOptions['authScheme'] = 'raw') => {
    let tokens = 0;
    return new GraphqlApi({
      url: new URL('https://api.example.com/graphql'),
      authScheme,
      tokens: {
        get: () => {
          const token = `token-${++tokens}`;
          return tokens % 2 ? token : Promise.resolve(token);
        },
        accept: (token) => void calls.push(`accept ${token}`),
        refuse: (token, isNotYetValid) => {
          calls.push(`refuse ${token} ${isNotYetValid}`);
          return next;
        },
        acceptanceOf: () => acceptance,
        refuseBothForms: (token) => void calls.push(`refuse both forms of ${token}`),
      },
      transport: {
        async post(request) {
          posted.push(request);
          onPost();
          const response = responses.shift() ?? good;
          if (response instanceof Error) throw response;
          return response;
        },
      },
    });
  };
  const send = (from: GraphqlApi, text = QUERY) =>
    from.send(parseOperation(text), `{"query":"${text}"}`, closing.signal, progress);
  const failureOf = async (from: GraphqlApi, text = QUERY): Promise<ApiFailure> => {
    const result = await send(from, text);
    assert.ok(result instanceof ApiFailure);
    return result;
  };
  const schemes = () => posted.map(({ headers }) => new Headers(headers).get('authorization'));

  it('has the token, the document and the forms of a response that can be read', async () => {
    const result = await send(api());
    assert.ok(!(result instanceof ApiFailure));
    assert.deepEqual(result.data, { me: null, createRun: null });
    const [request] = posted;
    assert.deepEqual(
      [request?.peer, request?.url.href, request?.body, request?.signal],
      ['api', 'https://api.example.com/graphql', `{"query":"${QUERY}"}`, closing.signal],
    );
    assert.deepEqual(Object.fromEntries(new Headers(request?.headers)), {
      accept: 'application/json, application/graphql-response+json;q=0.9',
      authorization: 'token-1',
      'content-type': 'application/json',
    });
    assert.deepEqual(calls, ['accept token-1']);
    assert.deepEqual(progress, { attempts: 1, tokens: new Set(['token-1']) });
  });

  it('shows that the token is good if ION executed it or refused the operation, and only then', async () => {
    responses = [json(200, errors('No such run.'))];
    assert.equal((await failureOf(api())).error.message, 'No such run.');
    assert.deepEqual(calls, ['accept token-1']);
    calls = [];
    for (const response of [
      json(502, {}),
      json(403, {}),
      new IonError('ION_NETWORK', 'not reached'),
      new Error('a surprise'),
    ]) {
      responses = [response];
      assert.equal((await failureOf(api())).waitsForToken, false);
    }
    assert.deepEqual(calls, []);
  });

  it('is repeated once with a new token if the token is refused', async () => {
    responses = [refused];
    assert.ok(!((await send(api(), MUTATION)) instanceof ApiFailure));
    assert.deepEqual(calls, ['refuse token-1 false', 'accept token-2']);
    assert.deepEqual(progress, { attempts: 2, tokens: new Set(['token-1', 'token-2']) });
    calls = [];
    responses = [refused, refused];
    await failureOf(api());
    assert.deepEqual(calls, ['refuse token-1 false', 'refuse token-2 false']);
  });

  it('is not repeated if no newer token would help', async () => {
    for (const [after, waits] of [
      ['later', true],
      ['fail', false],
    ] as const) {
      posted = [];
      next = after;
      responses = [json(401, errors('The token is not yet valid (nbf)'))];
      assert.equal((await failureOf(api('auto'))).waitsForToken, waits);
      assert.equal(posted.length, 1);
    }
    assert.equal(calls[0], 'refuse token-1 true');
  });

  it('tries the other form of the header once, which stays if ION reads it', async () => {
    const from = api('auto');
    responses = [refused, json(200, errors('No such run.'))];
    await failureOf(from);
    assert.equal(from.authScheme, 'bearer');
    assert.deepEqual(schemes(), ['token-1', 'Bearer token-1']);
    posted = [];
    await send(from);
    assert.deepEqual(schemes(), ['Bearer token-2']);
  });

  it('knows that ION reads a form if the token in it is only not valid yet', async () => {
    const from = api('auto');
    next = 'later';
    responses = [refused, json(401, errors('The token is not yet valid (nbf)'))];
    assert.equal((await failureOf(from)).waitsForToken, true);
    assert.equal(from.authScheme, 'bearer');
  });

  it('keeps the form if neither is read, or if nothing shows that the other one is', async () => {
    const from = api('auto');
    next = 'fail';
    responses = [refused, refused];
    const { error } = await failureOf(from);
    assert.match(error.message, /The access token was sent bare and as a bearer token\.$/);
    assert.deepEqual(calls, ['refuse both forms of token-1', 'refuse token-1 false']);
    responses = [refused, json(502, {})];
    assert.equal((await failureOf(from)).error.code, 'ION_SERVER');
    assert.equal(from.authScheme, 'raw');
  });

  it('reports the form in which ION could read the token, if it refuses both', async () => {
    next = 'fail';
    const wrongKey = json(401, errors('Unable to find appropriate RSA key'));
    for (const both of [
      [wrongKey, refused],
      [refused, wrongKey],
    ]) {
      responses = [...both];
      assert.match((await failureOf(api('auto'))).error.message, /RSA key.*sent bare and as/);
    }
  });

  it('does not try the other form again for a token that was refused in both, or accepted', async () => {
    next = 'fail';
    for (const [known, text] of [
      ['refusedInBothForms', /sent bare and as a bearer token/],
      ['accepted', /^((?!bare).)*$/],
      [undefined, /^((?!bare).)*$/],
    ] as const) {
      posted = [];
      acceptance = known;
      responses = [refused];
      assert.match((await failureOf(api('auto'))).error.message, text);
      assert.equal(posted.length, 1);
    }
  });

  it('ends while a long response is read, which may be one of an executed mutation', async () => {
    const rows = Array.from({ length: 200_000 }, (_, id) => ({ id, title: 'x'.repeat(20) }));
    responses = [json(200, { data: { createRun: rows } })];
    onPost = () => setImmediate(() => closing.abort(closedError()));
    const { error } = await failureOf(api(), MUTATION);
    assert.deepEqual([error.code, error.mayHaveRun], ['ION_CLOSED', true]);
  });
});
