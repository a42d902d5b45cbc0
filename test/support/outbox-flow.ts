import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, graphqlNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import type { RunningNodeRed } from '../../tools/running-node-red.js';
import type { SandboxInTests } from './sandbox.js';
import { makeRun, makeStep } from './steps.js';

/** The nodes that write through an outbox. */
export type WriteKind = 'step' | 'graphql';
export const writeKinds: readonly WriteKind[] = ['step', 'graphql'];

interface Target {
  run?: number | string;
  step?: number | string;
  field: number | string;
  /** For a mutation. */
  fieldId: number;
  key: number;
}

interface Options {
  /** One node for each, which get the writes in turn; one `ion-step` by default. */
  kinds?: readonly WriteKind[];
  /** Properties of the config node. */
  config?: object;
  /** Properties of the nodes that write, by kind. */
  nodes?: Partial<Record<WriteKind, object>>;
}

export interface Prepared {
  userDir: string;
  /** Values of the accepted writes, and `failed …` for the others. */
  done(): Promise<string[]>;
  /** Values from output 1. */
  delivered(): Promise<string[]>;
  /** Messages from output 2: the value, a space, and ION's message. */
  givenUp(): Promise<string[]>;
}

/** A value as ION wrote it. */
interface Arrival {
  run: number;
  value: string;
  /** In ms since 1970. */
  at: number;
}

const WRITE = `mutation UpdateRunStepFieldValue($input: UpdateRunStepFieldValueInput!) {
  updateRunStepFieldValue(input: $input) { runStepField { id value } } }`;

/** Greater than the IDs of all runs. */
const FIRST_SERIAL = 700_000;

/** Writes to the same fields, in the order of their runs. */
const mutationNode: FlowNode = {
  ...graphqlNode,
  query: WRITE,
  variables: '{ "id": fieldId, "value": payload }',
  variablesType: 'jsonata',
  order: 'key',
  orderType: 'msg',
  prepare: 'query FieldToWrite($id: ID!) { runStepField(id: $id) { _etag } }',
  prepareVariables: '{ "input": $merge([variables, { "etag": data.runStepField._etag }]) }',
};

/** The nodes that write the payload of a message. */
export const writeNodes: Readonly<Record<WriteKind, FlowNode>> = {
  step: stepNode,
  graphql: mutationNode,
};

/** A flow that writes to many runs through the outbox, and its writes that arrive in the sandbox. */
export class OutboxFlow {
  readonly #ion: SandboxInTests;
  readonly #folder: { readonly path: string };
  #arrivals: Arrival[] = [];
  #targets: Target[] = [];
  /** Number of the nodes that write. */
  #nodes = 1;
  /** Number of all runs that were created. */
  #created = 0;

  constructor(ion: SandboxInTests, folder: { readonly path: string }) {
    this.#ion = ion;
    this.#folder = folder;
  }

  /** Creates runs to write to, and records arriving writes from now on. */
  async begin(runs: number): Promise<void> {
    this.#arrivals = [];
    this.#targets = [];
    const runOf = new Map<number, number>();
    const client = this.#ion.client();
    for (let index = 0; index < runs; index++) {
      const name = ++this.#created;
      const [title, serialNumber] = [`Run of writes ${name}`, String(FIRST_SERIAL + name)];
      const run = await makeRun(client, title, serialNumber);
      const { step, fields } = await makeStep(client, [{ name: 'Log', type: 'STRING' }], { run });
      const field = fields.Log ?? 0;
      runOf.set(field, run);
      const mutation = { fieldId: field, key: run };
      // In each way in which a flow may name it, all for the same run.
      this.#targets.push(
        { run, step: 'Example step', field: 'Log', ...mutation },
        { step, field: 'Log', ...mutation },
        { field, ...mutation },
        { run: title, step: 'Example step', field: 'Log', ...mutation },
        // A number that could be an ID.
        { run: serialNumber, step, field: 'Log', ...mutation },
      );
    }
    this.#ion.sandbox.control.onCarriedOut = (mutation, args) => {
      if (mutation !== 'updateRunStepFieldValue') return;
      const { id, value } = args.input as { id: string; value: string };
      const run = runOf.get(Number(id));
      if (run !== undefined) this.#arrivals.push({ run, value, at: Date.now() });
    };
  }

  /** Forgets the writes so far. */
  forget(): void {
    this.#arrivals = [];
  }

  end(): void {
    this.#ion.sandbox.control.onCarriedOut = undefined;
  }

  /**
   * Makes a user folder with the flow. Its nodes that write have the IDs `node-0`, `node-1` …
   * @param writes properties of the node that sends them
   */
  async prepare(
    name: string,
    writes: object,
    { kinds = ['step'], config = {}, nodes = {} }: Options = {},
  ): Promise<Prepared> {
    this.#nodes = kinds.length;
    const { sandbox } = this.#ion;
    const userDir = join(this.#folder.path, name);
    const fileOf = (kind: string) => join(this.#folder.path, `${name}.${kind}`);
    await mkdir(userDir);
    for (const kind of ['done', 'delivered', 'given-up']) await writeFile(fileOf(kind), '');
    const { clientId, clientSecret } = sandbox;
    const ids = kinds.map((_kind, index) => `node-${index}`);
    const wires = ids.map((id) => [id]);
    const from = { type: 'writes', targets: this.#targets, file: fileOf('done'), ...writes, wires };
    const writers = kinds.map((kind, index) => ({
      ...writeNodes[kind],
      ...{ id: `node-${index}`, delivery: 'outbox', outputs: 2 },
      ...nodes[kind],
      wires: [['delivered-line'], ['given-up-line']],
    }));
    const flow: FlowNode[] = [
      { id: 'writes', ...from },
      ...writers,
      ...report('delivered', 'msg.value', fileOf('delivered')),
      ...report('given-up', '`${msg.value} ${msg.error.message}`', fileOf('given-up')),
      { id: 'complete', type: 'complete', scope: ids, wires: [['writes']] },
      { id: 'catch', type: 'catch', scope: ids, wires: [['writes']] },
    ];
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        { ...sandboxConfig(sandbox), ...config },
        ...flow.map((node) => ({ ...node, z: 'flow', x: 0, y: 0 })),
      ],
      { config: { clientId, clientSecret } },
    );
    const lines = async (kind: string) =>
      (await readFile(fileOf(kind), 'utf8')).split('\n').slice(0, -1);
    return {
      userDir,
      done: () => lines('done'),
      delivered: () => lines('delivered'),
      givenUp: () => lines('given-up'),
    };
  }

  /** IDs of the fields, one of each run. */
  get fields(): number[] {
    return [...new Set(this.#targets.map(({ fieldId }) => fieldId))];
  }

  /** Times at which ION last wrote each value, in ms since 1970. */
  lastArrivals(): Map<string, number> {
    return new Map(this.#arrivals.map(({ value, at }) => [value, at]));
  }

  /**
   * All accepted values arrived, those of a run in the order in which they were accepted.
   * @param order `node` if those of a node are in order, whichever their run is
   */
  check(done: string[], order: 'run' | 'node' = 'run'): { written: number; repeated: number } {
    assert.deepEqual(
      done.filter((line) => line.startsWith('failed')),
      [],
    );
    const all = new Set(this.#arrivals.map(({ value }) => value));
    assert.deepEqual(
      done.filter((value) => !all.has(value)),
      [],
    );
    const nodeOf = (value: string) => Number(value.split('-')[1]) % this.#nodes;
    const byKey = grouped(this.#arrivals, ({ run, value }) =>
      order === 'run' ? run : nodeOf(value),
    );
    const isDone = new Set(done);
    for (const [key, arrivals] of byKey) {
      const first = [...new Set(arrivals.map(({ value }) => value))];
      // Each node accepts its messages in the order in which they were sent to it.
      for (const own of grouped(first, nodeOf).values()) {
        assert.deepEqual(own, own.toSorted(byAge), `${order} ${key}`);
      }
      const ofKey = new Set(first);
      assert.deepEqual(
        first.filter((value) => isDone.has(value)),
        done.filter((value) => ofKey.has(value)),
        `${order} ${key}, of several nodes`,
      );
    }
    return { written: all.size, repeated: this.#arrivals.length - all.size };
  }
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), group);
    group.push(item);
  }
  return groups;
}

/** Nodes that write a line per message into a file. */
function report(id: string, line: string, filename: string): FlowNode[] {
  const func = `return { payload: ${line} };`;
  const file = { filename, filenameType: 'str', appendNewline: true, overwriteFile: 'false' };
  return [
    { id: `${id}-line`, type: 'function', func, outputs: 1, wires: [[id]] },
    { id, type: 'file', ...file, wires: [[]] },
  ];
}

export interface ShownOutbox {
  waiting: number;
  givenUp: number;
  unreachableSince?: number;
}

export async function outboxState(running: RunningNodeRed): Promise<ShownOutbox> {
  const response = await fetch(`${running.url}/ion-config/config/outbox`);
  return (await response.json()) as ShownOutbox;
}

export async function isEmpty(running: RunningNodeRed): Promise<boolean> {
  return (await outboxState(running)).waiting === 0;
}

/** Makes the flow stop sending writes. */
export async function pause(running: RunningNodeRed): Promise<void> {
  await fetch(`${running.url}/writes/writes/pause`, { method: 'POST' });
}

/** By process, then by number: `<process>-<number>`. */
function byAge(a: string, b: string): number {
  const [[bootA = 0, numberA = 0], [bootB = 0, numberB = 0]] = [a, b].map((value) =>
    value.split('-').map(Number),
  ) as [number[], number[]];
  return bootA - bootB || numberA - numberB;
}
