import { setMaxListeners } from 'node:events';
import type { Node, NodeAPI } from 'node-red';
import type { RequestState } from '../client/client.js';
import { closedError, toIonError } from '../client/errors.js';
import { LinkedList } from '../client/support/linked-list.js';
import { failureDetails, notCopied, notPassedOn } from './failure-details.js';
import { type Message, type MessageDetails, withoutUnknown } from './message.js';
import type { NodeStatus, StatusText } from './node-status.js';
import { checkOutput, putResult } from './output-property.js';
import { inBackground, reportError } from './report-error.js';

const CLOSED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.closed';
/** For what is under way when the node closes, in ms. */
const CLOSE_GRACE_MS = 2000;

export interface MessageTools {
  /** Aborts when the flow is stopped or redeployed. */
  signal: AbortSignal;
  onState: (state: RequestState) => void;
  /** Sends the message with the result in it. */
  send(msg: Message, result: unknown, details: MessageDetails): void;
  /** What the status shows once all messages are answered. */
  status(text: StatusText): void;
}

/**
 * Keeps Node-RED's contract for all nodes: whatever `handle` does, a message ends in exactly one
 * `done()` or one `done(error)`, the status tells what happens, and closing the node ends what is
 * under way with `ION_CLOSED`.
 * @param output the message property that the result goes into; `payload` if it is empty
 */
export function handleMessages(
  RED: NodeAPI,
  node: Node,
  status: NodeStatus,
  output: string,
  handle: (msg: Message, tools: MessageTools) => Promise<void>,
): void {
  const property = output || 'payload';
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  /** Ends one message each. */
  const underWay = new LinkedList<(error: Error) => void>();
  let whenAllEnded = () => {};

  const answer = async (msg: Message, send: (msg: Message) => void): Promise<void> => {
    const startedAt = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAt);
    const tracker = status.begin();
    try {
      // Before anything is sent to ION: a mutation whose answer has no place would have run.
      checkOutput(RED, msg, property);
      await handle(msg, {
        signal: closing.signal,
        onState: tracker.update,
        send(result, value, details) {
          try {
            putResult(RED, result, property, value);
            result.ion = withoutUnknown(details);
            result.ion.durationMs = durationMs();
            send(result);
          } catch (thrown) {
            throw notPassedOn(thrown, details);
          }
        },
        status: (text) => tracker.end({ fill: 'green', ms: durationMs(), ...text }),
      });
      tracker.end();
    } catch (thrown) {
      const error = toIonError(thrown);
      tracker.end({ fill: 'red', key: `error.${error.code}` });
      explain(msg, failureDetails(error, durationMs()));
      throw error;
    }
  };

  // Not an async function: Node-RED ends the whole process when one of those rejects.
  node.on('input', (msg, send, done) => {
    let hasEnded = false;
    const end = (error?: Error) => {
      if (hasEnded) return;
      hasEnded = true;
      place.remove();
      try {
        done(error);
      } catch (thrown) {
        // Node-RED copies the message for Catch and Complete nodes.
        reportError(node, error ?? notCopied(thrown), msg as Message);
      }
      if (underWay.size === 0) whenAllEnded();
    };
    const place = underWay.add(end);
    const sendUntilEnd = (result: Message) => {
      if (!hasEnded) send(result);
    };
    inBackground(
      node,
      answer(msg as Message, sendUntilEnd).then(() => end(), end),
    );
  });

  node.on('close', (_removed: boolean, done: () => void) => {
    closing.abort();
    status.close();
    // A full deploy stops the Catch nodes as well, so that nobody else would tell.
    const { size: count } = underWay;
    if (count === 0) {
      done();
      return;
    }
    node.warn(RED._(CLOSED, { count }));
    // What waits for something that knows no signal, such as a context store, would never end.
    const timer = setTimeout(() => {
      for (let next = underWay.shift(); next; next = underWay.shift()) next(closedError());
    }, CLOSE_GRACE_MS);
    whenAllEnded = () => {
      clearTimeout(timer);
      done();
    };
  });
}

/** A Catch node gets only message and code of an error, so the message carries the rest. */
function explain(msg: Message, details: Record<string, unknown>): void {
  try {
    msg.ion = details;
  } catch {
    // A flow may send an object that takes no properties.
  }
}
