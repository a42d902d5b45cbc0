import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IonError, toIonError } from '../../nodes/client/errors.js';
import { checkVariables } from '../../nodes/client/graphql/variables.js';
import { REASONS } from '../../nodes/client/reasons.js';
import { failureReason } from '../../nodes/shared/failure-reason.js';
import { addScanCases } from '../../sandbox/data/scan-cases.js';
import {
  type FlowNode,
  graphqlNode,
  lookupNode,
  sandboxConfig,
  stepNode,
} from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { unusedPort } from '../support/servers.js';
import { makeStep } from '../support/steps.js';

type Message = Record<string, unknown>;
type Ids = { run: number; step: number; done: number; blocked: number; closed: string };

interface Case {
  /** The text below the node. */
  text: string;
  node: Partial<FlowNode>;
  msg?: (ids: Ids) => Message;
  /** Red by default. */
  fill?: 'yellow';
  /** A config node of its own. */
  config?: (ids: Ids) => object;
  key?: object;
}

const torque = ({ step }: Ids) => ({ step, field: 'Torque' });
const step = (text: string, msg: Case['msg'], node: object = {}): Case => ({
  text,
  node: { ...stepNode, ...node },
  ...(msg && { msg }),
});
const runs = (text: string, filter: object): Case => ({
  text,
  node: { type: 'ion-runs', filters: [{ field: 'status', op: 'eq', ...filter }] },
});
const graphql = (text: string, node: object, more: Partial<Case> = {}): Case => ({
  text,
  node: { ...graphqlNode, ...node },
  ...more,
});
const lookup = (text: string, payload: unknown, more: Partial<Case> = {}): Case => ({
  text,
  node: { ...lookupNode, by: 'serial' },
  msg: () => (payload === undefined ? {} : { payload }),
  ...more,
});

const CASES: Case[] = [
  step('no step given', ({ run }) => ({ run, field: 'Torque', payload: 1 })),
  step('no field given', ({ step }) => ({ step, payload: 1 })),
  step('no run given', () => ({ step: 'Tighten', field: 'Torque', payload: 1 })),
  step('no run 999999', (ids) => ({ ...torque(ids), run: 999999, payload: 1 })),
  step('no step "Tighten"', (ids) => ({ run: ids.run, step: 'Tighten', field: 'A', payload: 1 })),
  step('no step "999999"', () => ({ step: 999999, field: 'Torque', payload: 1 })),
  step('no field "Tork"', (ids) => ({ ...torque(ids), field: 'Tork', payload: 1 })),
  step('several steps "Twice"', ({ run }) => ({ run, step: 'Twice', field: 'A', payload: 1 })),
  step('several fields "NOTE"', (ids) => ({ ...torque(ids), field: 'NOTE', payload: 1 })),
  step('Torque: not a number', (ids) => ({ ...torque(ids), payload: '12,5' })),
  step('Torque: too many digits', (ids) => ({ ...torque(ids), payload: '1.23456789012345678' })),
  step('Torque: no value', torque),
  step('Passed: not true or false', (ids) => ({ ...torque(ids), field: 'Passed', payload: 'yes' })),
  step('Result: not an option', (ids) => ({ ...torque(ids), field: 'Result', payload: 'good' })),
  step('Measured: not a date', (ids) => ({ ...torque(ids), field: 'Measured', payload: 'now' })),
  step('Note: not a text', (ids) => ({ ...torque(ids), field: 'Note', payload: {} })),
  step('Torque: not a number', ({ step }) => ({ step, payload: { Torque: 'x', Passed: true } })),
  step('msg.step is not an ID or name', (ids) => ({ ...torque(ids), step: [1], payload: 1 })),
  step('step is COMPLETE', ({ done }) => ({ step: done, field: 'Torque', payload: 1 })),
  step(
    'an earlier step is not complete',
    ({ blocked }) => ({ step: blocked, field: 'Torque', payload: 1 }),
    { startStep: true },
  ),
  step('not a status', ({ step }) => ({ step, payload: 5 }), { action: 'status' }),
  step('status: "DONE" does not exist', ({ step }) => ({ step, payload: 'DONE' }), {
    action: 'status',
  }),
  runs('status: no value', { value: 'wanted', valueType: 'msg' }),
  graphql('msg.variables: no value', {
    query: 'query Run($id: ID!) { run(id: $id) { id } }',
  }),
  runs('status: "RUNNING" does not exist', { value: 'RUNNING', valueType: 'str' }),
  runs('status: 5 does not exist', { value: '5', valueType: 'num' }),
  runs('status: a list needs "is one of"', { value: '["TODO","HOLD"]', valueType: 'json' }),
  graphql('status: "RUNNING" does not exist', {
    query:
      'query Runs($filters: RunsInputFilters) { runs(filters: $filters) { edges { node { id } } } }',
    ...{ variables: '{"filters":{"status":{"eq":"RUNNING"}}}', variablesType: 'json' },
  }),
  step('no file name', ({ step }) => ({ step, payload: 'x' }), { action: 'file' }),
  step('no ION config', (ids) => ({ ...torque(ids), payload: 1 }), { config: 'none' }),
  step('cannot evaluate msg.a.b.c', (ids) => ({ ...torque(ids), payload: 1 }), { field: 'a.b.c' }),
  step('STEP_OF_NOTHING is not set', torque, { step: 'STEP_OF_NOTHING', stepType: 'env' }),
  step('cannot set msg.payload.result', (ids) => ({ ...torque(ids), payload: 1 }), {
    output: 'payload.result',
  }),
  graphql(
    'cannot set msg.payload.result',
    { output: 'payload.result' },
    { msg: () => ({ payload: 1 }) },
  ),
  lookup('not found: SN-NONE', 'SN-NONE', { fill: 'yellow' }),
  lookup('several: SCAN-SHARED', 'SCAN-SHARED', { fill: 'yellow' }),
  lookup('blocked: SCAN-HOLD', 'SCAN-HOLD', { fill: 'yellow' }),
  lookup('msg.payload: no value', undefined),
  lookup('msg.payload: not text or a number', { code: 'x' }),
  lookup('msg.payload: too many digits', 2 ** 60),
  graphql('syntax error in line 2', { query: '{ me {\n id' }),
  graphql('no query', { query: '' }),
  graphql('variables must be an object', {}, { msg: () => ({ variables: 5 }) }),
  graphql('no client ID', {}, { config: () => ({}), key: { clientId: '', clientSecret: 'x' } }),
  graphql('no client secret', {}, { config: () => ({}), key: { clientId: 'x' } }),
  graphql(
    'API key refused',
    {},
    {
      config: () => ({}),
      key: { clientId: 'x', clientSecret: 'not-the-secret' },
    },
  ),
  graphql(
    '__closed__ refused the connection',
    {},
    {
      config: ({ closed }) => ({ apiUrl: `http://${closed}`, authUrl: `http://${closed}` }),
      key: { clientId: 'x', clientSecret: 'y' },
    },
  ),
];

describe('the status of a node after a failure, or after a look-up that finds nothing to work on', () => {
  const ion = useSandbox({ runs: 12 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let ids: Ids;

  before(async () => {
    const client = ion.client();
    addScanCases(ion.sandbox.data);
    const fields = [
      { name: 'Torque', type: 'NUMBER' },
      { name: 'Passed', type: 'BOOLEAN' },
      { name: 'Result', type: 'SELECT', options: ['OK', 'Not OK'] },
      { name: 'Measured', type: 'DATETIME' },
      { name: 'Note', type: 'STRING' },
      { name: 'note', type: 'STRING' },
    ];
    const { run, step } = await makeStep(client, fields);
    for (let each = 0; each < 2; each++) await makeStep(client, [], { run, title: 'Twice' });
    const done = await makeStep(client, [{ name: 'Torque', type: 'NUMBER' }]);
    const row = ion.sandbox.data.runSteps.get(done.step) ?? assert.fail();
    row.status = 'COMPLETE';
    const blocked = await makeStep(client, [{ name: 'Torque', type: 'NUMBER' }]);
    const second = ion.sandbox.data.runSteps.get(blocked.step) ?? assert.fail();
    Object.assign(second, { status: 'TODO', upstreamStepIds: [step] });
    ids = {
      run,
      step,
      done: done.step,
      blocked: blocked.step,
      closed: `127.0.0.1:${await unusedPort()}`,
    };
    const { clientId, clientSecret } = ion.sandbox;
    const keys: Record<string, object> = { config: { clientId, clientSecret } };
    const flow: FlowNode[] = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(ion.sandbox),
    ];
    for (const [index, { node, config, key }] of CASES.entries()) {
      const place = { z: 'flow', x: 0, y: 0 };
      const own = `config${index}`;
      if (config) flow.push(sandboxConfig(ion.sandbox, { id: own, retries: 0, ...config(ids) }));
      if (key) keys[own] = key;
      const props = Object.entries(CASES[index]?.msg?.(ids) ?? {}).map(([p, value]) => ({
        ...{ p, v: JSON.stringify(value), vt: 'json' },
      }));
      flow.push(
        { id: `inject${index}`, type: 'inject', props, wires: [[`node${index}`]], ...place },
        { ...stepNode, ...node, id: `node${index}`, wires: [[]], ...place } as FlowNode,
      );
      if (config) Object.assign(flow.at(-1) as object, { config: own });
    }
    await prepareUserDir(folder.path, flow, keys);
    nodeRed = await RunningNodeRed.start(folder.path);
    await nodeRed.listen();
  });
  after(() => nodeRed?.stop());

  const shown = (index: number) =>
    nodeRed.events
      .filter(({ topic }) => topic === `status/node${index}`)
      .map(({ data }) => data as { fill?: string; text?: string })
      .at(-1);

  for (const [index, { text, node, fill = 'red' }] of CASES.entries()) {
    it(`says "${text}" below ${node.type} (${index})`, async () => {
      await fetch(`${nodeRed.url}/inject/inject${index}`, { method: 'POST' });
      await nodeRed.until(() => shown(index)?.fill === fill);
      assert.equal(shown(index)?.text, text.replace('__closed__', ids.closed));
    });
  }
});

describe('the reason of a failure in a few words', () => {
  const rejected = (message: string) =>
    failureReason(new IonError('ION_GRAPHQL', 'x', { origin: 'operation', errors: [{ message }] }));

  it('is the beginning of ION’s own message, in one line of at most 41 characters', () => {
    const message = 'The torque\nof station 12 has to be confirmed by a second reading.';
    assert.deepEqual(rejected(message), { text: 'The torque of station 12 has to be…' });
    assert.deepEqual(rejected('x'.repeat(100)), { text: `${'x'.repeat(40)}…` });
    assert.deepEqual(rejected('Locked.'), { text: 'Locked.' });
  });

  it('is the place of a variable that cannot be sent', () => {
    const variables = { filters: { id: { eq: Number.NaN } } };
    const reason = { key: 'notSendable', name: 'filters.id.eq' };
    assert.throws(
      () => checkVariables(variables),
      (thrown) => {
        assert.deepEqual(failureReason(toIonError(thrown)), reason);
        return true;
      },
    );
  });

  it('is the status of the step if ION’s message names one', () => {
    const step = 'Field "Torque" cannot be set while its step is HOLD.';
    assert.deepEqual(rejected(step), { key: 'stepStatus', name: 'HOLD' });
    const two = 'Run step 5 cannot go from COMPLETE to FAILED.';
    assert.deepEqual(rejected(two), { text: 'Run step 5 cannot go from COMPLETE to…' });
  });

  it('is unknown for the response of a gateway, whose text may be a whole page', () => {
    const error = new IonError('ION_SERVER', 'x', {
      origin: 'gateway',
      errors: [{ message: 'y' }],
    });
    assert.equal(failureReason(error), undefined);
  });

  it('contains a name only up to a length that fits below a node', () => {
    const reason = { key: 'unknownStep', name: 'Tighten the four screws of the lid' } as const;
    const error = new IonError('ION_NOT_FOUND', 'x', { reason });
    assert.deepEqual(failureReason(error), { ...reason, name: 'Tighten the four screws…' });
  });

  for (const language of ['de', 'en-US', 'ja']) {
    it(`has a text for each key in ${language}`, () => {
      const path = join(root, 'nodes/locales', language, 'ion-config.json');
      const { status } = JSON.parse(readFileSync(path, 'utf8'))['ion-config'];
      assert.deepEqual(Object.keys(status.reason).sort(), [...REASONS].sort());
    });
  }
});
