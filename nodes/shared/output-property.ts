import type { NodeAPI } from 'node-red';
import { IonError, quote, reasonOf } from '../client/errors.js';
import { type Message, PLAIN_NAME } from './message.js';

const TAKEN = 'the node itself sets that property';

/**
 * Checks the property without a message.
 * @param taken properties that the node sets beside the result
 * @throws IonError `ION_CONFIG` if no message has a place for the result
 */
export function requireOutput(RED: NodeAPI, output: string, taken: readonly string[] = []): void {
  // Node-RED represents a name that comes from the message by a list.
  const path = isPlain(output) ? [output] : parsedPath(RED, undefined, output);
  requireAllowed(output, path);
  if (taken.includes(String(path[0]))) throw noPlace(output, TAKEN);
}

/** @throws IonError `ION_CONFIG` if the message has no place for the result */
export function checkOutput(RED: NodeAPI, msg: Message, output: string): void {
  if (isPlain(output)) return;
  const path = propertyPath(RED, msg, output);
  requireAllowed(output, path);
  let value: unknown = msg;
  for (const key of path.slice(0, -1)) {
    // Missing objects are created later.
    if (!Object.hasOwn(value as object, key)) return;
    value = (value as Record<string, unknown>)[key];
    // A Buffer accepts properties, but a copy of it loses them.
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) continue;
    throw noPlace(output, `"${key}" is not an object in this message`);
  }
}

/** @throws IonError `ION_CONFIG` if the message refuses the property */
export function putResult(RED: NodeAPI, msg: Message, output: string, value: unknown): void {
  if (PLAIN_NAME.test(output)) msg[output] = value;
  else if (!RED.util.setMessageProperty(msg, output, value, true)) {
    throw noPlace(output, TAKEN);
  }
}

/** @throws IonError `ION_CONFIG` if the property is not text */
function isPlain(output: string): boolean {
  // A flow file written by hand can hold another type.
  if (typeof output !== 'string') {
    throw new IonError('ION_CONFIG', 'The name of the output property must be text.');
  }
  return PLAIN_NAME.test(output) && output !== 'ion';
}

function requireAllowed(output: string, path: readonly unknown[]): void {
  if (path[0] === 'ion') throw noPlace(output, 'msg.ion holds the details of the result');
  if (path.includes('__proto__')) throw noPlace(output, '"__proto__" is not a property');
}

function propertyPath(RED: NodeAPI, msg: Message, output: string): string[] {
  const path = parsedPath(RED, msg, output);
  // Node-RED omits a name from the message if it is not text.
  if (path.every((key) => ['string', 'number'].includes(typeof key))) return path.map(String);
  throw noPlace(output, 'a name in the path comes from the message and is not text');
}

function parsedPath(RED: NodeAPI, msg: Message | undefined, output: string): unknown[] {
  try {
    return RED.util.normalisePropertyExpression(output, msg);
  } catch (cause) {
    throw noPlace(output, quote(reasonOf(cause)), cause);
  }
}

function noPlace(output: string, reason: string, cause?: unknown): IonError {
  const text = `The result cannot be stored in msg.${quote(output)}: ${reason}.`;
  return new IonError('ION_CONFIG', text, {
    cause,
    reason: { key: 'noPlace', name: `msg.${output}` },
  });
}
