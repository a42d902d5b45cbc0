import type { IonErrorCode } from '../client/errors.js';
import type { OperationKind } from '../client/graphql/operation.js';
import type { OperationOutcome } from '../client/operation-outcomes.js';
import { Histogram } from './histogram.js';
import type { Labels, Sample } from './metric-text.js';

/** Names of operations that are counted separately: a flow can make any number of them. */
const MAX_OPERATIONS = 50;
/** A longer name, in characters, is not counted separately. */
const MAX_NAME_LENGTH = 100;
/** The name of the operations beyond these limits. */
const OTHER = 'other';
/** The name of operations without one. */
const ANONYMOUS = 'anonymous';
/** Upper bounds of the durations, in seconds. */
const DURATIONS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface OperationCounts {
  succeeded: number;
  /** Mutations of a dry run. */
  notSent: number;
  failed: Map<IonErrorCode, number>;
}

/** Counts the outcomes of the operations of one client. */
export class RequestMetrics {
  readonly #byOperation = new Map<string, OperationCounts>();
  readonly #durations: Readonly<Record<OperationKind, Histogram>> = {
    query: new Histogram(DURATIONS),
    mutation: new Histogram(DURATIONS),
  };
  /** Number of operations in the map, without the two common names. */
  #names = 0;
  #attempts = 0;

  /** Number of requests that were sent to the API. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Adds an outcome. It is called for each message, so it allocates nothing for a known name. */
  add({ operation, error, attempts, durationMs }: OperationOutcome): void {
    const counts = this.#countsOf(operation.name);
    if (error) counts.failed.set(error.code, (counts.failed.get(error.code) ?? 0) + 1);
    else if (attempts === 0) counts.notSent++;
    else counts.succeeded++;
    this.#attempts += attempts;
    this.#durations[operation.kind].observe(durationMs / 1000);
  }

  /** The outcomes by `operation` and `code`: `ok` for a success, `not_sent` for one of a dry run. */
  outcomes(labels: Labels): Sample[] {
    return [...this.#byOperation].flatMap(([operation, { succeeded, notSent, failed }]) => {
      const own = { ...labels, operation };
      const outcomes = [['ok', succeeded] as const, ['not_sent', notSent] as const, ...failed];
      return outcomes
        .filter(([, value]) => value > 0)
        .map(([code, value]) => ({ labels: { ...own, code }, value }));
    });
  }

  /** The durations by `kind`. */
  durations(labels: Labels): Sample[] {
    return Object.entries(this.#durations).flatMap(([kind, histogram]) =>
      histogram.samples({ ...labels, kind }),
    );
  }

  #countsOf(name = ANONYMOUS): OperationCounts {
    return this.#byOperation.get(name) ?? this.#addName(name);
  }

  #addName(name: string): OperationCounts {
    const isCommon = name === ANONYMOUS || name === OTHER;
    if (!isCommon) {
      if (this.#names >= MAX_OPERATIONS || name.length > MAX_NAME_LENGTH) {
        return this.#countsOf(OTHER);
      }
      this.#names++;
    }
    const counts: OperationCounts = { succeeded: 0, notSent: 0, failed: new Map() };
    this.#byOperation.set(name, counts);
    return counts;
  }
}
