import type { IonClient } from '../../nodes/client/client.js';
import { parseOperation } from '../../nodes/client/graphql/operation.js';

const CREATE_RUN =
  'mutation ($input: CreateRunInput!) { createRun(input: $input) { run { id entityId } } }';
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
  const runId =
    run ?? (await ask(client, CREATE_RUN, { input: { title: 'Example run' } })).createRun.run.id;
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
