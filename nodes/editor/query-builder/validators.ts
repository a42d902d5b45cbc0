// The validators of filters and of lists of names.
import { rowOperators } from '../../client/graphql/filter-operators.js';
import type { FilterRow } from '../../shared/filter-row.js';
import { type ListSchema, operatorsOf } from './list-schema.js';
import { queryText } from './query-text.js';

const NAME = /^[_A-Za-z]\w*(\.[_A-Za-z]\w*)*$/;

/** Names of fields, or of keys to sort by. */
export function validNames(value: string[], { label = '' }: ValidatorOptions): Validation {
  const wrong = value.find((name) => !NAME.test(name));
  return wrong === undefined || invalid('name', { label, name: wrong });
}

/**
 * Filters with a field, an operator and a value of its type.
 * @param schema without one, any field is possible
 */
export function validFilters(value: FilterRow[], schema: ListSchema | undefined): Validation {
  for (const { field, op, value: compared, valueType } of value) {
    if (field === '') return invalid('noField', {});
    if (!NAME.test(field)) return invalid('filter', { name: field });
    if (schema && !operatorsOf(schema, field)) return invalid('unknownFilter', { name: field });
    if (!(rowOperators as readonly string[]).includes(op)) {
      return invalid('operator', { field, name: op });
    }
    const valid = RED.utils.validateTypedProperty(compared, valueType, { label: field });
    if (valid !== true) return valid || invalid('value', { field });
    if (valueType !== 'str' && compared.trim() === '') return invalid('value', { field });
  }
  return true;
}

function invalid(key: string, values: Record<string, string>): string {
  return queryText(`ion-runs.invalid.${key}`, values);
}
