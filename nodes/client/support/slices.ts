import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a piece of long work keeps the event loop at most, in ms. */
const MAX_SLICE_MS = 8;

/** The end of the queue of slices: all long works take turns, one slice in each turn of the event loop. */
let last: Promise<void> = Promise.resolve();

/** Long work in slices: between two of them the event loop does everything else. */
export class Slices {
  #until = performance.now() + MAX_SLICE_MS;

  /** Whether it is time for a pause. */
  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Ends when everything else that was due has had its turn. */
  async pause(): Promise<void> {
    last = last.then(() => nextTurn());
    await last;
    this.#until = performance.now() + MAX_SLICE_MS;
  }
}

/** Runs long work in slices, from the next turn of the event loop on. */
export async function inSlices<Result>(work: (slices: Slices) => Promise<Result>): Promise<Result> {
  const slices = new Slices();
  await slices.pause();
  return work(slices);
}
