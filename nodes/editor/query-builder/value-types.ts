// The types that the typed input of a filter's value offers.
import type { Operator } from './list-schema.js';
import { queryText } from './query-text.js';

/** The sources of values for a node with an input. */
export const valueSources: readonly string[] = ['msg', 'flow', 'global', 'jsonata', 'env', 'json'];

/** A value as a node stores it. */
export interface StoredValue {
  value: string;
  valueType: string;
}

/**
 * The types to offer, the most likely first.
 * @param operator the operator in the schema; `undefined` if there is no schema or no such operator
 * @param stored the stored value for this operator, whose type and values are offered as well
 */
export function valueTypes(
  sources: readonly string[],
  operator: Operator | undefined,
  stored: StoredValue | undefined,
): (string | TypedInputType)[] {
  const literals = operator ? literalTypes(operator, stored) : ['str', 'num', 'bool'];
  const types = [...literals, ...sources];
  const names = types.map((type) => (typeof type === 'string' ? type : type.value));
  if (stored && !names.includes(stored.valueType)) types.push(stored.valueType);
  return [...new Set(types)];
}

function literalTypes(
  operator: Operator,
  stored: StoredValue | undefined,
): (string | TypedInputType)[] {
  const { type, isList, values } = operator;
  if (values) return [enumType(operator, stored)];
  // A text is split at its commas, but its parts stay texts: ION does not accept them as numbers.
  if (type === 'Boolean') return [isList ? 'json' : 'bool'];
  if (type === 'Int' || type === 'Float') return [isList ? 'json' : 'num'];
  return type === 'String' || type.startsWith('Date') ? ['str'] : ['str', 'num'];
}

/** A drop-down of the enum's values. They are stored as `str`, as if they had been typed. */
function enumType(
  { type, isList, values = [] }: Operator,
  stored: StoredValue | undefined,
): TypedInputType {
  const text = stored?.valueType === 'str' ? stored.value : '';
  const chosen = isList ? text.split(',').map((item) => item.trim()) : [text];
  const unknown = chosen.filter((item) => item !== '' && !values.includes(item));
  return {
    value: 'str',
    label: queryText('ion-runs.label.valueOf', { type }),
    icon: 'fa fa-list-ul',
    options: [...values, ...unknown].map((value) => ({ value, label: value })),
    ...(isList && { multiple: true, valueLabel: showChosen }),
  };
}

function showChosen(container: JQuery, chosen: (string | { value: string })[]): void {
  const values = chosen.map((item) => (typeof item === 'string' ? item : item.value));
  container.text(values.join(', ')).attr('title', values.join(', '));
}
