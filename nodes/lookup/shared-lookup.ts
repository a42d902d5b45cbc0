import type { RequestOptions, RequestState } from '../client/client.js';
import type { WorkQuery } from '../client/work/work.js';
import type { WorkFinder, WorkResponse } from '../client/work/work-finder.js';
import type { LookupResult } from './lookup-result.js';
import { isOutOfReach } from './out-of-reach.js';

export type Finder = Pick<WorkFinder, 'find'>;

type OnState = ((state: RequestState) => void) | undefined;

/** A look-up under way, for all callers that ask the same. It ends when the last of them leaves. */
export class SharedLookup {
  readonly query: WorkQuery;
  /** The last change before it began. */
  readonly since: number;
  readonly result: Promise<LookupResult>;
  /** Resolves when ION is out of reach, also between two tries, or when the look-up has ended. */
  readonly troubled: Promise<void>;
  /** The longest time for which a caller remembers the answer, in ms. */
  keepMs = 0;
  /** Tries that have failed because ION is out of reach. */
  failedTries = 0;
  /** Called when all callers have left, so that no answer comes. */
  onLeft = () => {};
  readonly #callers = new Set<OnState[]>();
  readonly #leaving = new AbortController();
  #trouble = () => {};
  #state: RequestState | undefined;

  /**
   * @param since the last change until now
   * @param trace that of its first caller, for all its requests
   * @param onTrouble called when a try fails because ION is out of reach, and another one follows
   */
  constructor(
    finder: Finder,
    query: WorkQuery,
    since: number,
    trace: RequestOptions['trace'],
    onTrouble: () => void,
  ) {
    this.query = query;
    this.since = since;
    this.troubled = new Promise((resolve) => {
      this.#trouble = resolve;
    });
    const { signal } = this.#leaving;
    const onState = (state: RequestState) => this.#setState(state);
    const onRetry = (thrown: unknown) => {
      if (!isOutOfReach(thrown)) return;
      this.failedTries++;
      onTrouble();
      this.#trouble();
    };
    const find = async () =>
      resultOf(await finder.find(query, { signal, trace, onState, onRetry }));
    this.result = find();
    this.result.then(this.#trouble, this.#trouble);
  }

  /** @returns ends the interest of the caller */
  join(keepMs: number, onState?: OnState): () => void {
    this.keepMs = Math.max(this.keepMs, keepMs);
    const caller = [onState];
    this.#callers.add(caller);
    if (this.#state) onState?.(this.#state);
    return () => {
      this.#callers.delete(caller);
      if (this.#callers.size > 0) return;
      this.onLeft();
      this.#leaving.abort();
    };
  }

  /** ION is out of reach: callers with a remembered answer need not wait. */
  trouble(): void {
    this.#trouble();
  }

  #setState(state: RequestState): void {
    this.#state = state;
    for (const [onState] of this.#callers) onState?.(state);
  }
}

function resultOf({ answer, attempts, traceId }: WorkResponse): LookupResult {
  const readAt = new Date().toISOString();
  return { answer, source: 'ion', readAt, attempts, ...(traceId !== undefined && { traceId }) };
}
