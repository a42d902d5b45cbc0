import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from '../client/errors.js';
import { type Resource, resourceNamed, resourceNames } from '../client/lists/resources.js';
import type { RowsFilter, RowsQuery } from '../client/lists/rows-query.js';
import { hasControlCharacter, trimEnds } from '../client/support/trim-ends.js';
import {
  requireNoReference,
  requireResolved,
  requireResolvedChoices,
  requireUrlWithoutReference,
} from '../shared/environment-references.js';
import type { FilterRow } from '../shared/filter-row.js';
import type { Message } from '../shared/message.js';
import {
  isFilter,
  isListOf,
  isString,
  isText,
  requireNumber,
  requireSwitch,
  requireValid,
} from '../shared/property-checks.js';
import { readFilters } from '../shared/read-filters.js';

/** The properties of an `ion-events` node, as the editor stores them. */
export interface IonEventsConfig extends NodeDef {
  config: string;
  via: 'poll' | 'webhook';
  /** A value of ION's `ResourceEnum`. */
  resource: string;
  actions: string[];
  filters: FilterRow[];
  fields: string[];
  /** Paths of the fields that are watched; empty: all changes are events. */
  changedFields: string[];
  /** The same in a flow that a program writes. The editor has a property of this name for itself. */
  changed?: unknown;
  /** In seconds. */
  interval: number | string;
  path: string;
  signatureHeader: string;
  expectedResponseCode: number | string;
  verify: boolean;
  register: boolean;
  publicUrl: string;
}

export interface EventsCredentials {
  secret?: string;
}

export type EventsNode = Node<EventsCredentials>;

/** A source of events: polling or webhooks. */
export interface EventSource {
  /** Ends all work in progress. */
  close(removed: boolean): Promise<void>;
}

const NODE = 'ion-events';
/** Names of HTTP headers in use are shorter. */
const MAX_HEADER_LENGTH = 100;
const TEXTS = ['via', 'resource', 'path', 'signatureHeader', 'publicUrl'] as const;
const HEADER = /^[!#$%&'*+.^`|~\w-]+$/;

function watchedFields({ changedFields = [], changed }: IonEventsConfig): string[] {
  const isGiven = changedFields.length === 0 && Array.isArray(changed);
  return isGiven ? changed : changedFields;
}

/**
 * The properties without invisible characters at their ends. The checks find mistakes of a flow file
 * made by hand or by a program; the editor prevents the others.
 * @throws IonError `ION_CONFIG` for a property of a wrong type, a value that cannot work, or a
 * reference to an environment variable that was not replaced
 */
export function readEventsConfig(
  given: IonEventsConfig,
  credentials: EventsCredentials = {},
): IonEventsConfig {
  const config = { ...given, changedFields: watchedFields(given) };
  requireResolvedChoices(NODE, given, TEXTS);
  for (const name of TEXTS) {
    const value: unknown = given[name];
    if (typeof value === 'string') Object.assign(config, { [name]: trimEnds(value) });
  }
  const { via, resource, actions, filters, fields, changedFields } = config;
  const { path, signatureHeader, publicUrl } = config;
  requireValid(NODE, 'resource', resource, isText(resource), 'a text such as "RUN_STEPS"');
  requireValid(NODE, 'actions', actions, isListOf(actions, isString), 'a list such as ["CREATE"]');
  requireValid(NODE, 'fields', fields, isListOf(fields, isString), 'a list of names');
  const isNames = isListOf(changedFields, isString);
  requireValid(NODE, 'changedFields', changedFields, isNames, 'a list of names');
  requireValid(NODE, 'filters', filters, isListOf(filters, isFilter), 'a list of filters');
  if (via !== 'webhook') {
    requireNumber(NODE, 'interval', config.interval);
    return config;
  }
  requireValid(NODE, 'path', path, isText(path), 'a text such as "/ion/run-steps"');
  requireValid(NODE, 'publicUrl', publicUrl, isText(publicUrl), 'a URL');
  requireValid(
    NODE,
    'signatureHeader',
    signatureHeader,
    isHeader(signatureHeader),
    'an HTTP header',
  );
  requireNoReference('The path of the ion-events node', path);
  requireNumber(NODE, 'expectedResponseCode', config.expectedResponseCode);
  config.verify = requireSwitch(NODE, 'verify', config.verify, true);
  config.register = requireSwitch(NODE, 'register', config.register, false);
  if (config.register) {
    requireUrlWithoutReference('The public URL of the ion-events node', publicUrl);
  }
  if (config.verify || config.register) checkSecret(credentials.secret);
  return config;
}

/** @throws IonError `ION_CONFIG`, which does not repeat the secret */
function checkSecret(secret: unknown): void {
  requireResolved('The secret of the ion-events node', secret);
  if (typeof secret !== 'string' || !hasControlCharacter(trimEnds(secret))) return;
  throw new IonError(
    'ION_CONFIG',
    'The secret of the ion-events node contains a line break, a tab or another control character. Enter the secret of the receiver in ION.',
  );
}

function isHeader(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'string' && value.length <= MAX_HEADER_LENGTH && HEADER.test(value);
}

/** @throws IonError `ION_CONFIG` if the package cannot list the resource */
export function requireResource({ resource }: IonEventsConfig): Resource {
  const found = resourceNamed(resource);
  if (found) return found;
  throw new IonError(
    'ION_CONFIG',
    `The rows of ${resource || 'no resource'} cannot be read. Choose one of ${resourceNames.join(', ')}, or use a webhook without filters and fields.`,
  );
}

/**
 * The query for a changed object.
 * @param fields read if the node chooses none
 * @throws IonError `ION_VARIABLES` for a filter that cannot be evaluated
 */
export async function readEventsQuery(
  RED: NodeAPI,
  node: Node,
  config: IonEventsConfig,
  fields: readonly string[],
): Promise<RowsQuery> {
  // No message triggers an event, so filters have no message to take a value from.
  return eventsQuery(config, fields, await readFilters(RED, node, {} as Message, config.filters));
}

/** @param fields read if the node chooses none */
export function eventsQuery(
  config: IonEventsConfig,
  fields: readonly string[],
  filters: RowsFilter[],
): RowsQuery {
  const { changedFields } = config;
  const isChosen = config.fields?.length > 0;
  const read = [...new Set([...(isChosen ? config.fields : fields), ...changedFields])];
  const isWished = (field: string) => !isChosen && field !== 'id' && !changedFields.includes(field);
  return { filters, fields: read, wished: read.filter(isWished), sort: [] };
}

/** Whether the node reports events of this action. */
export function isWantedAction(config: IonEventsConfig, action: string): boolean {
  return wantedActions(config).includes(action);
}

export function wantedActions({ actions }: IonEventsConfig): readonly string[] {
  return actions ?? ['CREATE', 'UPDATE'];
}

/** The path at which a node receives events. */
export function webhookPath({ id, path }: Pick<IonEventsConfig, 'id' | 'path'>): string {
  return path || `/ion/${id}`;
}
