import assert from 'node:assert/strict';
import { eventsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { EventsFlow, expressApp } from '../support/events-flow.js';
import { type FlowMessage, helper, sandboxKey } from '../support/flow.js';
import { nothingUnhandled } from '../support/hostile.js';
import { withoutPauses } from '../support/pauses.js';
import { useSandbox } from '../support/sandbox.js';
import { closeAfterEach, httpServer, type TestServer } from '../support/servers.js';
import { until } from '../support/until.js';

const STARTS = {
  actions: ['UPDATE'],
  filters: [{ field: 'status', op: 'eq', value: 'IN_PROGRESS', valueType: 'str' }],
  changedFields: ['status'],
};

describe('ion-events that watches fields', () => {
  withoutPauses();
  nothingUnhandled();
  const context = useSandbox({ runs: 30 });
  const opened = closeAfterEach();
  let flow: EventsFlow;
  let server: TestServer;
  let app: ReturnType<typeof expressApp>;
  let nextRun = 0;

  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(async () => {
    app = expressApp();
    server = opened(await httpServer(app));
    nextRun++;
  });
  afterEach(async () => {
    await helper.unload();
    flow?.stopWatching();
  });

  const load = async (properties: object) => {
    const { sandbox } = context;
    const nodes = [{ ...eventsNode, ...properties }];
    const config = [sandboxConfig(sandbox, { retries: 0 })];
    const credentials = { ...sandboxKey(sandbox), node: { secret: 'example-secret' } };
    flow = await EventsFlow.load(nodes, config, credentials, app);
  };
  const data = () => context.sandbox.data;
  /** A step that no other test has changed. */
  const freshStep = (status: string) => {
    const id = Number(data().runSteps.of(nextRun)[0]?.id);
    update(id, { status });
    return id;
  };
  const update = (id: number, changes: object) => data().runSteps.update(id, changes as never);
  const insert = (properties: object) => {
    const { id, _created, _updated, _etag, ...row } = data().runSteps.of(nextRun)[0] as never as {
      [name: string]: unknown;
    };
    return Number(data().runSteps.insert({ ...row, ...properties } as never, 1).id);
  };
  const requests = () => context.sandbox.control.counters().api.total;
  const stored = () => {
    const seen: unknown = helper.getNode('node').context().get('seen');
    return (seen as { objects: string[] } | undefined)?.objects ?? [];
  };
  const isStored = (id: number, ...values: unknown[]) =>
    until(() => stored().includes(`${id}\n${JSON.stringify(values.map((value) => [value]))}`));
  /** Action, status and what is known of earlier values, for each message about an object. */
  const messages = (object: number) =>
    flow.sent.flatMap(({ ion, payload }) => {
      const { id, action, previous, previousKnown } = ion as FlowMessage;
      if (id !== object) return [];
      return [[action, (payload as FlowMessage).status, previous ?? previousKnown]];
    });
  const isSent = (id: number, count: number) => until(() => messages(id).length >= count);
  const poll = async (properties: object) => {
    await load({ interval: 0.1, fields: ['id', 'status', 'title'], ...properties });
    await until(() => flow.status() === 'green events.polled');
  };
  const webhook = async (properties: object) => {
    const { webhookReceivers, webhookSubscriptions } = data();
    for (const table of [webhookSubscriptions, webhookReceivers]) {
      for (const { id } of [...table.all()]) table.delete(id);
    }
    const hook = { via: 'webhook', path: '/ion/hook', register: true, publicUrl: server.url };
    const actions = ['CREATE', 'UPDATE'];
    const own = { ...hook, actions, fields: ['id', 'status', 'title'], ...properties };
    await load(own);
    await until(() => flow.status() === 'green events.received');
    const isRegistered = () => webhookSubscriptions.all().length === own.actions.length;
    await until(() => isRegistered() || !own.register);
  };
  const ionOf = (msg: FlowMessage | undefined) => (msg?.ion ?? {}) as FlowMessage;

  for (const [source, begin] of [
    ['polling', poll],
    ['a webhook', webhook],
  ] as const) {
    describe(`by ${source}`, () => {
      it('sends one message when a step starts, and none when it is edited later', async () => {
        const id = freshStep('TODO');
        await begin(STARTS);
        update(id, { title: 'Before' });
        await isStored(id, 'TODO');
        update(id, { status: 'IN_PROGRESS' });
        await isSent(id, 1);
        const before = requests();
        update(id, { title: 'During' });
        await until(() => requests() >= before + (source === 'polling' ? 3 : 1));
        // Another start, which comes after all that.
        update(id, { status: 'HOLD' });
        await isStored(id, 'HOLD');
        update(id, { status: 'IN_PROGRESS' });
        await isSent(id, 2);
        assert.deepEqual(messages(id), [
          ['UPDATE', 'IN_PROGRESS', { status: 'TODO' }],
          ['UPDATE', 'IN_PROGRESS', { status: 'HOLD' }],
        ]);
      });

      it('reads the fields from `changed` as well, which only a program can write', async () => {
        const id = freshStep('TODO');
        await begin({ changedFields: undefined, changed: ['status'] });
        update(id, { status: 'HOLD' });
        await isSent(id, 1);
        const earlier = source === 'polling' ? { status: 'TODO' } : false;
        assert.deepEqual(messages(id), [['UPDATE', 'HOLD', earlier]]);
      });

      it('watches several fields, nested ones as well, and reads them although they are not chosen', async () => {
        const id = freshStep('TODO');
        await begin({ changedFields: ['title', 'run.title'], fields: ['id'] });
        update(id, { title: 'One' });
        await isSent(id, 1);
        const { title } = data().runs.get(nextRun) as unknown as FlowMessage;
        data().runs.update(nextRun, { title: 'Renamed' });
        update(id, { position: 99 });
        await isSent(id, 2);
        const [, msg] = flow.sent;
        assert.deepEqual(msg?.payload, { id, title: 'One', run: { title: 'Renamed' } });
        assert.deepEqual(ionOf(msg).previous, { 'run.title': title });
        update(id, { title: 'Two' });
        await isSent(id, 3);
        assert.deepEqual(ionOf(flow.sent[2]).previous, { title: 'One' });
      });

      it('sends a creation without earlier values, and remembers it', async () => {
        await begin({ changedFields: ['status'] });
        const id = insert({ status: 'TODO' });
        await isSent(id, 1);
        await isStored(id, 'TODO');
        update(id, { status: 'IN_PROGRESS' });
        await isSent(id, 2);
        data().runSteps.delete(id);
        assert.deepEqual(messages(id), [
          ['CREATE', 'TODO', undefined],
          ['UPDATE', 'IN_PROGRESS', { status: 'TODO' }],
        ]);
      });

      it('sends a start that it could not compare because ION was unreachable', async () => {
        const id = freshStep('TODO');
        await begin(STARTS);
        update(id, { title: 'Before' });
        await isStored(id, 'TODO');
        // Only the reading with the filters fails.
        const fault = { target: 'api', kind: 'status', status: 400, match: 'IN_PROGRESS' } as const;
        context.sandbox.control.fault({ ...fault, times: 1 });
        update(id, { status: 'IN_PROGRESS' });
        await until(() => flow.caught.length > 0);
        if (source !== 'polling') update(id, { title: 'Edited' });
        await isSent(id, 1);
        assert.deepEqual(messages(id), [['UPDATE', 'IN_PROGRESS', { status: 'TODO' }]]);
      });
    });
  }

  it('sends what a webhook reports for the first time, and says that it knows nothing earlier', async () => {
    const id = freshStep('TODO');
    await webhook({ changedFields: ['status'] });
    update(id, { title: 'Seen' });
    await isSent(id, 1);
    assert.deepEqual(messages(id), [['UPDATE', 'TODO', false]]);
    assert.equal(Object.hasOwn(ionOf(flow.sent[0]), 'previous'), false);
  });

  it('knows the values from before its first poll', async () => {
    const [edited, started] = [
      freshStep('IN_PROGRESS'),
      Number(data().runSteps.of(nextRun)[1]?.id),
    ];
    update(started, { status: 'TODO' });
    await poll(STARTS);
    update(edited, { title: 'Edited' });
    update(started, { status: 'IN_PROGRESS' });
    await isSent(started, 1);
    assert.deepEqual(messages(started), [['UPDATE', 'IN_PROGRESS', { status: 'TODO' }]]);
    assert.deepEqual(messages(edited), []);
  });

  it('reports a step that was created and started between two polls as one start', async () => {
    await poll({ ...STARTS, interval: 0.5 });
    const id = insert({ status: 'TODO' });
    update(id, { status: 'IN_PROGRESS' });
    await isSent(id, 1);
    update(id, { status: 'HOLD' });
    await isStored(id, 'HOLD');
    data().runSteps.delete(id);
    assert.deepEqual(messages(id), [['UPDATE', 'IN_PROGRESS', false]]);
  });

  it('passes on a deletion, and an event without an ID', async () => {
    const actions = ['CREATE', 'UPDATE', 'DELETE'];
    await webhook({ actions, changedFields: ['status'], fields: [], verify: false });
    const id = insert({ status: 'TODO' });
    await isStored(id, 'TODO');
    data().runSteps.delete(id);
    await isSent(id, 2);
    await until(() => !stored().some((text) => text.startsWith(`${id}\n`)));
    assert.equal(ionOf(flow.sent[1]).action, 'DELETE');
    const body = JSON.stringify({ resource: 'run_steps', action: 'update' });
    await fetch(`${server.url}/ion/hook`, { method: 'POST', body });
    await until(() => flow.sent.length === 3);
    assert.equal(ionOf(flow.sent[2]).previousKnown, false);
  });

  it('sends one message for deliveries that arrive twice, late or all at once', async () => {
    const id = freshStep('TODO');
    await webhook({ ...STARTS, register: false, verify: false });
    let event_id = 0;
    const deliver = () => {
      const body = JSON.stringify({
        event_id: ++event_id,
        resource: 'run_steps',
        action: 'update',
        row_data: { id, status: 'todo' },
      });
      return fetch(`${server.url}/ion/hook`, { method: 'POST', body });
    };
    await deliver();
    await isStored(id, 'TODO');
    update(id, { status: 'IN_PROGRESS' });
    const before = requests();
    await Promise.all(Array.from({ length: 20 }, deliver));
    // One request for each, and one with the filters.
    await until(() => requests() >= before + 21);
    await isStored(id, 'IN_PROGRESS');
    assert.deepEqual(messages(id), [['UPDATE', 'IN_PROGRESS', { status: 'TODO' }]]);
  });
});
