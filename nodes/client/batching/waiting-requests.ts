import { LinkedList } from '../support/linked-list.js';
import type { BatchedRequest } from './batched-request.js';

/**
 * Operations of one kind that wait. A document has one trace, so those with the same trace, or without
 * one, form a group; the groups take turns.
 */
export class WaitingRequests {
  /** By their `traceparent`, the next one first. */
  readonly #groups = new Map<string | undefined, LinkedList<BatchedRequest>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first operation of the next document. */
  get first(): BatchedRequest | undefined {
    return this.#next?.first;
  }

  /** The number of operations that could be in the next document. */
  get nextSize(): number {
    return this.#next?.size ?? 0;
  }

  get #next(): LinkedList<BatchedRequest> | undefined {
    return this.#groups.values().next().value;
  }

  /** @returns removes it, unless it was taken */
  add(request: BatchedRequest): () => void {
    const trace = request.trace?.traceparent;
    let group = this.#groups.get(trace);
    if (!group) {
      group = new LinkedList();
      this.#groups.set(trace, group);
    }
    const entry = group.add(request);
    this.#size++;
    return () => {
      const before = group.size;
      entry.remove();
      this.#size -= before - group.size;
      if (group.size === 0 && this.#groups.get(trace) === group) this.#groups.delete(trace);
    };
  }

  /**
   * The next group has its turn after the others.
   * @returns whether there are others
   */
  skip(): boolean {
    const [next] = this.#groups;
    if (!next || this.#groups.size === 1) return false;
    const [trace, group] = next;
    this.#groups.delete(trace);
    this.#groups.set(trace, group);
    return true;
  }

  /**
   * Removes the operations of the next document, those that wait for the longest time first.
   * @param maxLength of several operations and their variables, in characters
   */
  take(maxCount: number, maxLength: number): BatchedRequest[] {
    const [next] = this.#groups;
    if (!next) return [];
    const [trace, group] = next;
    const taken: BatchedRequest[] = [];
    let length = 0;
    while (taken.length < maxCount) {
      length += group.first?.length ?? 0;
      if (taken.length > 0 && length > maxLength) break;
      const request = group.shift();
      if (!request) break;
      taken.push(request);
    }
    this.#size -= taken.length;
    // The other groups come first.
    this.#groups.delete(trace);
    if (group.size > 0) this.#groups.set(trace, group);
    return taken;
  }
}
