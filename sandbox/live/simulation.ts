import { availableToWork } from '../data/computed-fields.js';
import type { RunStepRow, TemplateField } from '../data/model.js';
import { Random } from '../data/random.js';
import { plausibleValue } from '../data/seeded-work.js';
import type { Store } from '../data/store.js';
import type { WriteContext } from '../graphql/context.js';
import { setValues } from '../graphql/mutations/fields.js';
import { createRun } from '../graphql/mutations/runs.js';
import { checkTransition, updateBatchedStep } from '../graphql/mutations/transitions.js';

const TICK = 1000;
/** Only the newest runs live, so that a sandbox with very many stays quick. */
const LIVING_RUNS = 240;
const STEPS_AT_WORK = 10;
const RUNS_AHEAD = 15;

/** Lets runs advance: steps start, their fields fill, they end; returns a function that stops it. */
export function startSimulation(store: Store): () => void {
  const random = new Random(Date.now());
  const timer = setInterval(() => tick(store, random), TICK);
  // The timer must not keep the process of a demo alive.
  timer.unref();
  return () => clearInterval(timer);
}

/** One second in the life of the sandbox. */
export function tick(store: Store, random: Random): void {
  const runs = store.runs.all().slice(-LIVING_RUNS);
  const steps = runs.filter((run) => !run.archived).flatMap((run) => store.runSteps.of(run.id));
  const atWork = steps.filter((step) => step.status === 'IN_PROGRESS');
  const ready = steps.filter((step) => availableToWork(step, store));
  const stopped = steps.filter(({ status }) => status === 'FAILED' || status === 'HOLD');
  if (atWork.length > 0) work(random.pick(atWork), store, random);
  if (atWork.length > 1) work(random.pick(atWork), store, random);
  if (ready.length > 0 && atWork.length < STEPS_AT_WORK) {
    move(random.pick(ready), 'IN_PROGRESS', store, random);
  }
  // A stopped step is resumed now and then.
  if (stopped.length > 0 && random.next() < 0.05) move(random.pick(stopped), 'TODO', store, random);
  if (ready.length < RUNS_AHEAD) {
    const procedureId = String(random.pick(store.procedures.all()).id);
    const partId = store.procedures.get(Number(procedureId))?.partId;
    const inventory = store.partInventories.find((item) => item.partId === partId);
    const partInventoryId = inventory ? String(inventory.id) : null;
    store.transaction(() =>
      createRun({ procedureId, autogenerateTitle: true, partInventoryId }, context(store, random)),
    );
  }
}

/** Fills one field of a step, or ends it when all are filled. */
function work(step: RunStepRow, store: Store, random: Random): void {
  if (step.status !== 'IN_PROGRESS') return;
  const empty = store.runStepFields
    .of(step.id)
    .find(
      (field) =>
        field.value === null && !['SIGNOFF', 'FILE_ATTACHMENT', 'TOOL'].includes(field.type),
    );
  if (empty) {
    const template = templateOf(step, empty.originFieldId, store) ?? {
      type: empty.type,
      options: empty.options ?? [],
    };
    const value = plausibleValue(template, store.clock.now(), random);
    store.transaction(() => setValues(empty, { value }, context(store, random)));
    return;
  }
  const chance = random.next();
  move(step, chance < 0.03 ? 'FAILED' : chance < 0.06 ? 'HOLD' : 'COMPLETE', store, random);
}

function templateOf(
  step: RunStepRow,
  fieldId: number | null,
  store: Store,
): TemplateField | undefined {
  const procedure = store.procedures.get(store.runs.get(step.runId)?.procedureId ?? 0);
  return procedure?.template?.flatMap(({ fields }) => fields).find(({ id }) => id === fieldId);
}

function move(
  step: RunStepRow,
  status: 'IN_PROGRESS' | 'COMPLETE' | 'FAILED' | 'HOLD' | 'TODO',
  store: Store,
  random: Random,
): void {
  try {
    checkTransition(step, status, store);
  } catch {
    // Somebody has brought the runs of a batch into different states.
    return;
  }
  store.transaction(() => updateBatchedStep(step, { status }, context(store, random)));
}

/** Somebody on the shop floor. */
function context(store: Store, random: Random): WriteContext {
  return { store, user: random.pick(store.users.all().filter((user) => !user.ionBot)) };
}
