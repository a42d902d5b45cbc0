import { IonError, toIonError } from '../errors.js';
import { ownOperation } from '../graphql/own-operation.js';
import { weightOf } from '../support/json-size.js';
import { type ForeignRow, foreignRow, idIn } from '../support/known-columns.js';
import { LruCache } from '../support/lru-cache.js';
import { withMissing } from './missing-parts.js';
import { notFound, pickField, pickStep, shown } from './pick-row.js';
import { MAX_CACHE_WEIGHT, ReadCache } from './read-cache.js';
import type { RequestScope } from './request-scope.js';
import { RowCache } from './row-cache.js';
import { RunNames, unknownRun } from './run-names.js';
import {
  FIELD_COLUMNS,
  missingColumn,
  type RunStep,
  type RunStepField,
  STEP_COLUMNS,
  toField,
  toStep,
} from './step-rows.js';
import { idOf, isGiven, isNumber, type Reference, type Target } from './target.js';

const RUN_QUERY = ownOperation(
  `query RunSteps($id: ID!) { run(id: $id) { id steps { ${STEP_COLUMNS} } } }`,
);
const STEP_QUERY = ownOperation(
  `query RunStep($id: ID!) { runStep(id: $id) { ${STEP_COLUMNS} fields { ${FIELD_COLUMNS} } } }`,
);
/** The operation that finds a field by its ID. */
export const FIELD_QUERY = ownOperation(
  `query RunStepField($id: ID!) {
  runStepField(id: $id) { ${FIELD_COLUMNS} ... on RunStepField @wished { step { id runId } } }
}`,
);

/** The operations that find a step by IDs. */
export const STEP_LOOK_UPS = [RUN_QUERY, STEP_QUERY];

const RUN_CACHE_SIZE = 1000;
const STEP_CACHE_SIZE = 10_000;
const FIELD_CACHE_SIZE = 100_000;
const LOOKUP_CACHE_SIZE = 10_000;

interface StepWithFields {
  step: RunStep;
  fields: RunStepField[];
}

interface FieldOfRun {
  field: RunStepField;
  runId: string;
}

/**
 * Finds steps and fields by id or name. Rows are cached with their etags until a caller reports
 * that they are out of date.
 */
export class RunSteps {
  readonly #runs = new ReadCache<RunStep[]>(RUN_CACHE_SIZE);
  readonly #steps = new ReadCache<StepWithFields>(STEP_CACHE_SIZE);
  readonly #fields = new ReadCache<FieldOfRun>(STEP_CACHE_SIZE);
  readonly #stepRows = new RowCache<RunStep>(STEP_CACHE_SIZE, toStep);
  readonly #fieldRows = new RowCache<RunStepField>(FIELD_CACHE_SIZE, toField);
  readonly #names: RunNames;
  /**
   * Steps by the id of the run and their own reference, fields by the id of the step and their own
   * reference; emptied whenever a row is out of date.
   */
  #lookups = newLookups();

  /** @param now the monotonic time, in ms */
  constructor(now?: () => number) {
    const readRun = (id: string, requests: RequestScope) => this.#stepsOf(id, requests);
    this.#names = new RunNames({ readRun, ...(now && { now }) });
  }

  /** The id of the run that a target names; `undefined` if ION has to be asked. */
  knownRun({ run }: Target): string | undefined {
    return isGiven(run) ? this.#names.known(run) : undefined;
  }

  /**
   * The id of the run that a target belongs to.
   * @throws IonError `ION_NOT_FOUND`
   */
  async runOf(target: Target, requests: RequestScope): Promise<string> {
    return withMissing(target, this.#findRun(target, requests));
  }

  async #findRun({ run, step, field }: Target, requests: RequestScope): Promise<string> {
    if (isGiven(run)) return this.#names.find(run, requests);
    if (isGiven(step)) return runIdOf((await this.#stepById(step, requests)).step);
    if (isGiven(field)) return (await this.#fieldById(field, requests)).runId;
    throw notFound('No run, step or field is given.', { key: 'noStep' });
  }

  /**
   * The step of a target; no promise if it is cached.
   * @throws IonError `ION_NOT_FOUND`, listing the candidates
   */
  step(target: Target, requests: RequestScope): Promise<RunStep> | RunStep {
    const found = this.#knownStep(target);
    if (!found) return withMissing(target, this.#findStep(target, requests));
    this.#stepRows.touch(found);
    return found;
  }

  /**
   * The step of a target with a column that its write needs. ION is asked again for a column that it
   * lacked before: it may have been a lack of a moment.
   * @param use why the column is needed, as the end of a sentence
   * @throws IonError `ION_NOT_FOUND`, listing the candidates; `ION_RESPONSE` without the column
   */
  async stepWith<Column extends keyof RunStep>(
    column: Column,
    use: string,
    target: Target,
    requests: RequestScope,
  ): Promise<RunStep & Record<Column, NonNullable<RunStep[Column]>>> {
    let row = await this.step(target, requests);
    if (!hasColumn(row, column)) {
      requests.forgetLack(`RunStep.${column}`);
      this.forgetStep(row);
      row = await this.step(target, requests);
    }
    if (hasColumn(row, column)) return row;
    throw missingColumn(column, use);
  }

  /**
   * The field of a target; no promise if it is cached.
   * @throws IonError `ION_NOT_FOUND`, listing the candidates
   */
  field(target: Target, requests: RequestScope): Promise<RunStepField> | RunStepField {
    const found = this.#knownField(target);
    if (!found) return withMissing(target, this.#findField(target, requests));
    this.#fieldRows.touch(found);
    return found;
  }

  /** Drops a step that is out of date; the next look-up reads it again. */
  forgetStep({ id, runId }: RunStep): void {
    this.#lookups = newLookups();
    this.#steps.delete(String(id));
    this.#runs.delete(String(runId));
  }

  /** Drops a field that is out of date; the next look-up reads it again. */
  forgetField({ id, runStepId }: RunStepField): void {
    this.#lookups = newLookups();
    this.#fields.delete(String(id));
    this.#steps.delete(String(runStepId));
  }

  #knownStep({ run, step }: Target): RunStep | undefined {
    const runId = isGiven(run) ? this.#names.known(run) : null;
    if (runId === undefined) return undefined;
    return this.#lookups.get(stepKey(runId, step)) as RunStep | undefined;
  }

  #knownField(target: Target): RunStepField | undefined {
    const step = isGiven(target.step) ? this.#knownStep(target) : null;
    if (step === undefined) return undefined;
    return this.#lookups.get(fieldKey(step, target)) as RunStepField | undefined;
  }

  async #remembered<Row extends RunStep | RunStepField>(
    key: string,
    find: () => Promise<Row>,
  ): Promise<Row> {
    // A row that was found before a `forget` must not enter the cache after it.
    const lookups = this.#lookups;
    const row = await find();
    lookups.set(key, row, weightOf(key, MAX_CACHE_WEIGHT));
    return row;
  }

  async #findStep({ run, step }: Target, requests: RequestScope): Promise<RunStep> {
    if (!isGiven(step)) {
      throw notFound('No step is given. Give an ID, a title or a position.', { key: 'noStep' });
    }
    if (!isGiven(run)) {
      const find = async () => (await this.#stepById(step, requests)).step;
      return this.#remembered(stepKey(null, step), find);
    }
    const id = idOf(run);
    const isReadNow = !this.#runs.has(id);
    return this.#inRun(run, requests, (runId) => {
      const find = async () => pickStep(await this.#stepsOf(runId, requests), step, runId);
      const isNew = isReadNow && runId === id;
      return this.#remembered(stepKey(runId, step), () =>
        isNew ? find() : findOrReread(this.#runs, runId, find),
      );
    });
  }

  /** Finds something in a run. If it is missing, a name may mean another run since it was found. */
  async #inRun<Found>(
    run: Reference,
    requests: RequestScope,
    find: (runId: string) => Promise<Found>,
  ): Promise<Found> {
    const known = this.#names.known(run);
    const runId = known ?? (await this.#names.find(run, requests));
    try {
      return await find(runId);
    } catch (thrown) {
      if (known === undefined || toIonError(thrown).code !== 'ION_NOT_FOUND') throw thrown;
      this.#names.forget(run);
      const present = await this.#names.find(run, requests);
      if (present === runId) throw thrown;
      return find(present);
    }
  }

  async #findField(target: Target, requests: RequestScope): Promise<RunStepField> {
    const { field } = target;
    if (!isGiven(field)) {
      throw notFound('No field is given. Give an ID or a name.', { key: 'noField' });
    }
    if (isGiven(target.step)) {
      const { run, step } = target;
      const row = await this.step({ run, step }, requests);
      return this.#remembered(fieldKey(row, target), () =>
        findOrReread(this.#steps, String(row.id), async () => {
          const { step, fields } = await this.#stepById(row.id, requests);
          return pickField(fields, field, step);
        }),
      );
    }
    if (!isGiven(target.run)) {
      const find = async () => (await this.#fieldById(field, requests)).field;
      return this.#remembered(fieldKey(null, target), find);
    }
    throw notFound(
      `The field "${field}" needs the step that it is in. Give the step, or only the ID of the field.`,
      { key: 'noStep' },
    );
  }

  #stepsOf(runId: string, requests: RequestScope): Promise<RunStep[]> {
    return this.#runs.get(runId, requests, async () => {
      const { data } = await requests.send(RUN_QUERY, { id: runId });
      const run = foreignRow(data.run);
      if (!run) throw unknownRun(runId);
      return this.#stepRows.addAll(run.steps);
    });
  }

  #stepById(reference: Reference, requests: RequestScope): Promise<StepWithFields> {
    const id = idOf(reference);
    return this.#steps.get(id, requests, async () => {
      const { data } = await requests.send(STEP_QUERY, { id });
      const row = this.#stepRows.toRow(data.runStep);
      if (!row) {
        throw notFound(
          `ION has no run step with the ID "${shown(id)}". A title or a position needs the run as well.`,
          isNumber(id) ? { key: 'unknownStep', name: id } : { key: 'noRun' },
        );
      }
      const step = this.#stepRows.add(row);
      const fields = await this.#fieldRows.addAll(foreignRow(data.runStep)?.fields);
      return {
        value: { step: step.value, fields: fields.value },
        weight: step.weight + fields.weight,
      };
    });
  }

  #fieldById(reference: Reference, requests: RequestScope): Promise<FieldOfRun> {
    const id = idOf(reference);
    return this.#fields.get(id, requests, async () => {
      const { data } = await requests.send(FIELD_QUERY, { id });
      const row = this.#fieldRows.toRow(data.runStepField);
      if (!row) {
        throw notFound(
          `ION has no field with the ID "${shown(id)}". A name needs the step as well.`,
          isNumber(id) ? { key: 'unknownField', name: id } : { key: 'noStep' },
        );
      }
      const step = foreignRow(foreignRow(data.runStepField)?.step);
      const runId = await this.#runIdOfField(row, step, requests);
      const { value, weight } = this.#fieldRows.add(row);
      return { value: { field: value, runId }, weight: weight + 1 };
    });
  }

  async #runIdOfField(
    { runStepId }: RunStepField,
    step: ForeignRow | undefined,
    requests: RequestScope,
  ): Promise<string> {
    const runId = idIn(step?.runId);
    if (runId !== null) return String(runId);
    if (runStepId === null) throw stepWithoutRun();
    return runIdOf((await this.#stepById(runStepId, requests)).step);
  }
}

function hasColumn<Column extends keyof RunStep>(
  row: RunStep,
  column: Column,
): row is RunStep & Record<Column, NonNullable<RunStep[Column]>> {
  return row[column] !== null;
}

function stepKey(runId: string | null, step: Reference | undefined): string {
  return JSON.stringify(['step', runId, step]);
}

/** @param step null if only the field is given */
function fieldKey(step: RunStep | null, { field }: Target): string {
  return JSON.stringify(['field', step && String(step.id), field]);
}

function newLookups(): LruCache<string, RunStep | RunStepField> {
  return new LruCache(LOOKUP_CACHE_SIZE, MAX_CACHE_WEIGHT);
}

/** Finds a row in cached rows; if it is missing, they are read again, because it may be new. */
async function findOrReread<Row>(
  cache: Pick<ReadCache<unknown>, 'has' | 'delete'>,
  key: string,
  find: () => Promise<Row>,
): Promise<Row> {
  const wasCached = cache.has(key);
  try {
    return await find();
  } catch (thrown) {
    if (!wasCached || toIonError(thrown).code !== 'ION_NOT_FOUND') throw thrown;
    cache.delete(key);
    return find();
  }
}

/** @throws IonError `ION_RESPONSE` */
function runIdOf({ runId }: RunStep): string {
  if (runId === null) throw stepWithoutRun();
  return String(runId);
}

function stepWithoutRun(): IonError {
  return new IonError('ION_RESPONSE', 'ION returned a step without the ID of its run.');
}
