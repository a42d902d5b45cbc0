import type { AttributeRow } from '../../data/model.js';
import type { WriteContext } from '../context.js';
import { checkEtag, type Mutation, withInput } from './common.js';

type Owner = AttributeRow['owner'];

export interface AttributeInput {
  key: string;
  value?: unknown;
  etag?: string;
}

/** Sets the attributes that are part of a creation. */
export function createAttributes(
  owner: Owner,
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
  owner: Owner,
  ownerId: number,
  attributes: readonly AttributeInput[] | null | undefined,
  context: WriteContext,
): void {
  for (const { key, value = null, etag = '' } of attributes ?? []) {
    setAttribute(owner, ownerId, key, value, etag, context);
  }
}

function setAttribute(
  owner: Owner,
  ownerId: number,
  key: string,
  value: unknown,
  etag: string,
  { store, user }: WriteContext,
): AttributeRow {
  const attribute = store.attributes
    .of(ownerId)
    .find((row) => row.owner === owner && row.key === key);
  if (!attribute) throw new Error(`${owner} ${ownerId} has no attribute "${key}".`);
  checkEtag(`${owner}Attribute`, attribute, etag);
  return store.attributes.update(attribute.id, { value }, user.id);
}

function typeOf(value: unknown): AttributeRow['type'] {
  if (typeof value === 'number') return 'NUMBER';
  return typeof value === 'boolean' ? 'BOOLEAN' : 'STRING';
}

interface AttributeWrite {
  key: string;
  value?: unknown;
  etag: string;
}

export const attributeMutations: Record<string, Mutation> = {
  updateRunAttribute: withInput<AttributeWrite & { runId: number }>((input, context) => ({
    runAttribute: setAttribute(
      'Run',
      input.runId,
      input.key,
      input.value ?? null,
      input.etag,
      context,
    ),
  })),
  updateRunStepAttribute: withInput<AttributeWrite & { runStepId: number }>((input, context) => ({
    runStepAttribute: setAttribute(
      'RunStep',
      input.runStepId,
      input.key,
      input.value ?? null,
      input.etag,
      context,
    ),
  })),
};
