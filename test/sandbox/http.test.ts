import assert from 'node:assert/strict';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { start, type TestSandbox } from './client.js';

interface RawAnswer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

describe('sandbox: transport', () => {
  let sandbox: TestSandbox;
  let token: string;
  before(async () => {
    sandbox = await start({ runs: 60 });
    token = await sandbox.token();
  });
  after(() => sandbox.close());

  const raw = (query: string, acceptEncoding?: string) =>
    new Promise<RawAnswer>((resolve, reject) => {
      const headers: Record<string, string> = {
        authorization: token,
        'content-type': 'application/json',
      };
      if (acceptEncoding) headers['accept-encoding'] = acceptEncoding;
      const call = request(`${sandbox.url}/graphql`, { method: 'POST', headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      call.on('error', reject);
      call.end(JSON.stringify({ query }));
    });
  const LARGE = '{ runs { edges { node { id title } } } }';

  it('adds a trace ID to every response', async () => {
    const answers = await Promise.all([
      sandbox.post('{"query":"{me{id}}"}', { authorization: token }),
      sandbox.post('{}'),
      fetch(`${sandbox.url}/nowhere`),
    ]);
    const ids = answers.map((answer) => answer.headers.get('x-b3-trace-id'));
    for (const id of ids) assert.match(String(id), /^[0-9a-f]{16}$/);
    assert.equal(new Set(ids).size, 3);
  });

  it('rejects a body that is not JSON with 400', async () => {
    const response = await sandbox.post('{ me', { authorization: token });
    assert.equal(response.status, 400);
    assert.deepEqual(await response.json(), {
      errors: [{ message: 'The request body is not JSON.' }],
    });
  });

  it('returns GraphQL errors with 200, without codes', async () => {
    const response = await sandbox.post('{"query":"{ nothing }"}', { authorization: token });
    assert.equal(response.status, 200);
    const { errors } = (await response.json()) as { errors: object[] };
    assert.deepEqual(errors, [
      {
        message: 'Cannot query field "nothing" on type "Query".',
        locations: [{ line: 1, column: 3 }],
      },
    ]);
  });

  it('returns errors in variables with 200 as well', async () => {
    const status = async (body: object) =>
      (await sandbox.post(JSON.stringify(body), { authorization: token })).status;
    const query = 'query($id: ID!) { run(id: $id) { id } }';
    assert.equal(await status({ query, variables: {} }), 200);
    assert.equal(await status({ query, variables: { id: [] } }), 200);
  });

  it('keeps data next to the errors of single fields', async () => {
    const { data, errors } = await sandbox.run(
      '{ me { id } runs(first: -1) { edges { cursor } } }',
    );
    assert.equal(data.me.id, 6);
    assert.equal(data.runs, null);
    assert.deepEqual(errors?.[0]?.path, ['runs']);
    assert.equal(errors?.[0]?.message, 'Argument "first" must be a non-negative integer.');
  });

  it('compresses larger bodies as the client accepts', async () => {
    const plain = await raw(LARGE);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.ok(plain.body.length > 1024);
    const gzip = await raw(LARGE, 'gzip');
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(gzip.body), plain.body);
    const brotli = await raw(LARGE, 'gzip, br');
    assert.equal(brotli.headers['content-encoding'], 'br');
    assert.deepEqual(brotliDecompressSync(brotli.body), plain.body);
    const refused = await raw(LARGE, 'gzip;q=0');
    assert.equal(refused.headers['content-encoding'], undefined);
    const small = await raw('{ me { id } }', 'gzip, br');
    assert.equal(small.headers['content-encoding'], undefined);
  });

  it('allows introspection', async () => {
    const { __type } = await sandbox.ask('{ __type(name: "RunStatus") { enumValues { name } } }');
    assert.equal(__type.enumValues.length, 8);
  });

  it('limits the rate if configured', async () => {
    sandbox.control.set({ rateLimit: { perSecond: 0 } });
    const response = await sandbox.post('{"query":"{me{id}}"}', { authorization: token });
    sandbox.control.set({ rateLimit: null });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.equal((await sandbox.run('{ me { id } }')).errors, undefined);
  });

  it('creates steps only for the requested runs, so that 100,000 runs stay fast', async () => {
    const many = await start({ runs: 100_000 });
    try {
      const { runSteps } = many.data;
      const { source } = runSteps;
      assert.ok(source);
      const made: (number | 'all')[] = [];
      runSteps.source = {
        one: (id) => source.one(id),
        group: (runId) => {
          made.push(runId);
          source.group(runId);
        },
        all: () => {
          made.push('all');
          source.all();
        },
      };
      const { runs } = await many.ask(
        `{ runs(filters: { id: { gt: "99950" }, procedureId: { eq: 3 } }, first: 5) {
          pageInfo { totalCount } edges { node { id } } } }`,
      );
      assert.equal(runs.pageInfo.totalCount, 9);
      assert.deepEqual(made, []);
      const { run } = await many.ask('{ run(id: 70000) { steps { runId } } }');
      assert.deepEqual(made, [70_000]);
      for (const step of run.steps) assert.equal(step.runId, 70_000);
    } finally {
      await many.close();
    }
  });
});
