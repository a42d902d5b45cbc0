import type { AttributeRow } from '../../data/model.js';
import type { WriteContext } from '../context.js';
import { checkEtag } from './common.js';

export interface AttributeInput {
  key: string;
  value?: unknown;
  etag?: string;
}

/** Sets the attributes that are part of a creation. */
export function createAttributes(
  owner: string,
  ownerId: number,
  attributes: readonly AttributeInput[] | null | undefined,
  { store, user }: WriteContext,
): void {
  for (const { key, value = null } of attributes ?? []) {
    store.attributes.insert({ owner, ownerId, key, type: typeOf(value), value }, user.id);
  }
}

/** Changes the attributes that are part of an update, each with its own etag. */
export function updateAttributes(
  owner: string,
  ownerId: number,
  attributes: readonly AttributeInput[] | null | undefined,
  context: WriteContext,
): void {
  for (const attribute of attributes ?? []) setAttribute(owner, ownerId, attribute, context);
}

/** Changes one attribute, whose etag is not that of its owner. */
export function setAttribute(
  owner: string,
  ownerId: number,
  { key, value = null, etag = '' }: AttributeInput,
  { store, user }: WriteContext,
): AttributeRow {
  const attribute = store.attributes
    .of(ownerId)
    .find((row) => row.owner === owner && row.key === key);
  if (!attribute) throw new Error(`${owner} ${ownerId} has no attribute "${key}".`);
  checkEtag(attribute, etag);
  return store.attributes.update(attribute.id, { value }, user.id);
}

function typeOf(value: unknown): AttributeRow['type'] {
  if (typeof value === 'number') return 'NUMBER';
  return typeof value === 'boolean' ? 'BOOLEAN' : 'STRING';
}
