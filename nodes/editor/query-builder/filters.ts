// The rows of filters: a field, an operator and a typed value.
import { filterOperators } from '../../client/graphql/filter-operators.js';
import { completions, type Operator, operatorsOf, type Types } from './list-schema.js';

export interface FilterRow {
  field: string;
  op: string;
  value: string;
  valueType: string;
}

export interface FilterList {
  read(): FilterRow[];
  /** Offers what this schema has; without one, everything. */
  offer(types: Types | undefined): void;
}

interface RowEditor {
  read(): FilterRow;
  offer(types: Types | undefined): void;
}

/** What a value may come from, for a node that gets messages. */
const FROM_ELSEWHERE = ['msg', 'flow', 'global', 'jsonata', 'env', 'json'];
const ROW = 'ion-runs-row';

export function filterList(
  node: Texts,
  rows: readonly FilterRow[],
  onChange: () => void,
  sources: readonly string[] = FROM_ELSEWHERE,
): FilterList {
  let offered: Types | undefined;
  const list = $('#ion-runs-filters').editableList<FilterRow>({
    addItem(container, _index, row) {
      const editor = filterRow(node, container, row, { onChange, sources });
      container.data(ROW, editor);
      editor.offer(offered);
      const remove = container.parent().find('.red-ui-editableList-item-remove');
      remove.attr('aria-label', node._('ion-runs.label.removeFilter'));
      onChange();
    },
    removeItem: onChange,
    addButton: node._('ion-runs.label.addFilter'),
    removable: true,
    height: 'auto',
  });
  const editors = () =>
    list
      .editableList('items')
      .toArray()
      .map((element) => $(element).data(ROW) as RowEditor);
  for (const row of rows) list.editableList('addItem', row);
  return {
    read: () => editors().map((editor) => editor.read()),
    offer(types) {
      offered = types;
      for (const editor of editors()) editor.offer(types);
    },
  };
}

function filterRow(
  node: Texts,
  container: JQuery,
  row: Partial<FilterRow>,
  { onChange, sources }: { onChange: () => void; sources: readonly string[] },
): RowEditor {
  const field = $('<input type="text" class="ion-runs-field">')
    .attr('placeholder', node._('ion-runs.placeholder.field'))
    .attr('aria-label', node._('ion-runs.label.field'))
    .val(row.field ?? '');
  const op = $('<select class="ion-runs-op">').attr(
    'aria-label',
    node._('ion-runs.label.operator'),
  );
  const value = $('<input type="text" class="ion-runs-value" style="width:100%">');
  container
    .addClass('ion-runs-row')
    .append(field, op, $('<div class="ion-runs-value-cell">').append(value));
  value.typedInput({ default: 'str', types: ['str', ...FROM_ELSEWHERE, 'num', 'bool'] });
  value.typedInput('type', row.valueType ?? 'str');
  value.typedInput('value', row.value ?? '');
  field.autoComplete({ search: (typed) => (types ? completions(types, typed) : []), minLength: 0 });

  let types: Types | undefined;
  let operators: Operator[] | undefined;
  /** What the row held when the schema came: it stays, even where the schema has no such thing. */
  let kept: FilterRow = { field: '', op: 'eq', value: '', valueType: 'str', ...row };
  let shown = '';

  const read = (): FilterRow => {
    const entered = {
      field: String(field.val()).trim(),
      op: String(op.val()),
      value: value.typedInput('value'),
      valueType: value.typedInput('type'),
    };
    // A drop-down writes a list without blanks; that alone is no change.
    const isSame = withoutBlanks(entered.value) === withoutBlanks(kept.value);
    return isSame && isKept(entered) ? { ...entered, value: kept.value } : entered;
  };
  const isKept = (entered: FilterRow) => entered.field === kept.field && entered.op === kept.op;

  const showOperators = () => {
    const { field: path } = read();
    const chosen = String(op.val() ?? kept.op);
    operators = types && operatorsOf(types, path);
    const names = operators?.map(({ name }) => name as string) ?? [...filterOperators];
    if (path === kept.field && !names.includes(kept.op)) names.push(kept.op);
    op.empty().append(names.map((name) => operatorOption(node, name)));
    op.val(names.includes(chosen) ? chosen : String(names[0]));
    const isUnknown = Boolean(types) && path !== '' && !operators;
    field
      .toggleClass('input-error', isUnknown)
      .attr('aria-invalid', String(isUnknown))
      .attr('title', isUnknown ? node._('ion-runs.invalid.unknownFilter', { name: path }) : '');
  };
  const showTypes = () => {
    const entered = read();
    const operator = operators?.find(({ name }) => name === entered.op);
    const offered = valueTypes(node, sources, operator, isKept(entered) ? kept : undefined);
    const now = JSON.stringify([entered.field, entered.op, operator]);
    // Set anew only where something else is offered, because that closes menus.
    if (now === shown) return;
    shown = now;
    value.typedInput('types', offered);
    // A drop-down holds its values without blanks.
    if (operator?.values && value.typedInput('type') === 'str' && isKept(entered)) {
      value.typedInput('value', withoutBlanks(entered.value));
    }
    nameButtons(node, value);
  };

  let last = kept.field;
  // Completion by Tab sets the text without an event of its own.
  field.on('change keyup blur', () => {
    if (read().field === last) return;
    last = read().field;
    showOperators();
    showTypes();
    onChange();
  });
  op.on('change', () => {
    showTypes();
    onChange();
  });
  value.on('change keyup', onChange);

  return {
    read,
    offer(offered) {
      if (op.children().length > 0) kept = read();
      types = offered;
      showOperators();
      showTypes();
    },
  };
}

function operatorOption(node: Texts, name: string): JQuery {
  const known = (filterOperators as readonly string[]).includes(name);
  return $('<option>')
    .val(name)
    .text(known ? node._(`ion-runs.op.${name}`) : name);
}

/** What a value may come from, the most likely first. */
function valueTypes(
  node: Texts,
  sources: readonly string[],
  operator: Operator | undefined,
  kept: FilterRow | undefined,
): (string | TypedInputType)[] {
  const types = operator
    ? [...ownTypes(node, operator, kept), ...sources]
    : ['str', 'num', 'bool', ...sources];
  const names = types.map((type) => (typeof type === 'string' ? type : type.value));
  if (kept && !names.includes(kept.valueType)) types.push(kept.valueType);
  return [...new Set(types)];
}

function ownTypes(
  node: Texts,
  operator: Operator,
  kept: FilterRow | undefined,
): (string | TypedInputType)[] {
  const { type, isList, values } = operator;
  if (values) return [enumType(node, operator, kept)];
  // Texts of a list are split at commas, but stay texts: ION takes none for a number.
  if (type === 'Boolean') return [isList ? 'json' : 'bool'];
  if (type === 'Int' || type === 'Float') return [isList ? 'json' : 'num'];
  return type === 'String' || type.startsWith('Date') ? ['str'] : ['str', 'num'];
}

/** Stored as `str`, so that a flow reads as if the value had been typed. */
function enumType(
  node: Texts,
  { type, isList, values = [] }: Operator,
  kept: FilterRow | undefined,
): TypedInputType {
  const stored = kept?.valueType === 'str' ? kept.value : '';
  const others = (isList ? stored.split(',').map((item) => item.trim()) : [stored]).filter(
    (item) => item !== '' && !values.includes(item),
  );
  return {
    value: 'str',
    label: node._('ion-runs.label.valueOf', { type }),
    icon: 'fa fa-list-ul',
    options: [...values, ...others].map((value) => ({ value, label: value })),
    ...(isList && { multiple: true, valueLabel: showChosen }),
  };
}

function showChosen(container: JQuery, chosen: (string | { value: string })[]): void {
  const values = chosen.map((item) => (typeof item === 'string' ? item : item.value));
  container.text(values.join(', ')).attr('title', values.join(', '));
}

/** The widget's buttons have icons only. */
function nameButtons(node: Texts, value: JQuery): void {
  const cell = value.parent();
  cell
    .find('.red-ui-typedInput-type-select')
    .attr('aria-label', node._('ion-runs.label.valueType'));
  cell.find('.red-ui-typedInput-input').attr('aria-label', node._('ion-runs.label.value'));
}

function withoutBlanks(list: string): string {
  return list
    .split(',')
    .map((item) => item.trim())
    .join(',');
}
