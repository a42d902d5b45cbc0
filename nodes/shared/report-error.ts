import type { Node } from 'node-red';
import { toIonError } from '../client/errors.js';
import type { Message } from './message.js';

/**
 * Reports a failure to Catch nodes and the log. It never throws: Node-RED copies the message, which
 * fails for some values from a flow or a server; then it reports the error without the message.
 */
export function reportError(node: Node, thrown: unknown, msg?: Partial<Message>): void {
  const error = toIonError(thrown);
  const attempts = [
    () => node.error(error, msg),
    () => node.error(error, withoutContent(msg)),
    () => node.error(error.message),
  ];
  for (const attempt of attempts) {
    try {
      attempt();
      return;
    } catch {
      // The next attempt needs less of the message.
    }
  }
}

/** A message that Node-RED can always copy. */
function withoutContent(msg: Partial<Message> | undefined): Record<string, string> {
  const id: unknown = msg?._msgid;
  return typeof id === 'string' ? { _msgid: id } : {};
}

/** Reports the failure of a promise that no other code awaits. */
export function inBackground(node: Node, work: Promise<unknown>): void {
  work.catch((thrown) => reportError(node, thrown));
}
