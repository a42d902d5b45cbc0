import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Random } from '../../sandbox/data/random.js';
import { tick } from '../../sandbox/live/simulation.js';
import type { Fault, FaultEffect } from '../../sandbox/server.js';
import { until } from '../support/until.js';
import { requestToken, start, type TestSandbox } from './client.js';

const ME = '{"query":"{ me { id } }"}';
const CREATE = JSON.stringify({
  query: 'mutation { createRun(input: { title: "Example" }) { run { id } } }',
});

describe('sandbox: an ION that differs from the documented one', () => {
  let sandbox: TestSandbox;
  let authorization: string;
  before(async () => {
    sandbox = await start({ runs: 12 });
    authorization = await sandbox.token();
  });
  afterEach(() =>
    sandbox.control.set({ unknown: [], maxPageSize: null, opaqueCursors: false, rowLatency: 0 }),
  );
  after(() => sandbox.close());

  const ask = async (query: string) => {
    const response = await sandbox.post(JSON.stringify({ query }), { authorization });
    return (await response.json()) as {
      data?: { runs: { pageInfo: { endCursor: string } } } | null;
      errors?: { message: string }[];
    };
  };
  const FIRST = '{ runs(first: 5) { pageInfo { endCursor } } }';
  const parts: [part: string, query: string, message: RegExp][] = [
    ['Run.title', '{ runs { edges { node { title } } } }', /^Cannot query field "title" on type/],
    ['Query.runs(first:)', FIRST, /^Unknown argument "first" on field "Query.runs"/],
    [
      'RunsInputFilters.title',
      '{ runs(filters: { title: { eq: "a" } }) { pageInfo { endCursor } } }',
      // Two versions of the GraphQL library have different sentences.
      /^(?=.*"RunsInputFilters")(?=.*"title")/,
    ],
    [
      'RunSortEnum.ID_ASC',
      '{ runs(sort: [ID_ASC]) { pageInfo { endCursor } } }',
      /^Value "ID_ASC" does not exist in "RunSortEnum" enum/,
    ],
    ['*.totalCount', '{ runs { pageInfo { totalCount } } }', /^Cannot query field "totalCount"/],
  ];
  for (const [part, query, message] of parts) {
    it(`has no ${part}`, async () => {
      assert.equal((await ask(query)).errors, undefined);
      sandbox.control.set({ unknown: [part] });
      assert.match(String((await ask(query)).errors?.[0]?.message), message);
    });
  }

  it('refuses a page that is too large', async () => {
    sandbox.control.set({ maxPageSize: 4 });
    assert.equal((await ask(FIRST)).errors?.[0]?.message, 'first must be at most 4.');
    sandbox.control.set({ maxPageSize: 5 });
    assert.equal((await ask(FIRST)).errors, undefined);
  });

  it('takes longer for each row', async () => {
    sandbox.control.set({ rowLatency: 20 });
    const before = performance.now();
    assert.equal((await ask(FIRST)).errors, undefined);
    // Timers may come a millisecond early.
    assert.ok(performance.now() - before >= 99);
  });

  it('has cursors that hold no decimal offset and lead to the next page', async () => {
    sandbox.control.set({ opaqueCursors: true });
    const cursor = (await ask(FIRST)).data?.runs.pageInfo.endCursor;
    assert.doesNotMatch(Buffer.from(String(cursor), 'base64').toString(), /arrayconnection/);
    const next = await ask(`{ runs(first: 5, after: "${cursor}") { pageInfo { endCursor } } }`);
    assert.notEqual(next.data?.runs.pageInfo.endCursor, cursor);
  });
});

describe('sandbox: faults', () => {
  let sandbox: TestSandbox;
  let authorization: string;
  before(async () => {
    sandbox = await start({ runs: 12 });
    authorization = await sandbox.token();
  });
  beforeEach(() => {
    sandbox.control.clearFaults();
    sandbox.control.resetCounters();
  });
  after(() => sandbox.close());

  const me = () => sandbox.post(ME, { authorization });
  type Effect = FaultEffect & Pick<Fault, 'times' | 'match' | 'execute' | 'executeAfter'>;
  const fault = (effect: Effect) => sandbox.control.fault({ target: 'api', ...effect });

  interface Outcome {
    status?: number | undefined;
    error?: string | undefined;
    body: Buffer;
    chunks: number;
  }
  /** One request over its own connection, observed until it ends. */
  const watch = (body = ME) =>
    new Promise<Outcome>((resolve) => {
      const outcome: Outcome = { body: Buffer.alloc(0), chunks: 0 };
      const headers = { authorization, 'content-type': 'application/json' };
      const call = request(`${sandbox.url}/graphql`, { method: 'POST', headers, agent: false });
      const end = (error?: NodeJS.ErrnoException) => resolve({ ...outcome, error: error?.code });
      call.on('error', end);
      call.on('response', (response) => {
        outcome.status = response.statusCode;
        response.on('data', (chunk: Buffer) => {
          outcome.chunks++;
          outcome.body = Buffer.concat([outcome.body, chunk]);
        });
        response.on('error', end);
        response.on('end', () => end());
      });
      call.end(body);
    });

  it('latency: delays the response by this many milliseconds', async () => {
    fault({ kind: 'latency', ms: 60 });
    const before = performance.now();
    const response = await me();
    // Timers may come a millisecond early.
    assert.ok(performance.now() - before >= 59);
    assert.deepEqual(await response.json(), { data: { me: { id: 6 } } });
  });

  it('status: answers with a status, a body and headers', async () => {
    fault({
      kind: 'status',
      status: 503,
      body: '<p>busy</p>',
      contentType: 'text/html',
      headers: { 'retry-after': '7' },
    });
    const response = await me();
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '7');
    assert.equal(response.headers.get('content-type'), 'text/html');
    assert.equal(await response.text(), '<p>busy</p>');
  });

  it('reset: cuts the connection before a response', async () => {
    fault({ kind: 'reset' });
    assert.deepEqual(await watch(), { body: Buffer.alloc(0), chunks: 0, error: 'ECONNRESET' });
  });

  it('half: cuts the connection in the middle of the body', async () => {
    fault({ kind: 'half', execute: true });
    const { body, error, status } = await watch();
    assert.equal(status, 200);
    assert.equal(error, 'ECONNRESET');
    const whole = '{"data":{"me":{"id":6}}}';
    assert.equal(body.toString(), whole.slice(0, whole.length / 2));
  });

  it('hang: never answers, until the client disconnects', async () => {
    fault({ kind: 'hang' });
    const { hostname, port } = new URL(sandbox.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: sandbox\r\nContent-Length: ${ME.length}\r\n\r\n${ME}`,
    );
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    // The request after it is answered, so this one has been received and is kept waiting.
    while (sandbox.control.counters().api.total === 0) await new Promise(setImmediate);
    assert.equal((await me()).status, 200);
    assert.equal(sandbox.control.counters().api.concurrent >= 1, true);
    assert.equal(received, 0);
    socket.destroy();
    while (sandbox.control.counters().api.byStatus.none !== 1) await new Promise(setImmediate);
  });

  it('drip: sends the response byte by byte', async () => {
    fault({ kind: 'drip', ms: 1, execute: true });
    const { body, chunks } = await watch();
    assert.equal(body.toString(), '{"data":{"me":{"id":6}}}');
    assert.ok(chunks > 5);
  });

  it('body: answers 200 with anything', async () => {
    fault({ kind: 'body', base64: Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64') });
    fault({ kind: 'body', body: '<html>', contentType: 'text/html' });
    fault({ kind: 'body' });
    assert.deepEqual((await watch()).body, Buffer.from([0x22, 0xff, 0xfe, 0x22]));
    assert.equal(await (await me()).text(), '<html>');
    assert.equal(await (await me()).text(), '');
  });

  it('redirect: redirects to another location', async () => {
    fault({ kind: 'redirect', location: 'https://elsewhere.example.test/graphql' });
    const response = await fetch(`${sandbox.url}/graphql`, {
      method: 'POST',
      body: ME,
      redirect: 'manual',
    });
    assert.equal(response.status, 307);
    assert.equal(response.headers.get('location'), 'https://elsewhere.example.test/graphql');
  });

  it('unauthorized: rejects a good token', async () => {
    fault({ kind: 'unauthorized' });
    const response = await me();
    assert.equal(response.status, 401);
    assert.deepEqual(await response.json(), { errors: [{ message: 'Token is expired.' }] });
  });

  it('graphql: answers with errors and partial data', async () => {
    const errors = [{ message: 'User does not have permission to update this resource.' }];
    fault({ kind: 'graphql', errors, data: { me: null } });
    const response = await me();
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { data: { me: null }, errors });
  });

  it('big: responds with this many bytes', async () => {
    fault({ kind: 'big', bytes: 200_000 });
    const { body } = await watch();
    assert.equal(body.length, 200_000);
    assert.ok(JSON.parse(body.toString()).data.filler);
  });

  it('gzip-bomb: unpacks to far more bytes than it sends', async () => {
    fault({ kind: 'gzip-bomb', bytes: 1_000_000 });
    const { body } = await watch();
    assert.ok(body.length < 10_000);
    assert.equal(gunzipSync(body).length, 1_000_000);
  });

  it('hits the given number of matching requests, in order', async () => {
    fault({ kind: 'status', status: 502, times: 2 });
    fault({ kind: 'status', status: 504 });
    fault({ kind: 'status', status: 418, match: 'createRun' });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await me()).status);
    assert.deepEqual(statuses, [502, 502, 504, 200]);
    assert.equal((await sandbox.post(CREATE, { authorization })).status, 418);
  });

  it('executes the operation first only if configured', async () => {
    fault({ kind: 'status', status: 502 });
    fault({ kind: 'reset', execute: true });
    const runs = sandbox.data.runs.all().length;
    await watch(CREATE);
    assert.equal(sandbox.data.runs.all().length, runs);
    assert.deepEqual(sandbox.control.counters().executed, {});
    assert.equal((await watch(CREATE)).error, 'ECONNRESET');
    assert.equal(sandbox.data.runs.all().length, runs + 1);
    assert.deepEqual(sandbox.control.counters().executed, { createRun: 1 });
  });

  it('executes the operation later if configured, after the client has gone', async () => {
    fault({ kind: 'reset', executeAfter: 300 });
    const carriedOut = new Promise<string>((resolve) => {
      sandbox.control.onCarriedOut = resolve;
    });
    const runs = sandbox.data.runs.all().length;
    assert.equal((await watch(CREATE)).error, 'ECONNRESET');
    assert.equal(sandbox.data.runs.all().length, runs);
    assert.equal(await carriedOut, 'createRun');
    sandbox.control.onCarriedOut = undefined;
    assert.equal(sandbox.data.runs.all().length, runs + 1);
  });

  it('hits at random only requests that match', async () => {
    const effects = [{ kind: 'status', status: 502, match: 'createRun' }] as const;
    sandbox.control.set({ randomFaults: { share: 1, effects: [...effects] } });
    try {
      assert.equal((await me()).status, 200);
      assert.equal((await sandbox.post(CREATE, { authorization })).status, 502);
    } finally {
      sandbox.control.set({ randomFaults: null });
    }
  });

  it('hits token requests separately', async () => {
    sandbox.control.fault({ target: 'token', kind: 'status', status: 502, body: '<html>' });
    assert.equal((await me()).status, 200);
    const token = () => requestToken(sandbox.authUrl, sandbox.clientId, sandbox.clientSecret);
    assert.equal((await token()).status, 502);
    assert.equal((await token()).status, 200);
    const { ok, refused, total } = sandbox.control.counters().token;
    assert.deepEqual([total, ok, refused], [2, 1, 0]);
  });

  it('offers the same over HTTP', async () => {
    const two: Fault[] = [
      { target: 'api', kind: 'unauthorized' },
      { target: 'api', kind: 'hang' },
    ];
    assert.equal((await sandbox.http('POST', 'faults', two)).status, 204);
    assert.equal((await me()).status, 401);
    assert.equal((await sandbox.http('DELETE', 'faults')).status, 204);
    assert.equal((await me()).status, 200);
    const counters = (await (await sandbox.http('GET', 'counters')).json()) as object;
    assert.deepEqual(counters, JSON.parse(JSON.stringify(sandbox.control.counters())));
    assert.equal((await sandbox.http('POST', 'reset')).status, 204);
    assert.equal(sandbox.control.counters().api.total, 0);
    for (const [method, path, body] of [
      ['POST', 'faults', { target: 'api', kind: 'nonsense' }],
      ['POST', 'faults', { target: 'api', kind: 'latency' }],
      ['POST', 'faults', { kind: 'hang' }],
      ['PATCH', 'settings', { nonsense: 1 }],
      ['PATCH', 'settings', { authScheme: 'basic' }],
      ['PATCH', 'settings', { tokenPath: '' }],
    ] as const) {
      assert.equal((await sandbox.http(method, path, body)).status, 400);
    }
    assert.equal((await sandbox.http('GET', 'nowhere')).status, 404);
  });

  describe('accepts only programs on this machine', () => {
    const send = (path: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        // Text that a form may send without asking first.
        const usual = { 'content-type': 'text/plain', authorization };
        const options = { method: 'POST', headers: { ...usual, ...headers }, agent: false };
        const call = request(`${sandbox.url}${path}`, options, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        call.on('error', reject);
        call.end(JSON.stringify({ target: 'api', kind: 'reset' }));
      });
    const fault = '/_sandbox/faults';

    for (const origin of ['http://pages.example', 'http://127.0.0.1:1', 'null']) {
      it(`not a page of ${origin}`, async () => {
        assert.equal(await send(fault, { origin }), 403);
        assert.equal(await send('/graphql', { origin }), 403);
        assert.equal((await me()).status, 200);
      });
    }

    it('not a page whose name was bound to its address, nor a resource that a page loads', async () => {
      const host = `rebound.example:${new URL(sandbox.url).port}`;
      assert.equal(await send(fault, { host }), 403);
      assert.equal(await send(fault, { host, origin: `http://${host}` }), 403);
      const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
      assert.equal(await send(fault, image), 403);
      assert.equal((await me()).status, 200);
    });

    it('accepts them with any name of this machine', async () => {
      const { port } = new URL(sandbox.url);
      for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
        const host = `${name}:${port}`;
        assert.equal(await send(fault, { host }), 204);
        assert.equal(await send(fault, { host, origin: `http://${host}` }), 204);
      }
    });
  });

  it('counts requests and records them without secrets', async () => {
    await requestToken(sandbox.authUrl, sandbox.clientId, sandbox.clientSecret);
    await requestToken(sandbox.authUrl, sandbox.clientId, 'wrong');
    await sandbox.post(CREATE, { authorization: `Bearer ${authorization}` });
    await me();
    await sandbox.post(ME);
    const { api, recent, token } = sandbox.control.counters();
    assert.deepEqual(token, { total: 2, ok: 1, refused: 1 });
    assert.deepEqual(api.byOperation, { query: 2, mutation: 1, other: 0 });
    assert.deepEqual(api.byStatus, { 200: 2, 401: 1 });
    assert.deepEqual(
      recent.map(({ headers }) => headers.authorization),
      [undefined, undefined, 'Bearer', 'raw', undefined],
    );
    const text = JSON.stringify(recent);
    assert.ok(!text.includes(sandbox.clientSecret));
    assert.ok(!text.includes(authorization));
    assert.ok(text.includes(sandbox.clientId));
  });

  it('counts concurrent requests', async () => {
    fault({ kind: 'hang', times: 3 });
    const controller = new AbortController();
    const init = { method: 'POST', body: ME, signal: controller.signal };
    const waiting = [1, 2, 3].map(() => fetch(`${sandbox.url}/graphql`, init));
    const settled = Promise.allSettled(waiting);
    while (sandbox.control.counters().api.concurrent < 3) await new Promise(setImmediate);
    controller.abort();
    await settled;
    while (sandbox.control.counters().api.concurrent > 0) await new Promise(setImmediate);
    assert.equal(sandbox.control.counters().api.peakConcurrent, 3);
  });
});

describe('sandbox: live data', () => {
  it('advances runs and starts new ones, and never runs out of them', async () => {
    const sandbox = await start({ runs: 24 });
    try {
      const random = new Random(1);
      const complete = () =>
        sandbox.data.runSteps.all().filter(({ status }) => status === 'COMPLETE').length;
      const [runs, before] = [sandbox.data.runs.all().length, complete()];
      for (let i = 0; i < 500; i++) tick(sandbox.data, random);
      assert.ok(complete() > before + 20);
      assert.ok(sandbox.data.runs.all().length > runs);
      assert.ok(sandbox.data.runSteps.all().some(({ status }) => status === 'TODO'));
      const empty = sandbox.data.runStepFields
        .all()
        .filter(({ required, value }) => required && value === null)
        .filter(({ runStepId }) => sandbox.data.runSteps.get(runStepId)?.status === 'COMPLETE');
      assert.deepEqual(empty, []);
    } finally {
      await sandbox.close();
    }
  });

  it('ends at once, also with requests in progress', async () => {
    const sandbox = await start({ runs: 1, live: true });
    const { hostname, port } = new URL(sandbox.url);
    const idle = connect(Number(port), hostname);
    await once(idle, 'connect');
    sandbox.control.fault(
      { target: 'api', kind: 'hang' },
      { target: 'api', kind: 'latency', ms: 600_000 },
    );
    const pending = [sandbox.post(ME), sandbox.post(ME)];
    while (sandbox.control.counters().api.concurrent < 2) await new Promise(setImmediate);
    const settled = Promise.allSettled(pending);
    await sandbox.close();
    assert.deepEqual(
      (await settled).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    idle.destroy();
    await assert.rejects(fetch(sandbox.url));
  });

  it('starts with the settings of its environment variable', async () => {
    const start = (env: NodeJS.ProcessEnv) => {
      const args = ['--import', 'tsx', 'sandbox/main.ts'];
      const child = spawn(process.execPath, args, { env: { ...process.env, PORT: '0', ...env } });
      let output = '';
      const add = (chunk: Buffer) => {
        output += chunk;
      };
      child.stdout.on('data', add);
      child.stderr.on('data', add);
      return { child, exit: once(child, 'exit'), text: () => output };
    };
    const { child, exit, text } = start({ SETTINGS: '{"authScheme":"bearer","tokenPath":"old"}' });
    await until(() => text().includes('Ctrl-C'));
    const url = /^ {2}API URL +(\S+)$/m.exec(text())?.[1];
    assert.ok(text().includes(`${url}/auth/realms/api-keys/`));
    const response = await fetch(`${url}/_sandbox/settings`, { method: 'PATCH', body: '{}' });
    const settings = (await response.json()) as Record<string, unknown>;
    assert.deepEqual([settings.authScheme, settings.tokenPath], ['bearer', 'old']);
    child.kill('SIGTERM');
    await exit;
    const refused = start({ SETTINGS: 'bearer' });
    assert.deepEqual(await refused.exit, [1, null]);
    assert.match(refused.text(), /SETTINGS is not JSON/);
  });

  it('prints the details that a client needs, prints no warning, and leaves nothing open at its end', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], {
      env: { ...process.env, PORT: '0' },
    });
    let output = '';
    let warnings = '';
    child.stderr.on('data', (chunk) => {
      warnings += chunk;
    });
    const ready = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        output += chunk;
        if (output.includes('Ctrl-C')) resolve();
      });
    });
    const exit = once(child, 'exit');
    await Promise.race([ready, exit]);
    const printed = (name: string) =>
      new RegExp(`^  ${name}  +(\\S+)$`, 'm').exec(output)?.[1] ?? '';
    const catalogue = JSON.parse(await readFile('nodes/locales/en-US/ion-config.json', 'utf8'));
    const { apiUrl, authUrl, clientId, clientSecret } = catalogue['ion-config'].label;
    assert.equal(printed('GraphQL'), `${printed(apiUrl)}/graphql`);
    const token = await requestToken(printed(authUrl), printed(clientId), printed(clientSecret));
    assert.equal(token.status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
    assert.equal(warnings, '');
  });
});
