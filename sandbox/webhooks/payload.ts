import { isDeepStrictEqual } from 'node:util';
import { entityId, isEntityType } from '../data/entities.js';
import type { AttributeRow, Row } from '../data/model.js';
import type { Change } from '../data/store.js';
import type { Dialect } from '../faults/settings.js';

/** The tables, as ResourceEnum names them, that are not the plural of their type. */
const RESOURCES: Record<string, string> = {
  RunStepField: 'RUN_STEPS_FIELDS',
  RunStepsEdge: 'RUN_STEPS_DAGS',
  StepField: 'STEPS_FIELDS',
  StepsEdge: 'STEPS_DAGS',
  PartInventory: 'PARTS_INVENTORY',
  PartKit: 'PARTS_KITS',
  MBom: 'MBOMS',
  MBomItem: 'MBOM_ITEM',
  MBomSubstitute: 'MBOM_SUBSTITUTE',
  MRPJob: 'MRP_JOBS',
  UnitOfMeasurement: 'UNITS_OF_MEASUREMENTS',
  Session: 'SESSION_EVENTS',
  APIKeyObject: 'API_KEYS',
  PartAttribute: 'PART_ATTRIBUTES',
  PartInventoryAttribute: 'PARTS_INVENTORIES_ATTRIBUTES',
  PartKitAttribute: 'PART_KIT_ATTRIBUTES',
  PartKitItemAttribute: 'PART_KIT_ITEM_ATTRIBUTES',
};

/** Columns that ION keeps in other tables, that exist only in the sandbox, or that are secret. */
const NOT_COLUMNS = new Set(['clientSecret', 'owner', 'template', 'permissionGroupIds']);

const ENUMS = new Set([
  'allowedIonType',
  'eventType',
  'partType',
  'status',
  'trackingType',
  'type',
]);

/** The table of a change. A type without a table in ResourceEnum has a name that nobody uses. */
export function resourceOf({ type, row }: Pick<Change, 'type' | 'row'>): string {
  if (type !== 'RunAttribute') return tableOf(type);
  const owner = attributeOwner(row);
  return RESOURCES[`${owner}Attribute`] ?? `${tableOf(owner)}_ATTRIBUTES`;
}

function tableOf(type: string): string {
  const name = type.replace('MBom', 'Mbom').replaceAll(/(?!^)[A-Z]/g, (letter) => `_${letter}`);
  const plural = `${name}s`.replace(/ys$/, 'ies').replace(/chs$/, 'ches');
  return RESOURCES[type] ?? plural.toUpperCase();
}

interface Envelope {
  eventId: number;
  subscriptionId: number;
  resource: string;
  transactionId: number;
}

export type BodySettings = Pick<Dialect, 'resourceNames' | 'webhookBody' | 'webhookAction'>;

/** The body of a delivery: the row as it is in the database, not in GraphQL. */
export function payload(envelope: Envelope, change: Change, settings: BodySettings): string {
  const { resource } = envelope;
  const name = settings.resourceNames === 'singular' ? singular(resource) : resource;
  return JSON.stringify({
    event_id: envelope.eventId,
    subscription_id: envelope.subscriptionId,
    resource: name.toLowerCase(),
    ...(settings.webhookAction && { action: change.action.toLowerCase() }),
    transaction_id: envelope.transactionId,
    ...members(change, settings.webhookBody),
  });
}

/** `RUN_STEP_FIELD` for `RUN_STEPS_FIELDS`. */
function singular(table: string): string {
  const words = table.split('_');
  return words.map((word) => word.replace(/IES$/, 'Y').replace(/(CH)ES$|S$/, '$1')).join('_');
}

/** The members of a body that hold the row. */
function members({ type, action, row, before }: Change, form: Dialect['webhookBody']): Columns {
  const data = rowData(type, row);
  const old = before ? rowData(type, before) : null;
  if (form === 'new') {
    return action === 'DELETE' ? { new: null, old: data } : { new: data, old };
  }
  return { [form]: data, changed_fields: old ? changed(old, data) : {} };
}

type Columns = Record<string, unknown>;

function rowData(type: string, row: Row): Columns {
  const columns: Columns = {};
  for (const [name, value] of Object.entries(row)) {
    if (NOT_COLUMNS.has(name) || name.endsWith('Ids')) continue;
    const isEnum = ENUMS.has(name) && typeof value === 'string';
    columns[columnName(type, row, name)] = isEnum ? value.toLowerCase() : value;
  }
  if (isEntityType(type)) columns.entity_id = entityId(type, row.id);
  return columns;
}

function columnName(type: string, row: Row, name: string): string {
  if (type === 'RunAttribute' && name === 'ownerId') {
    return columnName(type, row, `${attributeOwner(row).replace(/^MBom/, 'Mbom')}Id`).slice(1);
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
