import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { configMigrations } from '../../nodes/migrations/ion-config.js';
import { eventsMigrations } from '../../nodes/migrations/ion-events.js';
import { graphqlMigrations } from '../../nodes/migrations/ion-graphql.js';
import { lookupMigrations } from '../../nodes/migrations/ion-lookup.js';
import { runsMigrations } from '../../nodes/migrations/ion-runs.js';
import { stepMigrations } from '../../nodes/migrations/ion-step.js';
import { currentVersion, migrate } from '../../nodes/migrations/migrate.js';
import { root } from '../../tools/package.js';
import flowsOf100 from '../migrations/nodes-of-1.0.0.json';

interface Property {
  value: unknown;
  label?: string;
  validate?: (this: object, value: unknown, options: { label?: string }) => boolean | string;
}
interface Definition {
  defaults: Record<string, Property>;
  label(this: object): string;
}

const NODES = ['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'];
const migrations = [
  configMigrations,
  eventsMigrations,
  graphqlMigrations,
  runsMigrations,
  lookupMigrations,
  stepMigrations,
];
const CATALOGUE = /^@ion-nodes\/node-red-ion\/([\w-]+):(.+)$/;

describe('the dialogs', () => {
  const definitions = new Map<string, Definition>();
  const catalogues: Record<string, object> = {};
  const others = [
    { type: 'http in', id: 'in', method: 'post', url: 'taken' },
    { type: 'http in', id: 'read', method: 'get', url: '/read' },
    { type: 'ion-events', id: 'other', via: 'webhook', path: '' },
    { type: 'ion-events', id: 'off', via: 'webhook', path: '/off', d: true },
  ];

  /** Looks up texts like the editor; the test then checks them. */
  const translate = (key: string, values: Record<string, unknown> = {}) => {
    const [, set = '', path = ''] = CATALOGUE.exec(key) ?? [];
    const text = path
      .split('.')
      .reduce<unknown>((part, name) => (part as Record<string, unknown>)?.[name], catalogues[set]);
    assert.equal(typeof text, 'string', `no text for ${key}`);
    return String(text).replace(/__(\w+)__/g, (_match, name) => String(values[name]));
  };

  before(async () => {
    for (const node of NODES) {
      const json = await readFile(join(root, 'dist/locales/en-US', `${node}.json`), 'utf8');
      catalogues[node] = JSON.parse(json);
    }
    for (const node of NODES) {
      const html = await readFile(join(root, 'dist', `${node}.html`), 'utf8');
      const [, script = ''] =
        /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html) ?? [];
      const RED = {
        _: translate,
        utils: {
          validateTypedProperty: (value: string, type: string, { label = '' }) =>
            (type === 'num' && Number.isNaN(Number(value)) && `${label}: not a num`) || true,
        },
        validators: { typedInput: () => (_value: unknown, _options: object) => true },
        nodes: {
          registerType: (type: string, definition: Definition) => definitions.set(type, definition),
          node: () => undefined,
          filterNodes: ({ type }: { type: string }) => others.filter((node) => node.type === type),
        },
      };
      // No dialog is open, and the sidebar has its tab.
      const $ = (selector: string) => ({ length: selector === '#ion-sidebar' ? 1 : 0 });
      runInNewContext(script, { RED, $, URL });
    }
  });

  const check = (type: string, property: string, value: unknown, node: object = {}) => {
    const definition = definitions.get(type) as Definition;
    const { validate, label } = definition.defaults[property] as Property;
    return validate?.call(node, value, label === undefined ? {} : { label });
  };

  it('name every property that can be invalid', () => {
    for (const [type, { defaults }] of definitions) {
      for (const [name, { validate, label }] of Object.entries(defaults)) {
        if (validate) assert.ok(label, `${type}: ${name}`);
      }
    }
  });

  it('have validators whose texts the editor shows', () => {
    for (const [type, { defaults }] of definitions) {
      for (const [name, { validate }] of Object.entries(defaults)) {
        // With another number of parameters the editor takes a text for "valid".
        if (validate) assert.equal(validate.length, 2, `${type}: ${name}`);
      }
    }
  });

  it('are valid with their defaults', () => {
    for (const [type, { defaults }] of definitions) {
      const node = Object.fromEntries(
        Object.entries(defaults).map(([name, { value }]) => [name, value]),
      );
      for (const [name, { value }] of Object.entries(defaults)) {
        assert.ok(
          [true, undefined].includes(check(type, name, value, node) as true),
          `${type}: ${name}`,
        );
      }
    }
  });

  it('have no property that the migration of a node of 1.0.0 leaves out', () => {
    for (const saved of Object.values(flowsOf100).flat()) {
      const found = migrations.find(({ type }) => type === saved.type);
      assert.ok(found, saved.type);
      const known = Object.keys(migrate(found, saved));
      const { defaults } = definitions.get(saved.type) as Definition;
      const missing = Object.keys(defaults).filter((name) => !known.includes(name));
      assert.deepEqual(missing, [], saved.type);
      assert.equal(defaults.version?.value, currentVersion(found));
    }
  });

  const custom = { environment: 'custom' };
  const row = (valueType: string, value: string) => ({ field: 'id', op: 'eq', value, valueType });
  const polled = { via: 'poll', resource: 'RUN_STEPS' };
  const webhook = { via: 'webhook', resource: 'RUN_STEPS', id: 'node', verify: false };
  const unreadable = { ...webhook, resource: 'STEPS_DAGS' };
  const registered = { ...webhook, register: true };
  const noSecret = { credentials: { has_secret: false } };
  const filter = { field: 'status', op: 'eq', value: 'TODO', valueType: 'str' };
  const step = { action: 'field', step: 'step', field: 'field', valueType: 'msg' };
  const byOutbox = { delivery: 'outbox', queryType: 'graphql' };
  const two = 'query Read { a } mutation Write($i: I = { a: 1 }) @d(a: { b: 1 }) { b }';
  const wrong: [string, string, unknown, object, RegExp][] = [
    ['ion-config', 'apiUrl', '', custom, /^API URL must be a URL such as/],
    ['ion-config', 'apiUrl', 'http://elsewhere.example.test', custom, /^API URL must be /],
    ['ion-config', 'authUrl', 'not a url', custom, /^Auth URL must be /],
    ['ion-config', 'timeout', 'soon', {}, /^Timeout \(s\) must be a number from 0\.1 to 3600$/],
    ['ion-config', 'timeout', 9_999_999, {}, /^Timeout \(s\) must be a number from 0\.1 to 3600$/],
    ['ion-config', 'timeout', 0, {}, /^Timeout \(s\) must be /],
    ['ion-config', 'timeout', 'Infinity', {}, /^Timeout \(s\) must be /],
    ['ion-config', 'timeout', '0x10', {}, /^Timeout \(s\) must be /],
    ['ion-config', 'timeout', true, {}, /^Timeout \(s\) must be /],
    ['ion-config', 'timeout', [5], {}, /^Timeout \(s\) must be /],
    ['ion-config', 'audience', 'https://${HOST}', {}, /^Audience: an environment variable /],
    ['ion-config', 'apiUrl', 'https://${HOST}/graphql', custom, /^API URL: an environment var/],
    ['ion-config', 'authUrl', 'https://$(HOST)', custom, /^Auth URL: an environment variable /],
    ['ion-config', 'authUrl', 'https://$HOST', custom, /^Auth URL: an environment variable /],
    [
      'ion-config',
      'concurrency',
      0,
      {},
      /^Concurrent requests must be a whole number from 1 to 1000$/,
    ],
    ['ion-config', 'queueLimit', -1, {}, /^Queue limit must be a whole number from 0 to 10000000$/],
    ['ion-config', 'retries', 1.5, {}, /^Retries must be a whole number/],
    [
      'ion-config',
      'timeZone',
      'Mars/Olympus',
      {},
      /^Time zone must be a time zone such as Europe\/Berlin/,
    ],
    [
      'ion-config',
      'outboxLimit',
      0,
      {},
      /^Max\. entries must be a whole number from 1 to 100000000$/,
    ],
    [
      'ion-config',
      'writesPerRequest',
      '51',
      {},
      /^Writes per request must be auto, or a whole number from 1 to 50$/,
    ],
    [
      'ion-config',
      'outboxSize',
      'much',
      {},
      /^Max\. size \(MiB\) must be a whole number from 1 to 1048576$/,
    ],
    ['ion-config', 'healthAge', -1, {}, /^Max\. age \(min\) must be a number from 0 to 525600$/],
    ['ion-config', 'healthRejected', 1.5, {}, /^Rejection limit must be a whole number from 0 /],
    ['ion-graphql', 'query', ' ', {}, /query is required/],
    ['ion-graphql', 'query', '{ me { id } }', byOutbox, /takes mutations only/],
    ['ion-graphql', 'query', 'query Q($m: M = {a: "}"}) { mutation }', byOutbox, /mutations only/],
    ['ion-graphql', 'query', two, { ...byOutbox, operationName: 'Read' }, /mutations only/],
    ['ion-graphql', 'prepare', 'mutation { a }', byOutbox, /^Prepare must be a query/],
    ['ion-graphql', 'delivery', 'later', {}, /^Delivery: "later"/],
    ['ion-graphql', 'order', 'x', { ...byOutbox, orderType: 'num' }, /^Order: not a num/],
    ['ion-graphql', 'keepFor', -1, {}, /^Keep for \(h\) must be a number from 0 to 100000$/],
    [
      'ion-graphql',
      'pageSize',
      0,
      {},
      /^Page size must be "auto" or a whole number from 1 to 100000$/,
    ],
    ['ion-graphql', 'pageSize', 'automatic', {}, /^Page size must be "auto" or /],
    ['ion-graphql', 'limit', 'auto', {}, /^Limit must be a whole number /],
    ['ion-graphql', 'limit', -1, {}, /^Limit must be /],
    ['ion-graphql', 'output', 'ion.data', {}, /^Result must be .* are reserved$/],
    ['ion-graphql', 'output', '', {}, /^Result must be /],
    ['ion-runs', 'filters', [{ field: '' }], {}, /filter has no field$/],
    ['ion-runs', 'filters', [{ field: 'part number' }], {}, /part number/],
    ['ion-runs', 'filters', [{ field: 'steps.' }], {}, /steps\./],
    [
      'ion-runs',
      'filters',
      [{ field: 'id', op: 'about' }],
      {},
      /"id" has the unknown operator "about"$/,
    ],
    ['ion-runs', 'filters', [row('msg', '')], {}, /^The filter on "id" has no value/],
    ['ion-runs', 'filters', [row('num', 'x')], {}, /^id: not a num/],
    ['ion-runs', 'mode', 'some', {}, /^Output: "some"/],
    ['ion-runs', 'filters', [{ field: 'id' }], {}, /"id" has the unknown operator "undefined"$/],
    ['ion-runs', 'shape', 'flat', {}, /^Shape: "flat"/],
    ['ion-runs', 'changesFrom', 'then', {}, /^First read: "then"/],
    ['ion-runs', 'pageSize', 1.5, {}, /^Page size must be /],
    ['ion-runs', 'limit', -1, {}, /^Limit must be /],
    ['ion-runs', 'output', 'parts', {}, /^Result must be /],
    ['ion-runs', 'fields', ['id }'], {}, /^Fields: "id }"/],
    ['ion-runs', 'sort', ['id asc'], {}, /^Sort by: "id asc"/],
    ['ion-events', 'via', 'mail', {}, /^Source: "mail"/],
    ['ion-events', 'resource', '', {}, /^Resource: ""/],
    ['ion-events', 'resource', 'STEPS_DAGS', {}, /^Resource: "STEPS_DAGS"/],
    ['ion-events', 'resource', 'RUN STEPS', webhook, /^Resource: "RUN STEPS"/],
    ['ion-events', 'actions', [], {}, /^Events: select at least one/],
    ['ion-events', 'actions', ['DELETE'], {}, /^Events: select at least one/],
    [
      'ion-events',
      'filters',
      [filter],
      unreadable,
      /^Filters \(all must match\) cannot .* STEPS_DAGS/,
    ],
    ['ion-events', 'fields', ['id'], unreadable, /^Fields cannot .* STEPS_DAGS/],
    ['ion-events', 'fields', ['id }'], polled, /^Fields: "id }"/],
    ['ion-events', 'filters', [{ ...filter, op: 'is' }], polled, /operator "is"$/],
    ['ion-events', 'interval', 0.05, {}, /^Interval \(s\) must be a number from 0\.1 to 2073600$/],
    ['ion-events', 'interval', 30 * 86_400, {}, /^Interval \(s\) must be /],
    ['ion-events', 'path', 'ion', webhook, /^Path must be a path such as/],
    ['ion-events', 'path', '/ion/:id', webhook, /^Path must be a path such as/],
    ['ion-events', 'path', '/Taken', webhook, /^Path: another node/],
    ['ion-events', 'path', '/ion/other', webhook, /^Path: another node/],
    ['ion-events', 'signatureHeader', 'x y', webhook, /^Signature header must be /],
    ['ion-events', 'expectedResponseCode', 100, webhook, /^Response status must be /],
    [
      'ion-events',
      'verify',
      true,
      { ...webhook, verify: true, ...noSecret },
      /^A secret is required /,
    ],
    [
      'ion-events',
      'verify',
      false,
      { ...webhook, register: true, ...noSecret },
      /^A secret is required /,
    ],
    ['ion-events', 'publicUrl', '', registered, /^Public URL must be /],
    ['ion-events', 'publicUrl', 'http://factory.example.com', registered, /^Public URL must be /],
    ['ion-events', 'publicUrl', 'factory.example.com', registered, /^Public URL must be /],
    ['ion-events', 'publicUrl', 'https://${HOST}', registered, /^Public URL: an environment var/],
    ['ion-step', 'action', 'delete', {}, /^Action: "delete"/],
    ['ion-step', 'onConflict', 'ignore', {}, /^Conflict: "ignore"/],
    ['ion-step', 'delivery', 'later', {}, /^Delivery: "later"/],
    ['ion-step', 'keep', 'first', {}, /^Queue: "first"/],
    ['ion-step', 'run', 'x', { runType: 'num' }, /^Run: not a num/],
    ['ion-step', 'step', '', { ...step, field: '' }, /^Step is required$/],
    ['ion-step', 'step', '', { ...step, action: 'status' }, /^Step is required$/],
    ['ion-step', 'field', '', { ...step, valueType: 'num' }, /^Field is required$/],
    ['ion-step', 'value', '', step, /^Value is required$/],
    ['ion-step', 'value', '', { ...step, valueType: 'num' }, /^Value is required$/],
    ['ion-step', 'value', 'x', { ...step, valueType: 'num' }, /^Value: not a num/],
    ['ion-step', 'value', '', { action: 'status', valueType: 'str' }, /^Status is required$/],
    ['ion-step', 'value', '', { action: 'file', valueType: 'msg' }, /^Content is required$/],
    ['ion-step', 'filename', '', { action: 'file' }, /^File name is required$/],
    ['ion-lookup', 'by', 'lot', {}, /^Look up by: "lot"/],
    ['ion-lookup', 'value', '', { by: 'barcode', valueType: 'msg' }, /^Barcode is required$/],
    ['ion-lookup', 'value', ' ', { by: 'serial', valueType: 'str' }, /^Serial number is required$/],
    ['ion-lookup', 'value', '', { by: 'location' }, /^Location is required$/],
    ['ion-lookup', 'value', 'x', { by: 'run', valueType: 'num' }, /^Run: not a num/],
    ['ion-lookup', 'part', 'x', { by: 'serial', partType: 'num' }, /^Part number: not a num/],
    ['ion-lookup', 'step', 'x', { stepType: 'num' }, /^Step: not a num/],
    ['ion-lookup', 'remember', -1, {}, /^Memory \(h\) must be a number from 0 to 8760$/],
    ['ion-lookup', 'remember', 'a day', {}, /^Memory \(h\) must be /],
    ['ion-lookup', 'output', 'ion', {}, /^Result must be .* are reserved$/],
    ['ion-lookup', 'output', '', {}, /^Result must be /],
    ['ion-lookup', 'output', 'run', {}, /^Result: the node sets msg\.run to an ID$/],
    ['ion-lookup', 'output', 'step.work', {}, /^Result: the node sets msg\.step /],
  ];
  for (const [type, property, value, node, text] of wrong) {
    it(`report the problem with ${JSON.stringify(value)} as ${property} of ${type}`, () => {
      const problem = String(check(type, property, value, node));
      assert.match(problem, text);
      assert.doesNotMatch(problem, /:\s*$/);
    });
  }

  const right: [string, unknown, object][] = [
    ['run', '', step],
    ['step', '', step],
    ['field', '', step],
    ['field', '', { action: 'status', valueType: 'str' }],
    ['value', '', { ...step, valueType: 'str' }],
    ['value', '', { ...step, valueType: 'date' }],
    ['value', '', { action: 'file', valueType: 'path' }],
    ['value', '', { action: 'file', valueType: 'str' }],
    ['filename', '', step],
  ];
  for (const [property, value, node] of right) {
    it(`allow ${JSON.stringify(value)} as ${property} of ion-step with ${JSON.stringify(node)}`, () => {
      assert.equal(check('ion-step', property, value, node), true);
    });
  }

  const rightLookup: [string, unknown, object][] = [
    ['value', 'x', { by: 'run', valueType: 'str' }],
    ['part', 'x', { by: 'barcode', partType: 'num' }],
    ['part', '', { by: 'serial', partType: 'num' }],
    ['step', '', { stepType: 'num' }],
    ['remember', '', {}],
    ['remember', '0.5', {}],
    ['output', 'runs', {}],
    ['output', 'scan.run', {}],
  ];
  for (const [property, value, node] of rightLookup) {
    it(`allow ${JSON.stringify(value)} as ${property} of ion-lookup with ${JSON.stringify(node)}`, () => {
      assert.equal(check('ion-lookup', property, value, node), true);
    });
  }

  const written = { ...byOutbox, operationName: 'Write' };
  const fragment = '# query\nfragment F on Run { id } mutation { ...F }';
  const rightGraphql: [string, unknown, object][] = [
    ['query', two, written],
    ['query', fragment, byOutbox],
    ['query', 'mutation { a(text: """\n} query {""") }', byOutbox],
    ['query', '{ me { id } }', { ...byOutbox, delivery: 'direct' }],
    ['query', '{ me { id } }', {}],
    ['query', 'payload.query', { ...byOutbox, queryType: 'msg' }],
    ['query', '"', byOutbox],
    ['prepare', '{ run { id } }', byOutbox],
    ['prepare', 'mutation { a }', {}],
    ['order', '', { ...byOutbox, orderType: 'num' }],
    ['order', 'x', { orderType: 'num' }],
    ['alreadyDone', '', byOutbox],
    ['keepFor', '0.5', byOutbox],
  ];
  for (const [property, value, node] of rightGraphql) {
    it(`allow ${JSON.stringify(value)} as ${property} of ion-graphql with ${JSON.stringify(node)}`, () => {
      assert.equal(check('ion-graphql', property, value, node), true);
    });
  }

  for (const type of ['ion-graphql', 'ion-runs']) {
    it(`have an automatic page size in a new ${type} node, and accept a number`, () => {
      assert.equal(definitions.get(type)?.defaults.pageSize?.value, 'auto');
      for (const value of ['auto', 'Auto', 100, '100', '']) {
        assert.equal(check(type, 'pageSize', value), true, String(value));
      }
    });
  }

  const rightEvents: [string, unknown, object][] = [
    ['resource', 'STEPS_DAGS', webhook],
    ['actions', ['DELETE'], webhook],
    ['filters', [filter], polled],
    ['fields', ['id', 'run.title'], polled],
    ['interval', '', polled],
    ['interval', ' 2.5 ', polled],
    ['interval', 24 * 86_400, polled],
    ['interval', 0, webhook],
    ['path', 'ion', polled],
    ['path', '', webhook],
    ['path', '/ion/node', webhook],
    ['path', '/read', webhook],
    ['path', '/off', webhook],
    ['verify', true, { ...polled, verify: true, ...noSecret }],
    ['verify', false, { ...webhook, ...noSecret }],
    // The editor does not know whether there is one.
    ['verify', true, { ...webhook, verify: true }],
    ['publicUrl', '', webhook],
    ['publicUrl', 'https://factory.example.com/node-red', registered],
    ['publicUrl', 'http://localhost:1880', registered],
    ['publicUrl', 'http://[::1]:1880', registered],
  ];
  for (const [property, value, node] of rightEvents) {
    it(`allow ${JSON.stringify(value)} as ${property} of ion-events with ${JSON.stringify(node)}`, () => {
      assert.equal(check('ion-events', property, value, node), true);
    });
  }

  it('require no URLs if the environment determines them', () => {
    assert.equal(check('ion-config', 'apiUrl', '', { environment: 'staging' }), true);
  });

  it('allow plain http to this machine, and to other machines if configured', () => {
    assert.equal(check('ion-config', 'apiUrl', 'http://127.0.0.1:4000', custom), true);
    const node = { ...custom, allowHttp: true };
    assert.equal(check('ion-config', 'apiUrl', 'http://elsewhere.example.test', node), true);
  });
});
