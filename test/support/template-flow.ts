import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type WriteTemplate, writeTemplates } from '../../nodes/editor/graphql/write-templates.js';
import { entityId } from '../../sandbox/data/entities.js';
import type { RunRow, RunStepRow } from '../../sandbox/data/model.js';
import { SERVICE_USER } from '../../sandbox/data/seed.js';
import type { Sandbox, Store } from '../../sandbox/server.js';
import { type FlowNode, graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import type { RunningNodeRed } from '../../tools/running-node-red.js';
import type { SandboxInTests } from './sandbox.js';

export type TemplateName = keyof typeof writeTemplates;

export const templateNames = Object.keys(writeTemplates) as TemplateName[];
export const isExactlyOnce = (name: TemplateName) => writeTemplates[name].alreadyDone !== '';

/** Writes of one template that differ in an ID, or in a key of their own. */
interface Kind {
  ids: (number | string)[];
  /** JSON; `"$id"` stands for the ID. */
  variables: object;
  /** The ID in the input of a mutation that arrives in the sandbox. */
  idOf(input: Input): unknown;
}

interface Input extends Record<string, unknown> {
  attributes?: { value: unknown }[];
}

/** IDs of the writes of a template, by what happened to them so far. */
export interface Outcome {
  /** On the disk of the outbox, so that the message was done. */
  accepted: string[];
  failed: string[];
  /** Left by output 1; a second time after a crash. */
  delivered: string[];
  found: Set<string>;
  /** Left by output 2. */
  givenUp: string[];
}

/** A flow with a node for each template, and the mutations of its writes that the sandbox executes. */
export class TemplateFlow {
  readonly #ion: SandboxInTests;
  readonly #folder: { readonly path: string };
  #executed = new Map<string, number>();
  /** Steps that no write has been given yet. */
  #steps: Iterator<RunStepRow> | undefined;

  constructor(ion: SandboxInTests, folder: { readonly path: string }) {
    this.#ion = ion;
    this.#folder = folder;
  }

  /** Number of executed mutations so far. */
  get executed(): number {
    return [...this.#executed.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Number of times that the writes of a template were executed, by ID. */
  timesById(name: TemplateName): Map<string, number> {
    const own = [...this.#executed].filter(([key]) => key.startsWith(`${name} `));
    return new Map(own.map(([key, times]) => [key.slice(name.length + 1), times]));
  }

  /** Sends writes until this number of each template is accepted. */
  async send(running: RunningNodeRed, count: number): Promise<void> {
    await fetch(`${running.url}/template-writes/writes/${count}`, { method: 'POST' });
  }

  end(): void {
    this.#ion.sandbox.control.onCarriedOut = undefined;
  }

  /**
   * Creates the objects that the writes change, and a flow that sends writes to all nodes.
   * @param count accepted writes for each template
   * @param spare more objects for each template, for writes that are lost before they are accepted
   * @param config of the config node
   */
  async prepare(
    name: string,
    { count, spare, perSecond }: { count: number; spare: number; perSecond: number },
    config: object = {},
  ): Promise<{ userDir: string; outcome(): Promise<Record<TemplateName, Outcome>> }> {
    const { sandbox } = this.#ion;
    this.#steps ??= stepsOutsideBatches(sandbox.data);
    const kinds = kindsFor(sandbox, name, count + spare, this.#steps);
    this.#executed = new Map();
    sandbox.control.onCarriedOut = (mutation, { input }) => {
      const kind = (kinds as Record<string, Kind>)[mutation];
      if (!kind) return;
      const key = `${mutation} ${kind.idOf(input as Input)}`;
      this.#executed.set(key, (this.#executed.get(key) ?? 0) + 1);
    };
    const userDir = join(this.#folder.path, name);
    const file = join(this.#folder.path, `${name}.log`);
    await mkdir(userDir);
    await writeFile(file, '');
    const { clientId, clientSecret } = sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      { ...sandboxConfig(sandbox), ...config },
      {
        ...{ id: 'writes', type: 'template-writes', count, perSecond, file },
        kinds: templateNames.map((each) => {
          const { ids, variables } = kinds[each];
          return { name: each, ids, variables: JSON.stringify(variables) };
        }),
        wires: templateNames.map((each) => [each]),
      },
      ...templateNames.map(templateNode),
      reporter('delivered', '`${msg.ion.found ? "found" : "sent"} ${Object.keys(msg.payload)}`'),
      reporter('given-up', 'msg.error.message'),
      {
        ...{ id: 'file', type: 'file', filename: file, filenameType: 'str' },
        ...{ appendNewline: true, overwriteFile: 'false', wires: [[]] },
      },
      { id: 'complete', type: 'complete', scope: templateNames, wires: [['writes']] },
      { id: 'catch', type: 'catch', scope: templateNames, wires: [['writes']] },
    ].map((node) => ({ ...node, z: 'flow', x: 0, y: 0 }) as FlowNode);
    await prepareUserDir(userDir, flow, { config: { clientId, clientSecret } });
    return { userDir, outcome: async () => outcomeOf(await readFile(file, 'utf8')) };
  }
}

function templateNode(name: TemplateName): FlowNode {
  const template: WriteTemplate = writeTemplates[name];
  const { query, prepare, prepareVariables, alreadyDone, order } = template;
  return {
    ...graphqlNode,
    ...{ id: name, query, delivery: 'outbox', prepare, prepareVariables, alreadyDone, keepFor: 0 },
    ...(order
      ? { order: order.value, orderType: order.type }
      : { order: 'name & " " & id', orderType: 'jsonata' }),
    outputs: 2,
    wires: [['delivered'], ['given-up']],
  };
}

/** Writes a line for each message to the file. */
function reporter(id: string, text: string): FlowNode {
  const func = `return { payload: \`${id} \${msg.name} \${msg.id} \${${text}}\` };`;
  return { id, type: 'function', func, outputs: 1, wires: [['file']] };
}

function outcomeOf(log: string): Record<TemplateName, Outcome> {
  const outcomes = Object.fromEntries(
    templateNames.map((name) => [
      name,
      { accepted: [], failed: [], delivered: [], found: new Set(), givenUp: [] } as Outcome,
    ]),
  ) as Record<TemplateName, Outcome>;
  // The last line may not be complete yet.
  for (const line of log.split('\n').slice(0, -1)) {
    const [mark = '', name = '', id = '', how = '', root = ''] = line.split(' ');
    const outcome = outcomes[name as TemplateName];
    if (mark === 'done') outcome.accepted.push(id);
    else if (mark === 'failed') outcome.failed.push(id);
    else if (mark === 'given-up') outcome.givenUp.push(line);
    else if (mark === 'delivered') {
      // Each result has the shape of the mutation's.
      if (root !== name) throw new Error(`Not a result of ${name}: ${line}`);
      outcome.delivered.push(id);
      if (how === 'found') outcome.found.add(id);
    }
  }
  return outcomes;
}

/** Fills the sandbox with the objects that the writes need, and describes the writes. */
function kindsFor(
  { data }: Sandbox,
  test: string,
  count: number,
  steps: Iterator<RunStepRow>,
): Record<TemplateName, Kind> {
  const keys = Array.from({ length: count }, (_, i) => `${test}-${i}`);
  const numbers = <R extends { id: number }>(make: (i: number) => R) =>
    keys.map((_, i) => make(i).id);
  const nextStep = () => {
    const step = steps.next().value;
    if (!step) throw new Error('The sandbox has too few runs.');
    return step as RunStepRow;
  };
  const startedSteps = (isCheckedIn: boolean) =>
    numbers(() => {
      const step = data.runSteps.update(nextStep().id, { status: 'IN_PROGRESS' });
      if (isCheckedIn) {
        const checkIn = data.clock.now();
        const session = { eventType: 'CHECK_IN', checkIn, checkOut: null } as const;
        data.sessions.insert({ runStepId: step.id, ...session }, SERVICE_USER);
      }
      return step;
    });
  const withAttribute = (owner: 'Run' | 'RunStep', make: () => { id: number }) =>
    numbers(() => {
      const { id: ownerId } = make();
      const attribute = { key: test, type: 'STRING', value: null } as const;
      data.attributes.insert({ owner, ownerId, ...attribute });
      return { id: ownerId };
    });
  const runs = data.runs.all().slice();
  const insert = (type: string, values: object) => data.table(type).insert(values as never);
  const unit = () => data.partInventories.insert({ ...firstUnit(data) });
  const byKey = (input: object): Kind => ({
    ids: keys,
    variables: { attribute: 'External key', key: '$id', input },
    idOf: ({ attributes = [] }) => attributes.at(-1)?.value,
  });
  const attributes = (owner: 'runId' | 'runStepId', ids: number[]): Kind => ({
    ids,
    variables: { [owner]: '$id', attribute: test, value: 'Oven 3' },
    idOf: (input) => input[owner],
  });
  const { id: runStepId } = nextStep();
  const column = insert('DatagridColumn', {
    ...{ runStepId, header: 'Depth', type: 'NUMBER', index: 0, settable: true },
  });
  const partInventoryId = unit().id;
  return {
    createIssue: byKey({ title: '$id' }),
    createComment: {
      ids: numbers((i) => ({ id: entityId('Run', i + 1) })),
      variables: { entityId: '$id', content: `Too hot [${test}]` },
      idOf: ({ entityId }) => entityId,
    },
    updateRunStepAttribute: attributes('runStepId', withAttribute('RunStep', nextStep)),
    updateRunAttribute: attributes(
      'runId',
      withAttribute('Run', () => runs.pop() as RunRow),
    ),
    updatePartInventory: {
      ids: numbers(unit),
      variables: { id: '$id', input: { quantity: 12, locationId: 2 } },
      idOf: ({ id }) => id,
    },
    createPartInventory: byKey({ partId: 1, serialNumber: '$id' }),
    createRun: byKey({ title: '$id' }),
    createAbomInstallation: {
      ids: numbers(() => insert('BuildRequirement', { partId: 1, partInventoryId })),
      variables: { buildRequirementId: '$id', partInventoryId, quantity: 1 },
      idOf: ({ buildRequirementId }) => buildRequirementId,
    },
    setDatagridValue: {
      ids: numbers(() => insert('DatagridRow', { runStepId, index: 0 })),
      variables: { rowId: '$id', columnId: column.id, value: 12.5 },
      idOf: ({ rowId }) => rowId,
    },
    checkIn: {
      ids: startedSteps(false),
      variables: { runStepId: '$id' },
      idOf: ({ runStepId }) => runStepId,
    },
    checkOut: {
      ids: startedSteps(true),
      variables: { runStepId: '$id' },
      idOf: ({ runStepId }) => runStepId,
    },
    dispatchNotification: {
      ids: keys,
      variables: {
        input: {
          ...{ userId: 1, notificationType: 'WARNING', title: '$id', description: 'Too hot' },
          ...{ linkText: 'Run', path: '/runs/1' },
        },
      },
      idOf: ({ title }) => title,
    },
  };
}

/** A write to a step of a batch reaches the steps of other runs too. */
function* stepsOutsideBatches({ runs, runSteps }: Store): Generator<RunStepRow> {
  for (const { id, runBatchId } of runs.all()) {
    if (runBatchId === null) yield* runSteps.of(id);
  }
}

function firstUnit({ partInventories }: Store) {
  const [first] = partInventories.all();
  if (!first) throw new Error('The sandbox has no units.');
  const { id, _created, _updated, _etag, createdById, updatedById, ...values } = first;
  return values;
}
