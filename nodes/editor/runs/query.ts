// The query that a node would send, as far as it is known before a message arrives.

import type { FilterOperator } from '../../client/graphql/filter-operators.js';
import { defaultFields, runs } from '../../client/lists/resources.js';
import {
  filterValue,
  type RowsFilter,
  rowsDocument,
  rowsVariables,
} from '../../client/lists/rows-query.js';
import { numberExactly, parseExactly } from '../../client/support/json.js';
import type { FilterRow } from '../query-builder/filters.js';

export interface Choice {
  filters: FilterRow[];
  fields: string[];
  sort: string[];
}

export interface RunsText {
  query: string;
  /** JSON, or where values come from the message or the context, JSONata. */
  variables: string;
  variablesType: 'json' | 'jsonata';
}

/**
 * The texts of an `ion-graphql` node that reads the same.
 * @throws Error for what cannot be written as GraphQL or as a value
 */
export function runsText({ filters, fields, sort }: Choice): RunsText {
  const expressions: string[] = [];
  const query = {
    filters: filters.map((row) => ({
      field: row.field,
      op: row.op as FilterOperator,
      value: knownValue(row),
    })),
    fields: fields.length > 0 ? fields : [...defaultFields],
    sort,
  };
  const variables = rowsVariables(query, (filter) => {
    if (!(filter.value instanceof Later)) return filterValue(filter);
    return `@later-${expressions.push(expressionOf(filter, filter.value)) - 1}@`;
  });
  const json = JSON.stringify(variables, null, 2);
  return {
    query: rowsDocument(runs, query.fields),
    variables: json.replace(/"@later-(\d+)@"/g, (_match, index) => String(expressions[index])),
    variablesType: expressions.length > 0 ? 'jsonata' : 'json',
  };
}

/** A value that only a message or the context has, as a JSONata expression. */
class Later {
  readonly expression: string;

  constructor(expression: string) {
    this.expression = expression;
  }
}

/** As Node-RED evaluates a typed input. */
function knownValue({ value, valueType }: FilterRow): unknown {
  switch (valueType) {
    case 'num':
      return knownNumber(value);
    case 'bool':
      return /^true$/i.test(value);
    case 'json':
      return parseExactly(value);
    case 'msg':
      return new Later(pathOf(value));
    case 'flow':
    case 'global':
      return new Later(contextOf(valueType, value));
    case 'jsonata':
      return new Later(`(${value})`);
    case 'env':
      return new Later(`$env(${JSON.stringify(value)})`);
    default:
      return value;
  }
}

/** @throws Error for what JSON would turn into null */
function knownNumber(text: string): number | string {
  const number = numberExactly(text);
  if (typeof number === 'string' || Number.isFinite(number)) return number;
  throw new Error(`"${text}" is not a number.`);
}

/** What `filterValue` does to a value, in JSONata. */
function expressionOf({ op }: RowsFilter, { expression }: Later): string {
  if (op === 'isnull') return `$string(${expression}) != "false"`;
  if (op !== 'in') return expression;
  return `($list := ${expression}; [$type($list) = "string" ? $split($list, ",").$trim($) : $list])`;
}

function pathOf(property: string): string {
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
  const place = [key, ...(store ? [store] : [])].map((part) => JSON.stringify(part)).join(', ');
  return `$${scope}Context(${place})`;
}
