import type { NodeAPI } from 'node-red';
import { IonError, quote, reasonOf } from '../client/errors.js';
import type { Message } from './message.js';

/** Needs no reading as a path. */
const PLAIN_NAME = /^[A-Za-z]\w*$/;

/** @throws IonError `ION_CONFIG` if the result cannot be put there */
export function checkOutput(RED: NodeAPI, msg: Message, output: string): void {
  // A flow file can hold anything.
  if (typeof output !== 'string') {
    throw new IonError('ION_CONFIG', 'The property that the result goes into is not a text.');
  }
  if (PLAIN_NAME.test(output) && output !== 'ion') return;
  const path = propertyPath(RED, msg, output);
  if (path[0] === 'ion') throw noPlace(output, 'msg.ion tells about the answer');
  if (path.includes('__proto__')) throw noPlace(output, '"__proto__" is not a property');
  let value: unknown = msg;
  for (const key of path.slice(0, -1)) {
    // What is missing will be made.
    if (!Object.hasOwn(value as object, key)) return;
    value = (value as Record<string, unknown>)[key];
    // A Buffer takes properties, but loses them where it is copied.
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) continue;
    throw noPlace(output, `"${key}" is not an object in this message`);
  }
}

/** @throws IonError `ION_CONFIG` if the message refuses the property */
export function putResult(RED: NodeAPI, msg: Message, output: string, value: unknown): void {
  if (PLAIN_NAME.test(output)) msg[output] = value;
  else if (!RED.util.setMessageProperty(msg, output, value, true)) {
    throw noPlace(output, 'the node itself writes there');
  }
}

function propertyPath(RED: NodeAPI, msg: Message, output: string): string[] {
  try {
    const path: unknown[] = RED.util.normalisePropertyExpression(output, msg);
    // Node-RED leaves out what a message gives as a name and is none.
    if (path.every((key) => ['string', 'number'].includes(typeof key))) return path.map(String);
  } catch (cause) {
    throw noPlace(output, quote(reasonOf(cause)), cause);
  }
  throw noPlace(output, 'a name that it takes from the message is not text');
}

function noPlace(output: string, reason: string, cause?: unknown): IonError {
  const text = `The result cannot be put into msg.${quote(output)}: ${reason}.`;
  return new IonError('ION_CONFIG', text, { cause });
}
