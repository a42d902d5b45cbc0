import { serialize } from 'node:v8';
import type { Node, NodeAPI } from 'node-red';
import { closedError, IonError, reasonOf } from '../client/errors.js';
import { abandonable } from '../client/support/abort-listeners.js';
import type { DeliveryResult } from '../outbox/entry-kind.js';
import { isOutage, type OutboxState } from '../outbox/listeners.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Entry, NewEntry } from '../outbox/store/entries.js';
import { NotStorableError } from '../outbox/store/entry-codec.js';
import { ArrivalOrder } from '../shared/arrival-order.js';
import { failureDetails, unsentResultError } from '../shared/failure-details.js';
import type { MessageTools } from '../shared/handle-messages.js';
import { isOutputWired } from '../shared/is-output-wired.js';
import { type Message, type MessageDetails, resultDetails } from '../shared/message.js';
import { failedStatus, type NodeStatus, type StatusText } from '../shared/node-status.js';
import { checkOutput, putResult } from '../shared/output-property.js';
import { reportError } from '../shared/report-error.js';
import { timeOfDay } from '../shared/time-of-day.js';
import type { IonConfigNode } from './config-node.js';
import { findConfig, type UsesIonConfig } from './find-config.js';

interface OutboxNodeConfig extends UsesIonConfig {
  delivery?: 'direct' | 'outbox';
  /** The message property for the result; `payload` if it is empty. */
  output: string;
}

/** Message properties of a request or a connection, which have no meaning later. */
const NOT_KEPT = new Set(['req', 'res', '_session', '_client']);

const HELD: StatusText = { key: 'outbox.held', fill: 'yellow' };

/** A write that a message asks for. */
export interface AcceptedWrite {
  /** Called again if the message holds values that cannot be stored. */
  entry(): NewEntry;
  /** A value of the message that the outbox stores outside it. */
  content?: unknown;
}

export interface OutboxResults {
  /**
   * Adds the write of a message to the outbox, after those of the messages before it. Resolves when
   * it is on the disk.
   * @param read begins at once, at the same time for several messages
   */
  accept(
    ion: IonConfigNode,
    msg: Message,
    tools: MessageTools,
    read: () => Promise<AcceptedWrite>,
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
  const outcomes = new Outcomes(node.id);
  const configNode = findConfig(RED, config);
  const statusFor = (state: OutboxState): StatusText => {
    const text = outcomes.statusFor(state);
    return configNode?.isDryRun ? { ...text, isDryRun: true } : text;
  };
  const listener = {
    delivered: (entry: Entry, result: DeliveryResult) => {
      outcomes.delivered++;
      sendDelivered(RED, node, config.output || 'payload', entry, result);
    },
    rejected: (entry: Entry, error: IonError) => {
      // Discarded writes are reported here as well.
      outcomes.delivered = 0;
      const ion = failureDetails(error, Date.now() - entry.acceptedAt);
      const msg: Message = { ...messageOf(entry), ion };
      // Each message has an outcome that a flow can see.
      if (isOutputWired(RED, node, 1)) node.send([null, withError(node, msg, error)]);
      else reportError(node, error, msg);
    },
    failed: (thrown: unknown) => reportError(node, thrown),
    changed: (state: OutboxState) => status.idle(statusFor(state)),
    held: (isHeld: boolean) => status.override(isHeld ? HELD : undefined),
  };
  if (config.delivery === 'outbox' && configNode) {
    unsubscribe = configNode.outbox.subscribe(node.id, listener);
  }
  node.on('close', () => unsubscribe());

  const order = new ArrivalOrder();
  return {
    async accept(ion, msg, tools, read) {
      const { signal } = tools;
      const { turn, leave } = order.enter();
      try {
        const write = await read();
        const outbox = await ion.outbox.open(signal);
        await abandonable(turn, signal, closedError);
        await store(outbox, node.id, msg, write, leave);
        tools.status(statusFor(outbox.state));
      } finally {
        leave();
      }
    },
  };
}

async function store(
  outbox: Outbox,
  sender: string,
  msg: Message,
  { entry, content }: AcceptedWrite,
  onNumbered: () => void,
): Promise<void> {
  const kept = keptOf(msg, content);
  try {
    await outbox.add(sender, entry(), kept, onNumbered);
  } catch (thrown) {
    if (!(thrown instanceof NotStorableError)) throw thrown;
    // Properties such as functions and sockets cannot be stored.
    const rest = Object.fromEntries(Object.entries(kept).filter(canBeKept));
    await outbox.add(sender, entry(), rest, onNumbered).catch(refuseValue);
  }
}

function sendDelivered(
  RED: NodeAPI,
  node: Node,
  output: string,
  entry: Entry,
  result: DeliveryResult,
): void {
  const { payload, ...rest } = result;
  const details: MessageDetails = { operation: 'mutation', ...rest };
  const message = { ...messageOf(entry) };
  const durationMs = Date.now() - entry.acceptedAt;
  message.ion = resultDetails(details, durationMs);
  try {
    // The node may have a new output since it accepted the message.
    checkOutput(RED, message, output);
    putResult(RED, message, output, payload);
  } catch (thrown) {
    reportError(node, unsentResultError(thrown, details), message);
    return;
  }
  node.send([message, null]);
}

/** Has the properties that a Catch node would add, so that one flow can handle both. */
function withError(node: Node, msg: Message, { code, message }: IonError): Message {
  const source = { id: node.id, type: node.type, name: node.name };
  return { ...msg, error: { message, code, source } };
}

function messageOf({ context }: Entry): Message {
  return context as Message;
}

/** The storable part of a message, without the content of a file. */
function keptOf(msg: Message, content: unknown): object {
  const isKept = ([name, value]: [string, unknown]) =>
    !NOT_KEPT.has(name) && (content === undefined || value !== content);
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

/** The outcomes of the writes of one node, and its status. Pending writes and outages are those of all nodes. */
class Outcomes {
  readonly #sender: string;
  /** Writes that ION accepted, since the last one that was rejected or discarded. */
  delivered = 0;
  #rejected = 0;

  constructor(sender: string) {
    this.#sender = sender;
  }

  statusFor(state: OutboxState): StatusText {
    const { pending: count, unreachableSince, reason: error } = state;
    const { count: rejected = 0, reason } = state.rejections.get(this.#sender) ?? {};
    // Somebody discarded a write, or it is tried again.
    if (rejected < this.#rejected) this.delivered = 0;
    this.#rejected = rejected;
    // Without pending writes an outage delays nothing, but a rejected write needs a decision.
    if (unreachableSince !== undefined && (count > 0 || rejected === 0)) {
      const since = timeOfDay(unreachableSince);
      if (isOutage(state) || !error) {
        return { key: 'outbox.unreachable', fill: 'yellow', count, since };
      }
      return { ...failedStatus(error, 'outbox.waiting'), fill: 'yellow', count, since };
    }
    const failing = state.failing.filter(({ stored }) => stored.entry.sender === this.#sender);
    const [first] = failing;
    if (first) {
      return { ...failedStatus(first.error, 'outbox.failing'), count: failing.length };
    }
    if (count > 0) return { key: 'outbox.pending', fill: 'blue', count };
    if (rejected > 0) return { ...rejectedStatus(reason), count: rejected };
    if (this.delivered > 0) {
      return { key: 'outbox.delivered', fill: 'green', count: this.delivered };
    }
    if (state.rejected > 0) {
      return { key: 'outbox.othersRejected', fill: 'grey', count: state.rejected };
    }
    return { key: 'outbox.empty', fill: 'grey' };
  }
}

function rejectedStatus(reason: IonError | undefined): StatusText {
  if (!reason) return { key: 'outbox.rejected', fill: 'red' };
  return failedStatus(reason, 'outbox.rejectedBecause');
}
