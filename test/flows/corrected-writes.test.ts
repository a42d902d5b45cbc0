import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const CREATE = `mutation CreateIssue($input: CreateIssueInput!) {
  createIssue(input: $input) { issue { id title } }
}`;
const NO_STEP = '99999999';

interface Shown {
  waiting: number;
  refused: { sequence: number; sender: string; isEditable?: true; orderKey?: string }[];
}

describe('a rejected write that somebody corrects by the admin routes', () => {
  const context = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;

  before(async () => {
    const { clientId, clientSecret } = context.sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      ...['issue', 'value'].map((id) => {
        const place = { z: 'flow', wires: [[id, 'response']] };
        return { id: `in-${id}`, type: 'http in', ...place, url: `/${id}`, method: 'post' };
      }),
      { id: 'response', type: 'http response', z: 'flow', wires: [] },
      {
        ...{ ...graphqlNode, id: 'issue', z: 'flow', query: CREATE, variables: 'payload' },
        ...{ delivery: 'outbox', outputs: 2, wires: [[], []] },
      },
      {
        ...{ ...stepNode, id: 'value', z: 'flow', run: '1', runType: 'str' },
        ...{
          step: 'none',
          stepType: 'str',
          field: 'Torque',
          fieldType: 'str',
          value: 'payload.torque',
        },
        ...{ delivery: 'outbox', outputs: 2, wires: [[], []] },
      },
    ];
    await prepareUserDir(folder.path, flow, { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.start(folder.path);
  });
  after(() => nodeRed?.stop());

  const send = (path: string, body: unknown) =>
    fetch(`${nodeRed.url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const route = 'ion-config/config/outbox';
  const shown = async () => (await (await fetch(`${nodeRed.url}/${route}`)).json()) as Shown;
  /** Sends a message, and returns its write when ION has rejected it. */
  const rejected = async (path: string, body: unknown) => {
    const before = new Set((await shown()).refused.map(({ sequence }) => sequence));
    assert.equal((await send(path, body)).status, 200);
    let found: Shown['refused'][number] | undefined;
    await until(async () => {
      found = (await shown()).refused.find(({ sequence }) => !before.has(sequence));
      return found !== undefined;
    });
    assert.ok(found);
    return found;
  };
  const read = async (sequence: number | string) => {
    const response = await fetch(`${nodeRed.url}/${route}/${sequence}`);
    const body = (await response.json()) as { value?: unknown; code?: string; message?: string };
    return { status: response.status, ...body };
  };
  const decide = async (body: unknown) => {
    const response = await send(route, body);
    const answer = (await response.json()) as Partial<Shown> & { code?: string; message?: string };
    return { status: response.status, ...answer };
  };
  const retryWith = (sequence: number, value: unknown) =>
    decide({ decision: 'retry', sequences: [sequence], value });
  const issue = (title: string, runStepId = NO_STEP) => ({ input: { title, runStepId } });
  const titles = () => context.sandbox.data.issues.all().map(({ title }) => title);
  const aStep = () => String(context.sandbox.data.runSteps.all()[0]?.id);
  const isDelivered = async () => (await shown()).waiting === 0;

  it('is listed with its node, and read in full', async () => {
    const { sequence, ...write } = await rejected('issue', issue('x'.repeat(1000)));
    assert.deepEqual([write.sender, write.isEditable], ['issue', true]);
    assert.equal(write.orderKey, undefined);
    const { status, value } = await read(sequence);
    assert.deepEqual([status, value], [200, issue('x'.repeat(1000))]);
    await decide({ decision: 'discard', sequences: 'all' });
  });

  it('is delivered with the new variables', async () => {
    const { sequence } = await rejected('issue', issue('a scratch'));
    const { status, refused } = await retryWith(sequence, issue('a dent', aStep()));
    assert.deepEqual([status, refused], [200, []]);
    await until(isDelivered);
    assert.deepEqual(
      titles().filter((title) => ['a scratch', 'a dent'].includes(String(title))),
      ['a dent'],
    );
  });

  it('keeps the new variables if Node-RED is killed', async () => {
    const { control } = context.sandbox;
    const { sequence } = await rejected('issue', issue('before'));
    control.fault({ target: 'api', kind: 'reset', times: 1e6 });
    assert.equal((await retryWith(sequence, issue('corrected', aStep()))).status, 200);
    await nodeRed.kill();
    control.clearFaults();
    nodeRed = await RunningNodeRed.start(folder.path);
    await until(async () => titles().includes('corrected'));
    await until(isDelivered);
    assert.equal(titles().filter((title) => title === 'corrected').length, 1);
    assert.ok(!titles().includes('before'));
  });

  it('is retried once if two people do it at the same time', async () => {
    const { sequence } = await rejected('issue', issue('old'));
    const answers = await Promise.all(
      ['first', 'second'].map((title) => retryWith(sequence, issue(title, aStep()))),
    );
    await until(isDelivered);
    const late = answers.find(({ status }) => status === 404);
    assert.match(late?.message ?? '', /no longer rejected: it was retried or discarded/);
    assert.equal(late?.code, 'ION_NOT_FOUND');
    const created = titles().filter((title) => ['old', 'first', 'second'].includes(String(title)));
    assert.equal(created.length, 1);
    assert.equal((await read(sequence)).status, 404);
  });

  it('is not shown in the dialog beyond 1 MiB, but can be retried', async () => {
    const { sequence } = await rejected('issue', issue('x'.repeat(1024 * 1024)));
    const { status, code, message } = await read(sequence);
    assert.deepEqual([status, code], [400, 'ION_CONFIG']);
    assert.match(message ?? '', /holds 1025 KiB of values.*at most 1024 KiB.*Retry or discard it/);
    await decide({ decision: 'discard', sequences: [sequence] });
  });

  it('has the value of a step write, too', async () => {
    const { sequence, isEditable } = await rejected('value', { torque: '12,5' });
    assert.equal(isEditable, true);
    assert.equal((await read(sequence)).value, '12,5');
    await retryWith(sequence, 12.5);
    await until(async () => (await shown()).refused.length === 1);
    const [again] = (await shown()).refused;
    assert.equal((await read(again?.sequence ?? 0)).value, 12.5);
    await decide({ decision: 'discard', sequences: 'all' });
  });

  it('stays as it is after a wrong request, which gets a reason', async () => {
    const { sequence } = await rejected('issue', issue('kept'));
    const wrong: [object, number, RegExp][] = [
      [{ decision: 'retry', sequences: [sequence], value: [1] }, 502, /must be an object/],
      [{ decision: 'retry', sequences: [sequence], value: null }, 502, /must be an object/],
      [{ decision: 'retry', sequences: [sequence, 1], value: {} }, 400, /retry of one write/],
      [{ decision: 'retry', sequences: [], value: {} }, 400, /retry of one write/],
      [{ decision: 'retry', sequences: 'all', value: {} }, 400, /retry of one write/],
      [{ decision: 'discard', sequences: [sequence], value: {} }, 400, /retry of one write/],
      [{ decision: 'retry', sequences: [-1], value: {} }, 400, /whole number above 0/],
      [{ decision: 'retry', sequences: [1e300], value: {} }, 400, /whole number above 0/],
      [{ decision: 'retry', sequences: [sequence + 1], value: {} }, 404, /no longer rejected/],
    ];
    for (const [body, status, text] of wrong) {
      const answer = await decide(body);
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.match(answer.message ?? '', text);
    }
    for (const other of ['0', '-1', 'x', '1e300', '1.5', '%20']) {
      assert.deepEqual([other, (await read(other)).status], [other, 400]);
    }
    assert.deepEqual((await read(sequence)).value, issue('kept'));
    await decide({ decision: 'discard', sequences: [sequence] });
  });

  it('cannot be read from a configuration that has no outbox', async () => {
    const response = await fetch(`${nodeRed.url}/ion-config/other/outbox/1`);
    assert.equal(response.status, 404);
  });
});
