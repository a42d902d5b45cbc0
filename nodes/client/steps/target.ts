import { IonError, quote } from '../errors.js';
import { foldedName } from '../support/name-matching.js';

/** An id, or the name of a run, a step or a field. */
export type Reference = string | number;

/** The run, step or field that a user refers to. */
export interface Target {
  /** An id, a title, or the serial number of the unit that the run builds. */
  run?: Reference | undefined;
  /** An id, or within a run its title or position. */
  step?: Reference | undefined;
  /** An id, or within a step its name. */
  field?: Reference | undefined;
  /** Why one of them is not given, such as "msg.field does not exist". */
  missing?: Partial<Record<TargetPart, string>>;
}

export type TargetPart = 'run' | 'step' | 'field';

/** A longer id, title or name is a mistake in the flow. */
export const MAX_NAME_LENGTH = 5000;
/** The fields that one message may write. */
const MAX_FIELDS = 1000;

/** Whether a reference is there: a message may lack the property, and an input may be blank. */
export function isGiven(reference: Reference | undefined | null): reference is Reference {
  return reference !== undefined && reference !== null && foldedName(String(reference)) !== '';
}

/** Whether a reference looks like an id, not like a name. */
export function isNumber(id: string): boolean {
  return /^\d+$/.test(id);
}

/** An id as text, without the leading zeros that a PLC may add. */
export function idOf(reference: Reference): string {
  const text = foldedName(String(reference));
  if (!isNumber(text)) return text;
  let begin = 0;
  while (text[begin] === '0' && begin < text.length - 1) begin++;
  return text.slice(begin);
}

/**
 * Rejects references that cannot be an id, title or name, before they are stored or sent.
 * @throws IonError `ION_VARIABLES`
 */
export function checkTarget({ missing, ...references }: Target): void {
  for (const [kind, reference] of Object.entries(references)) {
    checkName(`The ${kind}`, reference);
    if (typeof reference !== 'number' || isExactId(reference)) continue;
    throw new IonError(
      'ION_VARIABLES',
      `The ${kind} is the number ${reference}, which cannot be an ID. Send an ID of more than 15 digits as text.`,
      { reason: { key: 'notReference', name: String(reference) } },
    );
  }
}

/**
 * Rejects a name that is too long.
 * @param subject subject of the sentence in the error
 * @throws IonError `ION_VARIABLES`
 */
export function checkName(subject: string, name: unknown): void {
  if (typeof name !== 'string' || name.length <= MAX_NAME_LENGTH) return;
  throw new IonError(
    'ION_VARIABLES',
    `${subject} is longer than ${MAX_NAME_LENGTH} characters ("${quote(name)}").`,
  );
}

/**
 * Checks the names in a value that holds the values of several fields.
 * @throws IonError `ION_VARIABLES`
 */
export function checkFieldNames(names: readonly string[]): void {
  for (const name of names) checkName('The name of a field', name);
  if (names.length <= MAX_FIELDS) return;
  throw new IonError('ION_VARIABLES', `The value has more than ${MAX_FIELDS} fields.`);
}

/** JavaScript rounds larger whole numbers, and the result could be the id of another object. */
function isExactId(id: number): boolean {
  return Number.isFinite(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}
