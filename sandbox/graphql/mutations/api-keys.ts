import { randomBytes, randomUUID } from 'node:crypto';
import type { ApiKeyRow } from '../../data/model.js';
import type { ApiContext } from '../context.js';
import { userPermissions } from '../permission-check.js';
import { checkEtag, type Mutation, withArgs, withInput } from './common.js';

interface ApiKeyInput {
  _etag: string;
  clientId: string;
  enabled?: boolean | null;
  regenerateSecret?: boolean | null;
}

/** A secret that nobody can guess. */
export function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

function currentKey(input: ApiKeyInput, { store }: ApiContext): ApiKeyRow {
  const key = store.apiKeys.find((row) => row.clientId === input.clientId);
  if (!key) throw new Error(`API key ${input.clientId} was not found.`);
  checkEtag(key, input._etag);
  return key;
}

export const apiKeyMutations: Record<string, Mutation> = {
  createApiKey: withArgs((_args, context) => {
    const { store, user } = context;
    const clientSecret = newSecret();
    const permissionGroupIds = userPermissions(context).map(({ id }) => id);
    const key = store.apiKeys.insert(
      { clientId: `sandbox-${randomUUID()}`, clientSecret, enabled: true, permissionGroupIds },
      user.id,
    );
    return { apikey: { ...key, shownSecret: clientSecret } };
  }),

  updateApiKey: withInput<ApiKeyInput>((input, context) => {
    const key = currentKey(input, context);
    const clientSecret = input.regenerateSecret ? newSecret() : key.clientSecret;
    const updated = context.store.apiKeys.update(
      key.id,
      { enabled: input.enabled ?? key.enabled, clientSecret },
      context.user.id,
    );
    return {
      apikey: input.regenerateSecret ? { ...updated, shownSecret: clientSecret } : updated,
    };
  }),

  deleteApiKey: withInput<ApiKeyInput>((input, context) => {
    const key = currentKey(input, context);
    context.store.apiKeys.delete(key.id);
    return { apikey: key };
  }),
};
