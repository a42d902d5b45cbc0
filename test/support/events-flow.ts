import { createRequire } from 'node:module';
import type { Application } from 'express';
import type { Node, NodeAPI } from 'node-red';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { type FlowMessage, helper } from './flow.js';

const require = createRequire(__filename);
const express = require('express') as () => Application;

/** Messages of a flow of nodes without input, as they arrive. */
export class EventsFlow {
  readonly sent: FlowMessage[] = [];
  readonly caught: (FlowMessage & { error: { message: string }; ion: FlowMessage })[] = [];
  /** Status texts of the nodes, by ID; the catalogue's keys, because no texts are loaded. */
  readonly statuses: { id: string; fill?: string; text?: string }[] = [];

  /** Loads the nodes on a canvas with a Catch node, and their config node. */
  static async load(
    nodes: FlowNode[],
    config: FlowNode[],
    credentials: object,
    app: Application,
  ): Promise<EventsFlow> {
    const flow = new EventsFlow();
    const onCanvas = [
      ...nodes.map((node) => ({ ...node, wires: [['sent']] })),
      { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
      { id: 'sent', type: 'helper' },
      { id: 'caught', type: 'helper' },
    ].map((each) => ({ ...each, z: 'flow', x: 0, y: 0 }));
    const tab = { id: 'flow', type: 'tab', label: 'test' };
    // The helper has no server for the nodes' own routes.
    const withHttp = (register: (RED: NodeAPI) => void) => (RED: NodeAPI) =>
      register(Object.create(RED, { httpNode: { value: app } }) as NodeAPI);
    const loaded = ['ion-config', 'ion-events'].map((name) =>
      withHttp(require(`../../dist/${name}.js`)),
    );
    const watch = (RED: NodeAPI) => {
      RED.events.on('node-status', flow.#sawStatus);
      flow.#stopWatching = () => RED.events.off('node-status', flow.#sawStatus);
    };
    const collect = (RED: NodeAPI) => {
      const { createNode } = RED.nodes;
      const sees = (list: unknown[]) =>
        function (this: Node, definition: never) {
          createNode.call(RED.nodes, this, definition);
          this.on('input', (msg) => void list.push(msg));
        };
      RED.nodes.registerType('test-sent', sees(flow.sent));
      RED.nodes.registerType('test-caught', sees(flow.caught));
    };
    const typed = onCanvas.map((node) =>
      node.type === 'helper' ? { ...node, type: `test-${node.id}` } : node,
    );
    await helper.load([...loaded, watch, collect], [tab, ...config, ...typed], credentials);
    return flow;
  }

  stopWatching(): void {
    this.#stopWatching();
  }

  /** The last status of a node, as the key of its text. */
  status(id = 'node'): string {
    const { fill = '', text = '' } = this.statuses.findLast((each) => each.id === id) ?? {};
    return `${fill} ${text.replace(/^.*status\./, '')}`;
  }

  #stopWatching = () => {};
  readonly #sawStatus = ({ id, status }: { id: string; status: object }) => {
    this.statuses.push({ id, ...status });
  };
}

/** An HTTP server like Node-RED's for the nodes' own routes. */
export function expressApp(): Application {
  return express();
}
