import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, sandboxConfig, stepNode } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import type { RunningNodeRed } from '../../tools/running-node-red.js';
import type { SandboxInTests } from './sandbox.js';
import { makeStep } from './steps.js';

interface Target {
  run?: number;
  step?: number | string;
  field: number | string;
}

interface Prepared {
  userDir: string;
  /** Values of the accepted writes, and `failed …` for the others. */
  done(): Promise<string[]>;
  /** Messages from output 2: the value, a space, and ION's message. */
  givenUp(): Promise<string[]>;
}

/** A flow that writes to many runs through the outbox, and its writes that arrive in the sandbox. */
export class OutboxFlow {
  readonly #ion: SandboxInTests;
  readonly #folder: { readonly path: string };
  /** Values as ION wrote them, by field. */
  #arrived = new Map<number, string[]>();
  #targets: Target[] = [];
  /** The run of each field. */
  #runs = new Map<number, number>();

  constructor(ion: SandboxInTests, folder: { readonly path: string }) {
    this.#ion = ion;
    this.#folder = folder;
  }

  /** Creates runs to write to, and records arriving writes from now on. */
  async begin(runs: number): Promise<void> {
    this.#arrived = new Map();
    this.#runs = new Map();
    this.#targets = [];
    const client = this.#ion.client();
    for (let run = 0; run < runs; run++) {
      const made = await makeStep(client, [{ name: 'Log', type: 'STRING' }]);
      const field = made.fields.Log ?? 0;
      this.#runs.set(field, made.run);
      // In each way in which a flow may name it, all for the same run.
      this.#targets.push(
        { run: made.run, step: 'Example step', field: 'Log' },
        { step: made.step, field: 'Log' },
        { field },
      );
    }
    this.#ion.sandbox.control.onCarriedOut = (mutation, args) => {
      if (mutation !== 'updateRunStepFieldValue') return;
      const { id, value } = args.input as { id: string; value: string };
      const values = this.#arrived.get(Number(id)) ?? [];
      values.push(value);
      this.#arrived.set(Number(id), values);
    };
  }

  end(): void {
    this.#ion.sandbox.control.onCarriedOut = undefined;
  }

  /**
   * @param writes properties of the node that sends them
   * @param config of the config node
   */
  async prepare(name: string, writes: object, config: object = {}): Promise<Prepared> {
    const { sandbox } = this.#ion;
    const userDir = join(this.#folder.path, name);
    const file = join(this.#folder.path, `${name}.done`);
    const givenUp = join(this.#folder.path, `${name}.given-up`);
    await mkdir(userDir);
    for (const path of [file, givenUp]) await writeFile(path, '');
    const { clientId, clientSecret } = sandbox;
    const place = { z: 'flow', x: 0, y: 0 };
    const from = { type: 'writes', steps: this.#targets, file, ...writes, wires: [['node']] };
    const flow: FlowNode[] = [
      { id: 'flow', type: 'tab', label: 'test' },
      { ...sandboxConfig(sandbox), ...config },
      { id: 'writes', ...from, ...place },
      { ...stepNode, delivery: 'outbox', outputs: 2, wires: [[], ['line']], ...place },
      {
        id: 'line',
        type: 'function',
        func: 'return { payload: `${msg.payload} ${msg.error.message}` };',
        outputs: 1,
        wires: [['given-up']],
        ...place,
      },
      {
        id: 'given-up',
        type: 'file',
        filename: givenUp,
        filenameType: 'str',
        appendNewline: true,
        overwriteFile: 'false',
        wires: [[]],
        ...place,
      },
      { id: 'complete', type: 'complete', scope: ['node'], wires: [['writes']], ...place },
      { id: 'catch', type: 'catch', scope: ['node'], wires: [['writes']], ...place },
    ];
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    const lines = async (path: string) => (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    return { userDir, done: () => lines(file), givenUp: () => lines(givenUp) };
  }

  /** All accepted values arrived, and within a run in the order in which they were accepted. */
  check(done: string[]): { written: number; repeated: number } {
    assert.deepEqual(
      done.filter((line) => line.startsWith('failed')),
      [],
    );
    const all = new Set([...this.#arrived.values()].flat());
    assert.deepEqual(
      done.filter((value) => !all.has(value)),
      [],
    );
    let repeated = 0;
    for (const [field, values] of this.#arrived) {
      const first = [...new Set(values)];
      repeated += values.length - first.length;
      assert.deepEqual(first, first.toSorted(byAge), `run ${this.#runs.get(field)}`);
    }
    return { written: all.size, repeated };
  }
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
