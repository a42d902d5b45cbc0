import { quote } from '../errors.js';

/** A short description of a value. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing: the message has no such value';
  if (value === null) return 'null';
  if (typeof value === 'string') return `the text "${quote(value)}"`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'bigint' || typeof value === 'function') return `a ${typeof value}`;
  if (typeof value !== 'object') return `${typeof value} ${String(value)}`;
  return Buffer.isBuffer(value) ? 'a Buffer' : `an object (${nameOfType(value)})`;
}

function nameOfType(value: object): string {
  // An object of a message can have its own property `constructor`.
  const type: unknown = value.constructor;
  return typeof type === 'function' ? quote(String(type.name)) : 'object';
}
