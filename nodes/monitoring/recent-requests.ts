import type { IonErrorCode } from '../client/errors.js';
import { Durations } from './durations.js';

const SLOT_MS = 15_000;
/** The slots of the last minute. */
const MINUTE_SLOTS = 4;
/** A quarter of an hour. */
export const SLOT_COUNT = 60;

/** A part of the recent past, 15 s long. */
export interface RequestSlot {
  requests: number;
  errors: number;
  /** In ms; missing without requests. */
  p50?: number;
  p99?: number;
}

/** A part with its number since the start of the clock. */
export type NumberedSlot = RequestSlot & { number: number };

/** The failed requests, by their code. */
type Codes = Partial<Record<IonErrorCode, number>>;

/** The sum of all parts. */
export interface RequestSummary extends RequestSlot {
  codes: Codes;
  /** The last minute, with its most frequent code. */
  lastMinute: { requests: number; errors: number; code?: IonErrorCode };
  /** Failures since the last success, with the code of the last one. */
  failing?: { count: number; code: IonErrorCode };
}

interface Slot {
  /** Its number since the start of the clock. */
  number: number;
  requests: number;
  codes: Map<IonErrorCode, number>;
  durations: Durations;
}

/**
 * The requests of the last 15 minutes, in a ring of parts. The work per request is constant: a part has
 * counters and a small histogram.
 */
export class RecentRequests {
  readonly #now: () => number;
  readonly #ring: (Slot | undefined)[] = Array(SLOT_COUNT).fill(undefined);
  #current: Slot;
  #total = 0;
  #failures = 0;
  #lastCode: IonErrorCode | undefined;

  /** @param now a clock in ms that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#current = this.#begin(this.#number());
  }

  /** Number of all requests since the start. */
  get total(): number {
    return this.#total;
  }

  /**
   * @param durationMs from the call to the outcome, in ms
   * @param code `undefined` for a success
   */
  add(durationMs: number, code: IonErrorCode | undefined): void {
    // The node that asked was stopped, which says nothing of ION.
    if (code === 'ION_CLOSED') return;
    const slot = this.#slot();
    this.#total++;
    slot.requests++;
    slot.durations.add(durationMs);
    if (code === undefined) {
      this.#failures = 0;
      return;
    }
    this.#failures++;
    this.#lastCode = code;
    slot.codes.set(code, (slot.codes.get(code) ?? 0) + 1);
  }

  /** All parts, the oldest first; the last one is not over. */
  slots(): RequestSlot[] {
    const last = this.#number();
    return Array.from({ length: SLOT_COUNT }, (_, index) =>
      described(this.#numbered(last - SLOT_COUNT + 1 + index)),
    );
  }

  /** The part that ended last, and the one that is not over. */
  newest(): NumberedSlot[] {
    const last = this.#number();
    return [last - 1, last].map((number) => ({ number, ...described(this.#numbered(number)) }));
  }

  summary(): RequestSummary {
    const last = this.#number();
    const since = (number: number) =>
      this.#ring.flatMap((slot) => (slot && slot.requests > 0 && slot.number > number ? slot : []));
    const slots = since(last - SLOT_COUNT);
    const durations = new Durations();
    for (const slot of slots) durations.addAll(slot.durations);
    const { codes: minuteCodes, ...minute } = sum(since(last - MINUTE_SLOTS));
    const [mostFrequent] = Object.entries(minuteCodes).sort(([, one], [, other]) => other - one);
    const code = this.#failures > 0 ? this.#lastCode : undefined;
    return {
      ...sum(slots),
      ...percentiles(durations),
      lastMinute: {
        ...minute,
        ...(mostFrequent && { code: mostFrequent[0] as IonErrorCode }),
      },
      ...(code && { failing: { count: this.#failures, code } }),
    };
  }

  #number(): number {
    return Math.floor(this.#now() / SLOT_MS);
  }

  #slot(): Slot {
    const number = this.#number();
    if (this.#current.number !== number) this.#current = this.#begin(number);
    return this.#current;
  }

  /** Uses the oldest part again. */
  #begin(number: number): Slot {
    const index = number % SLOT_COUNT;
    const slot = this.#ring[index] ?? {
      ...{ number, requests: 0 },
      ...{ codes: new Map(), durations: new Durations() },
    };
    slot.number = number;
    slot.requests = 0;
    slot.codes.clear();
    slot.durations.clear();
    this.#ring[index] = slot;
    return slot;
  }

  #numbered(number: number): Slot | undefined {
    const slot = this.#ring[((number % SLOT_COUNT) + SLOT_COUNT) % SLOT_COUNT];
    return slot?.number === number ? slot : undefined;
  }
}

function described(slot: Slot | undefined): RequestSlot {
  if (!slot || slot.requests === 0) return { requests: 0, errors: 0 };
  const { requests, errors } = sum([slot]);
  return { requests, errors, ...percentiles(slot.durations) };
}

function sum(slots: readonly Slot[]): { requests: number; errors: number; codes: Codes } {
  const codes: Codes = {};
  let requests = 0;
  let errors = 0;
  for (const slot of slots) {
    requests += slot.requests;
    for (const [code, count] of slot.codes) {
      codes[code] = (codes[code] ?? 0) + count;
      errors += count;
    }
  }
  return { requests, errors, codes };
}

function percentiles(durations: Durations): Pick<RequestSlot, 'p50' | 'p99'> {
  const [p50, p99] = [durations.percentile(0.5), durations.percentile(0.99)];
  return p50 === undefined || p99 === undefined ? {} : { p50, p99 };
}
