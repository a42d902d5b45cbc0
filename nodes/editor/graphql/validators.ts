// The validators of an ion-graphql node. Each returns true or an error text.
import { currentValue } from '../shared/open-node.js';
import { isKind } from './is-kind.js';

/** A query; with the outbox, a mutation. */
export function query(this: EditedNode, value: string, _options: ValidatorOptions): Validation {
  if (value.trim() === '') return invalid('query');
  const isText = currentValue(this, 'queryType') === 'graphql';
  const isQuery = isText && isKind('query', value, currentValue(this, 'operationName'));
  return !(isOutbox(this) && isQuery) || invalid('noMutation');
}

/** A source of the order key, or nothing. */
export function order(this: EditedNode, value: unknown, options: ValidatorOptions): Validation {
  if (isEmpty(value) || !isOutbox(this)) return true;
  return RED.utils.validateTypedProperty(String(value), currentValue(this, 'orderType'), options);
}

/** A query that reads, or nothing. */
export function prepare(this: EditedNode, value: unknown, _options: ValidatorOptions): Validation {
  return !(isOutbox(this) && isKind('mutation', String(value ?? ''), '')) || invalid('prepare');
}

/** A JSONata expression, or nothing. */
export function expression(
  this: EditedNode,
  value: unknown,
  options: ValidatorOptions,
): Validation {
  if (isEmpty(value) || !isOutbox(this)) return true;
  return RED.utils.validateTypedProperty(String(value), 'jsonata', options);
}

function isOutbox(node: EditedNode): boolean {
  return currentValue(node, 'delivery') === 'outbox';
}

function isEmpty(value: unknown): boolean {
  return String(value ?? '').trim() === '';
}

function invalid(key: string): string {
  return RED._(`@ion-nodes/node-red-ion/ion-graphql:ion-graphql.invalid.${key}`);
}
