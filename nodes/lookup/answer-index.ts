import type { AnswerFacts } from './stored-answer.js';

/** The kind of object that an ID belongs to. */
export type IdKind = 'step' | 'run';

interface Indexed extends AnswerFacts {
  bytes: number;
  /** When somebody looked it up last, in ms since 1970. */
  usedAt: number;
}

export interface MemoryLimits {
  answers: number;
  bytes: number;
}

/**
 * The remembered answers, without their content, by key and by the IDs of step and run. It is in memory,
 * because an event asks for each ID, and most events concern steps that nobody looked up; 10,000
 * answers take a few megabytes.
 */
export class AnswerIndex {
  /** The oldest first. */
  readonly #answers = new Map<string, Indexed>();
  readonly #byId = new Map<string, Set<string>>();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#answers.size === 0;
  }

  get keys(): string[] {
    return [...this.#answers.keys()];
  }

  get(key: string): Readonly<Indexed> | undefined {
    return this.#answers.get(key);
  }

  /** The newest answer, which replaces that of the same key. */
  set(key: string, facts: AnswerFacts, bytes: number): void {
    const usedAt = this.#answers.get(key)?.usedAt ?? facts.readAt;
    this.delete(key);
    this.#answers.set(key, { ...facts, bytes, usedAt });
    this.#bytes += bytes;
    for (const id of idsOf(facts)) {
      const keys = this.#byId.get(id) ?? new Set();
      this.#byId.set(id, keys.add(key));
    }
  }

  delete(key: string): void {
    const indexed = this.#answers.get(key);
    if (!indexed) return;
    this.#answers.delete(key);
    this.#bytes -= indexed.bytes;
    for (const id of idsOf(indexed)) {
      const keys = this.#byId.get(id);
      keys?.delete(key);
      if (keys?.size === 0) this.#byId.delete(id);
    }
  }

  /** Replaces all. */
  load(answers: readonly [string, AnswerFacts, number][]): void {
    this.#answers.clear();
    this.#byId.clear();
    this.#bytes = 0;
    const byAge = [...answers].sort(([, one], [, other]) => one.readAt - other.readAt);
    for (const answer of byAge) this.set(...answer);
  }

  /** Somebody looked it up. */
  use(key: string, now: number): void {
    const indexed = this.#answers.get(key);
    if (indexed) indexed.usedAt = now;
  }

  /** Keys of the answers with this step or run. */
  keysOf(kind: IdKind, id: string): string[] {
    return [...(this.#byId.get(`${kind} ${id}`) ?? [])];
  }

  /** Keys of the oldest answers beyond the limits. */
  beyond({ answers, bytes }: MemoryLimits): string[] {
    const keys: string[] = [];
    let [count, size] = [this.#answers.size, this.#bytes];
    for (const [key, indexed] of this.#answers) {
      if (count <= answers && size <= bytes) break;
      keys.push(key);
      count--;
      size -= indexed.bytes;
    }
    return keys;
  }

  /** Keys of the answers that no node wanted to remember until now. */
  expired(now: number): string[] {
    const isExpired = ([, { readAt, keepMs }]: [string, Indexed]) => now - readAt > keepMs;
    return [...this.#answers].filter(isExpired).map(([key]) => key);
  }
}

function idsOf({ step, run }: AnswerFacts): string[] {
  return [`step ${step}`, `run ${run}`];
}
