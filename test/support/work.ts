import type { WorkAnswer, WorkCandidate } from '../../nodes/client/work/work.js';
import type { StepStatus } from '../../sandbox/data/model.js';
import { blankField, blankStep } from '../../sandbox/data/row-templates.js';
import type { Store } from '../../sandbox/server.js';

interface StepPlan {
  title: string;
  status?: StepStatus;
  /** The step of the same run that contains it. */
  inside?: string;
  /** The step of the same run that must be complete before. */
  after?: string;
  locationId?: number;
  /** @default the index in the list */
  position?: number;
  /** Names of fields. */
  fields?: readonly string[];
}

interface RunPlan {
  title: string;
  steps: readonly StepPlan[];
}

interface Added {
  run: number;
  steps: number[];
}

/** Adds a run of a new unit to the data of a sandbox. */
export function addWork(
  data: Store,
  { serial, ...run }: RunPlan & { serial: string },
): Added & { unit: number } {
  const unit = addUnit(data, serial);
  return { unit, ...addRun(data, { ...run, partInventoryId: unit }) };
}

export function addUnit(data: Store, serialNumber: string): number {
  const [{ id: _, ...unit } = missing()] = data.partInventories.all();
  return data.partInventories.insert({ ...unit, serialNumber }).id;
}

export function addLocation(data: Store, name: string): number {
  const [{ id: _, ...location } = missing()] = data.locations.all();
  return data.locations.insert({ ...location, name }).id;
}

/** Adds a run, without a unit by default, whose steps are still to do by default. */
export function addRun(
  data: Store,
  { title, steps, partInventoryId = null }: RunPlan & { partInventoryId?: number | null },
): Added {
  const [{ id: _, ...columns } = missing()] = data.runs.all();
  const run = data.runs.insert({ ...columns, title, partInventoryId, runBatchId: null });
  const ids = new Map<string, number>();
  for (const [index, step] of steps.entries()) {
    const { id } = data.runSteps.insert({
      ...blankStep(run.id, step.title, step.position ?? index),
      status: step.status ?? 'TODO',
      locationId: step.locationId ?? null,
      parentId: ids.get(step.inside ?? '') ?? null,
      upstreamStepIds: [ids.get(step.after ?? '') ?? []].flat(),
    });
    ids.set(step.title, id);
    for (const [at, name] of (step.fields ?? []).entries()) {
      data.runStepFields.insert(blankField(id, name, 'STRING', at));
    }
  }
  return { run: run.id, steps: [...ids.values()] };
}

function missing(): never {
  throw new Error('The sandbox has no row to copy.');
}

/** An answer in one line, without IDs. */
export function answerLine(answer: WorkAnswer): string {
  if (answer.found === 'one') return `one: ${candidateLine(answer.work)}`;
  return [`${answer.found}:`, ...answer.candidates.map(candidateLine)].join(' | ');
}

function candidateLine({
  unit,
  run,
  step,
  location,
}: Omit<WorkCandidate, 'unit'> & { unit?: WorkCandidate['unit'] | null }): string {
  const serial = unit?.serialNumber ?? unit?.lotNumber ?? '-';
  return [serial, run?.title, step?.title, location?.name]
    .filter((name) => typeof name === 'string')
    .map((name) => name.slice(0, 40))
    .join(' / ');
}
