import type { RunningNodeRed } from '../../tools/running-node-red.js';

/** `msg.ion` of a message of `ion-events`. */
export interface ReportedEvent {
  via: string;
  id: number;
  previous?: { status?: string };
  previousKnown?: boolean;
}

/** Nodes that keep `msg.ion` of all messages to the node `collect`, also over a redeploy. */
export const reportingNodes = [
  {
    id: 'collect',
    type: 'function',
    func: `global.set('reported', [...(global.get('reported') ?? []), msg.ion]);`,
    wires: [],
  },
  { id: 'in', type: 'http in', url: '/reported', method: 'get', wires: [['take']] },
  {
    id: 'take',
    type: 'function',
    func: `msg.payload = global.get('reported') ?? []; return msg;`,
    wires: [['out']],
  },
  { id: 'out', type: 'http response', wires: [] },
];

export async function reportedEvents({ url }: RunningNodeRed): Promise<ReportedEvent[]> {
  return (await (await fetch(`${url}/reported`)).json()) as ReportedEvent[];
}
