import type { IonError } from '../client/errors.js';

export interface BackoffOptions {
  /** The longest first delay, in ms. */
  firstMs: number;
  /** Defaults to `Math.random`. */
  random?: (() => number) | undefined;
  /** Called with each delay, in ms. */
  onDelay?: ((ms: number) => void) | undefined;
}

/** @returns ms before the next try, after that many failures in a row */
export type Backoff = (failures: number, error: IonError) => number;

const MAX_DELAY_MS = 60_000;
/** Limit for the time that a server asks for. */
const MAX_RETRY_AFTER_MS = 600_000;

/** Exponential back-off with jitter, so that many Node-REDs do not return at the same time. */
export function backoff({ firstMs, random = Math.random, onDelay }: BackoffOptions): Backoff {
  return (failures, { retryAfterMs = 0 }) => {
    const longest = Math.min(MAX_DELAY_MS, firstMs * 2 ** (failures - 1));
    const asked = Math.min(MAX_RETRY_AFTER_MS, retryAfterMs);
    const delay = Math.max(longest * (0.5 + random() / 2), asked);
    onDelay?.(delay);
    return delay;
  };
}
