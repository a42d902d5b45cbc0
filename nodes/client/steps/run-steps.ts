import { IonError, quote, toIonError } from '../errors.js';
import { parseOperation } from '../graphql/operation.js';
import { weightOf } from '../support/json-size.js';
import { LruCache } from '../support/lru-cache.js';
import { Slices } from '../support/slices.js';
import type { FieldDefinition } from './field-values.js';
import {
  etagIn,
  type ForeignRow,
  foreignRow,
  type Id,
  idIn,
  nameIn,
  numberIn,
  optionsIn,
  wordIn,
} from './known-columns.js';
import { foldedName, rowsNamed, spelledName } from './name-matching.js';
import type { RequestScope } from './request-scope.js';

/** An id, or for a step and a field also its name. */
export type Reference = string | number;

/** Where to write, as a user tells it. */
export interface Target {
  run?: Reference | undefined;
  /** An id, or within a run its title or position. */
  step?: Reference | undefined;
  /** An id, or within a step its name. */
  field?: Reference | undefined;
}

/** Null is what ION did not answer, or not as its schema says. */
export interface RunStep {
  id: Id;
  runId: Id | null;
  title: string | null;
  position: number | null;
  status: string | null;
  /** What attachments hang on; not the `id`. */
  entityId: Id | null;
  _etag: string | null;
}

export interface RunStepField extends FieldDefinition {
  id: Id;
  runStepId: Id | null;
  _etag: string | null;
}

const STEP = 'id runId title position status entityId _etag';
const FIELD = 'id runStepId name type options _etag';
const RUN_QUERY = `query RunSteps($id: ID!) { run(id: $id) { id steps { ${STEP} } } }`;
const STEP_QUERY = `query RunStep($id: ID!) { runStep(id: $id) { ${STEP} fields { ${FIELD} } } }`;
const FIELD_QUERY = `query RunStepField($id: ID!) { runStepField(id: $id) { ${FIELD} step { id runId } } }`;

const RUN_CACHE_SIZE = 1000;
const STEP_CACHE_SIZE = 10_000;
const FIELD_CACHE_SIZE = 100_000;
const LOOKUP_CACHE_SIZE = 10_000;
/** Total weight of each kind of kept rows; see `weightOf`. */
const MAX_CACHE_WEIGHT = 1_000_000;
const MAX_CANDIDATES_LISTED = 10;
/** Characters of a name that are looked at for an error text. */
const MAX_SHOWN = 500;
/** In characters; a longer id, title or name is a mistake in the flow. */
const MAX_NAME = 5000;
/** Steps of a run, and fields of a step, among which a name is looked for. */
const MAX_RUN_ROWS = 20_000;
/** Weight that a kept row may always grow to; see `oneRow`. */
const SMALL_ROW = 100;

interface StepWithFields {
  step: RunStep;
  fields: RunStepField[];
}

/** What a reading found, and what it weighs in memory. */
interface Weighed<Value> {
  value: Value;
  weight: number;
}

interface FieldOfRun {
  field: RunStepField;
  runId: string;
}

/**
 * Finds steps and fields by id or name. What was read is kept, with its etags, until somebody
 * says that it is out of date.
 */
export class RunSteps {
  readonly #runs = new LruCache<string, Promise<RunStep[]>>(RUN_CACHE_SIZE, MAX_CACHE_WEIGHT);
  readonly #steps = new LruCache<string, Promise<StepWithFields>>(
    STEP_CACHE_SIZE,
    MAX_CACHE_WEIGHT,
  );
  readonly #fields = new LruCache<string, Promise<FieldOfRun>>(STEP_CACHE_SIZE, MAX_CACHE_WEIGHT);
  /** What was found before, as it was asked for; emptied whenever something is out of date. */
  #found = new LruCache<string, RunStep | RunStepField>(LOOKUP_CACHE_SIZE, MAX_CACHE_WEIGHT);
  /** One object per row, whatever query it came with, so that a written etag is known everywhere. */
  readonly #stepRows = new LruCache<string, RunStep>(STEP_CACHE_SIZE, MAX_CACHE_WEIGHT);
  readonly #fieldRows = new LruCache<string, RunStepField>(FIELD_CACHE_SIZE, MAX_CACHE_WEIGHT);

  /**
   * The run that something belongs to, as its id.
   * @throws IonError `ION_NOT_FOUND`
   */
  async runOf({ run, step, field }: Target, requests: RequestScope): Promise<string> {
    if (isGiven(run)) return idOf(run);
    if (isGiven(step)) return runIdOf((await this.#stepById(step, requests)).step);
    if (isGiven(field)) return (await this.#fieldById(field, requests)).runId;
    throw notFound('Neither run, step nor field is given.');
  }

  /** @throws IonError `ION_NOT_FOUND`, naming the candidates */
  step({ run, step }: Target, requests: RequestScope): Promise<RunStep> | RunStep {
    const key = JSON.stringify([run, step]);
    const found = this.#found.get(key) as RunStep | undefined;
    if (!found) return this.#noted(key, this.#step({ run, step }, requests));
    countUse(this.#stepRows, found);
    return found;
  }

  /** @throws IonError `ION_NOT_FOUND`, naming the candidates */
  field(target: Target, requests: RequestScope): Promise<RunStepField> | RunStepField {
    const key = JSON.stringify([target.run, target.step, target.field]);
    const found = this.#found.get(key) as RunStepField | undefined;
    if (!found) return this.#noted(key, this.#field(target, requests));
    countUse(this.#fieldRows, found);
    return found;
  }

  async #noted<Row extends RunStep | RunStepField>(
    key: string,
    finding: Promise<Row>,
  ): Promise<Row> {
    const found = this.#found;
    const row = await finding;
    found.set(key, row, weightOf(key, MAX_CACHE_WEIGHT));
    return row;
  }

  async #step({ run, step }: Target, requests: RequestScope): Promise<RunStep> {
    if (!isGiven(step)) throw notFound('No step is given: neither an id nor a title or position.');
    if (!isGiven(run)) return (await this.#stepById(step, requests)).step;
    const key = idOf(run);
    return this.#reread(this.#runs, key, async () =>
      pickStep(await this.#stepsOf(key, requests), step, key),
    );
  }

  async #field(target: Target, requests: RequestScope): Promise<RunStepField> {
    const { field } = target;
    if (!isGiven(field)) throw notFound('No field is given: neither an id nor a name.');
    if (isGiven(target.step)) {
      const { id } = await this.step(target, requests);
      return this.#reread(this.#steps, String(id), async () =>
        pickField(await this.#stepById(id, requests), field),
      );
    }
    if (!isGiven(target.run)) return (await this.#fieldById(field, requests)).field;
    throw notFound(`The field "${field}" needs the step that it is in, or only its id.`);
  }

  /** The next one who asks for it reads it again. */
  forgetStep({ id, runId }: RunStep): void {
    this.#found = new LruCache(LOOKUP_CACHE_SIZE, MAX_CACHE_WEIGHT);
    this.#steps.delete(String(id));
    this.#runs.delete(String(runId));
  }

  /** The next one who asks for it reads it again. */
  forgetField({ id, runStepId }: RunStepField): void {
    this.#found = new LruCache(LOOKUP_CACHE_SIZE, MAX_CACHE_WEIGHT);
    this.#fields.delete(String(id));
    this.#steps.delete(String(runStepId));
  }

  /** What is not found may have been added, or renamed, since the rows were read. */
  async #reread<Row>(
    rows: LruCache<string, unknown>,
    key: string,
    find: () => Promise<Row>,
  ): Promise<Row> {
    const wasKnown = rows.get(key) !== undefined;
    try {
      return await find();
    } catch (thrown) {
      if (!wasKnown || toIonError(thrown).code !== 'ION_NOT_FOUND') throw thrown;
      rows.delete(key);
      return find();
    }
  }

  #stepsOf(run: string, requests: RequestScope): Promise<RunStep[]> {
    return kept(this.#runs, run, requests, async () => {
      const { data } = await requests.send(parseOperation(RUN_QUERY), { id: run });
      const found = foreignRow(data.run);
      if (!found) throw notFound(`ION has no run "${shown(run)}", or the API key may not see it.`);
      return takeRows(found.steps, toStep, this.#stepRows);
    });
  }

  #stepById(step: Reference, requests: RequestScope): Promise<StepWithFields> {
    const id = idOf(step);
    return kept(this.#steps, id, requests, async () => {
      const { data } = await requests.send(parseOperation(STEP_QUERY), { id });
      const found = foreignRow(data.runStep);
      const row = found && toStep(found);
      if (!row) {
        throw notFound(
          `ION has no run step with the id "${shown(id)}". A title or a position needs the run as well.`,
        );
      }
      const step = oneRow(this.#stepRows, row);
      const fields = await takeRows(found.fields, toField, this.#fieldRows);
      return {
        value: { step: step.value, fields: fields.value },
        weight: step.weight + fields.weight,
      };
    });
  }

  #fieldById(field: Reference, requests: RequestScope): Promise<FieldOfRun> {
    const id = idOf(field);
    return kept(this.#fields, id, requests, async () => {
      const { data } = await requests.send(parseOperation(FIELD_QUERY), { id });
      const found = foreignRow(data.runStepField);
      const row = found && toField(found);
      if (!row) {
        throw notFound(
          `ION has no field with the id "${shown(id)}". A name needs the step as well.`,
        );
      }
      const runId = await this.#runIdOfField(row, foreignRow(found.step), requests);
      const { value, weight } = oneRow(this.#fieldRows, row);
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
    if (runStepId === null) throw withoutRun();
    return runIdOf((await this.#stepById(runStepId, requests)).step);
  }
}

/** @throws IonError `ION_RESPONSE` */
function runIdOf({ runId }: RunStep): string {
  if (runId === null) throw withoutRun();
  return String(runId);
}

function withoutRun(): IonError {
  return new IonError('ION_RESPONSE', 'ION answered a step without the id of its run.');
}

/** `undefined` for a row without an id. */
function toStep(row: ForeignRow): RunStep | undefined {
  const id = idIn(row.id);
  if (id === null) return undefined;
  return {
    id,
    runId: idIn(row.runId),
    title: nameIn(row.title),
    position: numberIn(row.position),
    status: wordIn(row.status),
    entityId: idIn(row.entityId),
    _etag: etagIn(row._etag),
  };
}

/** `undefined` for a row without an id. */
function toField(row: ForeignRow): RunStepField | undefined {
  const id = idIn(row.id);
  if (id === null) return undefined;
  return {
    id,
    runStepId: idIn(row.runStepId),
    name: nameIn(row.name),
    type: wordIn(row.type),
    options: optionsIn(row.options),
    _etag: etagIn(row._etag),
  };
}

/**
 * The rows in a list of ION's answer, whatever else it holds.
 * @throws IonError `ION_RESPONSE` for more of them than a run can have
 */
async function takeRows<Row extends RunStep | RunStepField>(
  list: unknown,
  take: (row: ForeignRow) => Row | undefined,
  known: LruCache<string, Row>,
): Promise<Weighed<Row[]>> {
  const rows: Weighed<Row[]> = { value: [], weight: 1 };
  if (!Array.isArray(list)) return rows;
  if (list.length > MAX_RUN_ROWS) {
    throw new IonError(
      'ION_RESPONSE',
      `ION answered with more than ${MAX_RUN_ROWS} steps or fields.`,
    );
  }
  const slices = new Slices();
  for (const item of list) {
    if (slices.isOver) await slices.pause();
    const found = foreignRow(item);
    const row = found && take(found);
    if (!row) continue;
    const { value, weight } = oneRow(known, row);
    rows.value.push(value);
    rows.weight += weight;
  }
  return rows;
}

function oneRow<Row extends RunStep | RunStepField>(
  rows: LruCache<string, Row>,
  row: Row,
): Weighed<Row> {
  const key = String(row.id);
  const known = rows.get(key);
  const weight = weightOf(row, MAX_CACHE_WEIGHT);
  // Other caches weighed the known row as it was, so that it must not become much larger.
  const mayGrow = known && weight <= Math.max(SMALL_ROW, weightOf(known, MAX_CACHE_WEIGHT));
  const value = mayGrow ? Object.assign(known, row) : row;
  rows.set(key, value, weight);
  return { value, weight };
}

/** A row in use stays the only object for its id: a second one would have an etag of its own. */
function countUse<Row extends RunStep | RunStepField>(rows: LruCache<string, Row>, row: Row): void {
  rows.get(String(row.id));
}

/** What is not there is empty: a message without the property, or an input that was left blank. */
export function isGiven(reference: Reference | undefined | null): reference is Reference {
  return reference !== undefined && reference !== null && foldedName(String(reference)) !== '';
}

/** An id as text: a PLC may send it with leading zeros. */
export function idOf(reference: Reference): string {
  const text = foldedName(String(reference));
  if (!/^\d+$/.test(text)) return text;
  let begin = 0;
  while (text[begin] === '0' && begin < text.length - 1) begin++;
  return text.slice(begin);
}

/**
 * Refuses what no id, title or name can be, before it is kept or sent anywhere.
 * @throws IonError `ION_VARIABLES`
 */
export function checkTarget(target: Target): void {
  for (const [what, reference] of Object.entries(target)) {
    checkName(`The ${what}`, reference);
    if (typeof reference !== 'number' || isExactId(reference)) continue;
    throw new IonError(
      'ION_VARIABLES',
      `The ${what} is the number ${reference}, which cannot be an id. Send an id of more than 15 digits as text.`,
    );
  }
}

/** JavaScript rounds larger whole numbers, to the id of something else. */
function isExactId(id: number): boolean {
  return Number.isFinite(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}

/**
 * @param what begins the sentence that refuses it
 * @throws IonError `ION_VARIABLES`
 */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name.length <= MAX_NAME) return;
  throw new IonError(
    'ION_VARIABLES',
    `${what} is longer than ${MAX_NAME} characters ("${quote(name)}").`,
  );
}

/** One request for all who ask meanwhile; a failed one is not kept. */
async function kept<Value>(
  map: LruCache<string, Promise<Value>>,
  key: string,
  requests: RequestScope,
  read: () => Promise<Weighed<Value>>,
): Promise<Value> {
  for (;;) {
    let value = map.get(key);
    if (!value) {
      const reading = read();
      const result = reading.then((read) => read.value);
      value = result;
      map.set(key, result);
      const weigh = ({ weight }: Weighed<Value>) => {
        if (map.get(key) !== result) return;
        map.set(key, result, weightOf(key, MAX_CACHE_WEIGHT) + weight);
      };
      // The caller below handles a failure of the reading.
      reading.then(weigh).catch(() => {});
    }
    try {
      return await value;
    } catch (thrown) {
      if (map.get(key) === value) map.delete(key);
      // Only the flow of the one who asked first was stopped.
      const isOthers = toIonError(thrown).code === 'ION_CLOSED' && !requests.signal.aborted;
      if (!isOthers || requests.isClosed) throw thrown;
    }
  }
}

/** An id comes before a title, a title before a position. */
function pickStep(steps: readonly RunStep[], wanted: Reference, run: string): RunStep {
  const text = String(wanted);
  const number = foldedName(text);
  const byId = steps.find(({ id }) => String(id) === number);
  if (byId) return byId;
  const found = byName(steps, text, ({ title }) => title);
  const matching =
    found.length > 0 ? found : steps.filter(({ position }) => same(position, number));
  return only(
    matching,
    `step "${shown(text)}" in run ${shown(run)}`,
    steps,
    ({ id, title, position }) => {
      return `${shown(id)} "${shown(title)}" (position ${shown(position)})`;
    },
  );
}

function pickField(
  { step: { id, title }, fields }: StepWithFields,
  wanted: Reference,
): RunStepField {
  const text = String(wanted);
  const number = foldedName(text);
  const byId = fields.find((field) => String(field.id) === number);
  if (byId) return byId;
  const matching = byName(fields, text, ({ name }) => name);
  const what = `field "${shown(text)}" in step ${shown(id)} "${shown(title)}"`;
  return only(matching, what, fields, (field) => `${shown(field.id)} "${shown(field.name)}"`);
}

/** As it is written, else where nobody sees a difference, else in any case of letters. */
function byName<Row>(rows: readonly Row[], name: string, of: (row: Row) => string | null): Row[] {
  // A very long name cannot be what was asked for.
  const nameOf = (row: Row) => String(of(row) ?? '').slice(0, 2 * MAX_NAME);
  const found = rowsNamed(rows, name, nameOf);
  if (found.length > 0) return found;
  return rowsNamed(rows, name.toLowerCase(), (row) => nameOf(row).toLowerCase());
}

/** A value of ION's rows, or of a message, in an error text; it may be missing. */
function shown(value: Id | null): string {
  return value === null ? '?' : quote(spelledName(String(value).slice(0, MAX_SHOWN)));
}

function same(position: number | null, text: string): boolean {
  return position !== null && String(position) === text;
}

function only<Row>(
  matching: readonly Row[],
  what: string,
  all: readonly Row[],
  label: (row: Row) => string,
): Row {
  const [first, second] = matching;
  if (first && !second) return first;
  const candidates = matching.length > 0 ? matching : all;
  const told = candidates.slice(0, MAX_CANDIDATES_LISTED).map(label).join(', ');
  const more = candidates.length > MAX_CANDIDATES_LISTED ? ' …' : '';
  throw notFound(
    second
      ? `There is more than one ${what}: ${told}${more}. Give the id.`
      : `There is no ${what}. There are: ${told || 'none'}${more}.`,
  );
}

function notFound(text: string): IonError {
  return new IonError('ION_NOT_FOUND', text);
}
