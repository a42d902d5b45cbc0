import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from '../client/errors.js';
import { type Resource, resourceNamed, resourceNames } from '../client/lists/resources.js';
import type { RowsQuery } from '../client/lists/rows-query.js';
import { hasControlCharacter, trimEnds } from '../client/support/trim-ends.js';
import { type FilterRow, readFilters } from '../shared/filter-rows.js';
import type { Message } from '../shared/message.js';
import {
  requireNoReference,
  requireResolved,
  requireResolvedChoices,
  requireUrlWithoutReference,
} from '../shared/references.js';
import {
  isFilter,
  isListOf,
  isString,
  isText,
  requireNumber,
  requireSwitch,
  requireValid,
} from '../shared/valid-properties.js';

/** The properties of an `ion-events` node, as the editor stores them. */
export interface IonEventsConfig extends NodeDef {
  config: string;
  via: 'poll' | 'webhook';
  /** A value of ION's `ResourceEnum`. */
  resource: string;
  actions: string[];
  filters: FilterRow[];
  fields: string[];
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

/** Where events come from. */
export interface EventSource {
  /** Ends everything that is under way. */
  close(removed: boolean): Promise<void>;
}

/** In characters; names of HTTP headers in use are shorter. */
const NODE = 'ion-events';
const MAX_HEADER_LENGTH = 100;
const TEXTS = ['via', 'resource', 'path', 'signatureHeader', 'publicUrl'] as const;
const HEADER = /^[!#$%&'*+.^`|~\w-]+$/;

/**
 * The properties without invisible characters at their ends, checked for what a flow file made by
 * hand or by a program can have wrong; the editor's own checks prevent the rest.
 * @throws IonError `ION_CONFIG` for a property of another type, a value that cannot work, or a
 * reference to an environment variable that was not put in
 */
export function readEventsConfig(
  given: IonEventsConfig,
  credentials: EventsCredentials = {},
): IonEventsConfig {
  const config = { ...given };
  requireResolvedChoices(NODE, given, TEXTS);
  for (const name of TEXTS) {
    const value: unknown = given[name];
    if (typeof value === 'string') Object.assign(config, { [name]: trimEnds(value) });
  }
  const { via, resource, actions, filters, fields, path, signatureHeader, publicUrl } = config;
  requireValid(NODE, 'resource', resource, isText(resource), 'a text such as "RUN_STEPS"');
  requireValid(NODE, 'actions', actions, isListOf(actions, isString), 'a list such as ["CREATE"]');
  requireValid(NODE, 'fields', fields, isListOf(fields, isString), 'a list of names');
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

/** @throws IonError `ION_CONFIG`, which does not repeat it */
function checkSecret(secret: unknown): void {
  requireResolved('The secret of the ion-events node', secret);
  if (typeof secret !== 'string' || !hasControlCharacter(trimEnds(secret))) return;
  throw new IonError(
    'ION_CONFIG',
    'The secret of the ion-events node has a line break, a tab or another control character in it. Enter the one that the receiver in ION has.',
  );
}

function isHeader(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'string' && value.length <= MAX_HEADER_LENGTH && HEADER.test(value);
}

/** @throws IonError `ION_CONFIG` where it is not known how to list the resource */
export function requireResource({ resource }: IonEventsConfig): Resource {
  const found = resourceNamed(resource);
  if (found) return found;
  throw new IonError(
    'ION_CONFIG',
    `The rows of ${resource || 'no resource'} cannot be read. Choose one of ${resourceNames.join(', ')}, or let a webhook bring the event as it is, without fields and filters.`,
  );
}

/**
 * What is read of a changed object.
 * @param fields where the node does not choose any
 * @throws IonError `ION_VARIABLES` for a filter that cannot be evaluated
 */
export async function readQuery(
  RED: NodeAPI,
  node: Node,
  config: IonEventsConfig,
  fields: readonly string[],
): Promise<RowsQuery> {
  // No message leads to an event, so that its filters have none to take a value from.
  const filters = await readFilters(RED, node, {} as Message, config.filters);
  return { filters, fields: config.fields?.length > 0 ? config.fields : [...fields], sort: [] };
}

/** The actions that the node tells of. */
export function isWantedAction({ actions }: IonEventsConfig, action: string): boolean {
  return (actions ?? ['CREATE', 'UPDATE']).includes(action);
}
