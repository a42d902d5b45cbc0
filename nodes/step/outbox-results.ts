import { serialize } from 'node:v8';
import type { Node, NodeAPI } from 'node-red';
import { IonError, reasonOf } from '../client/errors.js';
import type { WriteResult } from '../client/steps/step-writer.js';
import type { IonConfigNode } from '../config/config-node.js';
import { findConfig, type UsesIonConfig } from '../config/find-config.js';
import type { OutboxState } from '../outbox/listeners.js';
import { type NewStepWrite, stepEntry } from '../outbox/step-writes.js';
import type { Entry } from '../outbox/store/entries.js';
import { NotStorableError } from '../outbox/store/entry-codec.js';
import { failureDetails } from '../shared/failure-details.js';
import type { MessageTools } from '../shared/handle-messages.js';
import { isOutputWired } from '../shared/is-output-wired.js';
import { type Message, withoutUnknown } from '../shared/message.js';
import type { NodeStatus, StatusText } from '../shared/node-status.js';
import { reportError } from '../shared/report-error.js';
import { timeOfDay } from '../shared/time-of-day.js';

interface OutboxNodeConfig extends UsesIonConfig {
  delivery: 'direct' | 'outbox';
}

/** Message properties of a request or a connection, which have no meaning later. */
const NOT_KEPT = new Set(['req', 'res', '_session', '_client']);

const HELD: StatusText = { key: 'outbox.held', fill: 'yellow' };

export interface OutboxResults {
  /** Adds a write to the outbox. Resolves when it is on the disk. */
  add(
    ion: IonConfigNode,
    msg: Message,
    write: NewStepWrite & { file?: { content?: unknown } },
    tools: MessageTools,
  ): Promise<void>;
}

/** Connects a node with the outbox of its config node: messages go in, results and the status come out. */
export function outboxResults(
  RED: NodeAPI,
  node: Node,
  status: NodeStatus,
  config: OutboxNodeConfig,
): OutboxResults {
  let unsubscribe = () => {};
  const show = (state: OutboxState) => status.idle(statusOf(state));
  const listener = {
    delivered: (entry: Entry, result: WriteResult<unknown>) =>
      node.send([deliveredMessage(entry, result), null]),
    rejected: (entry: Entry, error: IonError) => {
      const ion = failureDetails(error, Date.now() - entry.acceptedAt);
      const msg: Message = { ...messageOf(entry), ion };
      // Each message has an outcome that a flow can see.
      if (isOutputWired(RED, node, 1)) node.send([null, withError(node, msg, error)]);
      else reportError(node, error, msg);
    },
    failed: (thrown: unknown) => reportError(node, thrown),
    changed: show,
    held: (isHeld: boolean) => status.override(isHeld ? HELD : undefined),
  };
  const configNode = findConfig(RED, config);
  if (config.delivery === 'outbox' && configNode) {
    unsubscribe = configNode.outbox.subscribe(node.id, listener);
  }
  node.on('close', () => unsubscribe());

  return {
    async add(ion, msg, write, tools) {
      const outbox = await ion.outbox.open(tools.signal);
      const kept = keptOf(msg, write.file);
      try {
        await outbox.add(node.id, stepEntry(write), kept);
      } catch (thrown) {
        if (!(thrown instanceof NotStorableError)) throw thrown;
        // Properties such as functions and sockets cannot be stored.
        const rest = Object.fromEntries(Object.entries(kept).filter(canBeKept));
        await outbox.add(node.id, stepEntry(write), rest).catch(refuseValue);
      }
      tools.status(statusOf(outbox.state));
    },
  };
}

function deliveredMessage(entry: Entry, result: WriteResult<unknown>): Message {
  const { payload, name, attempts, traceId, results } = result;
  const durationMs = Date.now() - entry.acceptedAt;
  const ion = { operation: 'mutation', name, attempts, traceId, results, durationMs };
  return { ...messageOf(entry), payload, ion: withoutUnknown(ion) };
}

/** Has the properties that a Catch node would add, so that one flow can handle both. */
function withError(node: Node, msg: Message, { code, message }: IonError): Message {
  const source = { id: node.id, type: node.type, name: node.name };
  return { ...msg, error: { message, code, source } };
}

function messageOf({ context }: Entry): Message {
  return context as Message;
}

/** The storable part of a message, without the content of a file, which the outbox stores separately. */
function keptOf(msg: Message, file: { content?: unknown } | undefined): object {
  const isKept = ([name, value]: [string, unknown]) =>
    !NOT_KEPT.has(name) && (file?.content === undefined || value !== file.content);
  return Object.fromEntries(Object.entries(msg).filter(isKept));
}

function refuseValue(thrown: unknown): never {
  if (!(thrown instanceof NotStorableError)) throw thrown;
  const text = `The value cannot be stored in the outbox: ${reasonOf(thrown)}`;
  throw new IonError('ION_VARIABLES', text, { cause: thrown });
}

function canBeKept([, value]: [string, unknown]): boolean {
  try {
    serialize(value);
    return true;
  } catch {
    return false;
  }
}

function statusOf({
  pending: count,
  rejected,
  unreachableSince,
  failing,
}: OutboxState): StatusText {
  if (unreachableSince !== undefined) {
    return { key: 'outbox.unreachable', fill: 'yellow', count, since: timeOfDay(unreachableSince) };
  }
  const [first] = failing;
  if (first) {
    const { code: reason } = first.error;
    return { key: 'outbox.failing', fill: 'red', count: failing.length, reason };
  }
  if (count > 0) return { key: 'outbox.pending', fill: 'blue', count };
  if (rejected > 0) return { key: 'outbox.rejected', fill: 'red', count: rejected };
  return { key: 'outbox.empty', fill: 'green' };
}
