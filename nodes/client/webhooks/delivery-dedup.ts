import { createHash } from 'node:crypto';
import { LruCache } from '../support/lru-cache.js';
import type { WebhookEvent } from './event.js';

const DELIVERY_CACHE_SIZE = 10_000;
const SAME_BYTES_MS = 10 * 60_000;

/** The deliveries that were taken: ION delivers at least once, so one may come again. */
export class DeliveryDedup {
  /** When each was taken, by the event's id or by the bytes. */
  readonly #taken = new LruCache<string, number>(DELIVERY_CACHE_SIZE);
  readonly #now: () => number;

  /** @param now a clock in ms that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the same event was taken before; where it has no id, the same bytes not long ago. */
  has({ eventId }: WebhookEvent, body: Uint8Array): boolean {
    const takenAt = this.#taken.get(keyOf(eventId, body));
    if (takenAt === undefined) return false;
    return eventId !== undefined || this.#now() - takenAt < SAME_BYTES_MS;
  }

  take({ eventId }: WebhookEvent, body: Uint8Array): void {
    this.#taken.set(keyOf(eventId, body), this.#now());
  }
}

function keyOf(eventId: string | number | undefined, body: Uint8Array): string {
  if (eventId !== undefined) return `id ${eventId}`;
  return `bytes ${createHash('sha256').update(body).digest('base64')}`;
}
