// The validators of filters and of lists of names.
import { filterOperators } from '../../client/graphql/filter-operators.js';
import type { FilterRow } from './filters.js';

const NAMES = /^[_A-Za-z]\w*(\.[_A-Za-z]\w*)*$/;

export function names(value: string[], { label = '' }: ValidatorOptions): Validation {
  const wrong = value.find((name) => !NAMES.test(name));
  return wrong === undefined || invalid('name', { label, name: wrong });
}

export function filters(value: FilterRow[], _options: ValidatorOptions): Validation {
  for (const { field, op, value: compared, valueType } of value) {
    if (!NAMES.test(field)) return invalid('filter', { name: field });
    if (!(filterOperators as readonly string[]).includes(op)) {
      return invalid('operator', { field, name: op });
    }
    const valid = RED.utils.validateTypedProperty(compared, valueType, { label: field });
    if (valid !== true) return valid || invalid('value', { field });
    if (valueType !== 'str' && compared.trim() === '') return invalid('value', { field });
  }
  return true;
}

function invalid(key: string, values: Record<string, string>): string {
  return RED._(`@ion-nodes/node-red-ion/ion-runs:ion-runs.invalid.${key}`, values);
}
