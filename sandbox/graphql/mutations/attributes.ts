import type { AttributeRow } from '../../data/model.js';
import type { Store } from '../../data/store.js';
import type { WriteContext } from '../context.js';
import { checkEtag, existing } from './common.js';
import { definedType } from './organization.js';

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
    // Safe: the schema has checked the type of a definition.
    const type = (definedType(owner, key, store) ?? typeOf(value)) as AttributeRow['type'];
    store.attributes.insert(
      { owner, ownerId, key, type, value: checked(type, value, store) },
      user.id,
    );
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
  return store.attributes.update(
    attribute.id,
    { value: checked(attribute.type, value, store) },
    user.id,
  );
}

/** A file is written by the ID of its attachment. */
function checked(type: AttributeRow['type'], value: unknown, store: Store): unknown {
  if (type !== 'FILE_ATTACHMENT' || value === null) return value;
  return existing(store.fileAttachments, String(value)).id;
}

function typeOf(value: unknown): AttributeRow['type'] {
  if (typeof value === 'number') return 'NUMBER';
  return typeof value === 'boolean' ? 'BOOLEAN' : 'STRING';
}
