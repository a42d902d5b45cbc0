import assert from 'node:assert/strict';
import { json } from 'node:stream/consumers';
import type { RunStepFieldRow } from '../../sandbox/data/model.js';
import { DEFAULT_DIALECT, type Settings } from '../../sandbox/faults/settings.js';
import { httpServer, type TestServer } from '../support/servers.js';
import { until } from '../support/until.js';
import { start, type TestSandbox } from './client.js';

type Body = Record<string, unknown>;

describe('sandbox: dialects of webhooks', () => {
  let sandbox: TestSandbox;
  let status: number;
  let received: Body[];
  let server: TestServer;
  before(async () => {
    sandbox = await start({ runs: 12 });
    server = await httpServer(async (request, response) => {
      received.push((await json(request)) as Body);
      response.writeHead(status).end();
    });
    const { createWebhookReceiver } = await sandbox.ask(
      `mutation { createWebhookReceiver(input: { name: "Example", webhookUri: "${server.url}" }) {
        webhookReceiver { id } } }`,
    );
    const receiverId = createWebhookReceiver.webhookReceiver.id;
    for (const action of ['CREATE', 'UPDATE', 'DELETE']) {
      await sandbox.ask(
        `mutation { createWebhookSubscription(input: { resource: RUN_STEPS_FIELDS,
          action: ${action}, receiverId: ${receiverId} }) { webhookSubscription { id } } }`,
      );
    }
  });
  beforeEach(() => {
    received = [];
    status = 200;
  });
  afterEach(() => sandbox.control.set(DEFAULT_DIALECT));
  after(async () => {
    await sandbox.close();
    await server.close();
  });

  /** The bodies that a change of each kind makes. */
  const changes = async (settings: Partial<Settings>) => {
    sandbox.control.set(settings);
    const { runStepFields } = sandbox.data;
    const { id: _, ...columns } = runStepFields.all()[0] as RunStepFieldRow;
    const { id } = runStepFields.insert({ ...columns, name: 'First' });
    await until(() => received.length === 1);
    runStepFields.update(id, { name: 'Second' });
    await until(() => received.length === 2);
    runStepFields.delete(id);
    await until(() => received.length === 3);
    return received;
  };
  /** The names of an object's members, and of its row the name of the field. */
  const shape = (body: Body) => {
    const row = (value: unknown) => (value as { name?: string } | null)?.name ?? null;
    return Object.entries(body).flatMap(([name, value]) =>
      /^(row_data|data|new|old)$/.test(name) ? [`${name}: ${row(value)}`] : [],
    );
  };

  const rows: [webhookBody: Settings['webhookBody'], shapes: string[][]][] = [
    ['row_data', [['row_data: First'], ['row_data: Second'], ['row_data: Second']]],
    ['data', [['data: First'], ['data: Second'], ['data: Second']]],
    [
      'new',
      [
        ['new: First', 'old: null'],
        ['new: Second', 'old: First'],
        ['new: null', 'old: Second'],
      ],
    ],
  ];
  for (const [webhookBody, shapes] of rows) {
    it(`has the row in ${webhookBody}`, async () => {
      const bodies = await changes({ webhookBody });
      assert.deepEqual(bodies.map(shape), shapes);
      const hasChanges = bodies.map((body) => 'changed_fields' in body);
      assert.deepEqual(hasChanges, Array(3).fill(webhookBody !== 'new'));
    });
  }

  it('names its table in the plural or in the singular', async () => {
    const resources = async (settings: Partial<Settings>) =>
      (await changes(settings)).map(({ resource }) => resource);
    assert.deepEqual(await resources({}), Array(3).fill('run_steps_fields'));
    received = [];
    const names = await resources({ resourceNames: 'singular' });
    assert.deepEqual(names, Array(3).fill('run_step_field'));
  });

  it('says what happened, or not', async () => {
    const actions = async (settings: Partial<Settings>) =>
      (await changes(settings)).map(({ action }) => action);
    assert.deepEqual(await actions({}), ['create', 'update', 'delete']);
    received = [];
    assert.deepEqual(await actions({ webhookAction: false }), Array(3).fill(undefined));
  });

  it('is tried again after a 404, or not', async () => {
    const numberOfTries = async (webhookRetriesOn404: boolean) => {
      sandbox.control.set({ webhookRetriesOn404, webhookRetryDelay: 1, webhookTries: 3 });
      received = [];
      const { webhookEvents } = sandbox.data;
      const { nextId } = webhookEvents;
      sandbox.data.runStepFields.update(1, { name: 'Example' });
      await until(() => webhookEvents.get(nextId)?.status === 'FAILED');
      return received.length;
    };
    status = 404;
    assert.equal(await numberOfTries(true), 3);
    assert.equal(await numberOfTries(false), 1);
    status = 500;
    assert.equal(await numberOfTries(false), 3);
  });
});
