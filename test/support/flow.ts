import { createRequire } from 'node:module';
import { setImmediate as tick } from 'node:timers/promises';
import type { Node, NodeAPI } from 'node-red';
import type { Sandbox } from '../../sandbox/server.js';
import type { FlowNode } from '../../tools/flow-nodes.js';

const require = createRequire(__filename);

/** The part of node-red-node-test-helper that the tests use; it ships no types. */
interface TestHelper {
  init(runtimePath: string): void;
  /** Replaces settings of Node-RED at the next load; `{}` for the usual ones. */
  settings(settings: object): void;
  load(nodes: unknown[], flow: FlowNode[], credentials: object): Promise<void>;
  unload(): Promise<void>;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  getNode(id: string): Node & { receive(msg: object): void; close(): Promise<void> };
  /** Everything that nodes logged since the load. */
  log(): { args: [{ level: number; id?: string; msg: unknown }][] };
  request(): { get(path: string): HttpTest; post(path: string): HttpTest };
}

interface HttpTest
  extends Promise<{ status: number; body: Record<string, unknown>; text: string }> {
  send(body: object): HttpTest;
}

export const helper: TestHelper = require('node-red-node-test-helper');
helper.init(require.resolve('node-red'));

export type FlowMessage = { [property: string]: unknown };

/** Outcome of a message: the messages sent for it, and whether Complete or Catch saw it. */
export interface Outcome {
  sent: FlowMessage[];
  /** Sent from the second output, if that has a wire. */
  second: FlowMessage[];
  completed: FlowMessage[];
  caught: (FlowMessage & { error: { message: string; code?: string }; ion: FlowMessage })[];
}

const loaded: ((RED: NodeAPI) => void)[] = [
  // The tests use the installed files, not the sources.
  ...['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'].map(
    (name) => `../../dist/${name}.js`,
  ),
  '@node-red/nodes/core/network/05-tls.js',
  '@node-red/nodes/core/network/06-httpproxy.js',
].map((path) => require(path));

export function sandboxKey(sandbox: Sandbox): object {
  return { config: { clientId: sandbox.clientId, clientSecret: sandbox.clientSecret } };
}

/** A flow around one node with the ID "node", in which every outcome of a message is seen. */
export class TestFlow {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #ended = new Map<string, () => void>();
  #count = 0;

  /**
   * Loads the node, its config node and core Catch and Complete nodes.
   * @param wires of the outputs of the node; by default, only the first has one
   */
  static async load(
    node: FlowNode,
    config: FlowNode[],
    credentials: object,
    wires: ('sent' | 'second')[][] = [['sent']],
  ): Promise<TestFlow> {
    const flow = new TestFlow();
    // Without a position on the canvas a node counts as a config node.
    const onCanvas = [
      { ...node, wires },
      { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
      { id: 'complete', type: 'complete', scope: ['node'], wires: [['completed']] },
      { id: 'sent', type: 'helper' },
      { id: 'second', type: 'helper' },
      { id: 'caught', type: 'helper' },
      { id: 'completed', type: 'helper' },
    ].map((each) => ({ ...each, z: 'flow', x: 0, y: 0 }));
    const tab = { id: 'flow', type: 'tab', label: 'test' };
    await helper.load(loaded, [tab, ...config, ...onCanvas], credentials);
    for (const kind of ['sent', 'second', 'completed', 'caught'] as const) {
      helper.getNode(kind).on('input', (msg) => flow.#saw(kind, msg as unknown as FlowMessage));
    }
    return flow;
  }

  /** Sends the node a message and waits until it is completed or caught. */
  async send(msg: FlowMessage = {}): Promise<Outcome> {
    const id = `message-${++this.#count}`;
    const outcome: Outcome = { sent: [], second: [], completed: [], caught: [] };
    this.#outcomes.set(id, outcome);
    const ended = new Promise<void>((resolve) => this.#ended.set(id, resolve));
    helper.getNode('node').receive({ ...msg, _msgid: id });
    await ended;
    // Messages sent before done() arrive in a later turn of the event loop.
    await tick();
    await tick();
    return outcome;
  }

  /** Sends the node a message that must succeed, and returns the only message that it sends. */
  async answer(msg: FlowMessage = {}): Promise<FlowMessage> {
    const { sent, caught } = await this.send(msg);
    if (caught[0]) throw new Error(`${caught[0].error.code}: ${caught[0].error.message}`);
    if (sent.length !== 1) throw new Error(`${sent.length} messages were sent`);
    return sent[0] as FlowMessage;
  }

  /** Every message so far had exactly one outcome. */
  get outcomes(): Outcome[] {
    return [...this.#outcomes.values()];
  }

  #saw(kind: keyof Outcome, msg: FlowMessage): void {
    const id = String(msg._msgid);
    (this.#outcomes.get(id)?.[kind] as FlowMessage[] | undefined)?.push(msg);
    if (kind === 'completed' || kind === 'caught') this.#ended.get(id)?.();
  }
}
