import type { Node, NodeAPI } from 'node-red';
import { IonError, type IonErrorCode } from '../client/errors.js';
import type { Message } from './on-message.js';

/**
 * The value of a typed input for this message (`msg`, `flow`, `global`, `jsonata`, `env`, `json` …).
 * @param code of the error when it cannot be evaluated
 * @throws IonError
 */
export function typedValue(
  RED: NodeAPI,
  node: Node,
  msg: Message,
  input: { value: string; type: string; what: string; code: IonErrorCode },
): Promise<unknown> {
  const { value, type, what, code } = input;
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown) => {
      const reason = thrown instanceof Error ? thrown.message : describe(thrown);
      const text = `${what} cannot be evaluated (${type}: ${value.slice(0, 60)}): ${reason}`;
      reject(new IonError(code, text, { cause: thrown }));
    };
    try {
      RED.util.evaluateNodeProperty(value, type, node, msg, (error, result) => {
        if (error) fail(error);
        else resolve(result);
      });
    } catch (thrown) {
      fail(thrown);
    }
  });
}

/** JSONata throws plain objects. */
function describe(thrown: unknown): string {
  const { message } = (thrown ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(thrown);
}
