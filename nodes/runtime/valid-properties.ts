// Checks of properties that only a flow file made by hand or by a program can have wrong: the
// editor's own checks prevent it.

import { describe } from '../client/describe.js';
import { IonError } from '../client/errors.js';
import { isPlainObject } from '../client/json.js';

/** @throws IonError `ION_CONFIG` for a property that is not what it has to be */
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
    `The property "${name}" of the ${node} node is ${describe(value)}, but has to be ${expected}. Open the node, correct it and deploy.`,
  );
}

export function isString(value: unknown): boolean {
  return typeof value === 'string';
}

/** A property may be missing, because a flow may be older than it. */
export function isText(value: unknown): boolean {
  return value === undefined || value === null || isString(value);
}

export function isListOf(value: unknown, isEntry: (entry: unknown) => boolean): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(isEntry));
}

export function isFilter(value: unknown): boolean {
  return isPlainObject(value) && isString(value.field) && isText(value.op);
}
