import type { IonError } from '../client/errors.js';
import { backoff } from '../client/support/backoff.js';

interface RetryDelayOptions {
  /** Delay after the first failure, in ms, before jitter. */
  firstMs: number;
  /** @default Math.random */
  random?: (() => number) | undefined;
  /** Called with each delay, in ms. */
  onDelay?: ((ms: number) => void) | undefined;
}

/** @returns ms before the next try, after that many failures in a row */
export type RetryDelay = (failures: number, error: IonError) => number;

const MAX_DELAY_MS = 60_000;
/** Many Node-REDs must not return at the same time. */
const JITTER = 0.5;

/** The delays of tries that are repeated until they succeed. */
export function retryDelay({ firstMs, random, onDelay }: RetryDelayOptions): RetryDelay {
  return (attempt, { retryAfterMs }) => {
    const options = { firstMs, maxMs: MAX_DELAY_MS, jitter: JITTER, attempt };
    const delay = backoff({ ...options, retryAfterMs, random });
    onDelay?.(delay);
    return delay;
  };
}
