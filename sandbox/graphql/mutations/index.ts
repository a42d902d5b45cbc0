import { schema } from '../schema.js';
import { apiKeyMutations } from './api-keys.js';
import { attachmentMutations } from './attachments.js';
import type { Mutation } from './common.js';
import { fieldMutations } from './fields.js';
import { issueMutations } from './issues.js';
import { mbomMutations } from './mboms.js';
import { attributeSettings, organizationMutations } from './organization.js';
import { partMutations } from './parts.js';
import { procedureMutations } from './procedures.js';
import { purchasingMutations } from './purchasing.js';
import { recordMutations } from './records.js';
import { regularMutation } from './regular.js';
import { runMutations } from './runs.js';
import { sessionMutations } from './sessions.js';
import { stepMutations } from './steps.js';
import { webhookMutations } from './webhooks.js';

/** The mutations that do more than the schema says. */
const special: Readonly<Record<string, Mutation>> = {
  ...apiKeyMutations,
  ...runMutations,
  ...stepMutations,
  ...fieldMutations,
  ...sessionMutations,
  ...attachmentMutations,
  ...issueMutations,
  ...organizationMutations,
  ...mbomMutations,
  ...partMutations,
  ...procedureMutations,
  ...purchasingMutations,
  ...recordMutations,
  ...webhookMutations,
};

/** The names of those mutations. */
export const ownRules: ReadonlySet<string> = new Set(Object.keys(special));

/** The mutations that the sandbox refuses, because nothing in the schema says what they do. */
export const notSimulated: string[] = [];

/** Every mutation of the schema. */
export const mutations: ReadonlyMap<string, Mutation> = new Map(
  Object.values(schema.getMutationType()?.getFields() ?? {}).map((field) => {
    const found = special[field.name] ?? attributeSettings(field) ?? regularMutation(field);
    if (!found) notSimulated.push(field.name);
    return [field.name, found ?? refuse(field.name)];
  }),
);

function refuse(name: string): Mutation {
  return () => {
    throw new Error(`The sandbox does not simulate ${name}.`);
  };
}
