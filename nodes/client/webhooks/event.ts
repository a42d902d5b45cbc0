import { toMs, updatedOf } from '../lists/timestamps.js';
import { isPlainObject } from '../support/json.js';

/** The parts of a webhook's body that could be read: ION does not publish its shape. */
export interface WebhookEvent {
  eventId?: string | number;
  /** A name such as `RUN_STEPS`, also one that this package does not know. */
  resource?: string;
  /** A name such as `UPDATE`, also one that this package does not know. */
  action?: string;
  /** Id of the object that changed. */
  id?: string | number;
}

const EVENT_ID = ['event_id', 'eventId', 'webhook_event_id'];
const RESOURCE = ['resource', 'table_name', 'table'];
const ACTION = ['action', 'operation', 'op'];
/** Properties that may hold the object's columns, the newest state first. */
const ROWS = ['row_data', 'rowData', 'new', 'data', 'record', 'object', 'old'];
const OBJECT_ID = ['object_id', 'objectId', 'resource_id', 'resourceId', 'row_id'];
const NAME = /^\w{1,100}$/;
const MAX_ID_LENGTH = 100;
/** Names of PostgreSQL's audit tables, and the names of ION's subscriptions for the same actions. */
const ACTION_NAMES: Readonly<Record<string, string>> = {
  INSERT: 'CREATE',
  I: 'CREATE',
  U: 'UPDATE',
  D: 'DELETE',
};

/** Reads an event from a body of any shape; parts that cannot be read are missing. */
export function readWebhookEvent(body: unknown): WebhookEvent {
  if (!isPlainObject(body)) return {};
  const event: WebhookEvent = {};
  const eventId = first(body, EVENT_ID, readId);
  const resource = first(body, RESOURCE, nameOf);
  const action = first(body, ACTION, nameOf);
  const id = first(body, OBJECT_ID, readId) ?? first(body, ROWS, rowIdOf);
  if (eventId !== undefined) event.eventId = eventId;
  if (resource !== undefined) event.resource = resource;
  if (action !== undefined) event.action = actionNamed(action);
  if (id !== undefined) event.id = id;
  return event;
}

/** When the object of an event changed, in ms since 1970, if the body of the event says so. */
export function changedAtOf(body: unknown): number | undefined {
  if (!isPlainObject(body)) return undefined;
  const row = first(body, ROWS, (value) => (isPlainObject(value) ? value : undefined));
  const updated = updatedOf(row);
  return updated === null ? undefined : toMs(updated);
}

/** Compares names in the singular (ION's documentation) and in the plural (its public schema). */
export function isSameResource(one: string, other: string): boolean {
  return singular(one) === singular(other);
}

function singular(resource: string): string {
  const words = resource.toUpperCase().split('_');
  return words.map((word) => withoutPlural(word.replace(/IES$/, 'Y'))).join('_');
}

/** The same for BATCH and BATCHES, LINE and LINES; what is left may be no word. */
function withoutPlural(word: string): string {
  let { length } = word;
  while (length > 1 && 'ES'.includes(word.charAt(length - 1))) length--;
  return word.slice(0, length);
}

function actionNamed(name: string): string {
  return (Object.hasOwn(ACTION_NAMES, name) && ACTION_NAMES[name]) || name;
}

function first<Value>(
  object: Record<string, unknown>,
  names: readonly string[],
  read: (value: unknown) => Value | undefined,
): Value | undefined {
  for (const name of names) {
    const value = Object.hasOwn(object, name) ? read(object[name]) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The id among a row's columns, or one level below, as in `data: { new: { id } }`. */
function rowIdOf(value: unknown): string | number | undefined {
  if (!isPlainObject(value)) return undefined;
  const own = first(value, ['id'], readId);
  return (
    own ??
    first(value, ROWS, (row) => (isPlainObject(row) ? first(row, ['id'], readId) : undefined))
  );
}

function readId(value: unknown): string | number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '' || value.length > MAX_ID_LENGTH)
    return undefined;
  return value;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.trim();
  return NAME.test(name) ? name.toUpperCase() : undefined;
}
