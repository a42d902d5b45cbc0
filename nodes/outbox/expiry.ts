import { IonError } from '../client/errors.js';
import { CoalescedRunner } from './coalesced-runner.js';
import type { RetryDelay } from './retry-delay.js';
import type { Entry, Stored } from './store/entries.js';
import type { OutboxStore } from './store/store.js';

interface Settings {
  store: Pick<OutboxStore, 'firstExpired' | 'nextExpiry'>;
  /** Rejects an expired entry. @returns whether it is no longer pending */
  rejectExpired(stored: Stored): Promise<boolean>;
  canRun(): boolean;
  /** Before the next search, if the disk failed. */
  delayMs: RetryDelay;
}

/** Entries that are rejected at once. */
const MAX_AT_ONCE = 100;
const MIN_WAIT_MS = 1000;
/** Timers do not follow a clock that is set, nor a computer that sleeps. */
const MAX_WAIT_MS = 60_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Rejects pending entries that have waited too long, also while ION cannot be reached. */
export class Expiry {
  readonly #settings: Settings;
  readonly #search: CoalescedRunner;
  #timer: NodeJS.Timeout | undefined;
  /** Time at which the timer fires, in ms since 1970. */
  #nextAt = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#search = new CoalescedRunner({
      job: () => this.#rejectAllExpired(),
      canRun: settings.canRun,
      delayAfter: settings.delayMs,
    });
  }

  /** Looks for expired entries now, and again whenever the next one expires. */
  run(): void {
    this.#search.run();
  }

  /**
   * An entry arrived that expires.
   * @param at in ms since 1970
   */
  expect(at: number): void {
    if (at >= this.#nextAt || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#nextAt = at;
    const delay = Math.min(MAX_WAIT_MS, Math.max(0, at - Date.now()));
    this.#timer = setTimeout(() => {
      this.#nextAt = Number.POSITIVE_INFINITY;
      this.run();
    }, delay);
  }

  /** Resolves when the present search has ended. */
  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    return this.#search.close();
  }

  async #rejectAllExpired(): Promise<void> {
    const { store, rejectExpired, canRun } = this.#settings;
    let ended: boolean[];
    do {
      const expired = await store.firstExpired(Date.now(), MAX_AT_ONCE);
      ended = await Promise.all(expired.map(rejectExpired));
    } while (ended.includes(true) && canRun());
    const next = await store.nextExpiry();
    // Entries that could not be rejected now have to wait.
    if (next !== undefined) this.expect(Math.max(next, Date.now() + MIN_WAIT_MS));
  }
}

export function isExpired({ keepUntil }: Entry): boolean {
  return keepUntil !== undefined && keepUntil <= Date.now();
}

/** The reason why an expired entry is rejected. */
export function expiredError({ acceptedAt, sentAt }: Entry): IonError {
  const mayHaveRun = sentAt !== undefined;
  const warning = mayHaveRun
    ? ' An earlier try may have been executed. Check in ION before you send it again.'
    : '';
  const waited = durationText(Date.now() - acceptedAt);
  const text = `The write waited for ${waited} without success, longer than "Keep for (h)" of its node allows.${warning}`;
  return new IonError('ION_TIMEOUT', text, { mayHaveRun, reason: { key: 'expired' } });
}

/** In the largest unit of which it has at least two. */
function durationText(ms: number): string {
  if (ms >= 2 * HOUR_MS) return `${Math.round(ms / HOUR_MS)} h`;
  if (ms >= 2 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  return `${Math.round(ms / 1000)} s`;
}
