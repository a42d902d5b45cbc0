import assert from 'node:assert/strict';
import {
  type Registration,
  register,
  unregister,
} from '../../nodes/client/webhook-registration.js';
import { everythingIn, failure } from '../support/errors.js';
import { withoutPauses } from '../support/pauses.js';
import { useSandbox } from '../support/sandbox.js';

const REGISTRATION: Registration = {
  key: 'node1',
  webhookUri: 'http://127.0.0.1:9/ion/node1',
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

  it('makes one receiver and one subscription per action, however often', async () => {
    for (let deploys = 0; deploys < 3; deploys++) await registerWith();
    const [receiver, ...others] = receivers();
    assert.equal(others.length, 0);
    assert.ok(receiver);
    assert.ok(receiver.name.includes('node1'));
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

  it('follows what the node is changed to', async () => {
    await registerWith();
    const [before] = receivers();
    await registerWith({
      webhookUri: 'http://127.0.0.1:9/other',
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

  it('activates what somebody switched off', async () => {
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

  it('leaves one where the answer to a creation was lost', async () => {
    const fault = { target: 'api', kind: 'reset', execute: true } as const;
    ion.sandbox.control.fault({ ...fault, match: 'createWebhookReceiver' });
    await failure(registerWith(), 'ION_NETWORK');
    await registerWith();
    assert.equal(receivers().length, 1);
    assert.equal(subscriptions().length, 2);
  });

  it('looks again where somebody else changed the receiver meanwhile', async () => {
    await registerWith();
    const errors = [{ message: 'Etag does not match' }];
    ion.sandbox.control.fault({
      target: 'api',
      kind: 'graphql',
      errors,
      match: 'updateWebhookReceiver',
    });
    await registerWith({ webhookUri: 'http://127.0.0.1:9/again' });
    assert.equal(receivers()[0]?.webhookUri, 'http://127.0.0.1:9/again');
  });

  it('tells no secret in an error', async () => {
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

  it('is taken back without touching what others registered', async () => {
    await registerWith();
    await registerWith({ key: 'node12' });
    await registerWith({ key: 'my_node1' });
    await unregister(ion.client(), 'node1', signal);
    assert.deepEqual(
      receivers().map(({ name }) => name),
      ['Node-RED ion-events (node12)', 'Node-RED ion-events (my_node1)'],
    );
    assert.equal(subscriptions().length, 4);
    await unregister(ion.client(), 'node1', signal);
  });
});
