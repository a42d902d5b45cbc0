import type { Node, NodeAPI } from 'node-red';
import { IonError, type IonErrorCode, quote, reasonOf } from '../client/errors.js';
import { numberExactly, parseExactly } from '../client/support/json.js';
import type { Message } from './message.js';
import { requireResolved, requireVariables } from './references.js';
import { isText } from './valid-properties.js';

/**
 * The value of a typed input for this message (`msg`, `flow`, `global`, `jsonata`, `env`, `json` …).
 * A whole number beyond `Number.MAX_SAFE_INTEGER` comes as text.
 * @param code of the error when it cannot be evaluated
 * @throws IonError
 */
export function typedValue(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  input: { value: string; type: string; what: string; code: IonErrorCode },
): Promise<unknown> {
  const { type, what, code } = input;
  // A flow that was made by a program may hold a number itself.
  const given: unknown = input.value ?? '';
  const value = typeof given === 'object' ? undefined : String(given);
  if (value === undefined || !isText(type)) {
    return Promise.reject(new IonError(code, `${what} is not set to a text.`));
  }
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown) => {
      const text = `${what} cannot be evaluated (${type}: ${value.slice(0, 60)}): ${quote(readableReason(thrown))}`;
      reject(new IonError(code, text, { cause: thrown }));
    };
    try {
      if (type === 'env') requireVariables(RED, node, what, value, code);
      else requireResolved(what, value, code);
    } catch (thrown) {
      reject(thrown);
      return;
    }
    try {
      RED.util.evaluateNodeProperty(value, type, node, msg, (error, result) => {
        if (error) fail(error);
        // It may never end.
        else if (isPromise(result)) fail('a promise, which has to be waited for first');
        else resolve(unrounded(type, value, result));
      });
    } catch (thrown) {
      fail(thrown);
    }
  });
}

/** A path through something that is not there ends in JavaScript's own words. */
function readableReason(thrown: unknown): string {
  const reason = reasonOf(thrown);
  const property =
    /^Cannot read propert(?:y|ies) of (?:undefined|null) \(reading '([^']*)'\)$/.exec(reason)?.[1];
  return property === undefined ? reason : `nothing holds "${property}"`;
}

/** Node-RED rounds whole numbers beyond `Number.MAX_SAFE_INTEGER`; here they come as text. */
function unrounded(type: string, value: string, result: unknown): unknown {
  if (type === 'json') return parseExactly(value);
  return type === 'num' ? numberExactly(value) : result;
}

/** Whether "await" would take it for one. */
function isPromise(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
