// The value of a filter: a typed input whose types depend on the operator.
import { nameTypedInput } from '../shared/name-typed-input.js';
import type { Operator } from './list-schema.js';
import { queryText } from './query-text.js';
import { type StoredValue, valueSources, valueTypes } from './value-types.js';

export interface FilterValue {
  read(): StoredValue;
  /**
   * Offers the types of an operator.
   * @param entered the filter as it is in the dialog
   * @param operator the operator in the schema; `undefined` if there is no schema or no such operator
   * @param stored the stored value if the filter still has its stored field and operator
   */
  offer(
    entered: StoredValue & { field: string; op: string },
    operator: Operator | undefined,
    stored: StoredValue | undefined,
  ): void;
}

/**
 * Adds the input of a value to a row.
 * @param sources the sources of values, as types of typed inputs
 */
export function filterValue(
  row: JQuery,
  { value = '', valueType = 'str' }: Partial<StoredValue>,
  { sources, onChange }: { sources: readonly string[]; onChange: () => void },
): FilterValue {
  const input = $('<input type="text" class="ion-query-value" style="width:100%">');
  const cell = $('<div class="ion-query-value-cell">').append(input).appendTo(row);
  // With all types, so that any stored one can be set.
  input.typedInput({ default: 'str', types: ['str', ...valueSources, 'num', 'bool'] });
  input.typedInput('type', valueType);
  input.typedInput('value', value);
  input.on('change keyup', () => {
    nameParts(cell);
    onChange();
  });
  let offered = '';

  return {
    read: () => ({ value: input.typedInput('value'), valueType: input.typedInput('type') }),
    offer(entered, operator, stored) {
      // New types close an open menu, so they are set only if they differ.
      const target = JSON.stringify([entered.field, entered.op, operator]);
      if (target === offered) return;
      offered = target;
      input.typedInput('types', valueTypes(sources, operator, stored));
      // A drop-down holds its values without blanks.
      if (operator?.values && stored && input.typedInput('type') === 'str') {
        input.typedInput('value', withoutBlanks(entered.value));
      }
      nameParts(cell);
    },
  };
}

/** A list with commas, without the blanks around its items. */
export function withoutBlanks(list: string): string {
  return list
    .split(',')
    .map((item) => item.trim())
    .join(',');
}

/** Names the parts of the typed input, which has no label of its row. */
function nameParts(cell: JQuery): void {
  const name = queryText('ion-runs.label.value');
  nameTypedInput(cell.find('.ion-query-value'), name);
  // A drop-down of values shows the chosen ones only as text.
  const choice = cell.find('.red-ui-typedInput-option-trigger');
  choice.attr('aria-label', `${name}: ${choice.text().trim()}`);
}
