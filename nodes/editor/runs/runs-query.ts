// The query of an ion-runs node as texts for an ion-graphql node.

import type { RowOperator } from '../../client/graphql/filter-operators.js';
import { defaultFields, runs } from '../../client/lists/resources.js';
import {
  filterCondition,
  type RowsFilter,
  rowsDocument,
  rowsVariables,
} from '../../client/lists/rows-query.js';
import { numberExactly, parseExactly } from '../../client/support/json.js';
import type { FilterRow } from '../../shared/filter-row.js';

export interface Choice {
  filters: FilterRow[];
  fields: string[];
  sort: string[];
}

export interface RunsQuery {
  query: string;
  /** JSON; JSONata if values come from the message or the context. */
  variables: string;
  variablesType: 'json' | 'jsonata';
}

/**
 * The query and the variables of an `ion-graphql` node that reads the same runs.
 * @throws Error for a field, an operator or a value that cannot be written
 */
export function runsQuery({ filters, fields, sort }: Choice): RunsQuery {
  const expressions: string[] = [];
  const query = {
    filters: filters.map((row) => ({
      field: row.field,
      op: row.op as RowOperator,
      value: knownValue(row),
    })),
    fields: fields.length > 0 ? fields : [...defaultFields],
    sort,
  };
  const variables = rowsVariables(query, (filter, column) => {
    const { value, op } = filter;
    if (!(value instanceof RuntimeValue)) return filterCondition(filter, column);
    const placeholder = (expression: string) => `@value-${expressions.push(expression) - 1}@`;
    if (op === 'notin') return placeholder(noneOf(column, value));
    return { [column]: { [op]: placeholder(expressionOf(filter, value)) } };
  });
  const json = JSON.stringify(variables, null, 2);
  return {
    query: rowsDocument(runs, query.fields),
    variables: json.replace(/"@value-(\d+)@"/g, (_match, index) => String(expressions[index])),
    variablesType: expressions.length > 0 ? 'jsonata' : 'json',
  };
}

/** A value that is known only at run time, as a JSONata expression. */
class RuntimeValue {
  readonly expression: string;

  constructor(expression: string) {
    this.expression = expression;
  }
}

/** The value of a typed input, evaluated as Node-RED does. */
function knownValue({ value, valueType }: FilterRow): unknown {
  switch (valueType) {
    case 'num':
      return knownNumber(value);
    case 'bool':
      return /^true$/i.test(value);
    case 'json':
      return parseExactly(value);
    case 'msg':
      return new RuntimeValue(jsonataPath(value));
    case 'flow':
    case 'global':
      return new RuntimeValue(contextOf(valueType, value));
    case 'jsonata':
      return new RuntimeValue(`(${value})`);
    case 'env':
      return new RuntimeValue(`$env(${JSON.stringify(value)})`);
    default:
      return value;
  }
}

/** @throws Error for a number that JSON would turn into null */
function knownNumber(text: string): number | string {
  const number = numberExactly(text);
  if (typeof number === 'string' || Number.isFinite(number)) return number;
  throw new Error(`"${text}" is not a number.`);
}

/** The conversion that `filterCondition` makes of a value, as JSONata. */
function expressionOf({ op }: RowsFilter, { expression }: RuntimeValue): string {
  if (op === 'isnull') return `$string(${expression}) != "false"`;
  if (op !== 'in') return expression;
  return `($list := ${expression}; ${LIST})`;
}

/** The list in `$list`, which may be a text. */
const LIST = '[$type($list) = "string" ? $split($list, ",").$trim($) : $list]';

/** The condition that `filterCondition` makes of "is not one of", as JSONata. */
function noneOf(column: string, { expression }: RuntimeValue): string {
  const isEmpty = (isnull: boolean) => `{"${column}": {"isnull": ${isnull}}}`;
  return `($list := ${expression}; $values := ${LIST};
    $others := [$values[$ != null].{"${column}": {"neq": $}}];
    null in $values ? {"and_": $append([${isEmpty(false)}], $others)}
    : $count($others) = 0 ? {"or_": [${isEmpty(true)}, ${isEmpty(false)}]}
    : {"or_": [${isEmpty(true)}, {"and_": $others}]})`;
}

function jsonataPath(property: string): string {
  return RED.utils
    .normalisePropertyExpression(property)
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      return `${index > 0 ? '.' : ''}${/^[A-Za-z_]\w*$/.test(part) ? part : `\`${part}\``}`;
    })
    .join('');
}

function contextOf(scope: 'flow' | 'global', value: string): string {
  const { key, store } = RED.utils.parseContextKey(value);
  const names = [key, ...(store ? [store] : [])].map((name) => JSON.stringify(name)).join(', ');
  return `$${scope}Context(${names})`;
}
