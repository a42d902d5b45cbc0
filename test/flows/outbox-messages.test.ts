import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { type Gate, gate } from '../support/gate.js';
import {
  isEmpty,
  outboxState,
  type WriteKind,
  writeKinds,
  writeNodes,
} from '../support/outbox-flow.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests } from '../support/steps.js';
import { until } from '../support/until.js';

/** Characters; the outbox keeps the message beside its write. */
const LARGE = 4 * 1024 * 1024;

describe('a message that is hard to keep in the outbox', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed | undefined;
  let way: Gate;
  let target: StepForTests;
  let written: string[];

  beforeEach(async () => {
    way = await gate(ion.sandbox.url);
    target = await makeStep(ion.client(), [{ name: 'Log', type: 'STRING' }]);
    written = [];
    ion.sandbox.control.onCarriedOut = (mutation, args) => {
      if (mutation !== 'updateRunStepFieldValue') return;
      written.push((args.input as { value: string }).value);
    };
  });
  afterEach(async () => {
    ion.sandbox.control.onCarriedOut = undefined;
    await nodeRed?.stop();
    nodeRed = undefined;
    await way.close();
  });

  const start = async (userDir: string) => {
    nodeRed = await RunningNodeRed.start(userDir);
    return nodeRed;
  };
  /** A flow that writes the payload of an HTTP request, as often as it says. */
  const prepare = async (name: string, kind: WriteKind): Promise<string> => {
    const userDir = join(folder.path, `${name}-${kind}`);
    await mkdir(userDir);
    const { run, fields } = target;
    const goal = { run, field: 'Log', step: 'Example step', fieldId: fields.Log, key: run };
    const message = `Object.assign(msg, ${JSON.stringify(goal)}, {
      payload: msg.payload.text.repeat(msg.payload.times),
      call: () => 1, socket: msg.req.socket, list: [() => 1], kept: { part: 'A-7' },
    })`;
    const kept = '[typeof msg.call, typeof msg.socket, typeof msg.list, msg.kept.part].join()';
    const flow = [
      { id: 'in', type: 'http in', url: '/write', method: 'post', wires: [['message', 'out']] },
      { id: 'out', type: 'http response', wires: [] },
      {
        id: 'message',
        type: 'function',
        func: `return ${message};`,
        outputs: 1,
        wires: [['node']],
      },
      { ...writeNodes[kind], id: 'node', delivery: 'outbox', outputs: 2, wires: [['kept'], []] },
      {
        id: 'kept',
        type: 'function',
        func: `node.warn('kept: ' + ${kept});`,
        outputs: 1,
        wires: [],
      },
      { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
      {
        id: 'caught',
        type: 'function',
        func: 'node.warn(`caught: ${msg.error.message}`);',
        wires: [],
      },
    ];
    const { clientId, clientSecret } = ion.sandbox;
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        sandboxConfig(ion.sandbox, { apiUrl: way.url, authUrl: way.url }),
        ...flow.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
      ],
      { config: { clientId, clientSecret } },
    );
    return userDir;
  };
  const send = async (running: RunningNodeRed, text: string, times = 1) => {
    await fetch(`${running.url}/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text, times }),
    });
  };

  for (const kind of writeKinds) {
    it(`because it holds functions and a socket is delivered, with its other properties (ion-${kind})`, async () => {
      const running = await start(await prepare('functions', kind));
      await send(running, 'a');
      await running.until(() => /(kept|caught): /.test(running.log));
      assert.match(running.log, /kept: undefined,undefined,undefined,A-7/);
      assert.deepEqual(written, ['a']);
    });

    it(`because its entry has 8 MiB is delivered in its place, after a crash too (ion-${kind})`, async () => {
      way.shut();
      const userDir = await prepare('large', kind);
      const running = await start(userDir);
      for (const [count, text] of ['a', 'x', 'b'].entries()) {
        await send(running, text, text === 'x' ? LARGE : 1);
        await until(async () => (await outboxState(running)).waiting === count + 1);
      }
      await running.kill();
      way.open();
      const again = await start(userDir);
      await until(() => isEmpty(again));
      assert.deepEqual(
        written.map((value) => [value[0], value.length]),
        [
          ['a', 1],
          ['x', LARGE],
          ['b', 1],
        ],
      );
      assert.equal((await outboxState(again)).givenUp, 0);
    });
  }
});
