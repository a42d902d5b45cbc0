import { setMaxListeners } from 'node:events';
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import type { IonClient, RequestState } from '../client/client.js';
import { closedError, IonError, quote, reasonOf, toIonError } from '../client/errors.js';
import { LinkedList } from '../client/linked-list.js';
import type { IonConfigNode } from './config-node.js';
import { inBackground, reportError } from './report-error.js';
import { NodeStatus, type StatusText } from './status.js';

const CLOSED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.closed';
/** For what is under way when the node closes, in ms. */
const LONGEST_GOODBYE_MS = 2000;
/** Subflows inside each other; nobody has so many. */
const MAX_SUBFLOW_DEPTH = 20;
/** Needs no reading as a path. */
const PLAIN_NAME = /^[A-Za-z]\w*$/;

/** A message as flows pass it on: any properties, of any type. */
export type Message = NodeMessageInFlow &
  Record<string, unknown> & { ion?: Record<string, unknown> };

/** What `msg.ion` tells about an answer. */
export interface MessageDetails {
  operation: 'query' | 'mutation';
  name: string | undefined;
  attempts: number;
  pages?: number | undefined;
  /** Rows in this message. */
  count?: number | undefined;
  totalCount?: number | undefined;
  traceId?: string | undefined;
  extensions?: Record<string, unknown> | undefined;
  /** What became of each of several fields. */
  results?: Record<string, unknown> | undefined;
}

export interface MessageTools {
  config: IonConfigNode;
  client: IonClient;
  /** Aborts when the flow is stopped or redeployed. */
  signal: AbortSignal;
  onState: (state: RequestState) => void;
  /** Sends the message with the result in it. */
  send(msg: Message, result: unknown, details: MessageDetails): void;
  /** What the status shows once all messages are answered. */
  status(text: StatusText): void;
}

interface UsesIonConfig {
  config: string;
  /** The tab or the subflow's instance that the node is in. */
  z?: string;
  /** The message property that the result goes into. */
  output: string;
}

/**
 * Keeps Node-RED's contract for all nodes: whatever `handle` does, a message ends in exactly one
 * `done()` or one `done(error)`, the status tells what happens, and closing the node ends what is
 * under way with `ION_CLOSED`.
 * @returns the status, for what happens beside messages
 */
export function onMessage(
  RED: NodeAPI,
  node: Node,
  config: UsesIonConfig,
  handle: (msg: Message, tools: MessageTools) => Promise<void>,
): NodeStatus {
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  /** Ends one message each. */
  const underWay = new LinkedList<(error: Error) => void>();
  let whenAllEnded = () => {};
  const status = new NodeStatus(RED, node);
  const used = { config: config.config, z: node.z };
  if (!findConfig(RED, used)) status.idle({ fill: 'red', key: 'noConfig' });

  const answer = async (msg: Message, send: (msg: Message) => void): Promise<void> => {
    const startedAt = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAt);
    const tracker = status.begin();
    try {
      const output = config.output || 'payload';
      // Before anything is sent to ION: a mutation whose answer has no place would have run.
      checkOutput(RED, msg, output);
      const configNode = requireConfig(RED, used);
      await handle(msg, {
        config: configNode,
        client: configNode.client,
        signal: closing.signal,
        onState: tracker.update,
        send(result, value, details) {
          try {
            putResult(RED, result, output, value);
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
    }, LONGEST_GOODBYE_MS);
    whenAllEnded = () => {
      clearTimeout(timer);
      done();
    };
  });
  return status;
}

/** A Catch node gets only message and code of an error, so the message carries the rest. */
function explain(msg: Message, details: Record<string, unknown>): void {
  try {
    msg.ion = details;
  } catch {
    // A flow may send an object that takes no properties.
  }
}

/** `undefined` where the config node is not chosen, not deployed or disabled. */
export function findConfig(
  RED: NodeAPI,
  { config, z = '' }: Pick<UsesIonConfig, 'config' | 'z'>,
): IonConfigNode | undefined {
  for (const id of [config, ...inSubflows(z, config)]) {
    const node = RED.nodes.getNode(id) as IonConfigNode | null;
    // A flow file can name any node.
    if (node) return node.type === 'ion-config' ? node : undefined;
  }
  return undefined;
}

/**
 * The ids that the copies of a config node have for the subflows around an instance, the inner ones
 * first: a subflow property that names a config node of an outer subflow holds the original's id.
 */
function inSubflows(instance: string, config: string): string[] {
  const parts = String(instance).split('-').slice(0, MAX_SUBFLOW_DEPTH);
  return parts.map((_, index) => [...parts.slice(0, parts.length - index), config].join('-'));
}

/** @throws IonError `ION_CONFIG` where there is none */
export function requireConfig(
  RED: NodeAPI,
  config: Pick<UsesIonConfig, 'config' | 'z'>,
): IonConfigNode {
  const configNode = findConfig(RED, config);
  if (configNode) return configNode;
  throw new IonError(
    'ION_CONFIG',
    'No ION config node: open this node, choose or add one, and deploy. It may also be disabled.',
  );
}

function checkOutput(RED: NodeAPI, msg: Message, output: string): void {
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

function putResult(RED: NodeAPI, msg: Message, output: string, value: unknown): void {
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

/** For an answer that cannot be passed on, with what is known of it. */
function notPassedOn(thrown: unknown, details: MessageDetails): IonError {
  const error = toIonError(thrown);
  const { operation, attempts, traceId, results } = details;
  const known = error.with({ attempts, traceId: error.traceId ?? traceId, results });
  if (operation === 'query') return known;
  const message = `${error.message} The mutation was executed: do not repeat it.`;
  return known.with({ message, isUncertain: true });
}

/** For a message that holds what Node-RED cannot copy, such as very deep nesting. */
export function notCopied(cause: unknown): IonError {
  const text = `Node-RED cannot copy this message: ${reasonOf(cause)}.`;
  return new IonError('ION_CONFIG', text, { cause });
}

/** What `msg.ion` tells about a failure. */
export function failureDetails(error: IonError, durationMs: number): Record<string, unknown> {
  const { code, status, errors, data, retryAfterMs, traceId, attempts, pages, results } = error;
  return withoutUnknown({
    code,
    mayHaveRun: error.isUncertain || undefined,
    status,
    errors,
    data,
    retryAfterMs,
    traceId,
    attempts,
    pages,
    results,
    durationMs,
  });
}

/** Without the properties that are not known, so that a debug node shows none. */
export function withoutUnknown(details: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(details)) {
    const value = (details as Record<string, unknown>)[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}
