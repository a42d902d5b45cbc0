import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import type { FlowNode } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { root, useTemporaryFolder } from '../support/package.js';
import { useSandbox } from '../support/sandbox.js';

describe('the examples in a real Node-RED', function () {
  this.timeout(60_000);
  const ion = useSandbox({ runs: 20 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  afterEach(() => nodeRed?.stop());

  /** Starts an example as it is shipped, with its addresses and its key from the environment. */
  const start = async (file: string, number: number, changes: object = {}) => {
    const flow = JSON.parse(await readFile(join(root, 'examples', file), 'utf8')) as FlowNode[];
    const prefix = `ion-example-${number}`;
    const userDir = join(folder.path, file);
    await mkdir(userDir);
    const { clientId, clientSecret, url, authUrl } = ion.sandbox;
    await prepareUserDir(
      userDir,
      flow.map((node) => (node.id === `${prefix}-events` ? { ...node, ...changes } : node)),
      {
        [`${prefix}-config`]: { clientId, clientSecret },
        [`${prefix}-events`]: { secret: 'example-secret' },
      },
    );
    nodeRed = await RunningNodeRed.start(userDir, {
      env: { ION_API_URL: url, ION_AUTH_URL: authUrl },
    });
    await nodeRed.listen();
    return prefix;
  };
  const inject = (id: string) => fetch(`${nodeRed.url}/inject/${id}`, { method: 'POST' });
  /** What a debug node shows, once it shows something. */
  const shown = async (id: string): Promise<string> => {
    const found = () =>
      nodeRed.events.find(({ topic, data }) => topic === 'debug' && data.id === id);
    await nodeRed.until(() => found() !== undefined);
    return String(found()?.data.msg);
  };

  it('03 records a value at once and by the outbox, and shows what ION refuses', async () => {
    const prefix = await start('03-record-values.json', 3);
    for (const name of ['inject', 'later', 'text']) await inject(`${prefix}-${name}`);
    assert.match(await shown(`${prefix}-written`), /325\.5/);
    assert.match(await shown(`${prefix}-delivered`), /325\.5/);
    assert.match(await shown(`${prefix}-refused`), /325,5/);
  });

  const ways = [
    ['05-events-poll.json', 5, { interval: 0.2 }],
    ['06-events-webhook.json', 6, {}],
  ] as const;
  for (const [file, number, changes] of ways) {
    it(`${file.slice(0, 2)} lights the station when a run step starts`, async () => {
      const { data, control } = ion.sandbox;
      const url = 'publicUrl';
      const prefix = await start(file, number, changes);
      if (number === 6) {
        // The port is known only now; in a factory it stays.
        const flows = (await (await fetch(`${nodeRed.url}/flows`)).json()) as FlowNode[];
        await nodeRed.deploy(
          flows.map((node) =>
            node.type === 'ion-events' ? { ...node, [url]: nodeRed.url } : node,
          ),
        );
      }
      const { total } = control.counters().api;
      const step = data.runSteps.all().find(({ status }) => status === 'TODO') ?? assert.fail();
      const isReady = () =>
        number === 6
          ? data.webhookSubscriptions.all().length === 2
          : control.counters().api.total > total + 2;
      while (!isReady()) await new Promise(setImmediate);
      data.runSteps.update(step.id, { status: 'IN_PROGRESS' });
      assert.match(await shown(`${prefix}-light`), /green/);
    });
  }
});
