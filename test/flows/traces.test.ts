import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newTraceContext, type TraceContext } from '../../nodes/client/http/trace-context.js';
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
import { makeStep } from '../support/steps.js';
import { until } from '../support/until.js';

const WRITES = 3;

describe('the traces of writes that wait in the outbox of a Node-RED that is killed', () => {
  const ion = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed | undefined;
  let way: Gate;

  beforeEach(async () => {
    way = await gate(ion.sandbox.url);
  });
  afterEach(async () => {
    await nodeRed?.stop();
    nodeRed = undefined;
    await way.close();
  });

  const start = async (userDir: string) => {
    nodeRed = await RunningNodeRed.start(userDir);
    return nodeRed;
  };
  /** A flow that passes the trace of an HTTP request on, as the documentation says. */
  const prepare = async (kind: WriteKind, config: object = {}): Promise<string> => {
    const userDir = join(folder.path, `${kind}-${Object.keys(config)}`);
    await mkdir(userDir);
    const func = `const { headers: { traceparent, tracestate } } = msg.req;
      return { ...msg, ...msg.payload, traceparent, tracestate };`;
    const flow = [
      { id: 'in', type: 'http in', url: '/write', method: 'post', wires: [['message', 'out']] },
      { id: 'out', type: 'http response', wires: [] },
      { id: 'message', type: 'function', func, outputs: 1, wires: [['node']] },
      { ...writeNodes[kind], id: 'node', delivery: 'outbox', outputs: 2, wires: [['sent'], []] },
      {
        id: 'sent',
        type: 'function',
        func: 'node.warn(`sent: ${msg.traceparent}`);',
        outputs: 1,
        wires: [],
      },
    ];
    const { clientId, clientSecret } = ion.sandbox;
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        sandboxConfig(ion.sandbox, { apiUrl: way.url, authUrl: way.url, ...config }),
        ...flow.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
      ],
      { config: { clientId, clientSecret } },
    );
    return userDir;
  };
  /** Sends messages for runs of their own, while ION cannot be reached, and kills Node-RED. */
  const writeAndKill = async (userDir: string, traces: Partial<TraceContext>[]) => {
    const client = ion.client();
    const targets = [];
    for (const _ of traces) targets.push(await makeStep(client, [{ name: 'Log', type: 'STRING' }]));
    way.shut();
    const running = await start(userDir);
    for (const [index, { run, fields }] of targets.entries()) {
      const body = { run, step: 'Example step', field: 'Log', fieldId: fields.Log, key: run };
      await fetch(`${running.url}/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...traces[index] },
        body: JSON.stringify({ ...body, payload: `value ${index}` }),
      });
    }
    await until(async () => (await outboxState(running)).waiting === traces.length);
    await running.kill();
    ion.sandbox.control.resetCounters();
    way.open();
  };
  const deliver = async (userDir: string) => {
    const running = await start(userDir);
    await until(() => isEmpty(running));
    assert.equal((await outboxState(running)).givenUp, 0);
    return running;
  };
  /** Headers of the requests that hold a text in their variables. */
  const headersOf = (text: string) =>
    ion.sandbox.control
      .counters()
      .recent.filter(({ body }) => JSON.stringify(body).includes(text))
      .map(({ headers }) => headers);
  const sentTraces = ({ log }: RunningNodeRed) =>
    [...log.matchAll(/sent: (\S+)/g)].map(([, trace]) => trace).sort();

  for (const kind of writeKinds) {
    it(`arrive in ION with the writes of ion-${kind}, and no other request has them`, async () => {
      const userDir = await prepare(kind);
      const traces = Array.from({ length: WRITES }, () => ({
        ...newTraceContext(),
        tracestate: 'plant=7',
      }));
      await writeAndKill(userDir, [...traces, {}]);
      const running = await deliver(userDir);
      for (const [index, trace] of [...traces, {}].entries()) {
        const found = headersOf(`value ${index}`);
        const own = found.map(({ traceparent, tracestate }) => ({
          ...(traceparent && { traceparent }),
          ...(tracestate && { tracestate }),
        }));
        assert.deepEqual(own, [trace], `value ${index}`);
      }
      const { recent } = ion.sandbox.control.counters();
      const known = new Set<string | undefined>(traces.map(({ traceparent }) => traceparent));
      for (const { path, headers } of recent) {
        if (path !== '/graphql') assert.equal(headers.traceparent, undefined);
        else assert.ok(known.has(headers.traceparent) || headers.traceparent === undefined);
      }
      await running.until(() => sentTraces(running).length === WRITES + 1);
      assert.deepEqual(sentTraces(running), [...known, 'undefined'].sort());
    });

    it(`are those that were made for messages of ion-${kind} without one`, async () => {
      const userDir = await prepare(kind, { trace: true });
      await writeAndKill(userDir, [{}, {}]);
      const running = await deliver(userDir);
      await running.until(() => sentTraces(running).length === 2);
      const traces = [0, 1].flatMap((index) => headersOf(`value ${index}`));
      const seen = traces.map(({ traceparent }) => traceparent);
      assert.equal(new Set(seen).size, 2);
      assert.deepEqual(seen.sort(), sentTraces(running));
    });
  }
});
