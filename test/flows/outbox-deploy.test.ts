import assert from 'node:assert/strict';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { loadSettings } from '../support/load.js';
import { useSandbox } from '../support/sandbox.js';

const WRITES = 60;
const CREATE = `mutation CreateIssue($input: CreateIssueInput!) {
  createIssue(input: $input) { issue { title } }
}`;
const VARIABLES =
  '{ "input": { "title": req.query.title, "runStepId": req.query.step ? req.query.step } }';

describe('a deploy of a node whose writes are being delivered', () => {
  const context = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  after(() => nodeRed?.stop());

  const flow = (name: string) => {
    const place = { z: 'flow', x: 0, y: 0 };
    const debug = { type: 'debug', active: true, tosidebar: true, complete: 'topic', ...place };
    return [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox, { concurrency: 2 }),
      { id: 'in', type: 'http in', url: '/write', method: 'get', ...place, wires: [['write']] },
      {
        ...{ ...graphqlNode, ...place, id: 'write', name, query: CREATE, delivery: 'outbox' },
        ...{ variables: VARIABLES, variablesType: 'jsonata', outputs: 2, output: 'issue' },
        wires: [['delivered'], ['rejected']],
      },
      { id: 'slow', type: 'slow-close', name, ms: 1500, ...place, wires: [] },
      { id: 'complete', type: 'complete', scope: ['write'], ...place, wires: [['response']] },
      { id: 'response', type: 'http response', ...place, wires: [] },
      { ...debug, id: 'delivered', complete: 'issue', wires: [] },
      { ...debug, id: 'rejected', complete: 'error', wires: [] },
    ];
  };

  it('sends each outcome, also of those that end while the node does not exist', async () => {
    const { clientId, clientSecret } = context.sandbox;
    await prepareUserDir(folder.path, flow('before'), { config: { clientId, clientSecret } });
    nodeRed = await RunningNodeRed.start(folder.path, { settings: loadSettings });
    await nodeRed.listen();
    context.sandbox.control.set({ latency: 80 });
    const sent = () =>
      nodeRed.events.filter(
        ({ topic, data }) =>
          topic === 'debug' && ['delivered', 'rejected'].includes(String(data.id)),
      );
    for (let write = 0; write < WRITES; write++) {
      // Some for a step that does not exist, which ION rejects.
      const step = write % 10 === 9 ? '&step=99999999' : '';
      await fetch(`${nodeRed.url}/write?title=issue-${write}${step}`);
    }
    await nodeRed.until(() => sent().length > 3);
    const before = sent().length;
    await nodeRed.deploy(flow('after'), 'nodes');
    await nodeRed.until(() => sent().length === WRITES);
    assert.ok(before < WRITES - 20, 'the deploy came too late to matter');
  });
});
