import {
  type GraphQLType,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Row } from '../../data/model.js';
import { newEtag } from '../../data/store.js';
import type { ApiContext } from '../context.js';
import { attributeOwner, defaultColumns, referred } from '../members.js';
import { fieldsOf, isStored, objectTypes } from '../schema.js';
import {
  type AttributeInput,
  createAttributes,
  setAttribute,
  updateAttributes,
} from './attributes.js';
import { existing, type Mutation } from './common.js';
import { link } from './links.js';
import { itemWithMbom } from './mboms.js';
import { uniquePart } from './parts.js';
import { type Field, given, type Input, inputFields, keysOf, payload, rowOf } from './shape.js';

/**
 * The mutation that the names and types of a field of Mutation describe: a creation, an update or
 * a deletion of a row, a link between two rows, or a new order. `undefined` for any other one.
 */
export function regularMutation(field: Field): Mutation | undefined {
  const [, verb = '', subject = ''] = /^([a-z]+)(\w+)$/.exec(field.name) ?? [];
  const type = ALIASES[subject] ?? typeNamed(subject);
  switch (verb) {
    case 'create':
      return type === undefined ? undefined : creation(type, field);
    case 'update':
    case 'reorder':
      return (type === undefined ? undefined : update(type, field)) ?? reordering(field);
    case 'delete':
      return type === undefined ? undefined : deletion(type, field);
    case 'add':
    case 'attach':
      return (type === undefined ? undefined : creation(type, field)) ?? link(true, field);
    case 'remove':
    case 'detach':
      return (type === undefined ? undefined : deletion(type, field)) ?? link(false, field);
    default:
      return undefined;
  }
}

const ALIASES: Record<string, string> = { InputToPlan: 'PlanInput', InputFromPlan: 'PlanInput' };

/** Compares names without regard to case and plural: `RunStepEdge` means RunsStepsEdge. */
function singular(name: string): string {
  return name
    .replace(/^Multiple/, '')
    .replace(/ies$/, 'y')
    .replace(/s(?=[A-Z]|$)/g, '')
    .toLowerCase();
}

const NAMED = new Map(
  objectTypes()
    .filter(({ name }) => isStored(name))
    .map(({ name }) => [singular(name), name]),
);

function typeNamed(subject: string): string | undefined {
  return NAMED.get(singular(subject));
}

function creation(type: string, field: Field): Mutation | undefined {
  const [member, ...more] = payload(field);
  if (!member || more.length > 0 || getNamedType(member.type).name !== type) return undefined;
  const isList = (of: { type: GraphQLType } | undefined) =>
    of !== undefined && isListType(getNullableType(of.type));
  if (!isList(member))
    return (args, context) => ({ [member.name]: create(type, given(args), context) });
  // Several rows are either the input itself or its only member.
  const [argument] = field.args;
  const list = isList(argument)
    ? undefined
    : Object.entries(inputFields(field)).find(([, each]) => isList(each));
  if (!isList(argument) && !list) return undefined;
  return ({ input }, context) => {
    const all = (list ? (input as Input)[list[0]] : input) as Input[] | null | undefined;
    return { [member.name]: (all ?? []).map((each) => create(type, each, context)) };
  };
}

/** Changes to the input of a creation before its row is made, by the type of the row. */
const PREPARED: Record<string, (input: Input, context: ApiContext) => Input> = {
  MBomItem: itemWithMbom,
  Part: uniquePart,
};

function create(type: string, given: Input, context: ApiContext): Row {
  const { store, user } = context;
  const input = PREPARED[type]?.(given, context) ?? given;
  const table = store.table(type);
  const columns = columnsOf(type, input, context);
  const fields = fieldsOf(type);
  const own = {
    ...('familyId' in fields && { familyId: table.nextId }),
    ...('reviewerId' in fields && { reviewerId: user.id }),
    ...('receivedById' in fields && { receivedById: user.id, receivedAt: store.clock.now() }),
    ...('iuid' in fields && { iuid: newEtag() }),
  };
  const row = table.insert({ ...defaultColumns(type), ...own, ...withoutNulls(columns) }, user.id);
  const attributes = input.attributes as AttributeInput[] | null | undefined;
  createAttributes(ownerOf(type), row.id, attributes, context);
  return row;
}

/** A null in a creation means the default, as it does in ION's database. */
function withoutNulls(columns: Input): Input {
  return Object.fromEntries(
    Object.entries(columns).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** The type's name in the names of its attributes: `Mbom` for MBom. */
function ownerOf(type: string): string {
  const attributes = fieldsOf(type).attributes;
  return (attributes && attributeOwner(getNamedType(attributes.type).name)) ?? type;
}

const NOT_COLUMNS = new Set(['id', 'etag', 'attributes']);

/** The columns that an input sets, with numbers as ids; the rows that they refer to must exist. */
function columnsOf(type: string, input: Input, { store }: ApiContext): Input {
  const fields = fieldsOf(type);
  const columns: Input = {};
  for (const [name, value] of Object.entries(input)) {
    if (NOT_COLUMNS.has(name) || !(name in fields || name.endsWith('Id'))) continue;
    const target = name.endsWith('Id') ? referred(type, name) : undefined;
    const isNumber = target || /^(Int|Float)$/.test(getNamedType(fields[name]?.type)?.name ?? '');
    columns[name] = isNumber && typeof value === 'string' ? Number(value) : value;
    if (value === null || value === undefined) continue;
    if (target) existing(store.table(target), value as string);
    if (name === 'entityId' && !store.entity(Number(value))) {
      throw new Error(`Entity with id ${value} was not found.`);
    }
  }
  return columns;
}

function update(type: string, field: Field): Mutation | undefined {
  if (attributeOwner(type)) return attributeUpdate(type, field);
  const [member] = payload(field);
  const fields = inputFields(field);
  if (!member || getNamedType(member.type).name !== type) return undefined;
  const keys = keysOf(fields);
  if (keys.length === 0 || !('etag' in fields)) return undefined;
  return (args, context) => {
    const input = given(args);
    const { store, user } = context;
    const row = rowOf(type, keys, input, context);
    const columns = columnsOf(type, input, context);
    for (const key of keys) delete columns[key];
    for (const [name, value] of Object.entries(columns)) {
      // Such a null takes nothing away: the column always has a value.
      if (value === null && isNonNullType(fieldsOf(type)[name]?.type)) delete columns[name];
    }
    const attributes = input.attributes as AttributeInput[] | null | undefined;
    updateAttributes(ownerOf(type), row.id, attributes, context);
    return { [member.name]: store.table(type).update(row.id, columns, user.id) };
  };
}

function deletion(type: string, field: Field): Mutation | undefined {
  const keys = keysOf(inputFields(field));
  const members = payload(field);
  if (keys.length === 0 || members.length === 0) return undefined;
  return (args, context) => {
    const row = rowOf(type, keys, given(args), context);
    context.store.table(type).delete(row.id);
    const columns = row as unknown as Input;
    return Object.fromEntries(
      members.map(({ name, type: of }) => {
        if (name === 'success') return [name, true];
        return [name, isObjectType(getNamedType(of)) ? row : columns[name]];
      }),
    );
  };
}

function attributeUpdate(type: string, field: Field): Mutation | undefined {
  const owner = attributeOwner(type);
  const [member] = payload(field);
  const column = Object.keys(inputFields(field)).find(
    (name) => name.toLowerCase() === `${owner}Id`.toLowerCase(),
  );
  if (!owner || !member || !column) return undefined;
  return ({ input }, context) => {
    const { key, value = null, etag, [column]: id } = input as Input;
    const write = { key: String(key), value, etag: String(etag) };
    return { [member.name]: setAttribute(owner, Number(id), write, context) };
  };
}

/** A mutation that moves rows of a list: each has an etag of its own. */
function reordering(field: Field): Mutation | undefined {
  const list = Object.entries(inputFields(field)).find(([, { type }]) => {
    const item = getNamedType(type);
    return (
      isInputObjectType(item) && ['id', 'position', 'etag'].every((key) => key in item.getFields())
    );
  });
  const [member] = payload(field);
  const type = member && getNamedType(member.type).name;
  if (!list || !member || !type || !isStored(type)) return undefined;
  return ({ input }, context) => {
    const moves = (input as Record<string, Input[]>)[list[0]] ?? [];
    // All or none: nothing is written before every etag has been checked.
    const rows = moves.map((move) => rowOf(type, ['id'], move, context));
    const { store, user } = context;
    return {
      [member.name]: rows.map((row, i) => {
        const patch = { position: moves[i]?.position } as Partial<Row>;
        return store.table(type).update(row.id, patch, user.id);
      }),
    };
  };
}
