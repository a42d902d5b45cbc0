// Checks of properties that only a flow file made by hand or by a program can have wrong, because the
// editor checks them too.

import { IonError } from '../client/errors.js';
import type { PageSize } from '../client/paging/page-reader.js';
import { isAuto, type NumberSetting, numberSettings, readNumber } from '../client/settings.js';
import { describe } from '../client/support/describe.js';
import { isPlainObject } from '../client/support/json.js';
import { trimEnds } from '../client/support/trim-ends.js';
import { requireResolved } from './environment-references.js';

/** @throws IonError `ION_CONFIG` if the property is not valid */
export function requireValid(
  node: string,
  name: string,
  value: unknown,
  isValid: boolean,
  expected: string,
): void {
  if (isValid) return;
  throw new IonError(
    'ION_CONFIG',
    `The property "${name}" of the ${node} node is ${describe(value)}, but must be ${expected}. Open the node, correct it and deploy.`,
  );
}

export function isString(value: unknown): boolean {
  return typeof value === 'string';
}

/** Text, or missing: a flow may be older than the property. */
export function isText(value: unknown): boolean {
  return value === undefined || value === null || isString(value);
}

export function isListOf(value: unknown, isEntry: (entry: unknown) => boolean): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(isEntry));
}

export function isFilter(value: unknown): boolean {
  return isPlainObject(value) && isString(value.field) && isText(value.op);
}

/**
 * The number of a property, or its default.
 * @throws IonError `ION_CONFIG` with the label of the dialog, the value and the limits
 */
export function requireNumber<Type extends keyof typeof numberSettings>(
  node: Type,
  name: keyof (typeof numberSettings)[Type],
  value: unknown,
): number {
  const setting = numberSettings[node][name] as NumberSetting;
  const { label, min, max, isInteger, mayBeAuto } = setting;
  requireResolved(`"${label}" of the ${node} node`, value);
  const number = readNumber(setting, value);
  if (number !== undefined) return number;
  const given = typeof value === 'number' ? String(value) : describe(value);
  const expected = `${mayBeAuto ? '"auto" or ' : ''}a ${isInteger ? 'whole ' : ''}number from ${min} to ${max}`;
  throw new IonError(
    'ION_CONFIG',
    `"${label}" of the ${node} node is ${given}, but must be ${expected}. Open the node, correct it and deploy.`,
  );
}

/**
 * The page size of a node: `auto`, a number, or the default of older nodes.
 * @throws IonError `ION_CONFIG`
 */
export function requirePageSize(node: 'ion-graphql' | 'ion-runs', value: unknown): PageSize {
  return isAuto(value) ? 'auto' : requireNumber(node, 'pageSize', value);
}

/**
 * The state of a checkbox. From an environment variable, it is text.
 * @throws IonError `ION_CONFIG` for any other value
 */
export function requireSwitch(
  node: string,
  name: string,
  value: unknown,
  whenMissing: boolean,
): boolean {
  requireResolved(`The property "${name}" of the ${node} node`, value);
  const given = typeof value === 'string' ? trimEnds(value).toLowerCase() : (value ?? '');
  if (given === '') return whenMissing;
  const isOn = given === true || given === 'true';
  const isValid = isOn || given === false || given === 'false';
  requireValid(node, name, value, isValid, 'true or false');
  return isOn;
}

/**
 * Checks how a node delivers: with a misspelt value, it would deliver at once, and an outage would lose
 * the writes.
 * @throws IonError `ION_CONFIG`
 */
export function requireDelivery(node: string, delivery: unknown): void {
  requireResolved(`The property "delivery" of the ${node} node`, delivery);
  const isKnown = [undefined, null, '', 'direct', 'outbox'].includes(delivery as string);
  requireValid(node, 'delivery', delivery, isKnown, '"direct" or "outbox"');
}
