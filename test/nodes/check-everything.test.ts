import assert from 'node:assert/strict';
import { type Sandbox, startSandbox } from '../../sandbox/server.js';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { certificate, selfSigned } from '../support/certificates.js';
import { DIALECTS, type NamedDialect } from '../support/dialects.js';
import { helper, sandboxKey, TestFlow } from '../support/flow.js';
import { startProxy } from '../support/proxy.js';
import { useSandbox } from '../support/sandbox.js';
import { closeAfterEach, httpServer, unusedPort } from '../support/servers.js';

interface Line {
  check: string;
  state: 'ok' | 'failed' | 'unknown';
  finding: string;
  advice?: string;
  values: Record<string, string | number>;
  nodes?: { id: string }[];
}

/** Permission groups of a user who may do everything that the nodes below do. */
const GROUPS = [
  ...['UpdateRunStep', 'UpdateRunStepFieldValue', 'CreateFileAttachment', 'DeleteFileAttachment'],
  ...['CreateRun'],
];
const WEBHOOK_SECRET = 'the-secret-of-a-webhook';

describe('Check everything', () => {
  const context = useSandbox();
  const opened = closeAfterEach();
  const texts: string[] = [];

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  const load = (
    nodes: object[] = [],
    { sandbox = context.sandbox, config = {}, others = [] as FlowNode[], credentials = {} } = {},
  ) => {
    const placed = nodes.map((node) => ({
      ...(node as FlowNode),
      z: 'flow',
      x: 0,
      y: 0,
      wires: [],
    }));
    const all = [sandboxConfig(sandbox, config), ...others, ...placed];
    return TestFlow.load(graphqlNode, all, { ...sandboxKey(sandbox), ...credentials });
  };
  const check = async (path = 'config/check', body: object = {}) => {
    const { status, text } = await helper.request().post(`/ion-config/${path}`).send(body);
    texts.push(text);
    assert.equal(status, 200, text);
    const { lines } = JSON.parse(text) as { lines: Line[] };
    return {
      lines,
      /** Finding and nodes of each line about a subject. */
      of: (name: string) =>
        lines
          .filter((line) => line.check === name)
          .map(({ finding, nodes = [] }) => [finding, ...nodes.map(({ id }) => id)].join(' ')),
      values: (finding: string) => lines.find((line) => line.finding === finding)?.values ?? {},
      problems: () => lines.flatMap(({ state, finding }) => (state === 'ok' ? [] : [finding])),
    };
  };
  const permit = (...permissions: string[]) => context.sandbox.control.set({ permissions });
  const setRules = (enabled: boolean) => {
    const settings = { rules: { enabled } } as object;
    context.sandbox.data.organizations.update(1, { settings } as object);
  };

  const ofEachType = [
    { ...graphqlNode, id: 'mutation', query: 'mutation { createRun(input: {}) { run { id } } }' },
    { ...graphqlNode, id: 'paged', query: '{ runs { edges { node { id } } } }', pages: 'all' },
    {
      ...{ ...runsNode, id: 'runs', changes: true },
      filters: [
        { field: 'status', op: 'in', value: 'states', valueType: 'msg' },
        { field: 'part.partNumber', op: 'notin', value: 'parts', valueType: 'msg' },
      ],
    },
    { ...stepNode, id: 'field', startStep: true },
    { ...stepNode, id: 'status', action: 'status' },
    { ...stepNode, id: 'file', action: 'file' },
    { ...lookupNode, id: 'barcode' },
    { ...lookupNode, id: 'unit', by: 'serial', step: 'title', stepType: 'msg' },
    { ...eventsNode, id: 'poll', interval: 3600, changedFields: ['run.title'] },
  ];

  it('finds nothing wrong with an ION as it is documented, and changes nothing in it', async () => {
    await load(ofEachType);
    permit(...GROUPS);
    setRules(true);
    const { lines, problems, values, of } = await check();
    assert.deepEqual(problems(), []);
    assert.equal(new Set(lines.map((line) => line.check)).size, 15);
    assert.deepEqual(values('operations.valid'), { count: 10 });
    assert.match(String(values('token.received').url), /\/realms\/api-keys\/.*\/token$/);
    assert.equal(values('token.received').seconds, 300);
    assert.equal(values('user.is').organization, 'example.test');
    assert.deepEqual(of('rules'), ['rules.on']);
    assert.deepEqual(context.sandbox.control.counters().executed, {});
  });

  it('says how this ION differs, and that the nodes adapt to it', async () => {
    context.sandbox.control.set({
      ...{ authScheme: 'bearer', tokenPath: 'old', maxPageSize: 50, opaqueCursors: true },
      unknown: ['RunStepField.notApplicable', 'Query.runs(sort:)', '*.totalCount'],
    });
    setRules(false);
    await load(ofEachType);
    permit(...GROUPS);
    const { of, values, problems } = await check();
    assert.deepEqual(problems(), []);
    assert.deepEqual(of('scheme'), ['scheme.bearer']);
    assert.match(String(values('token.otherPath').url), /\/auth\/realms\//);
    assert.doesNotMatch(String(values('token.otherPath').expected), /\/auth\/realms\//);
    assert.deepEqual(values('pageSize.limited'), { wanted: 100, rows: 50 });
    assert.deepEqual([...of('cursors'), ...of('counts')], ['cursors.opaque', 'counts.missing']);
    assert.match(String(values('parts.lacking').parts), /RunStepField\.notApplicable/);
    assert.match(String(values('parts.lacking').parts), /runs\(sort:\)/);
    assert.deepEqual(of('rules'), ['rules.off']);
  });

  describe('of an automatic page size', () => {
    const paged = { ...graphqlNode, query: '{ runs { edges { node { id } } } }', pages: 'stream' };
    const cases: [
      what: string,
      sizes: unknown[],
      most: number | null,
      finding: string,
      values: object,
    ][] = [
      ['accepts it', ['auto'], null, 'accepted', { rows: 1000 }],
      ['accepts it beside a larger number', ['auto', 5000], null, 'accepted', { rows: 5000 }],
      ['does not blame it for a refusal', ['auto', 100], 400, 'adapted', { rows: 400 }],
      ['blames a larger number', ['auto', 500], 400, 'limited', { wanted: 500, rows: 400 }],
    ];
    for (const [what, sizes, maxPageSize, finding, expected] of cases) {
      it(what, async () => {
        context.sandbox.control.set({ maxPageSize });
        await load(sizes.map((pageSize, id) => ({ ...paged, id: `list${id}`, pageSize })));
        const { of, values, problems } = await check();
        assert.deepEqual(of('pageSize'), [`pageSize.${finding}`]);
        assert.deepEqual(values(`pageSize.${finding}`), expected);
        assert.deepEqual(problems(), []);
      });
    }
  });

  /** The findings that name a difference. */
  const differences = ({ settings }: NamedDialect): string[] => {
    const { authScheme, tokenPath, opaqueCursors, maxPageSize, introspection, unknown } = settings;
    return [
      ...(authScheme === 'bearer' ? ['scheme.bearer'] : []),
      ...(tokenPath === 'old' ? ['token.otherPath'] : []),
      ...(opaqueCursors ? ['cursors.opaque'] : []),
      ...(unknown?.includes('*.totalCount') ? ['counts.missing'] : []),
      ...(maxPageSize ? ['pageSize.limited'] : []),
      ...(introspection === false ? ['schema.refused'] : []),
    ];
  };
  const NAMED = [
    ...['scheme.bearer', 'token.otherPath', 'cursors.opaque', 'counts.missing'],
    ...['pageSize.limited', 'schema.refused'],
  ];

  for (const dialect of DIALECTS) {
    it(`names the difference of an ION with ${dialect.name}, if it matters here`, async () => {
      context.sandbox.control.set(dialect.settings);
      setRules(true);
      await load(ofEachType);
      const { lines, problems } = await check();
      const findings = lines.map(({ finding }) => finding);
      assert.deepEqual(
        NAMED.filter((each) => findings.includes(each)),
        differences(dialect),
      );
      const refusal = ['schema.refused', 'any.notChecked'];
      const isComplete = dialect.settings.introspection !== false;
      assert.deepEqual([...new Set(problems())], isComplete ? [] : refusal);
    });
  }

  it('names the nodes that need a part that this ION lacks', async () => {
    context.sandbox.control.set({ unknown: ['Query.runStepField', 'RunsInputFilters.status'] });
    await load(ofEachType);
    permit(...GROUPS);
    const { of } = await check();
    const invalid = of('operations').filter((each) => each.startsWith('operations.invalid'));
    assert.deepEqual(invalid.sort(), ['operations.invalid field', 'operations.invalid runs']);
  });

  it('names a node whose document is not valid, and one whose document comes with messages', async () => {
    await load([
      { ...graphqlNode, id: 'broken', query: '{ me { colour } }' },
      { ...graphqlNode, id: 'unparsed', query: '{ me {' },
      { ...graphqlNode, id: 'open', queryType: 'msg', query: 'query' },
      { ...graphqlNode, id: 'unpaged', pages: 'all' },
    ]);
    const { of, values } = await check();
    assert.deepEqual(of('operations').sort(), [
      ...['operations.invalid broken', 'operations.open open'],
      ...['operations.unusable unpaged', 'operations.unusable unparsed', 'operations.valid'],
    ]);
    assert.match(String(values('operations.invalid').problem), /"colour"/);
    assert.deepEqual(of('permissions'), ['permissions.open open']);
  });

  const UNSET = '${NAME_THAT_IS_NOT_SET}';
  const RUNS = '{ runs { edges { node { id } } } }';
  for (const [property, node] of Object.entries({
    pages: { ...graphqlNode, pages: UNSET },
    operationName: { ...graphqlNode, operationName: UNSET },
    limit: { ...graphqlNode, query: RUNS, pages: 'all', limit: 'abc' },
    variables: { ...graphqlNode, variables: '{ "id": ', variablesType: 'json' },
    'variables, which are a list': { ...graphqlNode, variables: '[1]', variablesType: 'json' },
    'output, which is in msg.ion': { ...graphqlNode, queryType: 'msg', output: 'ion.data' },
    'mode of ion-runs': { ...runsNode, mode: UNSET },
    'limit of ion-runs': { ...runsNode, limit: 'abc' },
    'output of ion-runs': { ...runsNode, output: 'a b' },
    'output of ion-lookup': { ...lookupNode, output: 'run' },
    'kind of value of ion-lookup': { ...lookupNode, by: 'lot' },
    'hours of ion-lookup': { ...lookupNode, remember: 'a day' },
    'output of ion-step': { ...stepNode, output: 'a b' },
  })) {
    it(`names a node that fails with each message because of its ${property}`, async () => {
      await load([{ ...node, id: 'wrong' }]);
      const { of } = await check();
      assert.equal(of('operations')[0], 'operations.unusable wrong');
    });
  }

  it('accepts an output that only a message can complete, and JSON as variables', async () => {
    await load([
      { ...runsNode, id: 'runs', output: 'lines[msg.line].runs' },
      { ...graphqlNode, id: 'json', variables: '{ "id": 1 }', variablesType: 'json' },
      { ...runsNode, id: 'changes', changes: true, limit: 'abc' },
    ]);
    const { of, values } = await check();
    assert.deepEqual(of('operations'), ['operations.valid']);
    assert.deepEqual(values('operations.valid'), { count: 4 });
  });

  it('says that ION does not show its schema, and still checks the rest', async () => {
    await load(ofEachType);
    permit(...GROUPS);
    context.sandbox.control.set({ introspection: false });
    const { of, values } = await check();
    assert.deepEqual(of('schema'), ['schema.refused']);
    assert.match(String(values('schema.refused').reason), /introspection/i);
    for (const name of ['operations', 'parts']) assert.deepEqual(of(name), ['any.notChecked']);
    assert.deepEqual(of('pageSize'), ['pageSize.accepted']);
    assert.deepEqual(of('permissions'), ['permissions.all']);
  });

  describe('of the permissions', () => {
    it('names the nodes that will fail without one', async () => {
      await load(ofEachType);
      permit(...GROUPS.filter((name) => !['UpdateRunStep', 'CreateRun'].includes(name)));
      const { of, lines } = await check();
      assert.deepEqual(of('permissions'), [
        'permissions.missing mutation',
        'permissions.missing field status',
      ]);
      const named = lines.flatMap(({ check, values }) =>
        check === 'permissions' ? [values.permissions] : [],
      );
      assert.deepEqual(named, ['CreateRun', 'UpdateRunStep']);
    });

    it('names a node that only cleans up with one', async () => {
      await load(ofEachType);
      permit(...GROUPS.filter((name) => name !== 'DeleteFileAttachment'));
      assert.deepEqual((await check()).of('permissions'), ['permissions.missingRarely file']);
    });

    it('lists those that are needed if ION does not show what the user has', async () => {
      context.sandbox.control.set({ unknown: ['User.permissionGroups', 'User.roles'] });
      await load(ofEachType);
      const { of, values } = await check();
      assert.deepEqual(of('permissions'), ['permissions.notShown']);
      for (const name of GROUPS) {
        assert.ok(String(values('permissions.notShown').permissions).includes(name), name);
      }
    });

    it('are also found in the roles of the user', async () => {
      context.sandbox.control.set({ unknown: ['User.permissionGroups'] });
      await load(ofEachType);
      assert.deepEqual((await check()).of('permissions'), ['permissions.all']);
      permit(...GROUPS.filter((name) => name !== 'CreateRun'));
      assert.deepEqual((await check()).of('permissions'), ['permissions.missing mutation']);
    });

    it('are found without roles', async () => {
      context.sandbox.control.set({ unknown: ['User.roles'] });
      await load(ofEachType);
      assert.deepEqual((await check()).of('permissions'), ['permissions.all']);
    });

    it('are not needed by nodes that only read', async () => {
      await load([runsNode]);
      assert.deepEqual((await check()).of('permissions'), ['permissions.notNeeded']);
    });
  });

  describe('of the key and the servers', () => {
    const unchecked = ['scheme', 'user', 'permissions', 'schema', 'operations', 'pageSize'];

    it('says that the secret is wrong, and that nothing else could be checked', async () => {
      const wrong = 'a-wrong-client-secret';
      const credentials = { config: { clientId: 'sandbox-key', clientSecret: wrong } };
      await load(ofEachType, { credentials });
      const { of, lines } = await check();
      assert.deepEqual(of('token'), ['token.failed']);
      assert.equal(lines.find(({ check }) => check === 'token')?.advice, 'token.key');
      for (const name of unchecked) assert.deepEqual(of(name), ['any.notChecked'], name);
      assert.deepEqual([...of('tls'), ...of('clock')], ['tls.local', 'clock.right']);
      assert.ok(!texts.at(-1)?.includes(wrong));
    });

    it('says that no key is entered', async () => {
      await load([], { credentials: { config: {} } });
      const { of } = await check();
      assert.deepEqual(of('settings'), ['settings.unusable']);
      for (const name of unchecked) assert.deepEqual(of(name), ['any.notChecked'], name);
    });

    for (const timeZone of ['Europe/Berln', '${ZONE_THAT_IS_NOT_SET}']) {
      it(`says that the time zone "${timeZone}" makes all nodes fail`, async () => {
        await load(ofEachType, { config: { timeZone } });
        const { of, values } = await check();
        assert.deepEqual(of('settings'), ['settings.unusable']);
        assert.ok(String(values('settings.unusable').reason).includes(timeZone));
        for (const name of unchecked) assert.deepEqual(of(name), ['any.notChecked'], name);
      });
    }

    it('says that a name cannot be found, and checks the other server', async () => {
      await load([], { config: { apiUrl: 'https://ion.invalid' } });
      const { of, lines } = await check();
      assert.deepEqual(of('names').sort(), ['names.address', 'names.notFound']);
      assert.deepEqual(of('tls').sort(), ['any.notChecked', 'tls.local']);
      assert.deepEqual(of('token'), ['token.received']);
      const because = lines.find(({ check }) => check === 'scheme')?.values.because;
      assert.equal(because, 'tls');
    });

    it('says that nothing listens', async () => {
      await load([], { config: { authUrl: `http://127.0.0.1:${await unusedPort()}` } });
      const { of, lines } = await check();
      const line = lines.find(({ finding }) => finding === 'tls.failed');
      assert.deepEqual([line?.values.code, line?.advice], ['ION_NETWORK', 'tls.network']);
      assert.deepEqual(of('token'), ['any.notChecked']);
    });

    it('says that the API refuses the token of another environment', async () => {
      const { foreignAuthUrl } = context.sandbox;
      await load([], { config: { authUrl: foreignAuthUrl } });
      const { of } = await check();
      assert.deepEqual(of('token'), ['token.received']);
      assert.deepEqual([...of('scheme'), ...of('user')], ['scheme.refused', 'any.notChecked']);
    });

    const page = '<html><title>Another server</title></html>';
    for (const [status, body] of [
      [403, page],
      [404, page],
      [405, page],
      [302, ''],
      [200, page],
      [200, '{ "status": "up" }'],
    ] as const) {
      it(`says that no API responds with HTTP ${status} and "${body}"`, async () => {
        const other = opened(
          await httpServer((request, response) => {
            response.writeHead(status);
            request.resume().on('end', () => response.end(body));
          }),
        );
        await load([], { config: { apiUrl: other.url } });
        const { of, lines } = await check();
        const line = lines.find(({ check }) => check === 'scheme');
        assert.deepEqual(
          [line?.state, line?.finding, line?.advice],
          ['failed', 'scheme.noApi', 'scheme.url'],
        );
        assert.deepEqual(of('user'), ['any.notChecked']);
      });
    }

    for (const status of [429, 500, 502, 503]) {
      it(`does not blame the URL for HTTP ${status}`, async () => {
        const busy = opened(
          await httpServer((request, response) => {
            response.writeHead(status);
            request.resume().on('end', () => response.end(page));
          }),
        );
        await load([], { config: { apiUrl: busy.url } });
        assert.deepEqual((await check()).of('scheme'), ['any.error']);
      });
    }

    it('does not blame the API key if a server in between refuses one request', async () => {
      await load(ofEachType);
      const { control } = context.sandbox;
      control.fault({ target: 'api', match: '__schema', kind: 'status', status: 403 });
      assert.deepEqual((await check()).of('schema'), ['any.error']);
    });

    it('says how far the clock is off', async () => {
      const api = opened(
        await httpServer((request, response) => {
          response.setHeader('date', new Date(Date.now() - 600_000).toUTCString());
          request.resume().on('end', () => response.end('{ "data": { "me": null } }'));
        }),
      );
      await load([], { config: { apiUrl: api.url } });
      const { of, values } = await check();
      assert.deepEqual(of('clock').sort(), ['clock.ahead', 'clock.right']);
      assert.ok(Math.abs(Number(values('clock.ahead').seconds) - 600) <= 2);
    });

    it('checks the rest although ION does not show the user', async () => {
      await load(ofEachType);
      const errors = [{ message: 'Not available.', path: ['me'] }];
      const data = { me: null };
      context.sandbox.control.fault({
        target: 'api',
        match: 'email',
        kind: 'graphql',
        errors,
        data,
      });
      const { of } = await check();
      assert.deepEqual([...of('scheme'), ...of('user')], ['scheme.raw', 'any.error']);
      assert.deepEqual([...of('schema'), ...of('pageSize')], ['schema.read', 'pageSize.accepted']);
    });
  });

  describe('of the certificate', () => {
    const tls = {
      id: 'tls',
      type: 'tls-config',
      cert: '',
      key: '',
      ca: '',
      verifyservercert: true,
    };
    let secure: Sandbox | undefined;

    afterEach(async () => {
      await secure?.close();
      secure = undefined;
    });

    const checkWith = async (certificate: { key: string; cert: string }, options: object = {}) => {
      secure = await startSandbox({ port: 0, runs: 1, tls: certificate });
      await load([], { sandbox: secure, ...options });
      return check();
    };
    const trusting = (cadata: string, verifyservercert = true) => ({
      others: [{ ...tls, verifyservercert }],
      config: { tls: 'tls' },
      credentials: { tls: { cadata } },
    });
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

    it('shows its CA and its end', async () => {
      const own = await certificate({ ip: '127.0.0.1' }, { until: inDays(100) });
      const { values, lines } = await checkWith(own, trusting(own.cert));
      const { issuer, until } = values('tls.valid');
      assert.match(String(issuer), /^Test /);
      assert.equal(until, inDays(100).toISOString().slice(0, 10));
      assert.equal(lines.find(({ check }) => check === 'tls')?.advice, undefined);
    });

    it('warns before its end', async () => {
      const own = await certificate({ ip: '127.0.0.1' }, { until: inDays(10) });
      const { lines } = await checkWith(own, trusting(own.cert));
      assert.equal(lines.find(({ check }) => check === 'tls')?.advice, 'tls.renew');
    });

    it('says that it is not trusted', async () => {
      const { lines, of } = await checkWith(await selfSigned({ ip: '127.0.0.1' }));
      const line = lines.find(({ check }) => check === 'tls');
      assert.deepEqual([line?.finding, line?.advice], ['tls.failed', 'tls.certificate']);
      assert.match(String(line?.values.reason), /is not trusted/);
      assert.deepEqual(of('token'), ['any.notChecked']);
    });

    it('says that it has expired', async () => {
      const own = await certificate({ ip: '127.0.0.1' }, { from: inDays(-9), until: inDays(-1) });
      const { lines } = await checkWith(own, trusting(own.cert));
      const line = lines.find(({ check }) => check === 'tls');
      assert.match(String(line?.values.reason), /has expired/);
    });

    it('is that of the server behind a proxy, which also finds its name', async () => {
      const proxy = opened(await startProxy());
      const own = await selfSigned({ name: 'ion.example.test' });
      secure = await startSandbox({ port: 0, runs: 1, tls: own });
      const url = secure.url.replace('127.0.0.1', 'ion.example.test');
      await load([], {
        sandbox: secure,
        others: [tls, { id: 'proxy', type: 'http proxy', url: proxy.url, noproxy: [] }],
        config: { tls: 'tls', proxy: 'proxy', apiUrl: url, authUrl: url },
        credentials: { tls: { cadata: own.cert } },
      });
      const { of } = await check();
      assert.deepEqual([...of('names'), ...of('tls')], ['names.byProxy', 'tls.valid']);
      assert.deepEqual(of('user'), ['user.is']);
    });

    it('says that it is not verified although it is trusted', async () => {
      const own = await certificate({ ip: '127.0.0.1' });
      const { lines, of } = await checkWith(own, trusting(own.cert, false));
      assert.deepEqual(of('tls'), ['tls.unverified']);
      assert.equal(lines.find(({ check }) => check === 'tls')?.advice, 'tls.verify');
    });

    it('says that it is not verified', async () => {
      const own = await selfSigned({ ip: '127.0.0.1' });
      const { of } = await checkWith(own, trusting('', false));
      assert.deepEqual(of('tls'), ['tls.unverified']);
    });
  });

  describe('of the webhooks', () => {
    const webhook = {
      ...{ ...eventsNode, id: 'webhook', via: 'webhook', path: '/ion/steps' },
      ...{ publicUrl: 'https://factory.example', actions: ['CREATE', 'UPDATE'] },
    };
    const uri = 'https://factory.example/ion/steps';
    const credentials = { webhook: { secret: WEBHOOK_SECRET } };
    const receive = (columns: object, actions: string[]) => {
      const { data } = context.sandbox;
      const receiver = data.webhookReceivers.insert(
        {
          ...{ name: 'by hand', webhookUri: uri, sharedSecret: WEBHOOK_SECRET, active: true },
          ...{ expectedResponseCode: 200, headerIds: [], ...columns },
        } as never,
        1,
      );
      for (const action of actions) {
        const subscription = {
          resource: 'RUN_STEPS',
          action,
          receiverId: receiver.id,
          active: true,
        };
        data.webhookSubscriptions.insert(subscription as never, 1);
      }
    };

    afterEach(() => {
      const { webhookReceivers, webhookSubscriptions } = context.sandbox.data;
      for (const { id } of webhookSubscriptions.all()) webhookSubscriptions.delete(id);
      for (const { id } of webhookReceivers.all()) webhookReceivers.delete(id);
    });

    it('says that ION has no receiver', async () => {
      await load([webhook], { credentials });
      const { of, lines } = await check();
      assert.deepEqual(of('webhooks'), ['webhooks.missing webhook']);
      assert.equal(lines.at(-1)?.advice, 'webhooks.register');
    });

    it('says that a registration has failed', async () => {
      context.sandbox.control.set({ permissions: [] });
      await load([{ ...webhook, register: true }], { credentials });
      const { of, lines } = await check();
      assert.deepEqual(of('webhooks'), ['webhooks.missing webhook']);
      assert.equal(lines.at(-1)?.advice, 'webhooks.log');
    });

    it('says that a dry run registers none', async () => {
      const config = { mode: 'dryRun' };
      await load([{ ...webhook, register: true }], { credentials, config });
      const { of, lines } = await check();
      assert.deepEqual(of('settings'), ['settings.dryRun']);
      assert.deepEqual(of('webhooks'), ['webhooks.dryRun webhook']);
      assert.equal(lines.at(-1)?.state, 'unknown');
    });

    it('finds the receiver by its path', async () => {
      receive({}, ['CREATE', 'UPDATE']);
      await load([webhook], { credentials });
      assert.deepEqual((await check()).of('webhooks'), ['webhooks.active webhook']);
    });

    it('finds the receiver of a node that registers itself by its whole address', async () => {
      context.sandbox.control.set({ permissions: [] });
      receive({ webhookUri: 'https://other.example/ion/steps' }, ['CREATE', 'UPDATE']);
      await load([{ ...webhook, register: true }], { credentials });
      assert.deepEqual((await check()).of('webhooks'), ['webhooks.missing webhook']);
      receive({}, ['CREATE', 'UPDATE']);
      assert.deepEqual((await check()).of('webhooks'), ['webhooks.active webhook']);
    });

    for (const publicUrl of ['https://old.example', 'factory.example', '']) {
      it(`finds the receiver although the unused public URL is "${publicUrl}"`, async () => {
        receive({}, ['CREATE', 'UPDATE']);
        await load([{ ...webhook, publicUrl }], { credentials });
        const { of } = await check();
        assert.deepEqual(of('webhooks'), ['webhooks.active webhook']);
        assert.deepEqual(of('operations'), ['operations.valid']);
      });
    }

    it('finds the receiver in any form of IDs and enum values', async () => {
      context.sandbox.control.set({ idForm: 'text', enumCase: 'lower' });
      receive({}, ['CREATE', 'UPDATE']);
      await load([webhook], { credentials });
      assert.deepEqual((await check()).of('webhooks'), ['webhooks.active webhook']);
    });

    it('says that the receiver is not active, or lacks a subscription', async () => {
      receive({}, ['CREATE']);
      await load([webhook], { credentials });
      const { of, values } = await check();
      assert.deepEqual(of('webhooks'), ['webhooks.incomplete webhook']);
      assert.equal(values('webhooks.incomplete').subscriptions, 'RUN_STEPS: UPDATE');
      for (const { id } of context.sandbox.data.webhookReceivers.all()) {
        context.sandbox.data.webhookReceivers.update(id, { active: false });
      }
      assert.deepEqual((await check()).of('webhooks'), ['webhooks.inactive webhook']);
    });
  });

  describe('with the values of a dialog', () => {
    const dialog = (config: object = {}, credentials: object = {}) => {
      const { url: apiUrl, authUrl, clientId } = context.sandbox;
      return {
        id: 'config',
        config: { environment: 'custom', apiUrl, authUrl, ...config },
        credentials: { clientId, clientSecret: '__PWRD__', ...credentials },
      };
    };

    it('uses the stored secret, and checks the deployed nodes', async () => {
      await load(ofEachType);
      const { of, values } = await check('check', dialog());
      assert.deepEqual(of('user'), ['user.is']);
      assert.deepEqual(values('operations.valid'), { count: 10 });
    });

    it('checks a configuration that is not deployed', async () => {
      await load();
      const { clientSecret } = context.sandbox;
      const { of } = await check('check', { ...dialog({}, { clientSecret }), id: 'new' });
      assert.deepEqual([...of('user'), ...of('operations')], ['user.is', 'operations.none']);
    });

    it('says that the time zone in the dialog cannot be used', async () => {
      await load();
      const { of } = await check('check', dialog({ timeZone: 'Europe/Berln' }));
      assert.deepEqual(of('settings'), ['settings.unusable']);
    });

    it('does not send the stored secret elsewhere', async () => {
      await load();
      const apiUrl = `http://127.0.0.1:${await unusedPort()}`;
      const request = helper.request().post('/ion-config/check').send(dialog({ apiUrl }));
      const { status, body } = await request;
      assert.deepEqual([status, body.code], [400, 'ION_CONFIG']);
    });
  });

  it('refuses more than three checks at a time', async () => {
    await load();
    context.sandbox.control.set({ latency: 200 });
    const requests = Array.from({ length: 5 }, async () => {
      const { status, body } = await helper.request().post('/ion-config/config/check').send({});
      return status === 200 ? 'checked' : body.code;
    });
    const outcomes = (await Promise.all(requests)).sort();
    const refused = Array(2).fill('ION_OVERLOADED');
    assert.deepEqual(outcomes, [...refused, 'checked', 'checked', 'checked']);
    assert.equal((await check()).of('user').length, 1);
  });

  it('reports a missing config node', async () => {
    await load();
    const { status, body } = await helper.request().post('/ion-config/node/check').send({});
    assert.deepEqual([status, body.code], [404, 'ION_NOT_FOUND']);
  });

  describe('in all of these cases', () => {
    it('returns no secret, also if servers repeat it', async () => {
      const tokens = new Set<string>();
      const echo = opened(
        await httpServer((request, response) => {
          const token = String(request.headers.authorization ?? '');
          if (token) tokens.add(token.replace('Bearer ', ''));
          const message = `Refused: ${token}, ${JSON.stringify(request.headers)}`;
          const errors = [{ message, path: ['me'] }];
          request.resume().on('end', () => response.end(JSON.stringify({ data: null, errors })));
        }),
      );
      const password = 'the-password-of-the-proxy';
      const names = [context.sandbox.clientSecret, `the proxy: ${password}`];
      // A node that cannot work is named.
      const nodes = names.map((name, at) => ({ ...graphqlNode, id: `${at}`, name, query: '{' }));
      await load(nodes, {
        others: [{ id: 'proxy', type: 'http proxy', url: 'http://127.0.0.1:9', noproxy: [] }],
        config: { apiUrl: echo.url, proxy: 'proxy' },
        credentials: { proxy: { username: 'line', password } },
      });
      const { of } = await check();
      assert.equal(of('operations').length, 3);
      const secrets = [password, context.sandbox.clientSecret, WEBHOOK_SECRET, ...tokens];
      assert.ok(tokens.size > 0);
      assert.ok(texts.length > 20);
      for (const text of texts) {
        for (const secret of secrets) assert.ok(!text.includes(secret), text);
        assert.doesNotMatch(text, /eyJ[\w-]{8,}\.[\w-]+/);
      }
    });
  });
});
