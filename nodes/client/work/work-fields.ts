import { boundedCopy } from '../support/json-size.js';
import { foreignRow, type Id, idIn, nameIn, optionsIn, wordIn } from '../support/known-columns.js';
import { toValidations } from './validations.js';
import type { WorkField } from './work.js';
import { flagIn } from './work-rows.js';

const MAX_FIELDS = 1000;
/** Limits for the values of all fields of a step together. */
const MAX_VALUES = 10_000;
const MAX_CHARACTERS = 500_000;
const MAX_DEPTH = 10;

/**
 * The fields of a step by name, as an object without a prototype. A name that another field has
 * already is followed by the ID, as in `Torque (12)`; a field without a name has only its ID.
 * @param value the fields as ION returned them; more than 1,000, and values above 500,000 characters,
 * are cut
 */
export function toFields(value: unknown): Record<string, WorkField> {
  const fields: Record<string, WorkField> = Object.create(null);
  const budget = { values: MAX_VALUES, characters: MAX_CHARACTERS, text: MAX_CHARACTERS };
  const ids = new Set<string>();
  for (const item of Array.isArray(value) ? value.slice(0, MAX_FIELDS) : []) {
    const row = foreignRow(item);
    const id = idIn(row?.id);
    if (!row || id === null || ids.has(String(id))) continue;
    ids.add(String(id));
    fields[freeName(fields, nameIn(row.name), id)] = {
      id,
      type: wordIn(row.type)?.toUpperCase() ?? null,
      unit: nameIn(row.unit),
      required: flagIn(row.required),
      options: optionsIn(row.options),
      value: boundedCopy(row.value ?? null, budget, MAX_DEPTH) ?? null,
      valid: flagIn(row.valid),
      validations: toValidations(row.validations),
    };
  }
  return fields;
}

function freeName(fields: Record<string, WorkField>, name: string | null, id: Id): string {
  let free = name ?? String(id);
  while (free in fields) free += ` (${id})`;
  return free;
}
