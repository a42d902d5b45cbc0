// The state of the config nodes, as the server reports it.
import type { FailingWrite, RejectedWrite } from '../config/outbox-write.js';

export interface RequestSlot {
  requests: number;
  errors: number;
  /** In ms; missing without requests. */
  p50?: number;
  p99?: number;
}

/** State that the server sends about once a second. All times are in ms since 1970, by its clock. */
export interface Numbers {
  id: string;
  /** Differs after each change of the details. */
  version: number;
  running: number;
  waiting: number;
  perSecond?: number;
  tokenUntil?: number;
  /** All of the last 15 minutes. */
  requests: RequestSlot & {
    codes: Record<string, number>;
    lastMinute: { requests: number; errors: number; code?: string };
    /** Failures since the last success. */
    failing?: { count: number; code: string };
  };
  /** The 15 s before the present ones, and these. */
  slots: (RequestSlot & { number: number })[];
  outbox?: {
    waiting: number;
    oldest?: number;
    deliveredPerMinute: number;
    refused: number;
    failing: number;
  };
  events?: { count: number; lastAt: number; lagMs?: number };
}

/** State that the editor asks for when it changes. */
export interface Details {
  name: string;
  environment: string;
  endpoint?: string;
  owner?: { name: string; email: string; organization: string };
  problem?: { of: 'settings' | 'outbox'; message: string };
  isHeld?: true;
  isDryRun?: true;
  queueLimit?: number;
  outbox?: {
    unreachableSince?: number;
    /** Missing while an attempt is under way. */
    nextTryAt?: number;
    reason?: string;
    isOutage?: boolean;
    failing: FailingWrite[];
    /** The oldest ones. */
    refused: RejectedWrite[];
  };
  users: { id: string; type: string; name: string }[];
  userCount: number;
  /** The oldest first. */
  slots: RequestSlot[];
}

export interface Status extends Numbers {
  details: Details;
}

export interface StatusMessage {
  /** The server's clock. */
  now: number;
  /** All config nodes that run, if they are others than before. */
  ids?: string[];
  cards: Numbers[];
}

/** The slots after a message: the newest ones are replaced, and older ones move on. */
export function withSlots(
  slots: readonly RequestSlot[],
  before: Numbers['slots'],
  newest: Numbers['slots'],
): RequestSlot[] {
  const passed = (newest.at(-1)?.number ?? 0) - (before.at(-1)?.number ?? 0);
  const empty = Array.from({ length: Math.max(0, Math.min(passed, slots.length)) }, () => ({
    ...{ requests: 0, errors: 0 },
  }));
  const moved = [...slots, ...empty].slice(-slots.length, -newest.length);
  return [...moved, ...newest.map(({ number, ...slot }) => slot)];
}
