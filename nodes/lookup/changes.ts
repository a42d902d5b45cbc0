import type { WorkAnswer } from '../client/work/work.js';
import { idsIn, type NamedIds } from './answer-ids.js';

/** IDs that are held. If more change, every answer counts as outdated. */
const MAX_IDS = 10_000;

/**
 * The changes of the last moments, numbered from 1. An answer keeps the number of the last change before it was asked
 * for, so that a change costs the same for any number of answers: a poll may report thousands at once.
 */
export class Changes {
  #last = 0;
  /** The last change that may concern any answer. */
  #ofAll = 0;
  /** The last change of each ID. */
  readonly #ofIds = new Map<string, number>();

  /** Number of the last change. */
  get last(): number {
    return this.#last;
  }

  add(named: NamedIds): void {
    this.#last++;
    if (named === 'all' || this.#ofIds.size + named.size > MAX_IDS) {
      this.#ofAll = this.#last;
      this.#ofIds.clear();
    } else {
      for (const id of named) this.#ofIds.set(id, this.#last);
    }
  }

  /** No answer is compared with them any more. */
  forget(): void {
    this.#ofIds.clear();
  }

  /** Whether an answer may have changed after a change with a number. */
  mayConcern(answer: WorkAnswer, after: number): boolean {
    if (this.#ofAll > after) return true;
    // Any change may lead to a step, which then was not found before.
    if (answer.found !== 'one') return this.#last > after;
    return idsIn(answer.work).some((id) => (this.#ofIds.get(id) ?? 0) > after);
  }
}
