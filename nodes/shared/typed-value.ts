import type { Node, NodeAPI } from 'node-red';
import { IonError, type IonErrorCode, quote, reasonOf } from '../client/errors.js';
import { numberExactly, parseExactly } from '../client/support/json.js';
import { requireResolved, requireVariables } from './environment-references.js';
import { type Message, PLAIN_NAME } from './message.js';
import { isText } from './property-checks.js';

interface TypedInput {
  value: string;
  type: string;
  /** Begins the error message. */
  subject: string;
  code: IonErrorCode;
}

/**
 * The value of an input of type `json`, which is the same for each message.
 * @throws IonError with the code of the input if it is not JSON
 */
export function jsonValue(input: TypedInput): unknown {
  const { value, subject, code } = input;
  requireResolved(subject, value, code);
  try {
    return parseExactly(value);
  } catch (thrown) {
    throw notEvaluated(input, thrown);
  }
}

/** It may never settle. */
const PROMISE = 'a promise; await it before this node';

/**
 * Evaluates a typed input (`msg`, `flow`, `global`, `jsonata`, `env`, `json` …) for a message. A whole
 * number beyond `Number.MAX_SAFE_INTEGER` becomes text.
 * @returns a promise, but not for a property of the message itself, which saves a turn of the event loop
 * @throws IonError with the code of the input if it cannot be evaluated
 */
export function typedValue(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  input: TypedInput,
): Promise<unknown> | unknown {
  const { type, subject, code } = input;
  // A flow file from a program may hold a number.
  const given: unknown = input.value ?? '';
  const value = typeof given === 'object' ? undefined : String(given);
  if (value === undefined || !isText(type)) {
    throw new IonError(code, `${subject} is not set to text.`);
  }
  if (type === 'msg' && PLAIN_NAME.test(value)) return plainValue(msg, { ...input, value });
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown) => reject(notEvaluated({ ...input, value }, thrown));
    try {
      if (type === 'env') requireVariables(RED, node, subject, value, code);
      else requireResolved(subject, value, code);
    } catch (thrown) {
      reject(thrown);
      return;
    }
    try {
      RED.util.evaluateNodeProperty(value, type, node, msg, (error, result) => {
        if (error) fail(error);
        else if (isPromise(result)) fail(PROMISE);
        else resolve(unrounded(type, value, result));
      });
    } catch (thrown) {
      fail(thrown);
    }
  });
}

/** A property of the message itself, which most nodes read: Node-RED would parse its path each time. */
function plainValue(msg: Message, input: TypedInput): unknown {
  try {
    const result = msg[input.value];
    if (!isPromise(result)) return result;
  } catch (thrown) {
    throw notEvaluated(input, thrown);
  }
  throw notEvaluated(input, PROMISE);
}

function notEvaluated({ value, type, subject, code }: TypedInput, thrown: unknown): IonError {
  const text = `${subject} cannot be evaluated (${type}: ${value.slice(0, 60)}): ${quote(readableReason(thrown))}`;
  const name = type === 'msg' ? `msg.${value}` : value;
  return new IonError(code, text, { cause: thrown, reason: { key: 'notEvaluated', name } });
}

/** Replaces JavaScript's own text for a path through a missing value. */
function readableReason(thrown: unknown): string {
  const reason = reasonOf(thrown);
  const property =
    /^Cannot read propert(?:y|ies) of (?:undefined|null) \(reading '([^']*)'\)$/.exec(reason)?.[1];
  return property === undefined ? reason : `nothing holds "${property}"`;
}

/** Node-RED rounds whole numbers beyond `Number.MAX_SAFE_INTEGER`; here they become text. */
function unrounded(type: string, value: string, result: unknown): unknown {
  if (type === 'json') return parseExactly(value);
  return type === 'num' ? numberExactly(value) : result;
}

/** Whether `await` treats the value as a promise. */
function isPromise(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
