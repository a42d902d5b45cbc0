import assert from 'node:assert/strict';
import { startSandbox } from '../../sandbox/server.js';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { selfSigned } from '../support/certificates.js';
import { helper, sandboxKey, TestFlow } from '../support/flow.js';
import { startProxy } from '../support/proxy.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

describe('ion-config', () => {
  const context = useSandbox();

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  const load = (config: object = {}, credentials = sandboxKey(context.sandbox)) =>
    TestFlow.load(graphqlNode, [sandboxConfig(context.sandbox, config)], credentials);

  const lastAuthorization = () => {
    const requests = context.sandbox.control.counters().recent;
    return requests.filter(({ path }) => path === '/graphql').at(-1)?.headers.authorization;
  };

  it('sends the bare token, or a bearer token if configured', async () => {
    await (await load()).answer();
    const bare = lastAuthorization();
    await helper.unload();
    await (await load({ authScheme: 'bearer' })).answer();
    assert.notEqual(bare, lastAuthorization());
    assert.match(String(lastAuthorization()), /^Bearer/);
  });

  it('finds out how ION expects the token, unless a form is chosen', async () => {
    context.sandbox.control.set({ authScheme: 'bearer' });
    for (const authScheme of [undefined, 'auto']) {
      await (await load({ authScheme })).answer();
      assert.equal(lastAuthorization(), 'Bearer');
      await helper.unload();
    }
    const { caught } = await (await load({ authScheme: 'raw' })).send();
    assert.equal(caught[0]?.error.code, 'ION_AUTH');
    assert.equal(lastAuthorization(), 'raw');
  });

  it('sends a mutation once although ION accepts neither the first form nor the first path', async () => {
    const { control } = context.sandbox;
    control.set({ authScheme: 'bearer', tokenPath: 'old' });
    const query = 'mutation { createRun(input: { title: "first contact" }) { run { id } } }';
    const config = [sandboxConfig(context.sandbox, { retries: 0 })];
    const key = sandboxKey(context.sandbox);
    const flow = await TestFlow.load({ ...graphqlNode, query }, config, key);
    await flow.answer();
    assert.equal(control.counters().executed.createRun, 1);
  });

  it('takes everything from environment variables', async () => {
    const { url, authUrl, clientId, clientSecret } = context.sandbox;
    Object.assign(process.env, {
      TEST_ION_API: url,
      TEST_ION_AUTH: authUrl,
      TEST_ION_ID: clientId,
      TEST_ION_SECRET: clientSecret,
    });
    try {
      const flow = await load(
        { apiUrl: '${TEST_ION_API}', authUrl: '${TEST_ION_AUTH}' },
        {
          config: { clientId: '${TEST_ION_ID}', clientSecret: '${TEST_ION_SECRET}' },
        },
      );
      await flow.answer();
    } finally {
      for (const name of ['API', 'AUTH', 'ID', 'SECRET']) delete process.env[`TEST_ION_${name}`];
    }
  });

  it('fails a message at once when too many are queued', async () => {
    const flow = await load({ concurrency: 1, queueLimit: 2 });
    context.sandbox.control.set({ latency: 20 });
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => flow.send()));
    const codes = outcomes.map(({ caught }) => caught[0]?.error.code);
    assert.deepEqual(codes, [undefined, undefined, undefined, 'ION_OVERLOADED', 'ION_OVERLOADED']);
  });

  it('abandons a request after its timeout', async () => {
    const flow = await load({ timeout: 0.1, retries: 0 });
    context.sandbox.control.fault({ target: 'api', kind: 'hang' });
    const { caught } = await flow.send();
    assert.equal(caught[0]?.error.code, 'ION_TIMEOUT');
    assert.match(String(caught[0]?.error.message), /within 0\.1 s/);
  });

  it('uses a proxy configuration, with any user and password', async () => {
    const { clientId, clientSecret } = context.sandbox;
    const proxy = await startProxy({ user: 'line 4', password: '100%/@:?' });
    try {
      // Without a scheme, it is an http proxy.
      const url = ` ${proxy.url.replace('http://', '')} `;
      const node = { id: 'proxy', type: 'http proxy', url, noproxy: [] };
      // With host names that only the proxy knows: it is never used for this machine.
      const { apiUrl, authUrl } = sandboxConfig(context.sandbox);
      const named = (url: unknown) => String(url).replace('127.0.0.1', 'ion.example.test');
      const urls = { apiUrl: named(apiUrl), authUrl: named(authUrl), allowHttp: true };
      const config = [node, sandboxConfig(context.sandbox, { proxy: 'proxy', ...urls })];
      const flow = await TestFlow.load(graphqlNode, config, {
        config: { clientId, clientSecret },
        proxy: { username: 'line 4', password: '100%/@:?' },
      });
      await flow.answer();
      assert.ok(proxy.targets.length > 0);
      await helper.unload();
    } finally {
      await proxy.close();
    }
  });

  it('trusts the certificate authority of a TLS configuration, and no other', async () => {
    const certificate = await selfSigned({ ip: '127.0.0.1' });
    const secure = await startSandbox({ port: 0, runs: 1, tls: certificate });
    try {
      const tls = {
        id: 'tls',
        type: 'tls-config',
        cert: '',
        key: '',
        ca: '',
        verifyservercert: true,
      };
      const load = (properties: object, credentials: object) =>
        TestFlow.load(graphqlNode, [tls, sandboxConfig(secure, { retries: 0, ...properties })], {
          ...sandboxKey(secure),
          tls: credentials,
        });
      const { caught } = await (await load({}, {})).send();
      assert.equal(caught[0]?.error.code, 'ION_NETWORK');
      assert.match(String(caught[0]?.error.message), /not trusted .*TLS configuration/);
      await helper.unload();
      await (await load({ tls: 'tls' }, { cadata: certificate.cert })).answer();
      await helper.unload();
    } finally {
      await secure.close();
    }
  });

  it('reports an invalid time zone', async () => {
    for (const timeZone of ['Europe/Atlantis', '+02:00', 5]) {
      const flow = await load({ timeZone });
      const { caught } = await flow.send();
      assert.equal(caught[0]?.error.code, 'ION_CONFIG');
      assert.match(String(caught[0]?.error.message), /time zone .* does not know/);
      await helper.unload();
    }
    for (const timeZone of ['', ' ', 'UTC', 'europe/berlin', 'America/Argentina/Buenos_Aires']) {
      const flow = await load({ timeZone });
      assert.equal((await flow.send()).caught.length, 0);
      await helper.unload();
    }
  });

  it('says in a connection test which form worked if it is not the first one', async () => {
    await load({}, {});
    const { apiUrl, authUrl } = sandboxConfig(context.sandbox);
    const { clientId, clientSecret } = context.sandbox;
    const answer = async (accepted: 'both' | 'raw' | 'bearer', authScheme?: string) => {
      context.sandbox.control.set({ authScheme: accepted });
      const config = { environment: 'custom', apiUrl, authUrl, authScheme };
      const request = helper.request().post('/ion-config/test');
      const response = await request.send({
        id: 'new',
        config,
        credentials: { clientId, clientSecret },
      });
      return response.body as { authScheme?: string; code?: string; message?: string };
    };
    assert.equal((await answer('bearer', 'auto')).authScheme, 'bearer');
    assert.equal((await answer('bearer')).authScheme, 'bearer');
    assert.ok(!('authScheme' in (await answer('both', 'auto'))));
    assert.ok(!('authScheme' in (await answer('raw', 'auto'))));
    assert.ok(!('authScheme' in (await answer('bearer', 'bearer'))));
    const { code, message } = await answer('bearer', 'raw');
    assert.equal(code, 'ION_AUTH');
    assert.match(String(message), /Select the automatic authorization header/);
  });

  /** Checks the response to values that work. */
  const expected: Record<string, (body: Record<string, unknown>) => void> = {
    find: (body) => {
      const { found } = body as { found: { id: string }[] };
      assert.equal(found.length, 20);
    },
    test: (body) => {
      const { me } = body as { me: { name: string; organization: { domain: string } } };
      assert.equal(me.name, 'Sandbox Service Account');
      assert.equal(me.organization.domain, 'example.test');
    },
    schema: (body) => {
      const { types } = body.__schema as { types: { name: string }[] };
      assert.ok(types.some(({ name }) => name === 'RunsConnection'));
    },
    run: ({ data }) => assert.deepEqual(Object.keys(data as object), ['me']),
  };
  for (const [route, check] of Object.entries(expected))
    describe(`POST /ion-config/${route}`, () => {
      const custom = () => {
        const { apiUrl, authUrl } = sandboxConfig(context.sandbox);
        return { environment: 'custom', apiUrl, authUrl };
      };
      const wanted = { kind: 'run', search: '', query: '{ me { id } }' };
      const test = (body: object) =>
        helper
          .request()
          .post(`/ion-config/${route}`)
          .send({ ...wanted, ...body });
      const typedKey = () => {
        const { clientId, clientSecret } = context.sandbox;
        return { clientId, clientSecret };
      };

      it('works with values that are not deployed', async () => {
        await load({}, {});
        const { status, body } = await test({
          id: 'new',
          config: custom(),
          credentials: typedKey(),
        });
        assert.equal(status, 200);
        check(body);
      });

      it('uses the stored secret for the stored URLs', async () => {
        await load();
        const { clientId } = context.sandbox;
        for (const clientSecret of ['__PWRD__', '']) {
          const credentials = { clientId, clientSecret };
          const { status } = await test({ id: 'config', config: custom(), credentials });
          assert.equal(status, 200);
        }
      });

      it('uses the stored ID and secret if the editor has not read them', async () => {
        await load();
        const { status, body } = await test({ id: 'config', config: custom(), credentials: {} });
        assert.equal(status, 200);
        check(body);
      });

      it('works with a config node that version 1.0.0 saved', async () => {
        await load({}, {});
        const config = { ...custom(), version: 0, timeout: undefined, authScheme: undefined };
        const { status } = await test({ id: 'new', config, credentials: typedKey() });
        assert.equal(status, 200);
      });

      it('never sends it to other URLs if the stored environment has spaces at its end', async () => {
        const environment = 'custom\n';
        await load({ environment });
        const before = context.sandbox.control.counters().token.total;
        const authUrl = context.sandbox.foreignAuthUrl;
        const credentials = { clientId: 'sandbox-key', clientSecret: '' };
        for (const config of [
          { ...custom(), authUrl, environment },
          { ...custom(), authUrl },
        ]) {
          const { status } = await test({ id: 'config', config, credentials });
          assert.equal(status, 400);
        }
        assert.equal(context.sandbox.control.counters().token.total, before);
        const { status } = await test({ id: 'config', config: custom(), credentials });
        assert.equal(status, 200);
      });

      it('never sends the stored secret to other URLs', async () => {
        await load();
        const before = context.sandbox.control.counters().token.total;
        const elsewhere = [
          { ...custom(), authUrl: context.sandbox.foreignAuthUrl },
          { ...custom(), apiUrl: 'https://elsewhere.example.test' },
          { ...custom(), proxy: 'another-proxy' },
          { ...custom(), tls: 'another-tls' },
          { environment: 'staging' },
        ];
        for (const config of elsewhere) {
          const credentials = { clientId: 'sandbox-key', clientSecret: '__PWRD__' };
          const { status, body } = await test({ id: 'config', config, credentials });
          assert.equal(status, 400);
          assert.equal(body.code, 'ION_CONFIG');
          assert.equal((await test({ id: 'config', config, credentials: {} })).status, 400);
        }
        assert.equal(context.sandbox.control.counters().token.total, before);
      });

      it('never reveals or sends environment variables of the server', async () => {
        await load();
        const secret = 'a-secret-of-the-server';
        process.env.TEST_ION_SECRET = secret;
        const variable = '${TEST_ION_SECRET}';
        const key = typedKey();
        const requests = [
          { config: custom(), credentials: { clientId: 'any', clientSecret: variable } },
          { config: custom(), credentials: { ...key, clientId: variable } },
          ...['audience', 'timeout', 'environment', 'apiUrl', 'authUrl', 'concurrency'].map(
            (name) => ({
              config: { ...custom(), [name]: variable },
              credentials: key,
            }),
          ),
          {
            config: { ...custom(), environment: 'constructor' },
            credentials: { ...key, clientSecret: variable },
          },
        ];
        try {
          for (const id of ['new', 'config']) {
            for (const request of requests) {
              const { text } = await test({ id, ...request });
              assert.ok(!text.includes(secret), text);
            }
          }
        } finally {
          delete process.env.TEST_ION_SECRET;
        }
        const sent = JSON.stringify(context.sandbox.control.counters().recent);
        assert.ok(!sent.includes(secret), 'the sandbox got it');
      });

      it('uses environment variables of the server if they are deployed', async () => {
        const { url, authUrl, clientId, clientSecret } = context.sandbox;
        Object.assign(process.env, { TEST_ION_API: url, TEST_ION_SECRET: clientSecret });
        try {
          const config = { environment: 'custom', apiUrl: '${TEST_ION_API}', authUrl };
          const credentials = { clientId, clientSecret: '${TEST_ION_SECRET}' };
          await load(config, { config: credentials });
          const { status } = await test({ id: 'config', config, credentials });
          assert.equal(status, 200);
        } finally {
          delete process.env.TEST_ION_API;
          delete process.env.TEST_ION_SECRET;
        }
      });

      it('says in plain words why the key does not work, without showing it', async () => {
        await load();
        const credentials = { clientId: 'sandbox-key', clientSecret: 'wrong-secret-wrong' };
        const { status, body, text } = await test({ id: 'new', config: custom(), credentials });
        assert.equal(status, 502);
        assert.equal(body.code, 'ION_AUTH');
        assert.match(String(body.message), /Check client ID and client secret/);
        assert.ok(!text.includes('wrong-secret-wrong'));
      });

      it('rejects an invalid body', async () => {
        await load();
        const deep = JSON.parse('['.repeat(1000) + ']'.repeat(1000));
        for (const odd of [deep, {}, [], null]) {
          const credentials = { clientId: odd, clientSecret: odd };
          const { status, body } = await test({ id: 'config', config: custom(), credentials });
          assert.equal(status, 400);
          assert.match(String(body.code), /^ION_(CONFIG|RESPONSE)$/);
          const config = { ...custom(), apiUrl: odd, timeout: odd };
          const answered = await test({ id: 'config', config, credentials: {} });
          assert.match(String(answered.body.code), /^ION_/);
          assert.doesNotMatch(String(answered.body.message), /is not a function|properties of/);
        }
        for (const body of [{}, { id: 1 }, { id: 'config', config: null, credentials: {} }]) {
          assert.equal((await test(body)).status, 400);
        }
      });
    });

  describe('POST /ion-config/:id/find', () => {
    interface Found {
      id: string;
      name: string;
      details: string[];
    }
    const runs = async (search: string): Promise<Found[]> => {
      const { body } = await helper
        .request()
        .post('/ion-config/config/find')
        .send({ kind: 'run', search });
      return body.found as Found[];
    };

    it('lists a run once if its ID and its title match', async () => {
      await load();
      const { data } = context.sandbox;
      const other = data.runs.all().find(({ id }) => id !== 37)?.id as number;
      data.runs.update(37, { title: 'Pump 0037' });
      data.runs.update(other, { title: 'Valve 0037' });
      const found = (await runs('0037')).map(({ id }) => Number(id));
      assert.deepEqual(found, [37, other]);
    });

    it('lists the steps and fields of a run that is named by its title or by the serial number of its unit', async () => {
      await load();
      const { data, control } = context.sandbox;
      const unit = data.partInventories.all()[0]?.id ?? assert.fail();
      data.partInventories.update(unit, { serialNumber: '900-17' });
      data.runs.update(37, { title: 'Pump 900', partInventoryId: unit });
      for (const { id } of data.runs.all()) {
        if (id !== 37) data.runs.update(id, { partInventoryId: null });
      }
      const find = async (body: object) => {
        control.resetCounters();
        const response = await helper.request().post('/ion-config/config/find').send(body);
        const answer = response.body as { found: Found[]; message: string };
        return { ...answer, requests: control.counters().api.total };
      };
      const search = { kind: 'step', search: '' };
      const byId = await find({ ...search, run: 37 });
      assert.ok(byId.found.length > 0);
      assert.equal(byId.requests, 1);
      const step = byId.found[0]?.name;
      for (const run of ['Pump 900', '900-17']) {
        const { found, requests } = await find({ ...search, run });
        assert.deepEqual([found, requests], [byId.found, 2]);
        const fields = await find({ kind: 'field', search: '', run, step });
        assert.ok(fields.found.length > 0);
      }
      for (const [run, text] of [
        ['Pump 901', /no run "Pump 901", by its ID, its title/],
        ['99999', /no run "99999"/],
        ['x'.repeat(5001), /longer than 5000/],
      ] as const) {
        assert.match((await find({ ...search, run })).message, text);
      }
    });

    it('finds the runs of a status by its name', async () => {
      await load();
      const names = {
        TODO: ['TODO', 'todo', 'To do'],
        IN_PROGRESS: ['IN_PROGRESS', 'in progress'],
      };
      for (const [status, searches] of Object.entries(names)) {
        for (const search of searches) {
          const found = await runs(search);
          assert.ok(found.length > 0, search);
          assert.ok(found.every(({ details }) => details.includes(status)));
        }
      }
      assert.deepEqual(await runs('on hold'), []);
    });
  });

  describe('POST /ion-config/:id/run', () => {
    const run = (body: object, id = 'config') =>
      helper.request().post(`/ion-config/${id}/run`).send(body);
    const mutation = 'mutation { createRun(input: { title: "From the dialog" }) { run { id } } }';

    it('executes a query with the deployed configuration', async () => {
      await load();
      const query = 'query A { me { id } } query B($id: ID!) { run(id: $id) { id } }';
      const { status, body } = await run({ query, operationName: 'B', variables: { id: 3 } });
      assert.equal(status, 200);
      assert.deepEqual(body, { data: { run: { id: 3 } }, attempts: 1 });
    });

    it('executes a mutation only after confirmation', async () => {
      await load();
      const refused = await run({ query: mutation });
      assert.equal(refused.body.code, 'ION_CONFIG');
      assert.equal(context.sandbox.control.counters().executed.createRun, undefined);
      assert.equal((await run({ query: mutation, confirmed: true })).status, 200);
      assert.equal(context.sandbox.control.counters().executed.createRun, 1);
    });

    it("returns ION's own errors, and the data that came with them", async () => {
      await load();
      const errors = [{ message: 'Half of it is missing.' }];
      context.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, data: { me: null } });
      const { status, body } = await run({ query: '{ me { id } }' });
      assert.equal(status, 502);
      assert.equal(body.code, 'ION_GRAPHQL');
      assert.deepEqual([body.errors, body.data], [errors, { me: null }]);
    });

    it('executes a mutation of values that are not deployed only after confirmation', async () => {
      await load({}, {});
      const { apiUrl, authUrl } = sandboxConfig(context.sandbox);
      const { clientId, clientSecret } = context.sandbox;
      const input = { id: 1, etag: 'stale', title: 'x' };
      const query =
        'mutation ($input: UpdateRunInput!) { updateRun(input: $input) { run { id } } }';
      const send = async (confirmed: boolean) => {
        const { body } = await helper
          .request()
          .post('/ion-config/run')
          .send({
            id: 'new',
            config: { environment: 'custom', apiUrl, authUrl },
            credentials: { clientId, clientSecret },
            ...{ query, variables: { input }, confirmed },
          });
        return body.code;
      };
      assert.equal(await send(false), 'ION_CONFIG');
      assert.equal(context.sandbox.control.counters().api.total, 0);
      assert.equal(await send(true), 'ION_CONFLICT');
      assert.equal(context.sandbox.control.counters().api.total, 1);
    });

    it('says what it cannot execute', async () => {
      await load();
      assert.equal((await run({})).body.code, 'ION_QUERY');
      assert.equal((await run({ query: '{ me { id }' })).body.code, 'ION_QUERY');
      const listed = await run({ query: '{ me { id } }', variables: [1] });
      assert.equal(listed.body.code, 'ION_VARIABLES');
      const elsewhere = await run({ query: '{ me { id } }' }, 'node');
      assert.deepEqual([elsewhere.status, elsewhere.body.code], [404, 'ION_NOT_FOUND']);
    });
  });

  describe('GET /ion-config/:id/schema', () => {
    const schema = (query = '') => helper.request().get(`/ion-config/config/schema${query}`);

    it("returns the environment's schema, read once until it is refreshed", async () => {
      await load();
      const { status, body } = await schema();
      assert.equal(status, 200);
      const { types } = body.__schema as { types: { name: string }[] };
      assert.ok(types.some(({ name }) => name === 'RunsConnection'));
      await schema();
      assert.equal(context.sandbox.control.counters().api.total, 1);
      await schema('?refresh=1');
      assert.equal(context.sandbox.control.counters().api.total, 2);
    });

    it('sends one request for all concurrent callers, and never takes the place of a message', async () => {
      const flow = await load({ concurrency: 1, queueLimit: 0 });
      await schema();
      const { control } = context.sandbox;
      control.fault({ target: 'api', kind: 'latency', ms: 1000, times: 1 });
      const refreshes = Array.from(
        { length: 200 },
        async () => (await schema('?refresh=1')).status,
      );
      await until(() => control.counters().api.total > 1);
      const { caught } = await flow.send();
      assert.deepEqual(caught, []);
      const statuses = await Promise.all(refreshes);
      assert.ok(statuses.every((status) => status === 200));
      assert.ok(control.counters().api.total <= 20, `${control.counters().api.total} requests`);
    });

    it('is kept when a refresh fails', async () => {
      await load({ retries: 0 });
      assert.equal((await schema()).status, 200);
      context.sandbox.control.fault({ target: 'api', kind: 'reset' });
      assert.equal((await schema('?refresh=1')).status, 502);
      assert.equal((await schema()).status, 200);
      assert.equal(context.sandbox.control.counters().api.total, 2);
    });

    it('is requested again after a failure', async () => {
      await load({ retries: 0 });
      context.sandbox.control.fault({ target: 'api', kind: 'reset' });
      assert.equal((await schema()).status, 502);
      assert.equal((await schema()).status, 200);
    });

    it('reports a missing config node', async () => {
      await load();
      const { status, body } = await helper.request().get('/ion-config/node/schema');
      assert.equal(status, 404);
      assert.equal(body.code, 'ION_NOT_FOUND');
    });
  });
});
