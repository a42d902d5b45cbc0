// The validators of ion-events. Each checks a property only if the chosen source uses it.
import { resourceNamed } from '../../client/lists/resources.js';
import { eventsNumbers } from '../../client/settings.js';
import { referenceInUrl } from '../../client/support/references.js';
import { pointsToThisMachine } from '../../client/webhooks/public-url.js';
import type { FilterRow } from '../../shared/filter-row.js';
import { loadedListSchema } from '../query-builder/follow-schema.js';
import { validFilters, validNames } from '../query-builder/validators.js';
import { currentValue, isChecked } from '../shared/open-node.js';
import { numberFor, partOfVariable } from '../shared/validators.js';
import { variableIn } from '../subflows/instances.js';
import { isShared, isTaken } from './path.js';
import { lacksSecret } from './secret.js';

const PATH = /^(\/[\w.~%-]+)+$/;
const HEADER = /^[!#$%&'*+.^`|~\w-]+$/;

/** A resource of ION; for polling, one that can be listed. */
export function validResource(
  this: EditedNode,
  value: string,
  { label = '' }: ValidatorOptions,
): Validation {
  const resource = String(value ?? '');
  const isValid = isWebhook(this) ? /^\w+$/.test(resource) : resourceNamed(resource) !== undefined;
  return isValid || invalid('resource', { label, name: resource });
}

/** At least one action that the source reports. */
export function validActions(
  this: EditedNode,
  value: string[],
  { label = '' }: ValidatorOptions,
): Validation {
  const possible = isWebhook(this) ? ['CREATE', 'UPDATE', 'DELETE'] : ['CREATE', 'UPDATE'];
  return possible.some((action) => (value ?? []).includes(action)) || invalid('actions', { label });
}

/** Filters, if rows of the resource can be read. */
export function validEventFilters(
  this: EditedNode,
  value: FilterRow[],
  options: ValidatorOptions,
): Validation {
  if (!isReadable(this, value)) return notReadable(this, options);
  const resource = resourceNamed(currentValue(this, 'resource'));
  return validFilters(value ?? [], resource && loadedListSchema(this, resource));
}

/** Names of fields, if rows of the resource can be read. */
export function validEventFields(
  this: EditedNode,
  value: string[],
  options: ValidatorOptions,
): Validation {
  return isReadable(this, value) ? validNames(value ?? [], options) : notReadable(this, options);
}

/** The interval of polling. */
export function validInterval(
  this: EditedNode,
  value: unknown,
  options: ValidatorOptions,
): Validation {
  return isWebhook(this) || numberFor(eventsNumbers.interval)(value, options);
}

/** A path that no other node receives requests at; empty for the default. */
export function validPath(
  this: EditedNode,
  value: string,
  { label = '' }: ValidatorOptions,
): Validation {
  if (!isWebhook(this)) return true;
  const path = String(value ?? '').trim();
  if (isShared(this, path)) return invalid('pathShared', { label });
  if (variableIn(path) !== undefined) return true;
  if (path !== '' && !PATH.test(path)) return invalid('path', { label });
  return !isTaken(this, path) || invalid('pathTaken', { label });
}

/** The name of an HTTP header; empty for the default. */
export function validHeader(
  this: EditedNode,
  value: string,
  { label = '' }: ValidatorOptions,
): Validation {
  return !isWebhook(this) || !value || HEADER.test(value) || invalid('header', { label });
}

/** The status of the response to a webhook. */
export function validResponseCode(
  this: EditedNode,
  value: unknown,
  options: ValidatorOptions,
): Validation {
  return !isWebhook(this) || numberFor(eventsNumbers.expectedResponseCode)(value, options);
}

/** For the secret, and for `verify` as well: the editor marks no node because of its credentials. */
export function validSecret(
  this: EditedNode,
  _value: unknown,
  _options: ValidatorOptions,
): Validation {
  return !isSecretMissing(this) || invalid('secret', {});
}

/** A URL at which ION can reach this machine. It is needed to register the webhook. */
export function validPublicUrl(
  this: EditedNode,
  value: string,
  { label = '' }: ValidatorOptions,
): Validation {
  if (!isWebhook(this) || !isChecked(this, 'register')) return true;
  if (referenceInUrl(value) !== undefined) return partOfVariable(label);
  return isPublic(String(value ?? '').trim()) || invalid('publicUrl', { label });
}

function isPublic(text: string): boolean {
  if (variableIn(text) !== undefined) return true;
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && pointsToThisMachine(text));
}

function isSecretMissing(node: EditedNode): boolean {
  // ION accepts no receiver without a secret.
  const isNeeded = isChecked(node, 'verify') || isChecked(node, 'register');
  return isWebhook(node) && isNeeded && lacksSecret(node);
}

function isWebhook(node: EditedNode): boolean {
  return currentValue(node, 'via') === 'webhook';
}

/** Filters and fields need a resource that can be listed. */
function isReadable(node: EditedNode, chosen: readonly unknown[] | undefined): boolean {
  return !chosen?.length || resourceNamed(currentValue(node, 'resource')) !== undefined;
}

function notReadable(node: EditedNode, { label = '' }: ValidatorOptions): string {
  return invalid('notReadable', { label, name: currentValue(node, 'resource') });
}

function invalid(key: string, values: Record<string, string>): string {
  return RED._(`@ion-nodes/node-red-ion/ion-events:ion-events.invalid.${key}`, values);
}
