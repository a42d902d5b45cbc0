import type { Node } from 'node-red';
import { toIonError } from '../client/errors.js';
import type { Message } from './message.js';

/**
 * Hands a failure to Catch nodes and the log. It never throws: Node-RED copies the message, which
 * fails for many values that a flow or a server can put into it; then the error goes without it.
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
      // The next one needs less of the message.
    }
  }
}

/** A message that can always be copied. */
function withoutContent(msg: Partial<Message> | undefined): Record<string, string> {
  const id: unknown = msg?._msgid;
  return typeof id === 'string' ? { _msgid: id } : {};
}

/** Reports the failure of work that nobody waits for. */
export function inBackground(node: Node, work: Promise<unknown>): void {
  work.catch((thrown) => reportError(node, thrown));
}
