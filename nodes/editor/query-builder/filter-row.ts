// One filter in the list: a field, an operator and a typed value.
import { rowOperators } from '../../client/graphql/filter-operators.js';
import type { FilterRow } from '../../shared/filter-row.js';
import { onTextChange } from '../shared/on-text-change.js';
import { filterValue, withoutBlanks } from './filter-value.js';
import { completions, type ListSchema, operatorsOf } from './list-schema.js';
import { queryText } from './query-text.js';

const ARROW_DOWN = 40;

export interface FilterRowEditor {
  read(): FilterRow;
  /** Moves the focus to the field and opens its suggestions. */
  start(): void;
  /** Offers the names of this schema; without one, any name can be entered. */
  offer(schema: ListSchema | undefined): void;
}

interface FilterRowOptions {
  onChange: () => void;
  /** The sources of values, as types of typed inputs. */
  sources: readonly string[];
}

/** Adds the inputs of a filter to a row of the list. */
export function filterRow(
  container: JQuery,
  row: Partial<FilterRow>,
  { onChange, sources }: FilterRowOptions,
): FilterRowEditor {
  const field = fieldInput().val(row.field ?? '');
  const nameRow = () =>
    container.attr('aria-label', queryText('ion-runs.label.filterOn', { field: path() }));
  const operator = operatorSelect();
  container.addClass('ion-query-row').attr('role', 'group').append(field, operator);
  const value = filterValue(container, row, { onChange, sources });
  const problem = $('<div class="ion-query-problem" role="status">').appendTo(container);

  let schema: ListSchema | undefined;
  // The row as it was before the schema arrived. Its field, operator and value are kept, even if the
  // schema does not have them.
  let stored: FilterRow = { field: '', op: 'eq', value: '', valueType: 'str', ...row };

  const path = () => String(field.val()).trim();
  const operators = () => schema && operatorsOf(schema, path());
  const isStored = (entered: FilterRow) =>
    entered.field === stored.field && entered.op === stored.op;

  const read = (): FilterRow => {
    const entered = { field: path(), op: String(operator.val()), ...value.read() };
    // A drop-down writes a list without blanks: that alone is no change.
    const isSameList = withoutBlanks(entered.value) === withoutBlanks(stored.value);
    return isSameList && isStored(entered) ? { ...entered, value: stored.value } : entered;
  };
  const showOperators = () => {
    const known = operators();
    const names: string[] = known?.map(({ name }) => name) ?? [...rowOperators];
    if (path() === stored.field && !names.includes(stored.op)) names.push(stored.op);
    const chosen = String(operator.val() ?? stored.op);
    operator.empty().append(names.map(operatorOption));
    operator.val(names.includes(chosen) ? chosen : String(names[0]));
    nameRow();
    markUnknown(field, problem, schema !== undefined && path() !== '' && known === undefined);
  };
  const showValue = () => {
    const entered = read();
    const chosen = operators()?.find(({ name }) => name === entered.op);
    value.offer(entered, chosen, isStored(entered) ? stored : undefined);
  };

  field.autoComplete({
    search: (typed) =>
      (schema ? completions(schema, typed) : []).map((value) => ({
        value,
        // A relation continues with a field of its own.
        label: value.endsWith('.') ? `${value}…` : value,
      })),
    minLength: 0,
  });
  // The widget notices only keys: not a pasted text, nor an empty field.
  const suggest = () => field.trigger($.Event('keyup', { keyCode: ARROW_DOWN }));
  field.on('input', suggest);
  onTextChange(field, () => {
    showOperators();
    showValue();
    onChange();
  });
  operator.on('change', () => {
    showValue();
    onChange();
  });

  return {
    read,
    start() {
      // The click that added the row would close the suggestions.
      setTimeout(() => {
        field.trigger('focus');
        suggest();
      });
    },
    offer(offered) {
      const isShown = operator.children().length > 0;
      if (isShown) stored = read();
      schema = offered;
      showOperators();
      showValue();
    },
  };
}

function fieldInput(): JQuery {
  return $('<input type="text" class="ion-query-field">')
    .attr('placeholder', queryText('ion-runs.placeholder.field'))
    .attr('aria-label', queryText('ion-runs.label.field'));
}

function operatorSelect(): JQuery {
  const label = queryText('ion-runs.label.operator');
  return $('<select class="ion-query-op">').attr('aria-label', label);
}

function operatorOption(name: string): JQuery {
  const isKnown = (rowOperators as readonly string[]).includes(name);
  return $('<option>')
    .val(name)
    .text(isKnown ? queryText(`ion-runs.op.${name}`) : name);
}

/** Marks a field whose path the schema does not have, and shows the reason below it. */
function markUnknown(field: JQuery, problem: JQuery, isUnknown: boolean): void {
  const name = String(field.val()).trim();
  field.toggleClass('input-error', isUnknown).attr('aria-invalid', String(isUnknown));
  problem.text(isUnknown ? queryText('ion-runs.invalid.unknownFilter', { name }) : '');
  problem.toggle(isUnknown);
}
