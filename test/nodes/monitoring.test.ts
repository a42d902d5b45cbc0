import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, graphqlNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { helper, sandboxKey, TestFlow } from '../support/flow.js';
import { type Gate, gate } from '../support/gate.js';
import { valueIn } from '../support/metrics.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

interface Health {
  healthy: boolean;
  reasons: { config: string; id: string; code: string; message: string }[];
}

describe('the monitoring of ion-config', () => {
  const context = useSandbox();
  const folder = useTemporaryFolder();
  let gates: Gate[] = [];

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(async () => {
    await helper.unload();
    helper.settings({});
    await Promise.all(gates.map((each) => each.close()));
    gates = [];
  });

  const load = (node: FlowNode, config: object = {}, others: FlowNode[] = []) =>
    TestFlow.load(
      node,
      [sandboxConfig(context.sandbox, { name: 'ION', ...config }), ...others],
      sandboxKey(context.sandbox),
    );
  const metrics = async () => {
    const { status, text } = await helper.request().get('/ion-config/metrics');
    assert.equal(status, 200);
    return text;
  };
  const value = async (name: string, labels = {}) => valueIn(await metrics(), name, labels);
  const health = async () => {
    const { status, body } = await helper.request().get('/ion-config/health');
    const state = body as unknown as Health;
    assert.equal(status, state.healthy ? 200 : 503);
    return state;
  };
  const codes = async () => (await health()).reasons.map(({ code }) => code);
  const gated = async () => {
    const opened = await gate(context.sandbox.url);
    gates.push(opened);
    return opened;
  };
  /** An `ion-step` that writes through the outbox, into a user folder of the test. */
  const outboxNode = async (): Promise<FlowNode> => {
    helper.settings({ userDir: folder.path });
    const { fields } = await makeStep(context.client(), [{ name: 'Log', type: 'STRING' }]);
    const field = { field: String(fields.Log), fieldType: 'str' };
    return { ...stepNode, ...field, delivery: 'outbox', outputs: 2 };
  };

  describe('its metrics', () => {
    const query = 'query Mine { me { id } }';

    it('count the messages of a flow, and what became of them', async () => {
      const flow = await load({ ...graphqlNode, query });
      await flow.answer();
      await flow.answer();
      context.sandbox.control.fault({
        ...{ target: 'api', kind: 'graphql', errors: [{ message: 'no such thing' }] },
      });
      await flow.send();
      const text = await metrics();
      const labels = { config: 'ION', id: 'config', operation: 'Mine' };
      assert.equal(valueIn(text, 'ion_requests_total', { ...labels, code: 'ok' }), 2);
      assert.equal(valueIn(text, 'ion_requests_total', { ...labels, code: 'ION_GRAPHQL' }), 1);
      assert.equal(valueIn(text, 'ion_request_duration_seconds_count', { kind: 'query' }), 3);
      assert.equal(valueIn(text, 'ion_requests_running'), 0);
      assert.ok(Number(valueIn(text, 'ion_token_expires_in_seconds')) > 0);
      // No node uses the outbox.
      assert.doesNotMatch(text, /ion_outbox/);
    });

    it('hold no value, name of a run or secret', async () => {
      const runs =
        'query Find($title: String) { runs(filters: { title: { eq: $title } }) { edges { node { id } } } }';
      const flow = await load({ ...graphqlNode, query: runs });
      await flow.send({ variables: { title: 'SN-4711' } });
      const text = await metrics();
      assert.ok(text.includes('operation="Find"'));
      for (const secret of ['4711', context.sandbox.clientSecret, context.sandbox.url]) {
        assert.ok(!text.includes(secret));
      }
    });

    it('name each instance of a subflow, and end when it is removed', async () => {
      const inside = sandboxConfig(context.sandbox, {
        ...{ id: 'inner', name: 'Line', z: 'sub' },
        credentials: sandboxKey(context.sandbox),
      });
      const subflow = { id: 'sub', type: 'subflow', name: 'sub', in: [], out: [] };
      const instances = ['one', 'two'].map((id) => ({
        id,
        type: 'subflow:sub',
        z: 'flow',
        x: 0,
        y: 0,
        wires: [],
      }));
      await load(graphqlNode, {}, [subflow, inside, ...instances]);
      const ids = [...(await metrics()).matchAll(/ion_attempts_total\{config="Line",id="(.*?)"/g)];
      assert.deepEqual(ids.map(([, id]) => id).sort(), ['one-inner', 'two-inner']);
      await helper.unload();
      await load(graphqlNode);
      assert.equal(await value('ion_attempts_total', { config: 'Line' }), undefined);
      assert.equal(await value('ion_attempts_total', { config: 'ION' }), 0);
    });

    it('show the outbox from an outage to the delivery', async () => {
      const api = await gated();
      const flow = await load(await outboxNode(), { apiUrl: api.url });
      const node = helper.getNode('node');
      node.receive({ payload: 'first' });
      await until(async () => (await value('ion_outbox_delivered_total')) === 1);
      assert.equal(await value('ion_outbox_oldest_seconds'), 0);
      api.shut();
      node.receive({ payload: 'second' });
      node.receive({ payload: 'third' });
      await until(async () => (await value('ion_outbox_waiting')) === 2);
      await until(async () => Number(await value('ion_outbox_oldest_seconds')) > 0.1);
      api.open();
      await until(async () => (await value('ion_outbox_waiting')) === 0);
      assert.equal(await value('ion_outbox_delivered_total'), 3);
      assert.equal(await value('ion_outbox_refused'), 0);
      assert.ok(flow);
    });
  });

  describe('its health', () => {
    it('is good without config nodes, and with one that works', async () => {
      assert.deepEqual(await health(), { healthy: true, reasons: [] });
      await (await load(graphqlNode)).answer();
      assert.deepEqual(await health(), { healthy: true, reasons: [] });
    });

    it('is bad for settings that cannot work, if a node uses them', async () => {
      const unused = sandboxConfig(context.sandbox, { id: 'unused', timeout: 'abc' });
      await load(graphqlNode, { outboxLimit: -5 }, [unused]);
      const { reasons } = await health();
      assert.deepEqual(
        reasons.map(({ config, id, code }) => [config, id, code]),
        [['ION', 'config', 'settings']],
      );
      assert.match(String(reasons[0]?.message), /"Max\. entries" of the ion-config node/);
    });

    it('is bad if its own limits cannot be read', async () => {
      await load(graphqlNode, { healthAge: 'soon' });
      assert.deepEqual(await codes(), ['settings']);
    });

    it('is bad when ION cannot be reached for too long, until it answers', async () => {
      const api = await gated();
      const age = { healthAge: 0.002, retries: 0 };
      const flow = await load(graphqlNode, { apiUrl: api.url, ...age });
      api.shut();
      await until(async () => {
        await flow.send();
        return (await codes()).includes('unreachable');
      });
      const { reasons } = await health();
      assert.match(String(reasons[0]?.message), /since 20\d\d-.*ION_NETWORK/);
      api.open();
      await flow.answer();
      assert.deepEqual(await codes(), []);
    });

    it('does not remember an outage after which no message came', async () => {
      const api = await gated();
      const flow = await load(graphqlNode, { apiUrl: api.url, healthAge: 0.002, retries: 0 });
      api.shut();
      await flow.send();
      await until(async () => {
        await flow.send();
        return (await codes()).length > 0;
      });
      await until(async () => (await codes()).length === 0);
    });

    it('is bad for a write that is too old, and for rejected ones', async () => {
      const api = await gated();
      const limits = { healthAge: 0.002, healthRejected: 1 };
      await load(await outboxNode(), { apiUrl: api.url, ...limits });
      const node = helper.getNode('node');
      api.shut();
      node.receive({ payload: 'late' });
      await until(async () => (await codes()).join(' ') === 'age unreachable');
      api.open();
      await until(async () => (await codes()).length === 0);
      context.sandbox.control.fault({
        ...{ target: 'api', match: 'updateRunStepFieldValue', kind: 'graphql' },
        errors: [{ message: 'The value is not allowed.' }],
      });
      node.receive({ payload: 'refused' });
      await until(async () => (await codes()).includes('rejected'));
      assert.equal(await value('ion_outbox_refused'), 1);
    });

    it('is good after an outage in which the only write expired', async () => {
      const api = await gated();
      helper.settings({ userDir: folder.path });
      const query = 'mutation { createIssue(input: { title: "a" }) { issue { id } } }';
      const outbox = { delivery: 'outbox', keepFor: 0.0005, outputs: 2 };
      await load(
        { ...graphqlNode, query, ...outbox },
        { apiUrl: api.url, healthAge: 0.002, healthRejected: 0, retries: 0 },
      );
      api.shut();
      helper.getNode('node').receive({});
      await until(async () => (await value('ion_outbox_refused')) === 1);
      await until(async () => (await codes()).join() === 'unreachable');
      api.open();
      await until(async () => (await codes()).length === 0);
    });

    it('is not good because a dry run answers a mutation', async () => {
      const api = await gated();
      const config = { apiUrl: api.url, mode: 'dryRun', healthAge: 0.002, retries: 0 };
      const query = 'mutation { createIssue(input: { title: "a" }) { issue { id } } }';
      const others = [{ ...graphqlNode, id: 'query', z: 'flow', wires: [] } as FlowNode];
      const flow = await load({ ...graphqlNode, query }, config, others);
      await flow.answer();
      api.shut();
      await until(async () => {
        helper.getNode('query').receive({});
        return (await codes()).includes('unreachable');
      });
      await flow.answer();
      assert.deepEqual(await codes(), ['unreachable']);
    });

    it('is good whatever happens, if no limit applies', async () => {
      const api = await gated();
      await load(await outboxNode(), { apiUrl: api.url, healthAge: 0, healthRejected: 0 });
      api.shut();
      helper.getNode('node').receive({ payload: 'late' });
      await until(async () => Number(await value('ion_outbox_oldest_seconds')) > 0.2);
      assert.deepEqual(await codes(), []);
    });

    it('is bad if the outbox cannot be opened', async () => {
      const node = await outboxNode();
      const blocked = join(folder.path, 'blocked');
      await writeFile(blocked, 'a file in the place of the user folder');
      helper.settings({ userDir: blocked });
      const flow = await load(node);
      await flow.send({ payload: 'lost' });
      const { reasons } = await health();
      assert.deepEqual(
        reasons.map(({ code }) => code),
        ['outbox'],
      );
      assert.ok(reasons[0]?.message);
    });
  });
});
