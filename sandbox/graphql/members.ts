import {
  type GraphQLField,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { computedFieldsOf } from '../data/computed-fields.js';
import { entityId, entityTypes, isEntityType } from '../data/entities.js';
import type { Row } from '../data/model.js';
import type { Getter, Store } from '../data/store.js';
import { fieldsOf, idColumn, isStored, rowType, schema, typeOfId } from './schema.js';

type Columns = Row & Record<string, unknown>;
type Read = Getter<unknown>;

const getters = new Map<string, Read>();

/**
 * The getter of a member of a GraphQL type: a computed field, a relation that the names of the
 * columns reveal, or a column.
 */
export function member(type: string, name: string): Read {
  const key = `${type}.${name}`;
  const known = getters.get(key);
  if (known) return known;
  const getter = derive(type, name);
  getters.set(key, getter);
  return getter;
}

/** All rows of a type; the attributes of all types are in one table. */
export function rowsOf(type: string, store: Store): readonly Row[] {
  const owner = attributeOwner(type);
  if (owner) return store.attributes.all().filter((row) => row.owner === owner);
  return isStored(type) ? store.table(type).all() : [];
}

/** `Run` for `RunAttribute`. */
export function attributeOwner(type: string): string | undefined {
  return type.endsWith('Attribute') ? type.slice(0, -'Attribute'.length) : undefined;
}

function derive(type: string, name: string): Read {
  const computed = computedFieldsOf(attributeOwner(type) ? 'RunAttribute' : type)[name];
  if (computed) return computed;
  const field = fieldsOf(type)[name];
  if (!field) return (row) => (row as Columns)[name];
  const isLeaf = isLeafType(getNamedType(field.type));
  return (isLeaf ? special(type, name) : relation(type, field)) ?? column(field);
}

/** Members that many types have and that are no columns. */
function special(type: string, name: string): Read | undefined {
  const owner = attributeOwner(type);
  if (owner && name.toLowerCase() === `${owner}Id`.toLowerCase()) {
    return (row) => (row as Columns).ownerId;
  }
  const counted = /^_(.+)Count$/.exec(name)?.[1];
  if (counted) {
    const list = [counted, lowerFirst(counted)].find((each) => each in fieldsOf(type));
    if (!list) return () => 0;
    const read = member(type, list);
    return (row, store) => (read(row, store) as unknown[] | null)?.length ?? 0;
  }
  switch (name) {
    case 'Created':
    case 'Updated':
    case 'Etag':
      return (row) => (row as Columns)[`_${lowerFirst(name)}`];
    case 'entityId':
      return (row) =>
        'entityId' in (row as Columns) || !isEntityType(type)
          ? ((row as Columns).entityId ?? null)
          : entityId(type, (row as Row).id);
    case 'prettyStr':
      return (row) => {
        const { title, name: called, key, id } = row as Columns;
        return `${title ?? called ?? key ?? type} (${id})`;
      };
    case 'isLatestVersion':
      return (row, store) => {
        const { version, ...own } = row as Columns;
        // The versions of a bill of material are those of its part.
        const family = 'familyId' in own ? 'familyId' : 'partId';
        return !(store.table(type).all() as Columns[]).some(
          (other) => other[family] === own[family] && Number(other.version) > Number(version),
        );
      };
    default:
      return undefined;
  }
}

/** A column; a member that ION always has is never null, also in rows of earlier versions. */
function column({ name, type }: GraphQLField<unknown, unknown>): Read {
  const named = getNamedType(type);
  const values = isEnumType(named) ? new Set(named.getValues().map(({ value }) => value)) : null;
  const fallback = isNonNullType(type) ? defaultOf(name, named.name, values) : null;
  if (!isLeafType(named) || isListType(getNullableType(type))) {
    return (row) => (row as Columns)[name] ?? fallback;
  }
  return (row) => {
    const value = (row as Columns)[name] ?? fallback;
    return values === null || values.has(value) ? value : fallback;
  };
}

const DEFAULTS: Record<string, unknown> = { String: '', Boolean: false };
const NAMED_DEFAULTS: Record<string, unknown> = {
  version: 1,
  revision: 'A',
  quantity: 1,
  status: 'DRAFT',
  notificationEmailsEnabled: true,
};

/** The value of a member that is never null, in a row that was created without it. */
function defaultOf(name: string, type: string, values: Set<unknown> | null): unknown {
  const named = NAMED_DEFAULTS[name];
  if (values) return values.has(named) ? named : [...values][0];
  return named ?? (type in DEFAULTS ? DEFAULTS[type] : 0);
}

/** The columns that a new row of a type must have, with their defaults. */
export function defaultColumns(type: string): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const field of Object.values(fieldsOf(type))) {
    const named = getNamedType(field.type);
    if (!isNonNullType(field.type) || !isLeafType(named) || STAMPS.has(field.name)) continue;
    given[field.name] = column(field)({}, undefined as never);
  }
  return given;
}

const STAMPS = new Set('id entityId createdById updatedById Created Updated Etag'.split(' '));

function relation(type: string, field: GraphQLField<unknown, unknown>): Read | undefined {
  const target = rowType(field);
  const isMany = isListType(getNullableType(field.type)) || getNamedType(field.type) !== target;
  if (!isObjectType(target)) return isMany ? () => [] : undefined;
  if (target.name === 'Entity') return isMany ? () => [] : entityOf(type);
  if (!isMany) return toOne(type, field, target.name);
  return toMany(type, field, target.name);
}

/** The row that the column `<name>Id` refers to. */
function toOne(type: string, { name }: GraphQLField<unknown, unknown>, target: string) {
  if (!isStored(target)) return undefined;
  const id = member(type, idColumn(name, fieldsOf(type)) ?? `${name}Id`);
  return (row: unknown, store: Store) => store.table(target).get(Number(id(row, store))) ?? null;
}

function toMany(type: string, field: GraphQLField<unknown, unknown>, target: string): Read {
  const { name } = field;
  const fields = fieldsOf(target);
  if (attributeOwner(target)) return attributes(target);
  if (!isStored(target)) return () => [];
  if (name === 'assignees') return only(target, member(type, 'assignedToId'));
  const ownColumn = idColumn(name, fieldsOf(type));
  if (ownColumn) return only(target, member(type, ownColumn));
  if ('parentId' in fields && /^(steps|locations|replies)$/.test(name)) {
    if (target === type) return children(target, 'parentId');
  }
  if (target === type) return () => [];
  if (target === 'Label' || target === 'Requirement') return tagged(type, name, target);
  if (target === 'FileAttachment') return files(type, name === 'assets');
  if (type === 'Entity' && THEMSELVES.has(name)) return itself(target);
  if (target === 'Comment' || type === 'Entity') return attached(type, target);
  const back = idColumn(type, fields) ?? createdWith(type, target);
  if (back) return children(target, back);
  return joined(type, target) ?? referring(type, target) ?? listed(type, target);
}

/** The column that only the creation of a row names: a build requirement is one of an inventory. */
function createdWith(type: string, target: string): string | undefined {
  const input = schema.getType(`Create${target}Input`);
  return isInputObjectType(input) ? idColumn(type, input.getFields()) : undefined;
}

/** Rows with one relation to this type under a name of its own, such as the values of a `row`. */
function referring(type: string, target: string): Read | undefined {
  const fields = fieldsOf(target);
  const [column, ...others] = Object.values(fields)
    .filter((field) => getNamedType(field.type).name === type)
    .map(({ name }) => `${name}Id`)
    .filter((name) => name in fields && !STAMPS.has(name));
  return column === undefined || others.length > 0 ? undefined : children(target, column);
}

const attributes =
  (target: string): Read =>
  (row, store) =>
    store.attributes
      .of((row as Row).id)
      .filter((attribute) => attribute.owner === attributeOwner(target));

const only =
  (target: string, id: Read): Read =>
  (row, store) => {
    const found = store.table(target).get(Number(id(row, store)));
    return found ? [found] : [];
  };

const children =
  (target: string, back: string): Read =>
  (row, store) =>
    store.of(target, back, (row as Row).id);

/** Labels and requirements keep the things that they are attached to. */
function tagged(type: string, name: string, target: string): Read {
  const [own, ids] =
    name === 'familyLabels' ? ['familyId', 'familyIds'] : ['entityId', 'entityIds'];
  const id = type === 'Entity' ? (row: unknown) => (row as Row).id : member(type, own);
  return (row, store) =>
    (store.table(target).all() as Columns[]).filter((tag) => includes(tag[ids], id(row, store)));
}

/** Comments, files and whatever else keeps the entity that it belongs to. */
function attached(type: string, target: string): Read {
  const id = type === 'Entity' ? (row: unknown) => (row as Row).id : member(type, 'entityId');
  return (row, store) => store.of(target, 'entityId', Number(id(row, store)));
}

/** The members of an entity that are no attachments: the things that have labels. */
const THEMSELVES = new Set(['partInventories', 'locations', 'partKits']);

/** The row that an entity is, if it is of this type. */
const itself =
  (target: string): Read =>
  (row, store) => {
    const found = store.entity((row as Row).id);
    return found?.type === target ? [found.row] : [];
  };

/** The files of an entity are either attached to it or assets that its content shows. */
function files(type: string, areAssets: boolean): Read {
  const read = attached(type, 'FileAttachment');
  return (row, store) =>
    (read(row, store) as Columns[]).filter((file) => Boolean(file.isAsset) === areAssets);
}

/** Rows that a third type joins, such as TeamUser, ReceiptItem and PartProcedure. */
function joined(type: string, target: string): Read | undefined {
  const join = joinOf(type, target);
  if (!join) return undefined;
  return (row, store) => {
    const joins = store.of(join.type, join.columns[0], (row as Row).id) as readonly Columns[];
    const ids = new Set(joins.map((each) => Number(each[join.columns[1]])));
    return [...ids].map((id) => store.table(target).get(id)).filter((each) => each !== undefined);
  };
}

const JOINS = 'TeamUser TeamRole UserRole PartProcedure IssuePartInventory ReceiptItem'.split(' ');

/** The type that joins two others, and its columns for them. */
export function joinOf(a: string, b: string) {
  for (const type of JOINS) {
    const fields = fieldsOf(type);
    const [left, right] = [idColumn(a, fields), idColumn(b, fields)];
    if (left && right && left !== right) return { type, columns: [left, right] as const };
  }
  return undefined;
}

/** Rows that one of both sides keeps a list of, such as the inventories of a run step. */
function listed(type: string, target: string): Read {
  const [ids, backIds] = [`${lowerFirst(target)}Ids`, `${lowerFirst(type)}Ids`];
  return (row, store) => {
    const own = (row as Columns)[ids];
    if (Array.isArray(own)) {
      return own.map((id) => store.table(target).get(Number(id))).filter((each) => each);
    }
    const { id } = row as Row;
    return (store.table(target).all() as Columns[]).filter((other) => includes(other[backIds], id));
  };
}

function includes(ids: unknown, id: unknown): boolean {
  return Array.isArray(ids) && ids.includes(id);
}

/** The thing that an entity id refers to. */
function entityOf(type: string): Read {
  const read = member(type, 'entityId');
  return (row, store) => {
    const id = read(row, store);
    const found = typeof id === 'number' ? store.entity(id) : undefined;
    return found ? { id, type: entityTypes[found.type] } : null;
  };
}

/** The row of a stored type that a column such as `partId` refers to. */
export function referred(type: string, columnName: string): string | undefined {
  const field = fieldsOf(type)[columnName.replace(/Id$/, '')];
  const target = field && rowType(field);
  if (target && isStored(target.name)) return target.name;
  return field ? undefined : typeOfId(columnName);
}

export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
