import type { IonError } from '../client/errors.js';
import { backoff } from '../client/support/backoff.js';

export interface RetryDelayOptions {
  /** The longest first delay, in ms. */
  firstMs: number;
  /** Defaults to `Math.random`. */
  random?: (() => number) | undefined;
  /** Called with each delay, in ms. */
  onDelay?: ((ms: number) => void) | undefined;
}

/** @returns ms before the next try, after that many failures in a row */
export type RetryDelay = (failures: number, error: IonError) => number;

const MAX_DELAY_MS = 60_000;

/** Back-off of the outbox; its jitter keeps many Node-REDs from returning at the same time. */
export function retryDelay({ firstMs, random, onDelay }: RetryDelayOptions): RetryDelay {
  return (attempt, { retryAfterMs }) => {
    const options = { firstMs, maxMs: MAX_DELAY_MS, attempt, jitter: 0.5, retryAfterMs, random };
    const delay = backoff(options);
    onDelay?.(delay);
    return delay;
  };
}
