import type { IonError, IonErrorCode } from '../client/errors.js';
import { speaksOfDatabase } from '../client/failures/service-trouble.js';
import type { Stored } from './entries.js';

/** After how many failures, and how long after the first one (ms), a write is given up. */
export interface GiveUpRule {
  tries: number;
  ms: number;
}

/** What somebody decided in the dialog, to be carried out before the next try. */
export type FailingDecision = 'skip' | 'discard';

/** The first write of a lane, which failed while ION answered. */
export interface FailingWrite {
  stored: Stored;
  /** The last failure. */
  error: IonError;
  /** Failures, since it is the first one of its lane in this process. */
  tries: number;
  /** Of the first failure, in ms since 1970. */
  since: number;
  /** In ms since 1970; `undefined` while it is being tried. */
  nextTryAt: number | undefined;
}

interface Failing extends FailingWrite {
  /** Failures of its own. */
  counted: number;
  /** Of the first of those, on the monotonic clock. */
  countedSince: number;
  /** Of the first failure, on the monotonic clock. */
  begun: number;
  /** Writes that had been delivered before the last failure. */
  deliveredBefore: number;
  decision: FailingDecision | undefined;
  /** Hear that it is not failing any more. */
  listeners: (() => void)[];
}

interface Failure {
  tries: number;
  /** Since the first one. */
  minutes: number;
  /** It has failed often and long enough to be given up. */
  isOver: boolean;
}

const GIVE_UP: GiveUpRule = { tries: 15, ms: 15 * 60_000 };
/** Fewer failures are not worth showing: most pass by themselves. */
const SHOWN_FROM = 3;

/** Failures that have nothing to do with the one write that met them. */
const OF_ALL: ReadonlySet<IonErrorCode> = new Set([
  'ION_AUTH',
  'ION_RATE_LIMITED',
  'ION_CONFIG',
  'ION_OVERLOADED',
  'ION_CLOSED',
]);

/**
 * The writes that fail again and again although ION answers. One is given up in the end only for
 * failures of its own: while others were delivered, or while it was the only one that failed.
 */
export class FailingWrites {
  readonly #rule: GiveUpRule;
  readonly #now: () => number;
  readonly #byLane = new Map<string, Failing>();
  #delivered = 0;

  /** @param now a clock in ms that never goes back */
  constructor(rule: GiveUpRule = GIVE_UP, now: () => number = () => performance.now()) {
    this.#rule = rule;
    this.#now = now;
  }

  /** Those that failed more than once or twice, the oldest failure first. */
  get shown(): FailingWrite[] {
    const shown = [...this.#byLane.values()].filter(({ tries }) => tries >= SHOWN_FROM);
    return shown.sort((a, b) => a.since - b.since);
  }

  /** The first write of a lane arrived. A refusal is none: a database that only reads has them too. */
  delivered(lane: string): void {
    this.#delivered++;
    this.forget(lane);
  }

  /** Another write is the first one of the lane now. */
  forget(lane: string): void {
    const failing = this.#byLane.get(lane);
    this.#byLane.delete(lane);
    for (const listener of failing?.listeners ?? []) listener();
  }

  /** Resolves when the failing write of the lane is not the first one any more. */
  ended(lane: string): Promise<void> {
    return new Promise((resolve) => {
      const failing = this.#byLane.get(lane);
      if (failing) failing.listeners.push(resolve);
      else resolve();
    });
  }

  /** The failing write of a lane, if it is this one. */
  of(lane: string, { sequence }: Stored): Readonly<Failing> | undefined {
    const failing = this.#byLane.get(lane);
    return failing?.stored.sequence === sequence ? failing : undefined;
  }

  /** The failing write of a lane. */
  in(lane: string): Stored | undefined {
    return this.#byLane.get(lane)?.stored;
  }

  /** The lane of a failing write. */
  laneOf(sequence: number): string | undefined {
    for (const [lane, { stored }] of this.#byLane) if (stored.sequence === sequence) return lane;
    return undefined;
  }

  /** @returns the write that is failing in the lane */
  decide(lane: string, decision: FailingDecision | 'retry'): Stored | undefined {
    const failing = this.#byLane.get(lane);
    if (failing && decision !== 'retry') failing.decision = decision;
    return failing?.stored;
  }

  /** The first write of a lane failed, although ION answers. */
  failed(lane: string, stored: Stored, error: IonError): Failure {
    const known = this.#byLane.get(lane);
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
            begun: this.#now(),
            deliveredBefore: this.#delivered,
            decision: undefined,
            listeners: [],
          };
    this.#byLane.set(lane, failing);
    failing.tries++;
    failing.stored = stored;
    failing.error = error;
    const now = this.#now();
    // While nothing else fails, it may be the only one that waits: the database is down for all.
    const isAlone = this.#byLane.size === 1 && !isOfDatabase(error);
    const isOnlyOne = isAlone || this.#delivered > failing.deliveredBefore;
    failing.deliveredBefore = this.#delivered;
    if (isOnlyOne && isOfOne(error) && failing.counted++ === 0) failing.countedSince = now;
    const isOver =
      failing.counted >= this.#rule.tries && now - failing.countedSince >= this.#rule.ms;
    return { tries: failing.tries, minutes: Math.round((now - failing.begun) / 60_000), isOver };
  }

  /** @param delay before the next try, in ms; `undefined` where it begins */
  waits(lane: string, delay: number | undefined): void {
    const failing = this.#byLane.get(lane);
    if (failing) failing.nextTryAt = delay === undefined ? undefined : Date.now() + delay;
  }
}

/** Whether the failure may be due to the write itself. */
function isOfOne({ code, notRun }: IonError): boolean {
  // A host that cannot be connected to has not seen it.
  return !OF_ALL.has(code) && !(code === 'ION_NETWORK' && notRun);
}

/** Whether ION spoke of its database, which is the same for all writes. */
function isOfDatabase({ errors = [] }: IonError): boolean {
  return speaksOfDatabase(errors.map(({ message }) => message));
}
