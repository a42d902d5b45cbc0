import { IonError, quote, type Reason } from '../errors.js';
import type { Id } from '../support/known-columns.js';
import { foldedName, rowsNamed, spelledName } from '../support/name-matching.js';
import type { RunStep, RunStepField } from './step-rows.js';
import { MAX_NAME_LENGTH, type Reference } from './target.js';

const MAX_CANDIDATES_LISTED = 10;
/** A longer name is cut before it is quoted in an error. */
const MAX_SHOWN_LENGTH = 500;

/**
 * The step that a reference means. An id comes before a title, a title before a position.
 * @throws IonError `ION_NOT_FOUND`, listing the candidates
 */
export function pickStep(steps: readonly RunStep[], wanted: Reference, run: string): RunStep {
  const text = String(wanted);
  const number = foldedName(text);
  const byId = steps.find(({ id }) => String(id) === number);
  if (byId) return byId;
  const byTitle = byName(steps, text, ({ title }) => title);
  const byPosition = steps.filter(
    ({ position }) => position !== null && String(position) === number,
  );
  return onlyOne(
    byTitle.length > 0 ? byTitle : byPosition,
    ['step', text],
    `in run ${shown(run)}`,
    steps,
    ({ id, title, position }) => `${shown(id)} "${shown(title)}" (position ${shown(position)})`,
  );
}

/**
 * The field that a reference means. An id comes before a name.
 * @throws IonError `ION_NOT_FOUND`, listing the candidates
 */
export function pickField(
  fields: readonly RunStepField[],
  wanted: Reference,
  step: RunStep,
): RunStepField {
  const text = String(wanted);
  const number = foldedName(text);
  const byId = fields.find(({ id }) => String(id) === number);
  if (byId) return byId;
  return onlyOne(
    byName(fields, text, ({ name }) => name),
    ['field', text],
    `in step ${shown(step.id)} "${shown(step.title)}"`,
    fields,
    ({ id, name }) => `${shown(id)} "${shown(name)}"`,
  );
}

export function notFound(text: string, reason: Reason): IonError {
  return new IonError('ION_NOT_FOUND', text, { reason });
}

/** A value in an error text. */
export function shown(value: Id | null): string {
  return value === null ? '?' : quote(spelledName(String(value).slice(0, MAX_SHOWN_LENGTH)));
}

/** Matches the exact name, else a name with invisible differences, else a name in another case. */
function byName<Row>(rows: readonly Row[], name: string, of: (row: Row) => string | null): Row[] {
  // A name that is much longer than any reference cannot match.
  const nameOf = (row: Row) => String(of(row) ?? '').slice(0, 2 * MAX_NAME_LENGTH);
  const found = rowsNamed(rows, name, nameOf);
  if (found.length > 0) return found;
  return rowsNamed(rows, name.toLowerCase(), (row) => nameOf(row).toLowerCase());
}

function onlyOne<Row>(
  matching: readonly Row[],
  [kind, name]: ['step' | 'field', string],
  place: string,
  all: readonly Row[],
  label: (row: Row) => string,
): Row {
  const [first, second] = matching;
  if (first && !second) return first;
  const candidates = matching.length > 0 ? matching : all;
  const listed = candidates.slice(0, MAX_CANDIDATES_LISTED).map(label).join(', ');
  const more = candidates.length > MAX_CANDIDATES_LISTED ? ' …' : '';
  const wanted = `${kind} "${shown(name)}" ${place}`;
  if (second) {
    throw notFound(`There is more than one ${wanted}: ${listed}${more}. Use the ID.`, {
      ...{ key: kind === 'step' ? 'severalSteps' : 'severalFields', name },
    });
  }
  throw notFound(`There is no ${wanted}. There are: ${listed || 'none'}${more}.`, {
    ...{ key: kind === 'step' ? 'unknownStep' : 'unknownField', name },
  });
}
