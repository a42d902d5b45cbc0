import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type Application } from 'express';
import { startSandbox } from '../../sandbox/server.js';
import {
  eventsNode,
  type FlowNode,
  graphqlNode,
  runsNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { type Certificate, selfSigned } from '../support/certificates.js';
import { EventsFlow } from '../support/events-flow.js';
import { helper, type Outcome, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

/** Rejected by every numeric setting. */
const NO_NUMBERS = ['abc', '5 s', '0x10', 'Infinity', true, {}, [5], -1, '-1', 1e12, '1e300'];

describe('invalid settings', () => {
  const context = useSandbox();

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  const load = (
    config: object = {},
    credentials: object = {},
    node: FlowNode = graphqlNode,
    others: FlowNode[] = [],
  ) => {
    const { clientId, clientSecret } = context.sandbox;
    return TestFlow.load(node, [...others, sandboxConfig(context.sandbox, config)], {
      config: { clientId, clientSecret, ...credentials },
    });
  };
  const requests = () => {
    const { api, token } = context.sandbox.control.counters();
    return api.total + token.total;
  };
  const warnings = () => helper.log().args.map(([{ msg }]) => String(msg));
  const refusalIn = ({ caught, sent }: Outcome, code = 'ION_CONFIG') => {
    assert.equal(sent.length, 0);
    assert.equal(caught[0]?.error.code, code);
    return String(caught[0]?.error.message);
  };
  /** The failure of a message for which nothing was sent. */
  const refusal = async (flow: TestFlow, msg = {}, code = 'ION_CONFIG') => {
    const message = refusalIn(await flow.send(msg), code);
    assert.equal(requests(), 0);
    return message;
  };
  const withVariables = async (variables: Record<string, string>, work: () => Promise<void>) => {
    Object.assign(process.env, variables);
    try {
      await work();
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
    }
  };

  describe('numbers', () => {
    const numbers: [property: string, label: string, limits: string, odd: unknown[]][] = [
      ['timeout', 'Timeout \\(s\\)', 'a number from 0.1 to 3600', [9_999_999, 0, '0']],
      ['retries', 'Retries', 'a whole number from 0 to 100', [1.5, 1e6]],
      ['concurrency', 'Concurrent requests', 'a whole number from 1 to 1000', [0, 1.5]],
      ['queueLimit', 'Queue limit', 'a whole number from 0 to 10000000', [0.5]],
    ];
    for (const [property, label, limits, odd] of numbers) {
      it(`of ${property} are rejected with the dialog's name, the value and the limits`, async () => {
        for (const value of [...NO_NUMBERS, ...odd]) {
          const flow = await load({ [property]: value });
          const message = await refusal(flow);
          assert.match(message, new RegExp(`"${label}" of the ion-config node is .*${limits}`));
          assert.ok(warnings().some((warning) => message.includes(warning)));
          await helper.unload();
        }
      });
    }

    it('work as text with spaces, and at their limits', async () => {
      const texts = { timeout: ' 30 ', retries: '0', concurrency: '1e2', queueLimit: '\ufeff5\n' };
      const least = { timeout: 0.1, retries: 0, concurrency: 1, queueLimit: 0 };
      const most = { timeout: 3600, retries: 100, concurrency: 1000, queueLimit: 10_000_000 };
      for (const numbers of [texts, least, most, { timeout: '' }, { timeout: null }]) {
        await (await load(numbers)).answer();
        await helper.unload();
      }
    });

    for (const [property, label] of [
      ['outboxLimit', 'Max\\. entries'],
      ['outboxSize', 'Max\\. size \\(MiB\\)'],
    ] as const) {
      it(`of ${property} stop the outbox and nothing else`, async () => {
        const { step } = await makeStep(context.client(), [{ name: 'Log', type: 'STRING' }]);
        const msg = { step, field: 'Log', payload: 'x' };
        for (const value of [...NO_NUMBERS, 0, 1.5, 'x']) {
          const direct = await load({ [property]: value }, {}, stepNode);
          const [warning] = warnings().filter((text) => new RegExp(`^"${label}" `).test(text));
          assert.match(String(warning), / of the ion-config node is .* must be a whole number /);
          await direct.answer(msg);
          await helper.unload();
          const outbox = { ...stepNode, delivery: 'outbox' };
          const message = refusalIn(
            await (await load({ [property]: value }, {}, outbox)).send(msg),
          );
          assert.ok(message.includes(String(warning)), message);
          await helper.unload();
        }
      });
    }

    it('of writesPerRequest stop the outbox and nothing else', async () => {
      const { step } = await makeStep(context.client(), [{ name: 'Log', type: 'STRING' }]);
      const msg = { step, field: 'Log', payload: 'x' };
      const outbox = { ...stepNode, delivery: 'outbox' };
      for (const value of [0, 51, 1.5, 'many', {}]) {
        await (await load({ writesPerRequest: value }, {}, stepNode)).answer(msg);
        const expected =
          /"Writes per request" of the ion-config node is .*"auto" or a whole number/;
        assert.ok(warnings().some((text) => expected.test(text)));
        await helper.unload();
        const flow = await load({ writesPerRequest: value }, {}, outbox);
        assert.match(refusalIn(await flow.send(msg)), expected);
        await helper.unload();
      }
      for (const value of ['auto', ' AUTO ', '', null, undefined, 1, '50']) {
        await (await load({ writesPerRequest: value }, {}, stepNode)).answer(msg);
        assert.ok(!warnings().some((text) => text.includes('Writes per request')));
        await helper.unload();
      }
    });

    it('of pages are rejected when pages are read', async () => {
      const paged = { ...graphqlNode, query: '{ runs { edges { node { id } } } }', pages: 'all' };
      for (const value of NO_NUMBERS) {
        for (const node of [paged, runsNode]) {
          for (const [property, label] of [
            ['pageSize', 'Page size'],
            ['limit', 'Limit'],
          ] as const) {
            const flow = await load({}, {}, { ...node, [property]: value });
            const message = await refusal(flow);
            const expected =
              property === 'pageSize' ? '"auto" or a whole number' : 'a whole number';
            const pattern = `"${label}" of the ${node.type} node is .*must be ${expected} from \\d`;
            assert.match(message, new RegExp(pattern));
            await helper.unload();
          }
        }
      }
      await (await load({}, {}, { ...graphqlNode, pageSize: 0, limit: 'x' })).answer();
    });

    it('of pages may come from the environment, and be auto', async () => {
      const paged = { ...graphqlNode, query: '{ runs { edges { node { id } } } }', pages: 'all' };
      for (const [value, first] of [
        ['auto', 100],
        ['25', 25],
      ] as const) {
        await withVariables({ ION_PAGE_SIZE: value }, async () => {
          for (const node of [paged, runsNode]) {
            const { control } = context.sandbox;
            control.resetCounters();
            await (await load({}, {}, { ...node, pageSize: '${ION_PAGE_SIZE}' })).answer();
            const { recent } = control.counters();
            const list = recent.find(({ path }) => path === '/graphql');
            assert.ok(list);
            const { variables } = list.body as { variables: Record<string, unknown> };
            assert.equal(variables.first, first);
            await helper.unload();
          }
        });
      }
    });
  });

  describe('missing environment variables', () => {
    const reference = '${ION_NOT_SET}';
    const whole: [property: string, what: string][] = [
      ['environment', 'environment'],
      ['apiUrl', 'API URL'],
      ['authUrl', 'auth URL'],
      ['audience', 'audience'],
      ['authScheme', 'authorization header'],
      ['mode', 'mode'],
      ['timeout', '"Timeout \\(s\\)"'],
      ['concurrency', '"Concurrent requests"'],
      ['allowHttp', '"allowHttp"'],
      ['trace', '"trace"'],
      ['audit', '"audit"'],
      ['timeZone', 'time zone'],
      ['tls', 'TLS configuration'],
      ['proxy', 'proxy'],
    ];
    for (const [property, what] of whole) {
      it(`are named if ${property} refers to one`, async () => {
        const message = await refusal(await load({ [property]: reference }));
        assert.match(message, new RegExp(`${what} .* environment variable ION_NOT_SET is not set`));
      });
    }

    for (const [property, what] of [
      ['clientId', 'client ID'],
      ['clientSecret', 'client secret'],
    ] as const) {
      it(`are named if ${property} refers to one`, async () => {
        for (const text of [reference, '$(ION_NOT_SET)']) {
          const message = await refusal(await load({}, { [property]: text }));
          assert.match(
            message,
            new RegExp(`${what} .* environment variable ION_NOT_SET is not set`),
          );
          await helper.unload();
        }
      });
    }

    it('are distinguished from excluded variables, and from names with a space', async () => {
      await withVariables({ ION_OUTER: '${ION_INNER}', ION_INNER: 'x' }, async () => {
        const nested = await refusal(await load({}, { clientSecret: '${ION_OUTER}' }));
        assert.match(nested, /although the environment variable ION_INNER is set/);
        await helper.unload();
        const blank = await refusal(await load({}, { clientSecret: '${ION_INNER}\n' }));
        assert.match(blank, /\$\{ION_INNER\} with a space before or after it/);
      });
    });

    it('cannot be a part of a URL, an audience or a client ID, set or not', async () => {
      await withVariables({ ION_HOST: '127.0.0.1' }, async () => {
        for (const config of [
          { apiUrl: 'https://${ION_HOST}/graphql' },
          { authUrl: 'https://${ION_HOST}' },
          { authUrl: 'https://$(ION_HOST)' },
          { audience: 'https://${ION_HOST}' },
        ]) {
          const message = await refusal(await load(config));
          assert.match(message, /contains \$[{(]ION_HOST[)}]\. .* is the whole text/);
          await helper.unload();
        }
        const message = await refusal(await load({}, { clientId: 'ion-${ION_HOST}' }));
        assert.match(message, /The client ID .* contains \$\{ION_HOST\}/);
      });
    });

    it('are not suspected in a secret', async () => {
      const secret = 'a${B}c-$(d)-{{e}}';
      const { caught } = await (await load({ retries: 0 }, { clientSecret: secret })).send();
      assert.equal(caught[0]?.error.code, 'ION_AUTH');
      assert.equal(context.sandbox.control.counters().token.total, 1);
    });

    it('are named in the URL of a proxy', async () => {
      for (const url of [reference, 'http://${ION_NOT_SET}:3128', 'http://$ION_NOT_SET:3128']) {
        const proxy = { id: 'proxy', type: 'http proxy', url, noproxy: [] };
        const flow = await load({ proxy: 'proxy' }, {}, graphqlNode, [proxy]);
        assert.match(await refusal(flow), /URL of the proxy configuration .*ION_NOT_SET/);
        await helper.unload();
      }
      const proxy = { id: 'proxy', type: 'http proxy', url: 'http://127.0.0.1:9', noproxy: [] };
      const config = [proxy, sandboxConfig(context.sandbox, { proxy: 'proxy' })];
      for (const property of ['username', 'password']) {
        const credentials = { ...sandboxKey(context.sandbox), proxy: { [property]: reference } };
        const flow = await TestFlow.load(graphqlNode, config, credentials);
        assert.match(await refusal(flow), /of the proxy configuration .*variable ION_NOT_SET/);
        await helper.unload();
      }
    });

    it('are named when a message needs them', async () => {
      const filter = { field: 'title', op: 'eq', value: 'ION_NOT_SET', valueType: 'env' };
      const nodes: [FlowNode, string][] = [
        [{ ...graphqlNode, query: 'ION_NOT_SET', queryType: 'env' }, 'ION_QUERY'],
        [{ ...graphqlNode, query: reference }, 'ION_QUERY'],
        [{ ...graphqlNode, operationName: reference }, 'ION_QUERY'],
        [{ ...graphqlNode, variables: reference, variablesType: 'env' }, 'ION_VARIABLES'],
        [{ ...graphqlNode, variables: 'ION_NOT_SET', variablesType: 'env' }, 'ION_VARIABLES'],
        [{ ...runsNode, filters: [filter] }, 'ION_VARIABLES'],
        [{ ...runsNode, filters: [{ ...filter, value: 'a-${ION_NOT_SET}' }] }, 'ION_VARIABLES'],
        [
          { ...runsNode, filters: [{ ...filter, value: reference, valueType: 'str' }] },
          'ION_VARIABLES',
        ],
        [{ ...stepNode, run: 'ION_NOT_SET', runType: 'env' }, 'ION_VARIABLES'],
        [{ ...stepNode, run: reference, runType: 'str' }, 'ION_VARIABLES'],
        [{ ...stepNode, step: 'ION_NOT_SET', stepType: 'env' }, 'ION_VARIABLES'],
        [{ ...stepNode, value: 'ION_NOT_SET', valueType: 'env' }, 'ION_VARIABLES'],
        [{ ...stepNode, value: reference, valueType: 'str' }, 'ION_VARIABLES'],
      ];
      for (const [node, code] of nodes) {
        const msg = { step: 1, field: 'Log', payload: 'x' };
        const message = await refusal(await load({}, {}, node), msg, code);
        assert.match(message, /environment variable ION_NOT_SET/, JSON.stringify(node));
        await helper.unload();
      }
    });

    it('are named if a choice refers to one', async () => {
      for (const [node, names] of [
        [graphqlNode, ['pages']],
        [runsNode, ['mode', 'changesFrom', 'changes']],
        [stepNode, ['action', 'onConflict', 'delivery', 'keep']],
      ] as const) {
        for (const name of names) {
          const msg = { step: 1, field: 'Log', payload: 'x' };
          const message = await refusal(await load({}, {}, { ...node, [name]: reference }), msg);
          assert.match(
            message,
            new RegExp(`"${name}" .* environment variable ION_NOT_SET is not set`),
          );
          await helper.unload();
        }
      }
    });

    it('may be set and empty', async () => {
      await withVariables({ ION_EMPTY: '' }, async () => {
        const filter = { field: 'title', op: 'neq', value: 'ION_EMPTY', valueType: 'env' };
        await (await load({}, {}, { ...runsNode, filters: [filter] })).answer();
      });
    });

    it('are named by the connection test, which reads only deployed ones', async () => {
      const { url: apiUrl, authUrl, clientId, clientSecret } = context.sandbox;
      const custom = { environment: 'custom', apiUrl, authUrl };
      const key = { clientId, clientSecret };
      const test = async (body: object) => {
        const response = await helper.request().post('/ion-config/test').send(body);
        assert.equal(response.status, 400);
        return String(response.body.message);
      };
      await withVariables({ ION_IS_SET: 'a-value-of-the-server' }, async () => {
        await load({ audience: reference }, { clientSecret: reference });
        for (const variable of ['ION_NOT_DEPLOYED', 'ION_IS_SET']) {
          const typed = `\${${variable}}`;
          for (const name of ['apiUrl', 'authUrl', 'audience']) {
            const body = { id: 'config', config: { ...custom, [name]: typed }, credentials: key };
            const only = new RegExp(`variable ${variable} is only read on a deploy`);
            assert.match(await test(body), only);
            assert.match(await test({ ...body, id: 'new' }), only);
          }
          for (const name of Object.keys(key)) {
            const credentials = { ...key, [name]: typed };
            const message = await test({ id: 'config', config: custom, credentials });
            assert.match(message, new RegExp(`variable ${variable} is only read on a deploy`));
          }
        }
        const part = { ...custom, apiUrl: 'https://${ION_IS_SET}/graphql' };
        const message = await test({ id: 'config', config: part, credentials: key });
        assert.match(message, /contains \$\{ION_IS_SET\}/);
        const deployed = { ...key, clientSecret: reference };
        assert.match(
          await test({ id: 'config', config: custom, credentials: deployed }),
          /environment variable ION_NOT_SET is not set/,
        );
        const audience = { ...custom, audience: reference };
        assert.match(
          await test({ id: 'config', config: audience, credentials: key }),
          /audience .* environment variable ION_NOT_SET is not set/,
        );
      });
      assert.equal(requests(), 0);
    });
  });

  describe('characters added by a file or the clipboard', () => {
    it('at the ends of the key and the URLs are removed', async () => {
      const { url, authUrl, clientId, clientSecret } = context.sandbox;
      for (const [before, behind] of [
        ['', '\n'],
        [' ', '\r\n'],
        ['\ufeff', '\u200b'],
        ['\u00a0', '\t'],
      ] as const) {
        const around = (text: string) => before + text + behind;
        const config = {
          environment: around('custom'),
          apiUrl: around(url),
          authUrl: around(authUrl),
          audience: around(url),
          authScheme: around('bearer'),
          timeout: around('5'),
          allowHttp: around('false'),
        };
        const key = { clientId: around(clientId), clientSecret: around(clientSecret) };
        const flow = await load(config, key);
        await flow.answer();
        const sent = context.sandbox.control.counters().recent;
        const authorization = sent.findLast(({ path }) => path === '/graphql')?.headers;
        assert.match(String(authorization?.authorization), /^Bearer/);
        await helper.unload();
      }
    });

    it('inside are rejected without being shown', async () => {
      for (const key of [
        { clientSecret: 's3cret-part\ns3cret-rest' },
        { clientSecret: 's3cret-part\0' },
        { clientId: 's3cret-part\ts3cret-rest' },
      ]) {
        const message = await refusal(await load({}, key));
        assert.match(message, /The client (ID|secret) .* control character/);
        assert.doesNotMatch(message, /s3cret/);
        await helper.unload();
      }
      for (const config of [
        { apiUrl: 'https://api.exa\nmple.com' },
        { authUrl: 'https://auth.exa\tmple.com' },
        { audience: 'https://api.exa\nmple.com' },
      ]) {
        await refusal(await load(config));
        await helper.unload();
      }
    });

    it('are masked with the secret', async () => {
      const clientSecret = 'a-secret-of-the-line-4 ';
      const text = `not ${clientSecret}, ${Buffer.from(clientSecret).toString('base64')}`;
      const fault = { target: 'token', kind: 'status', status: 400, body: text } as const;
      context.sandbox.control.fault(fault);
      const { caught } = await (await load({ retries: 0 }, { clientSecret })).send();
      assert.doesNotMatch(JSON.stringify(caught), /secret-of-the|YS1zZWNyZXQ/);
    });
  });

  describe('a TLS configuration', () => {
    let certificate: Certificate;
    let other: Certificate;
    let secure: Awaited<ReturnType<typeof startSandbox>>;
    let folder: string;

    before(async () => {
      certificate = await selfSigned({ ip: '127.0.0.1' });
      other = await selfSigned({ ip: '127.0.0.1' });
      secure = await startSandbox({ port: 0, runs: 1, tls: certificate });
      folder = await mkdtemp(join(tmpdir(), 'ion-tls-'));
    });
    after(async () => {
      await secure.close();
      await rm(folder, { recursive: true });
    });

    const loadTls = (properties: object, credentials: object = {}) => {
      const tls = { id: 'tls', type: 'tls-config', cert: '', key: '', ca: '', ...properties };
      const config = sandboxConfig(secure, { retries: 0, tls: 'tls' });
      return TestFlow.load(graphqlNode, [{ verifyservercert: true, ...tls }, config], {
        ...sandboxKey(secure),
        tls: credentials,
      });
    };
    const refusalOf = async (properties: object, credentials: object = {}) => {
      const message = refusalIn(await (await loadTls(properties, credentials)).send());
      assert.equal(secure.control.counters().token.total, 0);
      await helper.unload();
      return message;
    };
    const encrypted = () =>
      String(
        createPrivateKey(certificate.key).export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'right',
        }),
      );

    it('with an unreadable file is rejected, instead of trusting public CAs', async () => {
      const missing = join(folder, 'missing.pem');
      const invalid = /cannot be used: one of its files cannot be read/;
      assert.match(await refusalOf({ ca: missing }), invalid);
      assert.match(await refusalOf({ cert: missing, key: missing }), invalid);
      assert.match(await refusalOf({ ca: folder }), invalid);
    });

    it('with half of a client certificate is rejected', async () => {
      const half = /its certificate has no private key/;
      assert.match(await refusalOf({ cert: '/cert.pem' }), half);
      assert.match(await refusalOf({}, { certdata: certificate.cert }), half);
      assert.match(await refusalOf({}, { keydata: certificate.key }), half);
    });

    it('with invalid or mismatched certificates is rejected', async () => {
      const { cert, key } = certificate;
      const noCa = /the CA certificate is not a list of certificates in PEM format/;
      const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
      for (const cadata of ['garbage', key, broken, `${cert}\n${broken}`]) {
        assert.match(await refusalOf({}, { cadata }), noCa);
      }
      const empty = join(folder, 'empty.pem');
      await writeFile(empty, '');
      assert.match(await refusalOf({ ca: empty }), noCa);
      const pair = (certdata: string, keydata: string, passphrase?: string) =>
        refusalOf({}, { certdata, keydata, ...(passphrase && { passphrase }) });
      assert.match(await pair('garbage', key), /the certificate is not in PEM format/);
      assert.match(await pair(key, cert), /the certificate is not in PEM format/);
      assert.match(await pair(cert, 'garbage'), /the private key cannot be read/);
      assert.match(await pair(cert, other.key), /key does not belong to the certificate/);
      assert.match(await pair(cert, encrypted(), 'wrong'), /passphrase .* is wrong or missing/);
      assert.match(await pair(cert, encrypted()), /passphrase .* is wrong or missing/);
      assert.match(
        await pair(cert, encrypted(), '${ION_NOT_SET}'),
        /passphrase .* environment variable ION_NOT_SET is not set/,
      );
    });

    it('that is valid is used', async () => {
      const { cert: certdata } = certificate;
      const ca = join(folder, 'ca.pem');
      await writeFile(ca, `# the factory's own\n${certdata}\n${other.cert}`);
      const client = { certdata, keydata: encrypted(), passphrase: 'right' };
      for (const [properties, credentials] of [
        [{ ca }, {}],
        [{}, { cadata: certdata, ...client }],
      ] as const) {
        await (await loadTls(properties, credentials)).answer();
        await helper.unload();
      }
    });
  });

  describe('of ion-events', () => {
    let app: Application;
    let flow: EventsFlow | undefined;

    beforeEach(() => {
      app = express();
    });
    afterEach(() => {
      flow?.stopWatching();
      flow = undefined;
    });

    const begin = async (properties: object, secret?: string) => {
      const { sandbox } = context;
      const credentials = { ...sandboxKey(sandbox), node: { secret } };
      const nodes = [{ ...eventsNode, ...properties }];
      flow = await EventsFlow.load(nodes, [sandboxConfig(sandbox)], credentials, app);
      const { caught } = flow;
      await until(() => caught.length > 0);
      assert.equal(caught[0]?.ion.code, 'ION_CONFIG');
      // The status names the variable if one is missing.
      const isMissing = /environment variable/.test(String(caught[0]?.error.message));
      assert.equal(flow.status(), isMissing ? 'red reason.noVariable' : 'red error.ION_CONFIG');
      assert.equal(requests(), 0);
      const message = String(caught[0]?.error.message);
      flow.stopWatching();
      await helper.unload();
      return message;
    };

    it('are numbers beyond their limits, and nothing is requested', async () => {
      const days = 86_400;
      for (const interval of [30 * days, 0, 0.05, ...NO_NUMBERS]) {
        const message = await begin({ interval });
        assert.match(message, /"Interval \(s\)" .* a number from 0\.1 to 2073600/);
      }
      for (const expectedResponseCode of [100, 600, 204.5, ...NO_NUMBERS]) {
        const message = await begin({ via: 'webhook', path: '/ion/hook', expectedResponseCode });
        assert.match(message, /"Response status" .* a whole number from 200 to 599/);
      }
    });

    it('are missing environment variables', async () => {
      const webhook = { via: 'webhook', path: '/ion/hook' };
      const reference = '${ION_NOT_SET}';
      for (const properties of [
        { via: reference },
        { resource: reference },
        { interval: reference },
        { ...webhook, path: reference },
        { ...webhook, signatureHeader: reference },
        { ...webhook, verify: reference },
        { ...webhook, register: reference },
        { ...webhook, register: true, publicUrl: reference },
      ]) {
        const message = await begin(properties, 'a-secret');
        assert.match(
          message,
          /environment variable ION_NOT_SET is not set/,
          JSON.stringify(properties),
        );
      }
      assert.match(await begin(webhook, reference), /secret .* variable ION_NOT_SET/);
      const part = { ...webhook, register: true, publicUrl: 'https://${ION_NOT_SET}' };
      assert.match(await begin(part, 'a-secret'), /public URL .* contains \$\{ION_NOT_SET\}/);
      const path = { ...webhook, path: '/ion/${ION_NOT_SET}' };
      assert.match(await begin(path, 'a-secret'), /path .* contains \$\{ION_NOT_SET\}/);
    });

    it('are a secret with a control character', async () => {
      const message = await begin({ via: 'webhook', path: '/ion/hook' }, 's3cret\nrest');
      assert.match(message, /secret .* control character\./);
      assert.doesNotMatch(message, /s3cret/);
    });
  });
});
