import { Random } from '../../sandbox/data/random.js';
import type { Dialect } from '../../sandbox/server.js';

/** The actions of users, in the order of the table. */
export const ACTIONS = [
  'query',
  'all pages',
  'changes',
  'value by names',
  'several values',
  'status',
  'file',
  'outbox after an outage',
  'events by poll',
  'events by webhook',
  'connection test',
  'schema completion',
] as const;

export type Action = (typeof ACTIONS)[number];

/** One reading of an uncertain fact, or several at once. */
export interface NamedDialect {
  name: string;
  settings: Partial<Dialect>;
  /** Whether the run that the flow writes to is in a batch with another one. */
  isBatched?: boolean;
  /** The text that a user reads for each action that cannot work. */
  lacks?: Partial<Record<Action, RegExp>>;
}

/** Parts of the schema that the package uses, but works without; a test keeps this list complete. */
export const OPTIONAL_PARTS = `
  CreateWebhookReceiverInput.active CreateWebhookReceiverInput.expectedResponseCode
  CreateWebhookSubscription.webhookSubscription CreateWebhookSubscriptionInput.active
  DeleteWebhookReceiver.id DeleteWebhookSubscription.id FileAttachment._etag
  FileAttachment.contentType FileAttachment.downloadUrl FileAttachment.entityId
  IonPageInfo.hasNextPage IonPageInfo.startCursor IonPageInfo.totalCount Location.archived
  Location.entityId Location.name Organization.domain Organization.id Part.description
  Part.partNumber Part.revision PartInventoriesInputFilters.part
  PartInventoriesInputFilters.serialNumber PartInventory.entityId PartInventory.lotNumber
  PartInventory.part PartInventory.runs PartInventory.serialNumber PartsInputFilters.partNumber
  Query.runSteps(sort:) Query.runs(filters:) Query.runs(sort:) Query.webhookReceivers(filters:)
  Query.webhookReceivers(sort:) Run._created Run._etag Run.archived Run.entityId Run.part
  Run.partInventory Run.status Run.title RunSortEnum.ID_ASC RunSortEnum._UPDATED_DESC RunStep._etag
  RunStep._updated RunStep.availableToWork RunStep.batched RunStep.endTime RunStep.entityId
  RunStep.location RunStep.locationId RunStep.parentId RunStep.position RunStep.run
  RunStep.startTime RunStep.status RunStep.title RunStep.upstreamStepIds RunStepField._updated
  RunStepField.name RunStepField.notApplicable RunStepField.options RunStepField.required
  RunStepField.step RunStepField.type RunStepField.unit RunStepField.valid
  RunStepField.validations RunStepField.value RunStepFieldValidation.function
  RunStepFieldValidation.position RunStepFieldValidation.result RunStepFieldValidation.value
  RunStepSortEnum.POSITION_ASC RunStepsInputFilters.availableToWork RunStepsInputFilters.status
  RunStepsInputFilters.title RunsInputFilters.part RunsInputFilters.partInventory
  RunsInputFilters.status RunsInputFilters.title UpdateWebhookReceiver.webhookReceiver
  UpdateWebhookReceiverInput.active UpdateWebhookReceiverInput.expectedResponseCode User.email
  User.name User.organization ValidationFunction.displayName
  ValidationFunction.functionName WebhookReceiver.active WebhookReceiverSortEnum.ID_ASC
  WebhookReceiversInputFilters.name WebhookReceiversInputFilters.webhookUri
  WebhookSubscription.active`
  .trim()
  .split(/\s+/);

/** Whether a text names this part of the schema, as in `"title" of type "Run"`. */
export function isPartNamed(part: string, text = ''): boolean {
  const [, type, name] = /^(\w+)\.(.*)$/.exec(part) ?? [];
  return text.includes(`"${name}" of type "${type}"`);
}

const NO_INTROSPECTION = { 'schema completion': /introspection/i } as const;

/** The readings of each uncertain fact that differ from the sandbox's own. */
const READINGS: Record<string, NamedDialect[]> = {
  scheme: [
    { name: 'tokens only as `Bearer`', settings: { authScheme: 'bearer' } },
    { name: 'tokens only bare', settings: { authScheme: 'raw' } },
  ],
  tokenPath: [
    { name: 'token path `/auth/realms/…`', settings: { tokenPath: 'old' } },
    { name: 'token path `/realms/…`', settings: { tokenPath: 'new' } },
  ],
  cursors: [{ name: 'opaque cursors', settings: { opaqueCursors: true } }],
  pages: [
    { name: 'largest page 50, which the refusal names', settings: { maxPageSize: 50 } },
    {
      name: 'largest page 50, which the refusal does not name',
      settings: { maxPageSize: 50, pageRefusal: 'The page size is too large.' },
    },
  ],
  totalCount: [{ name: 'no `totalCount`', settings: { unknown: ['*.totalCount'] } }],
  introspection: [
    {
      name: 'no introspection',
      settings: { introspection: false },
      lacks: NO_INTROSPECTION,
    },
  ],
  etagConflict: [
    { name: 'etag conflict with HTTP 409', settings: { etagConflict: 'status' } },
    { name: 'etag conflict with HTTP 400', settings: { etagConflict: 'bad-request' } },
  ],
  etagError: [
    { name: 'etag conflict without a code', settings: { etagError: 'text' } },
    { name: 'etag conflict in other words', settings: { etagError: 'other-text' } },
  ],
  ids: [
    { name: 'IDs as text', settings: { idForm: 'text' } },
    { name: 'IDs as numbers', settings: { idForm: 'number' } },
  ],
  enums: [{ name: 'enum values in lower case', settings: { enumCase: 'lower' } }],
  times: [
    { name: 'times without a zone', settings: { timeForm: 'no-zone' } },
    { name: 'times with milliseconds and `+00:00`', settings: { timeForm: 'offset' } },
    { name: 'times with milliseconds', settings: { timeForm: 'milliseconds' } },
  ],
  runsMove: [{ name: 'runs change with their steps', settings: { runsMoveWithSteps: true } }],
  uploads: [
    { name: 'file upload in two calls only', settings: { uploadFlow: 'two-calls' } },
    { name: 'file upload in three calls only', settings: { uploadFlow: 'three-calls' } },
  ],
  coercion: [{ name: 'numbers as text refused', settings: { coercion: 'strict' } }],
  batching: [{ name: 'several operations in one request', settings: { arrayBatching: true } }],
  batches: [{ name: 'runs of a batch', settings: {}, isBatched: true }],
  resources: [{ name: 'singular names in webhooks', settings: { resourceNames: 'singular' } }],
  webhookBody: [
    { name: 'webhook body with `data`', settings: { webhookBody: 'data' } },
    { name: 'webhook body with `new` and `old`', settings: { webhookBody: 'new' } },
  ],
  webhookAction: [{ name: 'webhook body without `action`', settings: { webhookAction: false } }],
  signature: [
    { name: 'webhook signature in base64', settings: { webhookSignature: 'base64' } },
    { name: 'webhook signature `sha256=…`', settings: { webhookSignature: 'sha256=hex' } },
  ],
  deliveries: [
    { name: 'no retry of deliveries after 404', settings: { webhookRetriesOn404: false } },
  ],
};

/** Each reading alone. */
export const DIALECTS: NamedDialect[] = Object.values(READINGS).flat();

/** One for each optional part that this ION does not know. */
export const SMALLER_SCHEMAS: NamedDialect[] = OPTIONAL_PARTS.map((part) => ({
  name: `without ${part}`,
  settings: { unknown: [part] },
}));

/** Random mixtures of readings and unknown parts, the same ones for the same seed. */
export function mixtures(seed: number, count: number): NamedDialect[] {
  const random = new Random(seed);
  const isChosen = (share: number) => random.next() < share;
  return Array.from({ length: count }, () => {
    const chosen = Object.values(READINGS)
      .filter(() => isChosen(0.4))
      .map((readings) => random.pick(readings));
    const parts = OPTIONAL_PARTS.filter(() => isChosen(0.02));
    const settings = Object.assign({}, ...chosen.map((each) => each.settings));
    const unknown = [...(settings.unknown ?? []), ...parts];
    return {
      name: [...chosen.map(({ name }) => name), ...parts.map((part) => `without ${part}`)].join(
        ', ',
      ),
      settings: { ...settings, unknown },
      isBatched: chosen.some(({ isBatched }) => isBatched),
      lacks: Object.assign({}, ...chosen.map(({ lacks }) => lacks)),
    };
  });
}
