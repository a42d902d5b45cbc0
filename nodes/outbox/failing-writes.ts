import type { IonError, IonErrorCode } from '../client/errors.js';
import { concernsDatabase } from '../client/failures/service-trouble.js';
import type { Stored } from './store/entries.js';

/** A failing write is rejected after that many failures, but not before that time has passed. */
export interface RejectionRule {
  tries: number;
  /** Since the first failure. */
  ms: number;
}

/** Decision of a person on a failing write: reject it, or remove it. */
export type FailingDecision = 'skip' | 'discard';

/** The first write of a partition, if it failed while ION responded to other requests. */
export interface FailingWrite {
  stored: Stored;
  /** The last failure. */
  error: IonError;
  /** Failures in this process, since it is the first write of its partition. */
  tries: number;
  /** Time of the first failure, in ms since 1970. */
  since: number;
  /** In ms since 1970; `undefined` while it is being tried. */
  nextTryAt: number | undefined;
}

interface Failing extends FailingWrite {
  /** Failures that may be due to the write itself. */
  counted: number;
  /** Time of the first of those, on the monotonic clock. */
  countedSince: number;
  /** Time of the first failure, on the monotonic clock. */
  startedAt: number;
  /** Writes that were delivered before the last failure. */
  deliveredBefore: number;
  decision: FailingDecision | undefined;
  /** Called when it is no longer failing. */
  listeners: (() => void)[];
}

interface Failure {
  tries: number;
  /** Since the first failure. */
  minutes: number;
  /** Whether it has failed often and long enough to be rejected. */
  mustReject: boolean;
}

const DEFAULT_RULE: RejectionRule = { tries: 15, ms: 15 * 60_000 };
/** Most failures pass after one or two tries, and are not shown. */
const MIN_SHOWN_TRIES = 3;

/** Failures that are never due to a single write. */
const SHARED_CODES: ReadonlySet<IonErrorCode> = new Set([
  'ION_AUTH',
  'ION_RATE_LIMITED',
  'ION_CONFIG',
  'ION_OVERLOADED',
  'ION_CLOSED',
]);

/**
 * The writes that fail again and again although ION responds. A write is rejected only for failures
 * that are its own: if others were delivered, or if it was the only one that failed.
 */
export class FailingWrites {
  readonly #rule: RejectionRule;
  readonly #now: () => number;
  readonly #byPartition = new Map<string, Failing>();
  #delivered = 0;

  /**
   * @param rule by default 15 failures in 15 minutes or more
   * @param now a clock in ms that never goes back
   */
  constructor(rule: RejectionRule = DEFAULT_RULE, now: () => number = () => performance.now()) {
    this.#rule = rule;
    this.#now = now;
  }

  /** Number of writes that were delivered. */
  get deliveredCount(): number {
    return this.#delivered;
  }

  /** Writes that failed three times or more, the oldest failure first. */
  get shown(): FailingWrite[] {
    const shown = [...this.#byPartition.values()].filter(({ tries }) => tries >= MIN_SHOWN_TRIES);
    return shown.sort((a, b) => a.since - b.since);
  }

  /**
   * The first write of a partition was delivered. A rejected one does not count, because a
   * read-only database can reject writes as well.
   */
  delivered(partition: string): void {
    this.#delivered++;
    this.forget(partition);
  }

  /** Another write is the first one of the partition now. */
  forget(partition: string): void {
    const failing = this.#byPartition.get(partition);
    this.#byPartition.delete(partition);
    for (const listener of failing?.listeners ?? []) listener();
  }

  /** Resolves when the failing write of a partition is no longer its first one. */
  ended(partition: string): Promise<void> {
    return new Promise((resolve) => {
      const failing = this.#byPartition.get(partition);
      if (failing) failing.listeners.push(resolve);
      else resolve();
    });
  }

  /** The failing write of a partition, if it is this one. */
  of(partition: string, { sequence }: Stored): Readonly<Failing> | undefined {
    const failing = this.#byPartition.get(partition);
    return failing?.stored.sequence === sequence ? failing : undefined;
  }

  /** The failing write of a partition. */
  in(partition: string): Stored | undefined {
    return this.#byPartition.get(partition)?.stored;
  }

  /** The partition of a failing write. */
  partitionOf(sequence: number): string | undefined {
    for (const [partition, { stored }] of this.#byPartition)
      if (stored.sequence === sequence) return partition;
    return undefined;
  }

  /** @returns the failing write of the partition */
  decide(partition: string, decision: FailingDecision | 'retry'): Stored | undefined {
    const failing = this.#byPartition.get(partition);
    if (failing && decision !== 'retry') failing.decision = decision;
    return failing?.stored;
  }

  /** The first write of a partition failed, although ION responds. */
  failed(partition: string, stored: Stored, error: IonError): Failure {
    const known = this.#byPartition.get(partition);
    const failing: Failing =
      known?.stored.sequence === stored.sequence
        ? known
        : {
            stored,
            error,
            tries: 0,
            since: Date.now(),
            nextTryAt: undefined,
            counted: 0,
            countedSince: 0,
            startedAt: this.#now(),
            deliveredBefore: this.#delivered,
            decision: undefined,
            listeners: [],
          };
    this.#byPartition.set(partition, failing);
    failing.tries++;
    failing.stored = stored;
    failing.error = error;
    const now = this.#now();
    // If nothing else fails, it may be the only pending write: the database may be down for all.
    const isAlone = this.#byPartition.size === 1 && !isOfDatabase(error);
    const isOnlyOne = isAlone || this.#delivered > failing.deliveredBefore;
    failing.deliveredBefore = this.#delivered;
    if (isOnlyOne && mayBeItsOwn(error) && failing.counted++ === 0) failing.countedSince = now;
    const mustReject =
      failing.counted >= this.#rule.tries && now - failing.countedSince >= this.#rule.ms;
    return {
      tries: failing.tries,
      minutes: Math.round((now - failing.startedAt) / 60_000),
      mustReject,
    };
  }

  /** @param delay before the next try, in ms; `undefined` if a try begins */
  setNextTry(partition: string, delay: number | undefined): void {
    const failing = this.#byPartition.get(partition);
    if (failing) failing.nextTryAt = delay === undefined ? undefined : Date.now() + delay;
  }
}

/** Whether the failure may be due to the write itself. */
function mayBeItsOwn({ code, notRun }: IonError): boolean {
  // A host that cannot be connected to has not seen the write.
  return !SHARED_CODES.has(code) && !(code === 'ION_NETWORK' && notRun);
}

/** Whether ION reported a failure of its database, which affects all writes. */
function isOfDatabase({ errors = [] }: IonError): boolean {
  return concernsDatabase(errors.map(({ message }) => message));
}
