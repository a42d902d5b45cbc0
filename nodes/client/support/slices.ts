import { setImmediate as nextTurn } from 'node:timers/promises';

/** Limit for one slice, in ms. */
const MAX_SLICE_MS = 8;

/** End of the queue of all slices, of which one runs in each turn of the event loop. */
let last: Promise<void> = Promise.resolve();

/** Divides long work into slices, between which the event loop does its other work. */
export class Slices {
  #until = performance.now() + MAX_SLICE_MS;

  /** Whether the slice has used its time. */
  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Resolves after the event loop has done its other work. */
  async pause(): Promise<void> {
    last = last.then(() => nextTurn());
    await last;
    this.#until = performance.now() + MAX_SLICE_MS;
  }
}

/** Runs long work in slices, starting with the next turn of the event loop. */
export async function inSlices<Result>(work: (slices: Slices) => Promise<Result>): Promise<Result> {
  const slices = new Slices();
  await slices.pause();
  return work(slices);
}
