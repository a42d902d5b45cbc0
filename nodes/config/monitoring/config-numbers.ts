import type { IonClient } from '../../client/client.js';
import type { NumberedSlot, RequestSummary } from '../../monitoring/recent-requests.js';
import type { Outbox } from '../../outbox/outbox.js';
import type { IonConfigNode } from '../config-node.js';

interface OutboxNumbers {
  waiting: number;
  /** When the oldest pending write was accepted, in ms since 1970. */
  oldest?: number;
  deliveredPerMinute: number;
  refused: number;
  failing: number;
}

/**
 * State that changes all the time. Node-RED sends it to every editor, also to users without permission
 * for the config node, so that it holds nothing but numbers, times, IDs of nodes and codes.
 */
export interface ConfigNumbers {
  id: string;
  running: number;
  waiting: number;
  /** Requests; missing if they were not counted for a second yet. */
  perSecond?: number;
  /** Time at which the access token expires, in ms since 1970. */
  tokenUntil?: number;
  requests: RequestSummary;
  /** The 15 s before the present ones, which may have changed after the last message, and these. */
  slots: NumberedSlot[];
  outbox?: OutboxNumbers;
  events?: { count: number; lastAt: number; lagMs?: number };
}

/** A token's end is computed from two clocks. */
const TOKEN_STEP_MS = 2000;

/** `undefined` for settings that cannot work. */
export function clientOf(node: IonConfigNode): IonClient | undefined {
  try {
    return node.client;
  } catch {
    return undefined;
  }
}

export async function configNumbers(
  node: IonConfigNode,
  perSecond: number | undefined,
): Promise<ConfigNumbers> {
  const { id, requests } = node;
  const client = clientOf(node);
  const tokenUntil = tokenEnd(client);
  const { opened } = node.outbox;
  const { summary: events } = node.events;
  return {
    id,
    ...(client?.load ?? { running: 0, waiting: 0 }),
    ...(perSecond !== undefined && { perSecond: rounded(perSecond) }),
    ...(tokenUntil !== undefined && { tokenUntil }),
    requests: requests.summary(),
    slots: requests.newest(),
    ...(opened && { outbox: await outboxNumbers(opened) }),
    ...(events && { events }),
  };
}

async function outboxNumbers(outbox: Outbox): Promise<OutboxNumbers> {
  const { pending, rejected, failing } = outbox.state;
  // The outbox may be closing.
  const oldest = pending > 0 ? await outbox.oldestAcceptedAt().catch(() => undefined) : undefined;
  return {
    waiting: pending,
    ...(oldest !== undefined && { oldest }),
    deliveredPerMinute: outbox.deliveredPerMinute,
    refused: rejected,
    failing: failing.length,
  };
}

function tokenEnd(client: IonClient | undefined): number | undefined {
  const leftMs = client?.tokenExpiresInMs;
  if (leftMs === undefined) return undefined;
  return Math.round((Date.now() + leftMs) / TOKEN_STEP_MS) * TOKEN_STEP_MS;
}

/** One digit after the point below 10. */
function rounded(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
