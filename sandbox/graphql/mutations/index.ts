import { apiKeyMutations } from './api-keys.js';
import { attachmentMutations } from './attachments.js';
import { attributeMutations } from './attributes.js';
import type { Mutation } from './common.js';
import { fieldMutations } from './fields.js';
import { recordMutations } from './records.js';
import { runMutations } from './runs.js';
import { sessionMutations } from './sessions.js';
import { stepMutations } from './steps.js';
import { webhookMutations } from './webhooks.js';

/** Every mutation that the sandbox carries out. */
export const mutations: Readonly<Record<string, Mutation>> = {
  ...apiKeyMutations,
  ...runMutations,
  ...attributeMutations,
  ...stepMutations,
  ...fieldMutations,
  ...sessionMutations,
  ...attachmentMutations,
  ...recordMutations,
  ...webhookMutations,
};
