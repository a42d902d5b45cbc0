import assert from 'node:assert/strict';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import {
  type Registration,
  register,
  unregister,
} from '../../../nodes/client/webhooks/registration.js';
import { everythingIn, failure } from '../../support/errors.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';

const REGISTRATION: Registration = {
  nodeId: 'node1',
  instanceId: 'instance1',
  webhookUri: 'http://127.0.0.1:9/ion/node1',
  formerUris: [],
  sharedSecret: 'example-secret',
  expectedResponseCode: 200,
  resource: 'RUN_STEPS',
  actions: ['CREATE', 'UPDATE'],
};

describe('webhook registration', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 5 });
  const { signal } = new AbortController();
  const registerWith = (changes: Partial<Registration> = {}, client = ion.client()) =>
    register(client, { ...REGISTRATION, ...changes }, signal);
  const receivers = () => [...ion.sandbox.data.webhookReceivers.all()];
  const subscriptions = () =>
    ion.sandbox.data.webhookSubscriptions.all().map(({ resource, action, receiverId, active }) => ({
      resource,
      action,
      receiverId,
      active,
    }));

  afterEach(() => {
    const { data } = ion.sandbox;
    for (const { id } of [...data.webhookSubscriptions.all()]) data.webhookSubscriptions.delete(id);
    for (const { id } of receivers()) data.webhookReceivers.delete(id);
  });

  it('creates one receiver and one subscription per action, however often it runs', async () => {
    for (let deploys = 0; deploys < 3; deploys++) await registerWith();
    const [receiver, ...others] = receivers();
    assert.equal(others.length, 0);
    assert.ok(receiver);
    assert.equal(receiver.name, 'Node-RED ion-events (node1, instance1)');
    const { webhookUri, sharedSecret, expectedResponseCode, active } = receiver;
    assert.deepEqual(
      { webhookUri, sharedSecret, expectedResponseCode, active },
      {
        webhookUri: REGISTRATION.webhookUri,
        sharedSecret: 'example-secret',
        expectedResponseCode: 200,
        active: true,
      },
    );
    const receiverId = receiver.id;
    assert.deepEqual(subscriptions(), [
      { resource: 'RUN_STEPS', action: 'CREATE', receiverId, active: true },
      { resource: 'RUN_STEPS', action: 'UPDATE', receiverId, active: true },
    ]);
  });

  for (const settings of [{ idForm: 'text' }, { enumCase: 'lower' }] as const) {
    it(`keeps its subscriptions in an ION with ${JSON.stringify(settings)}`, async () => {
      ion.sandbox.control.set(settings);
      await registerWith();
      const before = ion.sandbox.data.webhookSubscriptions.all().map(({ id }) => id);
      assert.equal(before.length, 2);
      await registerWith();
      const after = ion.sandbox.data.webhookSubscriptions.all().map(({ id }) => id);
      assert.deepEqual(after, before);
    });
  }

  it('follows changes of the node', async () => {
    await registerWith();
    const [before] = receivers();
    await registerWith({
      webhookUri: 'http://127.0.0.1:9/other',
      formerUris: [REGISTRATION.webhookUri],
      sharedSecret: 'other-secret',
      expectedResponseCode: 204,
      resource: 'RUNS',
      actions: ['UPDATE', 'DELETE'],
    });
    const [after, ...others] = receivers();
    assert.deepEqual([after?.id, others.length], [before?.id, 0]);
    assert.equal(after?.webhookUri, 'http://127.0.0.1:9/other');
    assert.equal(after?.sharedSecret, 'other-secret');
    assert.equal(after?.expectedResponseCode, 204);
    assert.deepEqual(
      subscriptions().map(({ resource, action }) => `${resource}/${action}`),
      ['RUNS/UPDATE', 'RUNS/DELETE'],
    );
  });

  it('activates a deactivated receiver', async () => {
    await registerWith();
    const { data } = ion.sandbox;
    for (const { id } of receivers()) data.webhookReceivers.update(id, { active: false });
    for (const { id } of [...data.webhookSubscriptions.all()]) {
      data.webhookSubscriptions.update(id, { active: false });
    }
    await registerWith();
    assert.ok(receivers().every(({ active }) => active));
    assert.deepEqual(
      subscriptions().map(({ active }) => active),
      [true, true],
    );
  });

  it('leaves one receiver if the response to a creation was lost', async () => {
    const fault = { target: 'api', kind: 'reset', execute: true } as const;
    ion.sandbox.control.fault({ ...fault, match: 'createWebhookReceiver' });
    await failure(registerWith(), 'ION_NETWORK');
    await registerWith();
    assert.equal(receivers().length, 1);
    assert.equal(subscriptions().length, 2);
  });

  it('reads again if somebody else changed the receiver', async () => {
    await registerWith();
    const errors = [{ message: 'Etag does not match' }];
    ion.sandbox.control.fault({
      target: 'api',
      kind: 'graphql',
      errors,
      match: 'updateWebhookReceiver',
    });
    await registerWith({ sharedSecret: 'again' });
    assert.equal(receivers()[0]?.sharedSecret, 'again');
  });

  it('reveals no secret in an error', async () => {
    const errors = [{ message: 'Variable "$input" got {"sharedSecret": "example-secret"}' }];
    ion.sandbox.control.fault({
      target: 'api',
      kind: 'graphql',
      errors,
      match: 'createWebhookReceiver',
    });
    const error = await failure(registerWith(), 'ION_GRAPHQL');
    assert.doesNotMatch(everythingIn(error), /example-secret/);
  });

  it('reveals no password of the public URL in an error, as it is written or decoded', async () => {
    for (const [written, quoted] of [
      ['Hall7-Password', 'Hall7-Password'],
      ['Hall%2F7-Password', 'Hall/7-Password'],
    ]) {
      const errors = [{ message: `Variable "$input" got {"webhookUri": "https://ion:${quoted}@` }];
      const fault = { target: 'api', kind: 'graphql', errors } as const;
      const webhookUri = `https://ion:${written}@factory.example.com/ion/node1`;
      ion.sandbox.control.fault({ ...fault, match: 'createWebhookReceiver' });
      const error = await failure(registerWith({ webhookUri }), 'ION_GRAPHQL');
      assert.doesNotMatch(everythingIn(error), /7-Password/);
      ion.sandbox.control.fault({ ...fault, match: 'webhookReceivers' });
      const removal = unregister(ion.client(), REGISTRATION, [webhookUri], signal);
      assert.doesNotMatch(everythingIn(await failure(removal, 'ION_GRAPHQL')), /7-Password/);
    }
  });

  const OTHER_URI = 'http://127.0.0.1:9/copy';
  const secretsByUri = () =>
    receivers().map(({ webhookUri, sharedSecret }) => [webhookUri, sharedSecret]);
  const named = (name: string, webhookUri = REGISTRATION.webhookUri) =>
    ion
      .client()
      .request(
        parseOperation(
          'mutation ($input: CreateWebhookReceiverInput!) { createWebhookReceiver(input: $input) { webhookReceiver { id } } }',
        ),
        { variables: { input: { name, webhookUri, sharedSecret: 'of-the-other' } }, signal },
      );

  for (const [what, instanceId] of [
    ['another Node-RED', 'instance2'],
    ['a Node-RED with a copied user folder', 'instance1'],
  ] as const) {
    it(`of a copy of the flow in ${what} leaves the original unchanged, also when it is deleted`, async () => {
      await registerWith();
      const copy = { instanceId, webhookUri: OTHER_URI, sharedSecret: 'copied-secret' };
      await registerWith(copy);
      await registerWith();
      assert.deepEqual(secretsByUri(), [
        [REGISTRATION.webhookUri, 'example-secret'],
        [OTHER_URI, 'copied-secret'],
      ]);
      assert.equal(subscriptions().length, 4);
      await unregister(ion.client(), { ...REGISTRATION, ...copy }, [OTHER_URI], signal);
      assert.deepEqual(secretsByUri(), [[REGISTRATION.webhookUri, 'example-secret']]);
      assert.equal(subscriptions().length, 2);
    });
  }

  it('of a copy with the same address exists next to the original, and names it', async () => {
    await registerWith();
    const others = await registerWith({ instanceId: 'instance2', sharedSecret: 'copied-secret' });
    assert.deepEqual(
      others.map(({ name }) => name),
      ['Node-RED ion-events (node1, instance1)'],
    );
    assert.deepEqual(
      receivers().map(({ sharedSecret }) => sharedSecret),
      ['example-secret', 'copied-secret'],
    );
    const copy = { ...REGISTRATION, instanceId: 'instance2' };
    await unregister(ion.client(), copy, [REGISTRATION.webhookUri], signal);
    assert.deepEqual(secretsByUri(), [[REGISTRATION.webhookUri, 'example-secret']]);
  });

  it('leaves one receiver after changes of the address, also if one was not finished', async () => {
    await registerWith();
    const fault = { target: 'api', kind: 'reset', execute: true, times: 3 } as const;
    ion.sandbox.control.fault({ ...fault, match: 'updateWebhookReceiver' });
    const formerUris = [REGISTRATION.webhookUri];
    const second = 'http://127.0.0.1:9/second';
    await failure(registerWith({ webhookUri: second, formerUris }), 'ION_NETWORK');
    ion.sandbox.control.clearFaults();
    await registerWith({ webhookUri: OTHER_URI, formerUris: [...formerUris, second] });
    assert.deepEqual(secretsByUri(), [[OTHER_URI, 'example-secret']]);
    assert.equal(subscriptions().length, 2);
  });

  it('takes over the receiver of version 1.0.0 for the same address, and nothing else', async () => {
    await named('Node-RED ion-events (node1)');
    await named('Node-RED ion-events (node1)', OTHER_URI);
    await named('Node-RED ion-events (node12)');
    await named('Something else');
    const others = await registerWith();
    assert.deepEqual(
      others.map(({ name, webhookUri }) => [name, webhookUri]),
      [['Node-RED ion-events (node1)', OTHER_URI]],
    );
    assert.deepEqual(
      receivers().map(({ name, sharedSecret }) => [name, sharedSecret]),
      [
        ['Node-RED ion-events (node1, instance1)', 'example-secret'],
        ['Node-RED ion-events (node1)', 'of-the-other'],
        ['Node-RED ion-events (node12)', 'of-the-other'],
        ['Something else', 'of-the-other'],
      ],
    );
  });

  it('recognizes its address if ION writes it differently', async () => {
    await registerWith({ webhookUri: 'http://LOCALHOST:80/ion/node1' });
    for (const { id } of receivers()) {
      ion.sandbox.data.webhookReceivers.update(id, { webhookUri: 'http://localhost/ion/node1' });
    }
    await registerWith({ webhookUri: 'http://LOCALHOST:80/ion/node1' });
    assert.equal(receivers().length, 1);
  });

  it('is removed without touching receivers that others registered', async () => {
    await registerWith();
    await registerWith({ nodeId: 'node12' });
    await registerWith({ nodeId: 'my_node1' });
    await registerWith({ nodeId: 'sub-node1' });
    for (let times = 0; times < 2; times++) {
      await unregister(ion.client(), REGISTRATION, [REGISTRATION.webhookUri], signal);
    }
    assert.deepEqual(
      receivers().map(({ name }) => name),
      ['node12', 'my_node1', 'sub-node1'].map((id) => `Node-RED ion-events (${id}, instance1)`),
    );
    assert.equal(subscriptions().length, 6);
  });
});
