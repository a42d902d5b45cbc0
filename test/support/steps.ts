import type { IonClient } from '../../nodes/client/client.js';
import { parseOperation } from '../../nodes/client/graphql/operation.js';

const CREATE_RUN = 'mutation ($input: CreateRunInput!) { createRun(input: $input) { run { id } } }';
const CREATE_UNIT =
  'mutation ($input: CreatePartInventoryInput!) { createPartInventory(input: $input) { partInventory { id } } }';
const RUN = 'query ($id: ID!) { run(id: $id) { _etag partInventory { id _etag } } }';
const CHANGE_RUN = 'mutation ($input: UpdateRunInput!) { updateRun(input: $input) { run { id } } }';
const CHANGE_UNIT =
  'mutation ($input: UpdatePartInventoryInput!) { updatePartInventory(input: $input) { partInventory { id } } }';
const CREATE_STEP =
  'mutation ($input: CreateRunStepInput!) { createRunStep(input: $input) { step { id entityId position _etag } } }';
const CREATE_FIELD =
  'mutation ($input: CreateRunStepFieldInput!) { createRunStepField(input: $input) { runStepField { id } } }';
const MOVE =
  'mutation ($input: UpdateRunStepInput!) { updateRunStep(input: $input) { runStep { _etag } } }';
const STEP = `query ($id: ID!) { runStep(id: $id) { id title status _etag
  fields { id name value _etag } fileAttachments { id filename } } }`;

/** A field of a test step. */
export interface TestField {
  name: string;
  type: string;
  options?: string[];
  [property: string]: unknown;
}

export interface StepForTests {
  run: number;
  step: number;
  entityId: number;
  position: number;
  /** Ids by name. */
  fields: Record<string, number>;
}

export interface StepState {
  id: number;
  title: string;
  status: string;
  _etag: string;
  fields: { id: number; name: string; value: unknown; _etag: string }[];
  fileAttachments: { id: number; filename: string }[];
}

async function ask(
  client: IonClient,
  text: string,
  variables: Record<string, unknown>,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of any shape.
): Promise<any> {
  const { signal } = new AbortController();
  return (await client.request(parseOperation(text), { variables, signal })).data;
}

/**
 * A run.
 * @param serialNumber of the unit that it builds; without it, it builds none
 * @returns its ID
 */
export async function makeRun(
  client: IonClient,
  title = 'Example run',
  serialNumber?: string,
): Promise<number> {
  const input: Record<string, unknown> = { title };
  if (serialNumber !== undefined) {
    const unit = await ask(client, CREATE_UNIT, { input: { partId: 1, serialNumber } });
    input.partInventoryId = unit.createPartInventory.partInventory.id;
  }
  return (await ask(client, CREATE_RUN, { input })).createRun.run.id;
}

/** Gives a run another title, or its unit another serial number. */
export async function renameRun(
  client: IonClient,
  id: number,
  { title, serialNumber }: { title?: string; serialNumber?: string },
): Promise<void> {
  const { _etag: etag, partInventory: unit } = (await ask(client, RUN, { id })).run;
  if (title !== undefined) await ask(client, CHANGE_RUN, { input: { id, etag, title } });
  if (serialNumber === undefined) return;
  await ask(client, CHANGE_UNIT, { input: { id: unit.id, etag: unit._etag, serialNumber } });
}

/** A step in progress in a new or given run, created like in ION's public example. */
export async function makeStep(
  client: IonClient,
  fields: TestField[],
  {
    run,
    title = 'Example step',
    status = 'IN_PROGRESS',
  }: { run?: number; title?: string; status?: string } = {},
): Promise<StepForTests> {
  const runId = run ?? (await makeRun(client));
  const { step } = (await ask(client, CREATE_STEP, { input: { runId, title } })).createRunStep;
  const ids: Record<string, number> = {};
  for (const field of fields) {
    const input = { runStepId: step.id, ...field };
    const { runStepField } = (await ask(client, CREATE_FIELD, { input })).createRunStepField;
    ids[field.name] = runStepField.id;
  }
  let etag = (await stepState(client, step.id))._etag;
  const path: Record<string, string[]> = {
    REDLINE: [],
    TODO: ['TODO'],
    IN_PROGRESS: ['TODO', 'IN_PROGRESS'],
  };
  for (const next of path[status] ?? []) {
    const input = { id: step.id, etag, status: next };
    etag = (await ask(client, MOVE, { input })).updateRunStep.runStep._etag;
  }
  return {
    run: runId,
    step: step.id,
    entityId: step.entityId,
    position: step.position,
    fields: ids,
  };
}

export async function stepState(client: IonClient, id: number): Promise<StepState> {
  return (await ask(client, STEP, { id })).runStep;
}

/** The value of a field, by its name. */
export async function fieldValue(client: IonClient, step: number, name: string): Promise<unknown> {
  return (await stepState(client, step)).fields.find((field) => field.name === name)?.value;
}
