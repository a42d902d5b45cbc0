import { createHash } from 'node:crypto';
import { LruCache } from '../support/lru-cache.js';
import type { WebhookEvent } from './event.js';

const DELIVERY_CACHE_SIZE = 10_000;
const SAME_BYTES_MS = 10 * 60_000;

/** Recognizes repeated webhook deliveries: ION delivers at least once (ION's documentation). */
export class DeliveryDedup {
  /** Times of accepted deliveries, by the event's id or the hash of the body. */
  readonly #taken = new LruCache<string, number>(DELIVERY_CACHE_SIZE);
  readonly #now: () => number;

  /** @param now a monotonic clock in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the same event was accepted before; without an id, the same body in the last 10 min. */
  has({ eventId }: WebhookEvent, body: Uint8Array): boolean {
    const takenAt = this.#taken.get(keyOf(eventId, body));
    if (takenAt === undefined) return false;
    return eventId !== undefined || this.#now() - takenAt < SAME_BYTES_MS;
  }

  /** Remembers an accepted delivery. */
  remember({ eventId }: WebhookEvent, body: Uint8Array): void {
    this.#taken.set(keyOf(eventId, body), this.#now());
  }
}

function keyOf(eventId: string | number | undefined, body: Uint8Array): string {
  if (eventId !== undefined) return `id ${eventId}`;
  return `bytes ${createHash('sha256').update(body).digest('base64')}`;
}
