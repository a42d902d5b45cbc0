import { setMaxListeners } from 'node:events';
import type { Node, NodeAPI } from 'node-red';
import type { RequestState } from '../client/client.js';
import { closedError, toIonError } from '../client/errors.js';
import { failureDetails, uncopyableError, unsentResultError } from './failure-details.js';
import { type Message, type MessageDetails, resultDetails } from './message.js';
import { failedStatus, type NodeStatus, type StatusText } from './node-status.js';
import { checkOutput, putResult } from './output-property.js';
import { type PendingMessage, PendingMessages } from './pending-messages.js';
import { inBackground, reportError } from './report-error.js';

const CLOSED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.closed';

export interface SendOptions {
  /**
   * From 0. Other outputs get nothing.
   * @default 0
   */
  output?: number;
  /** Set in the message beside the result. */
  properties?: Readonly<Record<string, unknown>>;
}

export interface MessageTools {
  /** Aborts when the flow is stopped or redeployed. */
  signal: AbortSignal;
  onState: (state: RequestState) => void;
  /** Sends the message with the result in it. */
  send(msg: Message, result: unknown, details: MessageDetails, options?: SendOptions): void;
  /** Sets the status that the node shows after all messages have ended. */
  status(text: StatusText): void;
}

export type MessageHandler = (msg: Message, tools: MessageTools) => Promise<void>;

/**
 * Keeps Node-RED's contract for all nodes: each message ends in exactly one `done()` or `done(error)`,
 * the status shows the progress, and closing the node ends messages in progress with `ION_CLOSED`.
 * @param output the message property for the result; `payload` if it is empty
 */
export function handleMessages(
  RED: NodeAPI,
  node: Node,
  status: NodeStatus,
  output: string,
  handler: MessageHandler,
): void {
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const { signal } = closing;
  const pending = new PendingMessages();
  const context: HandlerContext = { RED, status, output: output || 'payload', signal, handler };

  // Not an async function: Node-RED ends its process if one of those rejects.
  node.on('input', (received, send, done) => {
    const msg = received as Message;
    const message = pending.add((error) => callDone(node, msg, done, error));
    const sendUntilEnd = (result: Message, at: number) => {
      if (!message.hasEnded) send(at === 0 ? result : [...Array(at).fill(null), result]);
    };
    inBackground(node, handle(context, msg, message, sendUntilEnd));
  });

  node.on('close', (_removed: boolean, done: () => void) => {
    closing.abort();
    status.close();
    // A full deploy also stops the Catch nodes, so only the log can report these messages.
    if (pending.count > 0) node.warn(RED._(CLOSED, { count: pending.count }));
    pending.close(done);
  });
}

interface HandlerContext {
  RED: NodeAPI;
  status: NodeStatus;
  output: string;
  signal: AbortSignal;
  handler: MessageHandler;
}

/** Runs the handler of a node, with the status and the failure details of its message, and ends the message. */
async function handle(
  { RED, status, output, signal, handler }: HandlerContext,
  msg: Message,
  message: PendingMessage,
  send: (msg: Message, output: number) => void,
): Promise<void> {
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  let failure: Error | undefined;
  try {
    const tracker = status.begin();
    try {
      // Node-RED still delivers what was sent before, and the config node may be gone already.
      if (signal.aborted) throw closedError();
      // Before the request: a mutation whose result has no place would already be executed.
      checkOutput(RED, msg, output);
      await handler(msg, {
        signal,
        onState: tracker.update,
        send(result, value, details, { output: to = 0, properties } = {}) {
          try {
            if (properties) Object.assign(result, properties);
            putResult(RED, result, output, value);
            result.ion = resultDetails(details, durationMs());
            send(result, to);
          } catch (thrown) {
            throw unsentResultError(thrown, details);
          }
        },
        status: (text) => tracker.end({ fill: 'green', ms: durationMs(), ...text }),
      });
      tracker.end();
    } catch (thrown) {
      const error = toIonError(thrown);
      failure = error;
      tracker.end(failedStatus(error));
      setDetails(msg, failureDetails(error, durationMs()));
    }
  } catch (thrown) {
    // The status could not be shown.
    failure ??= toIonError(thrown);
  }
  // Not by the promise's own end, which would take further turns of the event loop.
  message.end(failure);
}

function callDone(node: Node, msg: Message, done: (error?: Error) => void, error?: Error): void {
  try {
    done(error);
  } catch (thrown) {
    // Node-RED copies the message for Catch and Complete nodes.
    reportError(node, error ?? uncopyableError(thrown), msg);
  }
}

/** Catch nodes receive only the message and the code of an error; `msg.ion` has the other details. */
function setDetails(msg: Message, details: Record<string, unknown>): void {
  try {
    msg.ion = details;
  } catch {
    // A flow may send a frozen object.
  }
}
