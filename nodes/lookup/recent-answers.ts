import { weightOf } from '../client/support/json-size.js';
import { LruCache } from '../client/support/lru-cache.js';
import type { Changes } from './changes.js';
import type { LookupResult } from './lookup-result.js';

const MAX_AGE_MS = 1000;
const MAX_ANSWERS = 1000;
/** See `weightOf`. */
const MAX_WEIGHT = 1_000_000;

interface Recent {
  result: LookupResult;
  /** On the monotonic clock, in ms. */
  until: number;
  /** The last change before it was asked for. */
  since: number;
}

/** ION's answers of the last second, by the key of the query: a code may be scanned several times. */
export class RecentAnswers {
  readonly #changes: Changes;
  readonly #now: () => number;
  readonly #answers = new LruCache<string, Recent>(MAX_ANSWERS, MAX_WEIGHT);
  /** When the newest answer is no longer recent. */
  #until = Number.NEGATIVE_INFINITY;

  /** @param now a monotonic clock, in ms */
  constructor(changes: Changes, now: () => number = () => performance.now()) {
    this.#changes = changes;
    this.#now = now;
  }

  /** Whether no answer is recent. */
  get isEmpty(): boolean {
    return this.#now() >= this.#until;
  }

  /** An answer that has not changed since. */
  get(key: string): LookupResult | undefined {
    const recent = this.#answers.get(key);
    if (!recent) return undefined;
    const { result, until, since } = recent;
    if (this.#now() < until && !this.#changes.mayConcern(result.answer, since)) return result;
    this.#answers.delete(key);
    return undefined;
  }

  /** @param since the last change before it was asked for */
  set(key: string, result: LookupResult, since: number): void {
    this.#until = this.#now() + MAX_AGE_MS;
    const recent = { result, until: this.#until, since };
    this.#answers.set(key, recent, weightOf(result.answer, MAX_WEIGHT));
  }
}
