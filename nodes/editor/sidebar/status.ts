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
  /** The present 15 s. */
  slot: RequestSlot & { number: number };
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

/** The slots after a message: the present one is replaced, and older ones move on. */
export function withSlot(
  slots: readonly RequestSlot[],
  before: number,
  { number, ...slot }: Numbers['slot'],
): RequestSlot[] {
  const passed = Math.max(0, Math.min(number - before, slots.length));
  const empty = Array.from({ length: passed }, () => ({ requests: 0, errors: 0 }));
  return [...[...slots, ...empty].slice(-slots.length, -1), slot];
}
