import { join } from 'node:path';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { root } from '../../tools/package.js';
import type { RunningNodeRed } from '../../tools/running-node-red.js';

/** Settings of a Node-RED with the node `load`. */
export const loadSettings = {
  nodesDir: join(root, 'test', 'support', 'nodes'),
  logging: { console: { level: 'info' } },
};

export interface LoadOptions {
  /** Total number of messages; unlimited by default, until it is stopped. */
  count?: number;
  /** Messages in flight, sent as fast as they are answered. */
  window?: number;
  /** Messages per second, however fast they are answered. */
  perSecond?: number;
  /** Runs to read, from ID 1. */
  runs?: number;
  /** Every n-th message is a mutation; 0 for none. */
  mutations?: number;
}

export interface LoadReport {
  sent: number;
  answered: number;
  mutationsAnswered: number;
  /** By error code. */
  failed: Record<string, number>;
  /** Messages that came back more than once. */
  twice: number;
  /** Messages that came back with another message's property or result. */
  mixedUp: number;
  outOfOrder: number;
  /** Status changes of the node under load. */
  statuses: number;
  /** Bytes in use at 50 points, evenly spread over all messages. */
  heap: number[];
  outstanding: number;
  durationMs: number;
}

/** Number of messages that nodes of the package got, and ended by their `done`. */
export interface ContractReport {
  received: number;
  ended: number;
  endedTwice: number;
  failed: Record<string, number>;
  open: number;
}

export interface ProcessReport {
  /** Living objects by class. */
  living: Record<string, number>;
  listeners: { process: number; runtime: number };
  memory: { rss: number };
}

/** A node `load` with its target, wired so that results, failures and statuses come back to it. */
export function underLoad(id: string, target: FlowNode): FlowNode[] {
  return [
    { id, type: 'load', wires: [[target.id]] },
    { ...target, wires: [[id]] },
    { id: `${id}-catch`, type: 'catch', scope: [target.id], wires: [[id]] },
    { id: `${id}-status`, type: 'status', scope: [target.id], wires: [[id]] },
  ].map((node) => ({ ...node, z: 'flow', x: 0, y: 0 }));
}

/** Controls the `load` nodes in a Node-RED process. */
export class LoadControl {
  readonly #nodeRed: RunningNodeRed;

  constructor(nodeRed: RunningNodeRed) {
    this.#nodeRed = nodeRed;
  }

  async start(id: string, options: LoadOptions): Promise<void> {
    await this.#request('POST', `/load/${id}`, options);
  }

  async stop(id: string): Promise<void> {
    await this.#request('DELETE', `/load/${id}`);
  }

  report(id: string): Promise<LoadReport> {
    return this.#request('GET', `/load/${id}`) as Promise<LoadReport>;
  }

  contract(): Promise<ContractReport> {
    return this.#request('GET', '/load-contract') as Promise<ContractReport>;
  }

  /** Active handles and requests by kind. */
  resources(): Promise<Record<string, number>> {
    return this.#request('GET', '/load-resources') as Promise<Record<string, number>>;
  }

  /** Bytes of objects, after garbage collection. */
  heap(): Promise<number> {
    return this.#request('GET', '/load-heap') as Promise<number>;
  }

  /** Takes a second: it counts all objects. */
  process(): Promise<ProcessReport> {
    return this.#request('GET', '/load-process') as Promise<ProcessReport>;
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#nodeRed.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
