// What ION's schema tells of the rows of a list: the names that filters, fields and sort may have.

import { type FilterOperator, filterOperators } from '../../client/graphql/filter-operators.js';
import type { Resource } from '../../client/lists/resources.js';
import { type Field, type Introspection, namedType, type SchemaType } from '../shared/schema.js';

/** A schema, as far as it is about the rows of one list. */
export interface Types {
  byName: ReadonlyMap<string, SchemaType>;
  /** Name of the type of a row. */
  row: string;
  /** Name of the type of the list's filters. */
  filters: string;
}

/** One operator of a filter, and what it compares with. */
export interface Operator {
  name: FilterOperator;
  /** Name of the value's type. */
  type: string;
  isList: boolean;
  /** The values, where the type is an enum. */
  values: string[] | undefined;
}

export interface RunField {
  name: string;
  /** Name of its type. */
  type: string;
  description: string | null;
  hasFields: boolean;
}

/** `undefined` where the schema has no such list. */
export function typesOf(
  { __schema: { types, queryType } }: Introspection,
  { list, filters }: Resource,
): Types | undefined {
  const byName = new Map(types.map((type) => [type.name, type]));
  // A list is a connection of edges, each with a row as its node.
  const row = [list, 'edges', 'node'].reduce<string | undefined>((type, name) => {
    const field = byName.get(type ?? '')?.fields?.find((field) => field.name === name);
    return field && namedType(field.type);
  }, queryType.name);
  return row === undefined ? undefined : { byName, row, filters };
}

/** The operators of a filter on this path; `undefined` where the schema has no such filter. */
export function operatorsOf(types: Types, path: string): Operator[] | undefined {
  const filter = inputType(types, path.split('.'));
  const operators = (filter?.inputFields ?? []).flatMap(({ name, type }) => {
    if (!isOperator(name)) return [];
    const value = namedType(type);
    return { name, type: value, isList: type.kind === 'LIST', values: enumValues(types, value) };
  });
  return operators.length > 0 ? operators : undefined;
}

/** Paths of filters that continue what was typed; those of relations end in a dot. */
export function completions(types: Types, typed: string): string[] {
  const parts = typed.split('.');
  const start = parts.pop()?.toLowerCase() ?? '';
  const prefix = parts.map((part) => `${part}.`).join('');
  const names = (inputType(types, parts)?.inputFields ?? []).flatMap(({ name, type }) => {
    const filter = types.byName.get(namedType(type));
    const isCondition = filter && name !== 'and_' && name !== 'or_' && !isOperator(name);
    return isCondition && name.toLowerCase().includes(start) ? { name, filter } : [];
  });
  // The one that is accepted with Tab stands first: what was typed, or what begins with it.
  const rank = (name: string) => {
    if (name.toLowerCase() === start) return 0;
    return name.toLowerCase().startsWith(start) ? 1 : 2;
  };
  return names
    .sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name))
    .map(({ name, filter }) => `${prefix}${name}${isRelation(filter) ? '.' : ''}`);
}

/** What can be read of a type without arguments: values first, then what holds more. */
export function fieldsOf(types: Types, type: string): RunField[] {
  const fields = (types.byName.get(type)?.fields ?? [])
    .filter(needsNoArguments)
    .flatMap((field) => {
      const { name, description } = field;
      const of = types.byName.get(namedType(field.type));
      if (!of || of.kind === 'UNION') return [];
      return { name, description, type: of.name, hasFields: Boolean(of.fields) };
    });
  return [...fields.filter((field) => !field.hasFields), ...fields.filter(hasFields)];
}

/** Whether a path of a row leads to a value. */
export function isValuePath(types: Types, path: string): boolean {
  const names = path.split('.');
  let type = types.row;
  return names.every((name, index) => {
    const field = fieldsOf(types, type).find((field) => field.name === name);
    type = field?.type ?? '';
    return field !== undefined && field.hasFields === index < names.length - 1;
  });
}

/** Paths to values that hold the text, the shorter ones first. */
export function findPaths(types: Types, text: string, most = 60): { path: string; type: string }[] {
  const found: { path: string; type: string }[] = [];
  let level = [{ path: '', type: types.row }];
  // Types refer to each other without end: deeper values are found by opening the tree.
  for (let depth = 0; depth < 3 && found.length < most; depth += 1) {
    const next: typeof level = [];
    for (const { path, type } of level) {
      for (const field of fieldsOf(types, type)) {
        const child = { path: `${path}${field.name}`, type: field.type };
        if (field.hasFields) next.push({ ...child, path: `${child.path}.` });
        else if (child.path.toLowerCase().includes(text.toLowerCase())) found.push(child);
      }
    }
    level = next;
  }
  return found.slice(0, most);
}

export function enumValues(types: Types, type: string): string[] | undefined {
  return types.byName.get(type)?.enumValues?.map(({ name }) => name);
}

function inputType(types: Types, path: string[]): SchemaType | undefined {
  return path.reduce<SchemaType | undefined>((type, name) => {
    const field = type?.inputFields?.find((field) => field.name === name);
    return field && types.byName.get(namedType(field.type));
  }, types.byName.get(types.filters));
}

function isRelation({ inputFields }: SchemaType): boolean {
  return !inputFields?.some(({ name }) => isOperator(name));
}

function isOperator(name: string): name is FilterOperator {
  return (filterOperators as readonly string[]).includes(name);
}

function hasFields(field: RunField): boolean {
  return field.hasFields;
}

function needsNoArguments({ args }: Field): boolean {
  return args.every(({ type }) => type.kind !== 'NON_NULL');
}
