import type { Row } from '../../data/model.js';
import type { ApiContext } from '../context.js';
import { joinOf } from '../members.js';
import { typeOfId } from '../schema.js';
import { existing, type Mutation } from './common.js';
import { type Field, findByKeys, given, inputFields, keysOf, payload, rowOf } from './shape.js';

/**
 * A mutation that joins two rows or separates them: its input names both by their ids. If its
 * response is one of them, that one keeps a list of the others, and the etag is of it; otherwise a
 * row such as TeamUser joins them, or a label keeps the list.
 */
export function link(joins: boolean, field: Field): Mutation | undefined {
  const fields = inputFields(field);
  const ids = keysOf(fields);
  const [first, second] = ids;
  if (
    !first ||
    !second ||
    ids.length !== 2 ||
    !Object.keys(fields).every((name) => /Id$|^etag$/.test(name))
  ) {
    return undefined;
  }
  const members = payload(field).map(({ name }) => name);
  const owner = ids.find((name) => members.includes(name.replace(/Id$/, '')));
  if (owner) return listLink(joins, owner, owner === first ? second : first);
  const [a, b] = [typeOfId(first), typeOfId(second)];
  const join = a && b ? joinOf(a, b) : undefined;
  if (a && b && join) return joinLink(joins, { [first]: a, [second]: b }, join.type);
  const tag = ids.find((name) => /^(label|requirement)Id$/.test(name));
  return tag === undefined ? undefined : tagLink(joins, tag, tag === first ? second : first);
}

function listLink(joins: boolean, owner: string, other: string): Mutation | undefined {
  const type = typeOfId(owner);
  const target = typeOfId(other);
  if (!type) return undefined;
  return (args, context) => {
    const input = given(args);
    const row = rowOf(type, ['id'], { ...input, id: input[owner] }, context);
    const id = Number(input[other]);
    if (target) existing(context.store.table(target), id);
    return { [owner.replace(/Id$/, '')]: setListed(type, row, `${other}s`, id, joins, context) };
  };
}

function joinLink(joins: boolean, types: Record<string, string>, join: string): Mutation {
  return (args, { store, user }) => {
    const input = given(args);
    const ids: Record<string, number> = {};
    for (const [name, type] of Object.entries(types)) {
      ids[name] = existing(store.table(type), input[name] as string).id;
    }
    const found = findByKeys(join, Object.keys(types), ids, store);
    // Safe: a row that joins others has no columns but their ids.
    if (joins && !found) store.table(join).insert(ids as Partial<Row>, user.id);
    if (!joins && found) store.table(join).delete(found.id);
    return ids;
  };
}

function tagLink(joins: boolean, tag: string, other: string): Mutation | undefined {
  const type = typeOfId(tag);
  if (!type) return undefined;
  return (args, context) => {
    const input = given(args);
    const row = existing(context.store.table(type), input[tag] as string);
    setListed(type, row, `${other}s`, Number(input[other]), joins, context);
    return { [tag]: row.id, [other]: input[other] };
  };
}

/** Puts an id into a row's list, or takes it out. */
function setListed(
  type: string,
  row: Row,
  column: string,
  id: number,
  joins: boolean,
  { store, user }: ApiContext,
): Row {
  const kept = (row as unknown as Record<string, number[] | undefined>)[column] ?? [];
  const others = kept.filter((each) => each !== id);
  const patch = { [column]: joins ? [...others, id] : others } as Partial<Row>;
  return store.table(type).update(row.id, patch, user.id);
}
