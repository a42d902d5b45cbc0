import { type ForeignRow, foreignRow, nameIn, numberIn, wordIn } from '../support/known-columns.js';
import type { WorkValidation } from './work.js';

/** Validations of one field. */
const MAX_VALIDATIONS = 100;

/**
 * The validations of a field, by position.
 * @param value the validations as ION returned them; more than 100 are cut
 */
export function toValidations(value: unknown): WorkValidation[] {
  return rowsIn(value)
    .toSorted((a, b) => positionOf(a) - positionOf(b))
    .map((row) => {
      const { displayName, functionName } = foreignRow(row.function) ?? {};
      return {
        name: nameIn(displayName) || nameIn(functionName) || null,
        value: numberIn(row.value),
        result: wordIn(row.result)?.toUpperCase() ?? null,
      };
    });
}

/** Validations that were made by `toValidations`, as they are read from the disk. */
export function knownValidations(value: unknown): WorkValidation[] {
  return rowsIn(value).map((row) => ({
    name: nameIn(row.name),
    value: numberIn(row.value),
    result: wordIn(row.result),
  }));
}

function rowsIn(value: unknown): ForeignRow[] {
  const list = Array.isArray(value) ? value.slice(0, MAX_VALIDATIONS) : [];
  return list.map(foreignRow).filter((row) => row !== undefined);
}

/** A validation without a position comes last. */
function positionOf({ position }: ForeignRow): number {
  return numberIn(position) ?? Number.MAX_VALUE;
}
