import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IonError } from '../client/errors.js';
import { type Resource, resourceNamed, resourceNames } from '../client/resources.js';
import type { RowsQuery } from '../client/rows-query.js';
import { type FilterRow, readFilters } from './filter-rows.js';
import type { Message } from './on-message.js';
import { isFilter, isListOf, isString, isText, requireValid } from './valid-properties.js';

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
const HEADER = /^[!#$%&'*+.^`|~\w-]+$/;

/**
 * Checks what only a flow file made by hand or by a program can have wrong: the editor's own checks
 * prevent it.
 * @throws IonError `ION_CONFIG` for a property of another type, or a value that cannot work
 */
export function checkEventsConfig(config: IonEventsConfig): void {
  const { via, resource, actions, filters, fields, path, signatureHeader, publicUrl } = config;
  requireValid(NODE, 'resource', resource, isText(resource), 'a text such as "RUN_STEPS"');
  requireValid(NODE, 'actions', actions, isListOf(actions, isString), 'a list such as ["CREATE"]');
  requireValid(NODE, 'fields', fields, isListOf(fields, isString), 'a list of names');
  requireValid(NODE, 'filters', filters, isListOf(filters, isFilter), 'a list of filters');
  if (via !== 'webhook') return;
  requireValid(NODE, 'path', path, isText(path), 'a text such as "/ion/run-steps"');
  requireValid(NODE, 'publicUrl', publicUrl, isText(publicUrl), 'a URL');
  requireValid(
    NODE,
    'signatureHeader',
    signatureHeader,
    isHeader(signatureHeader),
    'an HTTP header',
  );
  responseCode(config);
}

/**
 * The HTTP status that ION expects.
 * @throws IonError `ION_CONFIG`
 */
export function responseCode({ expectedResponseCode }: IonEventsConfig): number {
  const given: unknown = expectedResponseCode ?? '';
  if (given === '') return 200;
  const code = typeof given === 'string' || typeof given === 'number' ? Number(given) : Number.NaN;
  const isValid = Number.isInteger(code) && code >= 200 && code < 600;
  requireValid(NODE, 'expectedResponseCode', given, isValid, 'an HTTP status from 200 to 599');
  return code;
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
