import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { WebhookReceiverRow } from '../../sandbox/data/model.js';
import { Random } from '../../sandbox/data/random.js';
import type { NewRow } from '../../sandbox/data/store.js';
import { Store } from '../../sandbox/data/store.js';
import { Control } from '../../sandbox/faults/control.js';
import { tick } from '../../sandbox/live/simulation.js';
import { retryDelay, Webhooks } from '../../sandbox/webhooks/webhooks.js';
import { closeAfterEach, httpServer, unusedPort } from '../support/servers.js';
import { until } from '../support/until.js';
import { start, type TestSandbox } from './client.js';

const SECRET = 'example-secret';
const CREATE_RECEIVER = `mutation ($input: CreateWebhookReceiverInput!) {
  createWebhookReceiver(input: $input) { webhookReceiver {
    id _etag name webhookUri sharedSecret contentType expectedResponseCode active } } }`;
const UPDATE_RECEIVER = `mutation ($input: UpdateWebhookReceiverInput!) {
  updateWebhookReceiver(input: $input) { webhookReceiver {
    id _etag name description sharedSecret active } } }`;
const DELETE_RECEIVER = `mutation ($etag: String!, $id: ID!) {
  deleteWebhookReceiver(etag: $etag, id: $id) { id } }`;
const CREATE_SUBSCRIPTION = `mutation ($input: CreateWebhookSubscriptionInput!) {
  createWebhookSubscription(input: $input) { webhookSubscription {
    id _etag resource action receiverId active receiver { id } } } }`;
const UPDATE_SUBSCRIPTION = `mutation ($input: UpdateWebhookSubscriptionInput!) {
  updateWebhookSubscription(input: $input) { webhookSubscription { id _etag active } } }`;
const DELETE_SUBSCRIPTION = `mutation ($etag: String!, $id: ID!) {
  deleteWebhookSubscription(etag: $etag, id: $id) { id } }`;
const UPDATE_RUN = `mutation ($input: UpdateRunInput!) {
  updateRun(input: $input) { run { _etag _updated } } }`;

interface Received {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of any shape.
  body: any;
  response: ServerResponse;
}

const hmac = (bytes: Buffer, encoding: 'hex' | 'base64', secret = SECRET) =>
  createHmac('sha256', secret).update(bytes).digest(encoding);

/** Delivered events in their order; deliveries may overtake each other. */
const bodies = (received: Received[]) =>
  received.map(({ body }) => body).sort((a, b) => a.event_id - b.event_id);

describe('sandbox: webhooks', () => {
  let sandbox: TestSandbox;
  const opened = closeAfterEach();
  beforeEach(async () => {
    sandbox = opened(await start({ runs: 12 }));
    sandbox.control.set({ webhookRetryDelay: 1 });
  });

  /** An HTTP server that records its requests; responds with 200 by default. */
  const listen = async (
    answer: (response: ServerResponse, count: number) => void = (response) => response.end(),
  ) => {
    const received: Received[] = [];
    const server = await httpServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const { method, headers } = request;
      received.push({ method, headers, bytes, body: JSON.parse(bytes.toString()), response });
      answer(response, received.length);
    });
    opened(server);
    return { url: `${server.url}/ion`, received };
  };

  const createReceiver = async (webhookUri: string, more: object = {}) => {
    const input = { name: 'Example', webhookUri, sharedSecret: SECRET, ...more };
    return (await sandbox.ask(CREATE_RECEIVER, { input })).createWebhookReceiver.webhookReceiver;
  };

  const subscribe = async (receiverId: number, resource: string, action: string, more = {}) => {
    const input = { receiverId, resource, action, ...more };
    return (await sandbox.ask(CREATE_SUBSCRIPTION, { input })).createWebhookSubscription
      .webhookSubscription;
  };

  /** A receiver of one kind of change at a URL. */
  const receiverOf = async (url: string, resource: string, action: string, more: object = {}) => {
    const receiver = await createReceiver(url, more);
    return { receiver, subscription: await subscribe(receiver.id, resource, action) };
  };

  const rename = async (title: string, id = 1) => {
    const input = { id, etag: sandbox.data.runs.get(id)?._etag, title };
    return (await sandbox.ask(UPDATE_RUN, { input })).updateRun.run;
  };

  const event = (id: number) => {
    const row = sandbox.data.webhookEvents.get(id);
    if (!row) throw new Error(`There is no event ${id}`);
    return row;
  };
  const ended = (id: number, status: 'SUCCEEDED' | 'FAILED') =>
    until(() => event(id).status === status);

  describe('delivery', () => {
    it('sends a mutation to a receiver, signed', async () => {
      const { received, url } = await listen();
      const { subscription } = await receiverOf(url, 'RUNS', 'UPDATE');
      const run = await rename('Example änderung');
      await ended(1, 'SUCCEEDED');
      const [delivery, ...more] = received;
      assert.ok(delivery);
      assert.equal(more.length, 0);
      assert.equal(delivery.method, 'POST');
      assert.equal(delivery.headers['content-type'], 'application/json');
      assert.equal(delivery.headers['x-ion-signature'], hmac(delivery.bytes, 'hex'));
      const { row_data, transaction_id, ...rest } = delivery.body;
      assert.deepEqual(rest, {
        event_id: 1,
        subscription_id: subscription.id,
        resource: 'runs',
        action: 'update',
        changed_fields: {
          title: 'Example änderung',
          _etag: run._etag,
          _updated: run._updated,
          updated_by_id: 6,
        },
      });
      assert.ok(Number.isInteger(transaction_id));
      assert.deepEqual(Object.keys(row_data).slice(0, 6), [
        'id',
        '_created',
        '_updated',
        '_etag',
        'created_by_id',
        'updated_by_id',
      ]);
      const { id, title, part_inventory_id, entity_id, _etag } = row_data;
      assert.deepEqual(
        [id, title, part_inventory_id, entity_id, _etag],
        [1, 'Example änderung', 1, 11, run._etag],
      );
    });

    it('reports creations, changes and deletions', async () => {
      const { received, url } = await listen();
      const receiver = await createReceiver(url);
      for (const action of ['CREATE', 'UPDATE', 'DELETE']) {
        await subscribe(receiver.id, 'RUN_STEPS_FIELDS', action);
      }
      const { createRunStep } = await sandbox.ask(
        `mutation { createRunStep(input: { runId: 1, title: "Example step" }) { step { id } } }`,
      );
      const { createRunStepField } = await sandbox.ask(
        `mutation ($input: CreateRunStepFieldInput!) {
          createRunStepField(input: $input) { runStepField { id _etag } } }`,
        { input: { runStepId: createRunStep.step.id, name: 'Example', type: 'MULTISELECT' } },
      );
      const { id, _etag } = createRunStepField.runStepField;
      const { updateRunStepField } = await sandbox.ask(
        `mutation ($input: UpdateRunStepFieldInput!) {
          updateRunStepField(input: $input) { runStepField { _etag } } }`,
        { input: { id, etag: _etag, options: ['A', 'B'], helpText: 'TYPE HERE' } },
      );
      const etag = updateRunStepField.runStepField._etag;
      await sandbox.ask(`mutation { deleteRunStepField(etag: "${etag}", id: ${id}) { id } }`);
      await until(() => received.length === 3);
      const [created, updated, deleted] = bodies(received);
      assert.deepEqual(
        [created.action, updated.action, deleted.action],
        ['create', 'update', 'delete'],
      );
      assert.deepEqual(created.changed_fields, {});
      assert.equal(created.row_data.type, 'multiselect');
      assert.equal(created.row_data.options, null);
      const { _updated, ...columns } = updated.changed_fields;
      assert.deepEqual(columns, { _etag: etag, options: ['A', 'B'], help_text: 'TYPE HERE' });
      assert.deepEqual(deleted.changed_fields, {});
      assert.deepEqual(deleted.row_data, updated.row_data);
    });

    it('reports all writes of one mutation, as one transaction, in order', async () => {
      const { received, url } = await listen();
      const receiver = await createReceiver(url);
      for (const resource of ['RUNS', 'RUN_STEPS', 'RUNS_ATTRIBUTES', 'PARTS_INVENTORY']) {
        await subscribe(receiver.id, resource, 'CREATE');
      }
      const create = () =>
        sandbox.ask(
          `mutation ($input: CreateRunInput!) { createRun(input: $input) { run { id } } }`,
          {
            input: {
              procedureId: 1,
              autogenerateTitle: true,
              attributes: [{ key: 'Shift', value: 'A' }],
            },
          },
        );
      const { createRun } = await create();
      await until(() => received.length === 5);
      const told = bodies(received);
      assert.deepEqual(
        told.map(({ resource }) => resource),
        ['runs', 'runs_attributes', 'run_steps', 'run_steps', 'run_steps'],
      );
      assert.match(told[0].row_data.title, /^Example bracket assembly \d{4}$/);
      assert.equal(told[1].row_data.run_id, createRun.run.id);
      assert.equal(told[2].row_data.status, 'todo');
      assert.equal('upstream_step_ids' in told[2].row_data, false);
      assert.equal(new Set(told.map(({ transaction_id }) => transaction_id)).size, 1);
      await create();
      await until(() => received.length === 10);
      assert.ok(received[9]?.body.transaction_id > told[0].transaction_id);

      await sandbox.ask(
        `mutation { createPartInventory(input: { partId: 2, autogenerateSerialType: REVISION }) {
          partInventory { id } } }`,
      );
      await until(() => received.length === 11);
      assert.match(received[10]?.body.row_data.serial_number, /^SN-\d{5}$/);
    });

    it('reports events on the shop floor', async () => {
      const { received, url } = await listen();
      const receiver = await createReceiver(url);
      await subscribe(receiver.id, 'RUN_STEPS', 'UPDATE');
      await subscribe(receiver.id, 'RUN_STEPS_FIELDS', 'UPDATE');
      const random = new Random(1);
      for (let i = 0; i < 20; i++) tick(sandbox.data, random);
      const { length } = sandbox.data.webhookEvents.all();
      assert.ok(length >= 20);
      await until(() => received.length === length);
    });

    it('keeps secret and internal values to itself', async () => {
      const { received, url } = await listen();
      const receiver = await createReceiver(url);
      await subscribe(receiver.id, 'API_KEYS', 'CREATE');
      await subscribe(receiver.id, 'PROCEDURES', 'UPDATE');
      const { createApiKey } = await sandbox.ask(
        'mutation { createApiKey { apikey { clientId clientSecret } } }',
      );
      sandbox.data.procedures.update(1, { title: 'Renamed' });
      await until(() => received.length === 2);
      const [key, procedure] = bodies(received);
      assert.equal(key.row_data.client_id, createApiKey.apikey.clientId);
      assert.ok(!JSON.stringify(key).includes(createApiKey.apikey.clientSecret));
      assert.equal(procedure.changed_fields.title, 'Renamed');
      assert.equal('template' in procedure.row_data, false);
    });

    it('adds the headers of the receiver', async () => {
      const { received, url } = await listen();
      const { receiver } = await receiverOf(url, 'RUNS', 'UPDATE');
      const createHeader = async (key: string, value: string) =>
        (
          await sandbox.ask(
            `mutation ($input: CreateWebhookHeaderInput!) {
              createWebhookHeader(input: $input) { webhookHeader { id } } }`,
            { input: { key, value } },
          )
        ).createWebhookHeader.webhookHeader;
      const link = (name: string) => `mutation ($input: WebhookReceiverHeaderInput) {
        ${name}(input: $input) { webhookReceiver { _etag headers { key value } } } }`;
      const { id } = await createHeader('X-Plant', 'Example 1');
      const input = { etag: receiver._etag, webhookReceiverId: receiver.id, webhookHeaderId: id };
      const { addHeaderToWebhookReceiver } = await sandbox.ask(link('addHeaderToWebhookReceiver'), {
        input,
      });
      const { _etag: etag, headers } = addHeaderToWebhookReceiver.webhookReceiver;
      assert.deepEqual(headers, [{ key: 'X-Plant', value: 'Example 1' }]);
      await rename('Example 2');
      await until(() => received.length === 1);
      assert.equal(received[0]?.headers['x-plant'], 'Example 1');

      const REMOVE = link('removeHeaderFromWebhookReceiver');
      assert.match(await sandbox.refusal(REMOVE, { input }), /^Etag does not match$/);
      await sandbox.ask(REMOVE, { input: { ...input, etag } });
      await rename('Example 3');
      await until(() => received.length === 2);
      assert.equal(received[1]?.headers['x-plant'], undefined);
      await assert.rejects(createHeader('no header', 'x'), /Header name/);
    });

    for (const [encoding, wanted] of [
      ['hex', (bytes: Buffer) => hmac(bytes, 'hex')],
      ['base64', (bytes: Buffer) => hmac(bytes, 'base64')],
      ['sha256=hex', (bytes: Buffer) => `sha256=${hmac(bytes, 'hex')}`],
    ] as const) {
      it(`signs in ${encoding} if configured`, async () => {
        const { received, url } = await listen();
        await receiverOf(url, 'RUNS', 'UPDATE');
        const settings = { webhookSignature: encoding };
        assert.equal((await sandbox.http('PATCH', 'settings', settings)).status, 200);
        await rename('Example 2');
        await ended(1, 'SUCCEEDED');
        const [delivery] = received;
        assert.ok(delivery);
        assert.equal(delivery.headers['x-ion-signature'], wanted(delivery.bytes));
      });
    }

    it('rejects other encodings', async () => {
      const settings = { webhookSignature: 'md5' };
      assert.equal((await sandbox.http('PATCH', 'settings', settings)).status, 400);
      assert.equal(sandbox.control.settings.webhookSignature, 'hex');
    });

    it('does not delay the request that made the change', async () => {
      const { received, url } = await listen(() => {});
      await receiverOf(url, 'RUNS', 'UPDATE');
      await rename('Example 2');
      await until(() => received.length === 1);
      assert.equal(event(1).status, 'SENDING');
      received[0]?.response.end();
      await ended(1, 'SUCCEEDED');
    });

    it('runs ten at once per receiver, in order, while others get theirs', async () => {
      const slow = await listen(() => {});
      const quick = await listen();
      await receiverOf(slow.url, 'RUNS', 'UPDATE');
      await receiverOf(quick.url, 'PARTS', 'UPDATE');
      for (let i = 0; i < 25; i++) sandbox.data.runs.update(1, { title: `Example ${i}` });
      await until(() => slow.received.length === 10);
      sandbox.data.parts.update(1, { description: 'Example' });
      await until(() => quick.received.length === 1);
      assert.equal(slow.received.length, 10);
      for (let i = 0; i < 15; i++) {
        slow.received[i]?.response.end();
        await until(() => slow.received.length === 11 + i);
        assert.equal(slow.received.at(-1)?.body.event_id, 11 + i);
      }
      for (const { response } of slow.received) response.end();
      await ended(25, 'SUCCEEDED');
    });
  });

  describe('retries', () => {
    it('continue until the expected code, with the same body', async () => {
      const statuses = [500, 200, 202];
      const { received, url } = await listen((response, count) => {
        response.writeHead(statuses[count - 1] ?? 500).end(`answer ${count}`);
      });
      await receiverOf(url, 'RUNS', 'UPDATE', { expectedResponseCode: 202 });
      await rename('Example 2');
      await ended(1, 'SUCCEEDED');
      assert.equal(received.length, 3);
      const [first] = received;
      for (const { bytes, headers } of received) {
        assert.deepEqual(bytes, first?.bytes);
        assert.equal(headers['x-ion-signature'], first?.headers['x-ion-signature']);
      }
      const { webhookEvent } = await sandbox.ask(
        `{ webhookEvent(id: 1) { status numberOfRetries responseStatusCode responseReceivedAt
          requestData responseData } }`,
      );
      const { responseReceivedAt, ...rest } = webhookEvent;
      assert.deepEqual(rest, {
        status: 'SUCCEEDED',
        numberOfRetries: 2,
        responseStatusCode: 202,
        requestData: first?.bytes.toString(),
        responseData: 'answer 3',
      });
      assert.match(responseReceivedAt, /^\d{4}-.*\+00:00$/);
    });

    it('double their delay each time, up to a minute', () => {
      const seconds = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tries) => retryDelay(tries, 1000) / 1000);
      assert.deepEqual(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    });

    it('end after ten attempts', async () => {
      const { received, url } = await listen((response) => response.writeHead(500).end());
      await receiverOf(url, 'RUNS', 'UPDATE');
      sandbox.control.set({ webhookRetryDelay: 0 });
      await rename('Example 2');
      await ended(1, 'FAILED');
      assert.equal(received.length, 10);
      const { numberOfRetries, responseStatusCode } = event(1);
      assert.deepEqual([numberOfRetries, responseStatusCode], [9, 500]);
    });

    it('do not follow redirects', async () => {
      const elsewhere = await listen();
      const { received, url } = await listen((response) => {
        response.writeHead(307, { location: elsewhere.url }).end();
      });
      await receiverOf(url, 'RUNS', 'UPDATE');
      sandbox.control.set({ webhookTries: 2 });
      await rename('Example 2');
      await ended(1, 'FAILED');
      assert.equal(received.length, 2);
      assert.equal(elsewhere.received.length, 0);
      assert.equal(event(1).responseStatusCode, 307);
    });

    it('follow silence, a cut connection or a closed port too', async () => {
      const silent = await listen(() => {});
      const cut = await listen((response) => response.destroy());
      await receiverOf(silent.url, 'RUNS', 'UPDATE');
      await receiverOf(cut.url, 'RUNS', 'UPDATE');
      await receiverOf(`http://127.0.0.1:${await unusedPort()}/`, 'RUNS', 'UPDATE');
      sandbox.control.set({ webhookTries: 2, webhookTimeout: 500 });
      await rename('Example 2');
      for (const id of [1, 2, 3]) await ended(id, 'FAILED');
      assert.equal(silent.received.length, 2);
      assert.equal(cut.received.length, 2);
      assert.deepEqual(
        [1, 2, 3].map((id) => [event(id).responseStatusCode, event(id).numberOfRetries]),
        Array.from({ length: 3 }, () => [null, 1]),
      );
      assert.equal(event(1).responseData, 'No answer within 500 ms');
      assert.equal(event(2).responseData, 'socket hang up');
      assert.match(String(event(3).responseData), /ECONNREFUSED/);
    });

    it("go to the receiver's new address", async () => {
      const { received, url } = await listen();
      const wrong = await listen((response) => response.writeHead(404).end());
      const { receiver } = await receiverOf(wrong.url, 'RUNS', 'UPDATE');
      sandbox.control.set({ webhookTries: 1000 });
      await rename('Example 2');
      await until(() => event(1).status === 'RETRYING');
      const input = { id: receiver.id, etag: receiver._etag, webhookUri: url, sharedSecret: 'new' };
      await sandbox.ask(UPDATE_RECEIVER, { input });
      await ended(1, 'SUCCEEDED');
      const [delivery] = received;
      assert.ok(delivery);
      assert.equal(delivery.headers['x-ion-signature'], hmac(delivery.bytes, 'hex', 'new'));
    });

    it('can be triggered by hand', async () => {
      const { received, url } = await listen();
      const { subscription } = await receiverOf(url, 'RUNS', 'UPDATE');
      await rename('Example 2');
      await ended(1, 'SUCCEEDED');
      const redeliver = (eventId?: number) =>
        sandbox.http('POST', 'webhooks/redeliver', { eventId });
      assert.equal((await redeliver(1)).status, 204);
      await until(() => received.length === 2);
      assert.deepEqual(received[1]?.bytes, received[0]?.bytes);
      assert.equal((await redeliver(999)).status, 400);
      assert.equal((await redeliver()).status, 400);
      await ended(1, 'SUCCEEDED');
      await sandbox.ask(DELETE_SUBSCRIPTION, { id: subscription.id, etag: subscription._etag });
      assert.equal((await redeliver(1)).status, 400);
      assert.equal(event(1).status, 'SUCCEEDED');
    });

    it('can be triggered by hand while the event is being delivered', async () => {
      const held = await listen((response, count) => {
        if (count > 1) response.end();
      });
      await receiverOf(held.url, 'RUNS', 'UPDATE');
      await rename('Example 2');
      await until(() => held.received.length === 1);
      sandbox.webhooks.redeliver(1);
      held.received[0]?.response.end();
      await until(() => held.received.length === 2);
      await ended(1, 'SUCCEEDED');

      const failing = await listen((response, count) => {
        response.writeHead(count === 1 ? 500 : 200).end();
      });
      await receiverOf(failing.url, 'PARTS', 'UPDATE');
      sandbox.control.set({ webhookRetryDelay: 60_000 });
      sandbox.data.parts.update(1, { description: 'Example' });
      await until(() => event(2).status === 'RETRYING');
      sandbox.webhooks.redeliver(2);
      await ended(2, 'SUCCEEDED');
    });
  });

  describe('set-up', () => {
    it('uses defaults for missing values, and rejects unsupported ones', async () => {
      const input = { name: 'Example', webhookUri: 'https://example.test/ion' };
      const { createWebhookReceiver } = await sandbox.ask(CREATE_RECEIVER, { input });
      const { id: _id, _etag, sharedSecret, ...rest } = createWebhookReceiver.webhookReceiver;
      assert.deepEqual(rest, {
        ...input,
        contentType: 'JSON',
        expectedResponseCode: 200,
        active: true,
      });
      assert.ok(sharedSecret.length >= 32);
      for (const webhookUri of ['ftp://example.test/', 'example.test', 'file:///etc/hosts']) {
        const refused = { input: { ...input, webhookUri } };
        assert.match(await sandbox.refusal(CREATE_RECEIVER, refused), /not an http or https URL/);
      }
      const xml = { input: { ...input, contentType: 'XML' } };
      assert.match(await sandbox.refusal(CREATE_RECEIVER, xml), /XML/);
      assert.equal(sandbox.data.webhookReceivers.all().length, 1);
      const lost = { input: { receiverId: 99, resource: 'RUNS', action: 'CREATE' } };
      assert.match(await sandbox.refusal(CREATE_SUBSCRIPTION, lost), /not found/);
    });

    it('offers every resource of the schema', async () => {
      const { __type } = await sandbox.ask(
        '{ __type(name: "ResourceEnum") { enumValues { name } } }',
      );
      assert.equal(__type.enumValues.length, 117);
      await receiverOf('https://example.test/', 'PURCHASE_ORDERS', 'CREATE');
    });

    it('notifies no inactive receiver', async () => {
      const { received, url } = await listen();
      const { receiver, subscription } = await receiverOf(url, 'RUNS', 'UPDATE');
      const idle = await createReceiver(url, { active: false });
      await subscribe(idle.id, 'RUNS', 'UPDATE');
      await subscribe(receiver.id, 'RUNS', 'UPDATE', { active: false });
      await subscribe(receiver.id, 'RUNS', 'CREATE');
      await subscribe(receiver.id, 'PARTS', 'UPDATE');
      const input = { resource: 'RUNS', action: 'UPDATE' };
      await sandbox.ask(CREATE_SUBSCRIPTION, { input });
      await rename('Example 2');
      const told = () => sandbox.data.webhookEvents.all().map((row) => row.subscriptionId);
      assert.deepEqual(told(), [subscription.id]);
      await ended(1, 'SUCCEEDED');

      const { updateWebhookSubscription } = await sandbox.ask(UPDATE_SUBSCRIPTION, {
        input: { id: subscription.id, etag: subscription._etag, active: false },
      });
      assert.equal(updateWebhookSubscription.webhookSubscription.active, false);
      await rename('Example 3');
      assert.deepEqual(told(), [subscription.id]);
      assert.equal(received.length, 1);
    });

    it('rejects stale etags', async () => {
      const { receiver, subscription } = await receiverOf(
        'https://example.test/',
        'RUNS',
        'UPDATE',
      );
      const input = {
        id: receiver.id,
        etag: receiver._etag,
        name: 'Example 2',
        sharedSecret: null,
      };
      const { updateWebhookReceiver } = await sandbox.ask(UPDATE_RECEIVER, { input });
      const updated = updateWebhookReceiver.webhookReceiver;
      assert.equal(updated.name, 'Example 2');
      assert.equal(updated.sharedSecret, SECRET);
      assert.notEqual(updated._etag, receiver._etag);
      assert.match(await sandbox.refusal(UPDATE_RECEIVER, { input }), /^Etag does not match$/);
      assert.match(await sandbox.refusal(DELETE_RECEIVER, input), /^Etag does not match$/);

      const change = { id: subscription.id, etag: subscription._etag, active: false };
      await sandbox.ask(UPDATE_SUBSCRIPTION, { input: change });
      assert.match(
        await sandbox.refusal(UPDATE_SUBSCRIPTION, { input: change }),
        /^Etag does not match$/,
      );
      assert.match(await sandbox.refusal(DELETE_SUBSCRIPTION, change), /^Etag does not match$/);
      assert.equal(sandbox.data.webhookSubscriptions.all().length, 1);
    });

    it('deletes a subscription, and a receiver with all its subscriptions', async () => {
      const { receiver, subscription } = await receiverOf(
        'https://example.test/',
        'RUNS',
        'UPDATE',
      );
      await subscribe(receiver.id, 'RUNS', 'CREATE');
      await subscribe(receiver.id, 'RUNS', 'DELETE');
      const other = await receiverOf('https://example.test/', 'RUNS', 'UPDATE');
      const { id, _etag: etag } = subscription;
      const { deleteWebhookSubscription } = await sandbox.ask(DELETE_SUBSCRIPTION, { id, etag });
      assert.equal(deleteWebhookSubscription.id, id);
      const { deleteWebhookReceiver } = await sandbox.ask(DELETE_RECEIVER, {
        id: receiver.id,
        etag: receiver._etag,
      });
      assert.equal(deleteWebhookReceiver.id, receiver.id);
      const { webhookReceiver, webhookSubscriptions } = await sandbox.ask(
        `{ webhookReceiver(id: ${receiver.id}) { id }
          webhookSubscriptions { edges { node { id } } } }`,
      );
      assert.equal(webhookReceiver, null);
      assert.deepEqual(webhookSubscriptions.edges, [{ node: { id: other.subscription.id } }]);
    });

    it('abandons deliveries to a deleted receiver', async () => {
      const { received, url } = await listen((response) => response.writeHead(500).end());
      const { receiver, subscription } = await receiverOf(url, 'RUNS', 'UPDATE');
      sandbox.control.set({ webhookTries: 1000 });
      await rename('Example 2');
      await until(() => event(1).status === 'RETRYING');
      await sandbox.ask(DELETE_RECEIVER, { id: receiver.id, etag: receiver._etag });
      await ended(1, 'FAILED');
      const { length } = received;
      await rename('Example 3');
      assert.equal(sandbox.data.webhookEvents.all().length, 1);
      assert.equal(received.length, length);
      const { webhookEvent } = await sandbox.ask(
        '{ webhookEvent(id: 1) { subscriptionId subscription { id } responseStatusCode } }',
      );
      assert.deepEqual(webhookEvent, {
        subscriptionId: subscription.id,
        subscription: null,
        responseStatusCode: 500,
      });
    });
  });

  describe('events', () => {
    it('are listed, filtered, sorted and paged', async () => {
      const good = await listen();
      const bad = await listen((response) => response.writeHead(500).end());
      const one = await receiverOf(good.url, 'RUNS', 'UPDATE', { name: 'Good' });
      const two = await receiverOf(bad.url, 'PARTS', 'UPDATE', { name: 'Bad' });
      sandbox.control.set({ webhookTries: 1 });
      for (let i = 0; i < 3; i++) await rename(`Example ${i}`);
      sandbox.data.parts.update(1, { description: 'Example' });
      await until(() => sandbox.data.webhookEvents.all().every((row) => row.status !== 'SENDING'));
      const ids = async (filters: object, sort = ['ID_ASC']) => {
        const { webhookEvents } = await sandbox.ask(
          `query ($filters: WebhookEventsInputFilters, $sort: [WebhookEventSortEnum]) {
            webhookEvents(filters: $filters, sort: $sort) { edges { node { id } } } }`,
          { filters, sort },
        );
        return webhookEvents.edges.map(({ node }: { node: { id: number } }) => node.id);
      };
      // Polling, which replaces deliveries if ION cannot reach the plant.
      const missed = { subscriptionId: { in: [String(one.subscription.id)] }, id: { gt: '1' } };
      assert.deepEqual(await ids(missed), [2, 3]);
      assert.deepEqual(await ids({ status: { eq: 'FAILED' } }), [4]);
      assert.deepEqual(await ids({ responseStatusCode: { eq: 200 } }, ['ID_DESC']), [3, 2, 1]);
      assert.deepEqual(await ids({ subscription: { receiver: { name: { eq: 'Bad' } } } }), [4]);
      assert.deepEqual(await ids({}, ['STATUS_ASC', 'ID_DESC']), [4, 3, 2, 1]);

      const { webhookEvents, webhookReceivers, webhookSubscriptions } = await sandbox.ask(
        `{ webhookEvents(first: 2, after: "") { pageInfo { hasNextPage totalCount } }
          webhookReceivers(sort: [NAME_ASC]) { edges { node { name
            subscriptions(filters: { active: { eq: true } }) { resource action } } } }
          webhookSubscriptions(filters: { resource: { eq: PARTS } }) { edges { node {
            id receiver { name } events { requestData } } } } }`,
      );
      assert.deepEqual(webhookEvents.pageInfo, { hasNextPage: true, totalCount: 4 });
      assert.deepEqual(webhookReceivers.edges, [
        { node: { name: 'Bad', subscriptions: [{ resource: 'PARTS', action: 'UPDATE' }] } },
        { node: { name: 'Good', subscriptions: [{ resource: 'RUNS', action: 'UPDATE' }] } },
      ]);
      assert.deepEqual(webhookSubscriptions.edges, [
        {
          node: {
            id: two.subscription.id,
            receiver: { name: 'Bad' },
            events: [{ requestData: bad.received[0]?.bytes.toString() }],
          },
        },
      ]);
    });

    it('are kept up to a limit: the oldest finished event is removed first', async () => {
      const { received, url } = await listen((response, count) => {
        // The first event stays in progress.
        if (count > 1) response.end();
      });
      const store = new Store();
      const webhooks = opened(new Webhooks(store, new Control(300).settings, 3));
      const row: NewRow<WebhookReceiverRow> = {
        name: 'Example',
        description: null,
        webhookUri: url,
        sharedSecret: SECRET,
        contentType: 'JSON',
        expectedResponseCode: 200,
        active: true,
        headerIds: [],
      };
      const { id: receiverId } = store.webhookReceivers.insert(row);
      const subscription = { resource: 'COMMENTS', action: 'CREATE', active: true } as const;
      store.webhookSubscriptions.insert({ ...subscription, receiverId });
      const comment = () =>
        store.comments.insert({
          content: 'Example',
          slateContent: null,
          entityId: null,
          resolved: false,
          parentId: null,
        });
      const kept = () => store.webhookEvents.all().map(({ id, status }) => `${id} ${status}`);
      for (let i = 1; i <= 4; i++) {
        comment();
        await until(() => received.length === i);
        await until(() => i === 1 || store.webhookEvents.get(i)?.status === 'SUCCEEDED');
      }
      assert.deepEqual(kept(), ['1 SENDING', '3 SUCCEEDED', '4 SUCCEEDED']);
      for (let i = 5; i <= 7; i++) comment();
      assert.deepEqual(kept(), ['5 SENDING', '6 SENDING', '7 SENDING']);
      await until(() => received.length === 7);
      await webhooks.close();
    });
  });

  describe('end', () => {
    it('aborts deliveries in progress and starts no more', async () => {
      const held = await listen(() => {});
      const failing = await listen((response) => response.writeHead(500).end());
      await receiverOf(held.url, 'RUNS', 'UPDATE');
      await receiverOf(failing.url, 'PARTS', 'UPDATE');
      sandbox.control.set({ webhookRetryDelay: 10_000 });
      for (let i = 0; i < 12; i++) sandbox.data.runs.update(1, { title: `Example ${i}` });
      sandbox.data.parts.update(1, { description: 'Example' });
      await until(() => held.received.length === 10 && event(13).status === 'RETRYING');
      const broken = held.received.map(({ response }) => once(response, 'close'));
      await sandbox.close();
      await Promise.all(broken);
      sandbox.data.runs.update(1, { title: 'Example' });
      assert.equal(sandbox.data.webhookEvents.all().length, 13);
      assert.deepEqual([held.received.length, failing.received.length], [10, 1]);
      assert.equal(event(1).status, 'SENDING');
    });

    it('leaves nothing open', async () => {
      const script = `
        const { createServer } = require('node:http');
        const { startSandbox } = require('./sandbox/server.ts');
        const server = createServer((request, response) => {
          request.resume();
          if (request.url === '/failing') response.writeHead(500).end();
        });
        server.listen(0, '127.0.0.1', async () => {
          const { port } = server.address();
          const { data, close } = await startSandbox({ port: 0, runs: 1 });
          for (const [path, resource] of [['held', 'RUNS'], ['failing', 'PARTS']]) {
            const { id } = data.webhookReceivers.insert({
              webhookUri: 'http://127.0.0.1:' + port + '/' + path, sharedSecret: 'x',
              expectedResponseCode: 200, active: true, headerIds: [] });
            data.webhookSubscriptions.insert(
              { resource, action: 'UPDATE', receiverId: id, active: true });
          }
          data.runs.update(1, { title: 'Example' });
          data.parts.update(1, { description: 'Example' });
          while (data.webhookEvents.get(2).status !== 'RETRYING') await new Promise(setImmediate);
          await close();
          server.close();
          console.log(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length);
        });`;
      const child = spawn(process.execPath, ['--import', 'tsx', '-e', script]);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          output += chunk;
        });
      }
      assert.deepEqual(await once(child, 'close'), [0, null]);
      assert.equal(output, '0\n');
    });
  });
});
