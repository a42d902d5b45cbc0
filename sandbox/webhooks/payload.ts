import { isDeepStrictEqual } from 'node:util';
import { entityId, isEntityType } from '../data/entities.js';
import type { AttributeRow, Row } from '../data/model.js';
import type { Change } from '../data/store.js';

/** The table, as ResourceEnum names it, of each type whose changes can be subscribed to. */
const RESOURCES: Record<string, string> = {
  Run: 'RUNS',
  RunStep: 'RUN_STEPS',
  RunStepField: 'RUN_STEPS_FIELDS',
  Procedure: 'PROCEDURES',
  Part: 'PARTS',
  PartInventory: 'PARTS_INVENTORY',
  Location: 'LOCATIONS',
  Issue: 'ISSUES',
  User: 'USERS',
  Organization: 'ORGANIZATIONS',
  Session: 'SESSION_EVENTS',
  FileAttachment: 'FILE_ATTACHMENTS',
  Comment: 'COMMENTS',
  APIKeyObject: 'API_KEYS',
};

/** Columns that ION keeps in other tables, that exist only in the sandbox, or that are secret. */
const NOT_COLUMNS = new Set([
  'clientSecret',
  'owner',
  'partInventoryIds',
  'template',
  'upstreamStepIds',
]);

const ENUMS = new Set([
  'allowedIonType',
  'eventType',
  'partType',
  'status',
  'trackingType',
  'type',
]);

/** The table of a change; `undefined` if nobody can subscribe to it. */
export function resourceOf({ type, row }: Pick<Change, 'type' | 'row'>): string | undefined {
  if (type !== 'RunAttribute') return RESOURCES[type];
  return attributeOwner(row) === 'Run' ? 'RUNS_ATTRIBUTES' : 'RUN_STEPS_ATTRIBUTES';
}

interface Envelope {
  eventId: number;
  subscriptionId: number;
  resource: string;
  transactionId: number;
}

/** The body of a delivery: the row as it is in the database, not in GraphQL. */
export function payload(envelope: Envelope, { type, action, row, before }: Change): string {
  return JSON.stringify({
    event_id: envelope.eventId,
    subscription_id: envelope.subscriptionId,
    resource: envelope.resource.toLowerCase(),
    action: action.toLowerCase(),
    transaction_id: envelope.transactionId,
    row_data: rowData(type, row),
    changed_fields: before ? changed(rowData(type, before), rowData(type, row)) : {},
  });
}

type Columns = Record<string, unknown>;

function rowData(type: string, row: Row): Columns {
  const columns: Columns = {};
  for (const [name, value] of Object.entries(row)) {
    if (NOT_COLUMNS.has(name)) continue;
    const isEnum = ENUMS.has(name) && typeof value === 'string';
    columns[columnName(type, row, name)] = isEnum ? value.toLowerCase() : value;
  }
  if (isEntityType(type)) columns.entity_id = entityId(type, row.id);
  return columns;
}

function columnName(type: string, row: Row, name: string): string {
  if (type === 'RunAttribute' && name === 'ownerId') {
    return attributeOwner(row) === 'Run' ? 'run_id' : 'run_step_id';
  }
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function attributeOwner(row: Row): AttributeRow['owner'] {
  return (row as AttributeRow).owner;
}

function changed(before: Columns, after: Columns): Columns {
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => !isDeepStrictEqual(value, before[name])),
  );
}
