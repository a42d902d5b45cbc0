// ION's schema of the rows of a list: the names that its filters, fields and sort can have.
import {
  type FilterOperator,
  filterOperators,
  type RowOperator,
} from '../../client/graphql/filter-operators.js';
import type { Resource } from '../../client/lists/resources.js';
import { type Field, type Introspection, namedType, type SchemaType } from '../shared/schema.js';

/** Limits of a search. */
const MAX_DEPTH = 3;
const MAX_PATHS = 60;

/** The part of a schema that is about the rows of one list. */
export interface ListSchema {
  byName: ReadonlyMap<string, SchemaType>;
  /** Name of the type of a row. */
  row: string;
  /** Name of the type of the list's filters. */
  filters: string;
}

/** An operator of a filter, and the type of its value. */
export interface Operator {
  name: RowOperator;
  /** Name of the value's type. */
  type: string;
  isList: boolean;
  /** The values if the type is an enum. */
  values: string[] | undefined;
}

export interface RowField {
  name: string;
  /** Name of its type. */
  type: string;
  hasFields: boolean;
}

/** The schema of a resource's list; `undefined` if the schema has no such list. */
export function listSchema(
  { __schema: { types, queryType } }: Introspection,
  { list, filters }: Resource,
): ListSchema | undefined {
  const byName = new Map(types.map((type) => [type.name, type]));
  // A list is a connection of edges, each with a row as its node.
  const row = [list, 'edges', 'node'].reduce<string | undefined>((type, name) => {
    const field = byName.get(type ?? '')?.fields?.find((field) => field.name === name);
    return field && namedType(field.type);
  }, queryType.name);
  return row === undefined ? undefined : { byName, row, filters };
}

/** The operators of a filter on this path; `undefined` if the schema has no such filter. */
export function operatorsOf(schema: ListSchema, path: string): Operator[] | undefined {
  const filter = inputType(schema, path.split('.'));
  const operators = (filter?.inputFields ?? []).flatMap(({ name, type }): Operator[] => {
    if (!isOperator(name)) return [];
    const value = namedType(type);
    const isList = type.kind === 'LIST';
    const operator = { name, type: value, isList, values: enumValues(schema, value) };
    return name === 'in' ? [operator, { ...operator, name: 'notin' }] : [operator];
  });
  return operators.length > 0 ? operators : undefined;
}

/** Paths of filters that continue the typed text. The paths of relations end in a dot. */
export function completions(schema: ListSchema, typed: string): string[] {
  const parts = typed.split('.');
  const start = parts.pop()?.toLowerCase() ?? '';
  const prefix = parts.map((part) => `${part}.`).join('');
  const names = (inputType(schema, parts)?.inputFields ?? []).flatMap(({ name, type }) => {
    const filter = schema.byName.get(namedType(type));
    const isCondition = filter && name !== 'and_' && name !== 'or_' && !isOperator(name);
    return isCondition && name.toLowerCase().includes(start) ? { name, filter } : [];
  });
  // Tab accepts the first one: the typed name, or a name that begins with it.
  const match = (name: string) => {
    if (name.toLowerCase() === start) return 0;
    return name.toLowerCase().startsWith(start) ? 1 : 2;
  };
  // Most filters are by a field with a few values, such as the status.
  const kind = ({ name, filter }: { name: string; filter: SchemaType }) => {
    if (isRelation(filter)) return 3;
    if (name.startsWith('_') || name.endsWith('Id')) return 2;
    return hasEnum(schema, filter) ? 0 : 1;
  };
  return names
    .sort(
      (a, b) => match(a.name) - match(b.name) || kind(a) - kind(b) || a.name.localeCompare(b.name),
    )
    .map(({ name, filter }) => `${prefix}${name}${isRelation(filter) ? '.' : ''}`);
}

/** The fields of a type that need no arguments: values first, then objects. */
export function fieldsOf(schema: ListSchema, type: string): RowField[] {
  const fields = (schema.byName.get(type)?.fields ?? [])
    .filter(needsNoArguments)
    .flatMap((field) => {
      const found = schema.byName.get(namedType(field.type));
      if (!found || found.kind === 'UNION') return [];
      return { name: field.name, type: found.name, hasFields: Boolean(found.fields) };
    });
  return [...fields.filter((field) => !field.hasFields), ...fields.filter(hasFields)];
}

/**
 * Whether a field serves ION's programs more than its users. ION begins the names of such fields with
 * an underscore or in upper case (`_etag`, `_StepsCount`, `LastSessionId`), but those of the times of
 * a row as well (`_created`).
 */
export function isTechnical({ name, type }: Pick<RowField, 'name' | 'type'>): boolean {
  return /^[_A-Z]/.test(name) && !type.startsWith('Date');
}

/** Whether a path leads from a row to a value. */
export function isValuePath(schema: ListSchema, path: string): boolean {
  const names = path.split('.');
  let type = schema.row;
  return names.every((name, index) => {
    const field = fieldsOf(schema, type).find((field) => field.name === name);
    type = field?.type ?? '';
    return field !== undefined && field.hasFields === index < names.length - 1;
  });
}

/** Paths to values that contain the text, the shorter ones first. */
export function findPaths(schema: ListSchema, text: string): { path: string; type: string }[] {
  const found: { path: string; type: string }[] = [];
  let level = [{ path: '', type: schema.row }];
  // Types refer to each other endlessly. Deeper values are found by opening the tree.
  for (let depth = 0; depth < MAX_DEPTH && found.length < MAX_PATHS; depth += 1) {
    const next: typeof level = [];
    for (const { path, type } of level) {
      for (const field of fieldsOf(schema, type)) {
        const child = { path: `${path}${field.name}`, type: field.type };
        if (field.hasFields) next.push({ ...child, path: `${child.path}.` });
        else if (child.path.toLowerCase().includes(text.toLowerCase())) found.push(child);
      }
    }
    level = next;
  }
  return found.slice(0, MAX_PATHS);
}

/** The values of an enum; `undefined` for any other type. */
export function enumValues(schema: ListSchema, type: string): string[] | undefined {
  return schema.byName.get(type)?.enumValues?.map(({ name }) => name);
}

function inputType(schema: ListSchema, path: string[]): SchemaType | undefined {
  return path.reduce<SchemaType | undefined>((type, name) => {
    const field = type?.inputFields?.find((field) => field.name === name);
    return field && schema.byName.get(namedType(field.type));
  }, schema.byName.get(schema.filters));
}

function hasEnum(schema: ListSchema, { inputFields }: SchemaType): boolean {
  return Boolean(inputFields?.some(({ type }) => enumValues(schema, namedType(type))));
}

function isRelation({ inputFields }: SchemaType): boolean {
  return !inputFields?.some(({ name }) => isOperator(name));
}

function isOperator(name: string): name is FilterOperator {
  return (filterOperators as readonly string[]).includes(name);
}

function hasFields(field: RowField): boolean {
  return field.hasFields;
}

function needsNoArguments({ args }: Field): boolean {
  return args.every(({ type }) => type.kind !== 'NON_NULL');
}
