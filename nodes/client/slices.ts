import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest time for which one piece of long work keeps the event loop. */
const SLICE_MS = 8;

/** The end of the queue of long works: two at once would each take a slice of the same turn. */
let last: Promise<unknown> = Promise.resolve();

/** Long work in slices: between two of them the event loop does everything else. */
export class Slices {
  #until = performance.now() + SLICE_MS;

  /** Whether it is time for a pause. */
  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Ends when everything else that was due has had its turn. */
  async pause(): Promise<void> {
    await nextTurn();
    this.#until = performance.now() + SLICE_MS;
  }
}

/** Runs long work in slices, after all long work that was begun before it. */
export function inSlices<Result>(work: (slices: Slices) => Promise<Result>): Promise<Result> {
  const run = async () => {
    await nextTurn();
    return work(new Slices());
  };
  const result = last.then(run, run);
  last = result.catch(() => {});
  return result;
}
