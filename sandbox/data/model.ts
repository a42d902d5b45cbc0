import type { Timestamp } from './clock.js';

// The columns that are stored. Everything else of a GraphQL type is computed (computed-fields.ts).

export type StepStatus =
  | 'TODO'
  | 'IN_PROGRESS'
  | 'FAILED'
  | 'COMPLETE'
  | 'REDLINE'
  | 'CANCELED'
  | 'HOLD'
  | 'DAG_MODIFIABLE';
export type RunStatus = Exclude<StepStatus, 'DAG_MODIFIABLE'> | 'PARTIAL_COMPLETE';
export type FieldType =
  | 'STRING'
  | 'NUMBER'
  | 'BOOLEAN'
  | 'SELECT'
  | 'MULTISELECT'
  | 'DATETIME'
  | 'FILE_ATTACHMENT'
  | 'ION'
  | 'SIGNOFF'
  | 'TOOL';
export type FieldValue = string | number | boolean | readonly string[] | null;

export interface Row {
  id: number;
  _created: Timestamp;
  _updated: Timestamp;
  _etag: string;
  createdById: number;
  updatedById: number;
}

export interface RunRow extends Row {
  title: string;
  description: string | null;
  archived: boolean;
  quantity: number;
  dueDate: Timestamp | null;
  scheduledStart: Timestamp | null;
  scheduledEnd: Timestamp | null;
  procedureId: number | null;
  partId: number | null;
  partInventoryId: number | null;
  runBatchId: number | null;
  assignedToId: number | null;
  assignedTeamId: number | null;
  jiraIssueKey: string | null;
  resultsLink: string | null;
  exportControlled: boolean;
}

export interface RunStepRow extends Row {
  runId: number;
  title: string;
  status: StepStatus;
  type: 'CONTENT' | 'DATAGRID';
  position: number;
  content: string | null;
  slateContent: unknown;
  leadTime: number | null;
  scheduledStart: Timestamp | null;
  scheduledEnd: Timestamp | null;
  startTime: Timestamp | null;
  endTime: Timestamp | null;
  startedById: number | null;
  completedById: number | null;
  assignedToId: number | null;
  assignedTeamId: number | null;
  locationId: number | null;
  parentId: number | null;
  originStepId: number | null;
  isStandardStep: boolean;
  upstreamStepIds: readonly number[];
  partInventoryIds: readonly number[];
}

export interface RunStepFieldRow extends Row {
  runStepId: number;
  name: string;
  type: FieldType;
  value: FieldValue;
  unit: string | null;
  required: boolean;
  options: readonly string[] | null;
  display: string | null;
  helpText: string | null;
  position: number;
  notApplicable: boolean;
  allowNotApplicable: boolean;
  allowedIonType: 'PARTS' | 'USERS' | null;
  peerReviewRequired: boolean;
  signoffRoleId: number | null;
  originFieldId: number | null;
  partId: number | null;
  partSubtypeId: number | null;
  partInventoryId: number | null;
  fileAttachmentId: number | null;
  assignedToId: number | null;
  assignedTeamId: number | null;
}

export interface TemplateField {
  id: number;
  name: string;
  type: FieldType;
  required: boolean;
  unit?: string | null;
  options?: readonly string[] | null;
  allowedIonType?: 'PARTS' | 'USERS' | null;
  /** Range of a seeded number. */
  range?: readonly [number, number];
}

export interface TemplateStep {
  id: number;
  title: string;
  content: string | null;
  leadTime: number | null;
  locationId: number | null;
  fields: readonly TemplateField[];
}

export interface ProcedureRow extends Row {
  title: string;
  description: string | null;
  familyId: number;
  version: number;
  status: 'DRAFT' | 'IN_REVIEW' | 'RELEASED' | 'ARCHIVED';
  type: 'BUILD' | 'INSPECTION' | 'MAINTENANCE';
  partId: number;
  /** The plan of the seeded runs; not readable through the API. */
  template?: readonly TemplateStep[];
}

export interface PartRow extends Row {
  partNumber: string;
  revision: string;
  description: string | null;
  trackingType: 'SERIAL' | 'LOT' | null;
  partType: 'PART' | 'TOOL';
}

export interface PartInventoryRow extends Row {
  partId: number;
  serialNumber: string | null;
  lotNumber: string | null;
  quantity: number;
  quantityScrapped: number;
  quantityKitted: number;
  quantityInstalled: number;
  status: 'AVAILABLE' | 'INSTALLED' | 'KITTED' | 'ON_ORDER' | 'SCRAPPED' | 'UNAVAILABLE' | 'WIP';
  received: boolean;
  locationId: number | null;
  supplierId: number | null;
  unitOfMeasureId: number | null;
}

export interface LocationRow extends Row {
  name: string;
  description: string | null;
  type: 'WORKCENTER' | 'TOTE' | 'WAREHOUSE' | 'RACK' | 'SHELF';
  available: boolean;
  archived: boolean;
  parentId: number | null;
  locationSubtypeId: number | null;
}

export interface IssueRow extends Row {
  title: string | null;
  status: 'PENDING' | 'IN_PROGRESS' | 'IN_REVIEW' | 'RESOLVED';
  causeCondition: unknown;
  expectedCondition: unknown;
  disposition: unknown;
  issueDispositionTypeId: number | null;
  runStepId: number | null;
  mustCloseByRunStepId: number | null;
  purchaseOrderLineId: number | null;
  fixPartInventoryId: number | null;
  assignedToId: number | null;
  assignedTeamId: number | null;
  partInventoryIds: readonly number[];
}

export interface UserRow extends Row {
  name: string;
  email: string;
  deactivated: boolean;
  ionBot: boolean;
  isAdmin: boolean;
  organizationId: number;
}

/** The settings of an organization, by the type that they are about. */
export type OrganizationSettings = Record<string, Record<string, unknown> | undefined>;

export interface OrganizationRow extends Row {
  name: string;
  domain: string;
  orgSchema: string;
  /** The settings that were changed. */
  settings?: OrganizationSettings;
}

export interface AttributeRow extends Row {
  /** The type that has the attribute. */
  owner: string;
  ownerId: number;
  key: string;
  type: FieldType;
  value: unknown;
}

export interface SessionRow extends Row {
  runStepId: number;
  eventType: 'CHECK_IN' | 'CHECK_OUT';
  checkIn: Timestamp;
  checkOut: Timestamp | null;
}

export interface FileAttachmentRow extends Row {
  filename: string;
  contentType: string;
  s3Bucket: string;
  s3Key: string;
  entityId: number | null;
  integrationId: string | null;
  integrationFetchUrl: string | null;
  /** Whether the content of its entity shows it; otherwise it is attached to the entity. */
  isAsset?: boolean;
}

export interface CommentRow extends Row {
  content: string | null;
  slateContent: unknown;
  entityId: number | null;
  resolved: boolean;
  parentId: number | null;
}

export interface ApiKeyRow extends Row {
  clientId: string;
  clientSecret: string;
  enabled: boolean;
  /** The permissions of its user when it was created; not in data of earlier versions. */
  permissionGroupIds?: readonly number[];
}

export interface WebhookReceiverRow extends Row {
  name: string;
  description: string | null;
  webhookUri: string;
  sharedSecret: string;
  contentType: 'JSON';
  expectedResponseCode: number;
  active: boolean;
  headerIds: readonly number[];
}

export interface WebhookHeaderRow extends Row {
  key: string;
  value: string;
}

export type WebhookAction = 'CREATE' | 'UPDATE' | 'DELETE';

export interface WebhookSubscriptionRow extends Row {
  /** A value of ResourceEnum: the table's name. */
  resource: string;
  action: WebhookAction;
  receiverId: number | null;
  active: boolean;
}

export interface WebhookEventRow extends Row {
  subscriptionId: number;
  status: 'SENDING' | 'SUCCEEDED' | 'RETRYING' | 'FAILED';
  /** Tries that were made after the first one. */
  numberOfRetries: number;
  responseStatusCode: number | null;
  responseReceivedAt: Timestamp | null;
  /** The delivery's body. */
  requestData: string;
  /** The response, or the reason why there was none. */
  responseData: string | null;
}

/** The stored row of each GraphQL object type. */
export interface RowTypes {
  Run: RunRow;
  RunStep: RunStepRow;
  RunStepField: RunStepFieldRow;
  Procedure: ProcedureRow;
  Part: PartRow;
  PartInventory: PartInventoryRow;
  Location: LocationRow;
  Issue: IssueRow;
  User: UserRow;
  Organization: OrganizationRow;
  RunAttribute: AttributeRow;
  Session: SessionRow;
  FileAttachment: FileAttachmentRow;
  Comment: CommentRow;
  APIKeyObject: ApiKeyRow;
  WebhookReceiver: WebhookReceiverRow;
  WebhookHeader: WebhookHeaderRow;
  WebhookSubscription: WebhookSubscriptionRow;
  WebhookEvent: WebhookEventRow;
}
export type TypeName = keyof RowTypes;
