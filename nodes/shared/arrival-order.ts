interface Place {
  /** Resolves when all that entered before have left. */
  turn: Promise<void>;
  /** Lets the next one continue; later calls do nothing. */
  leave(): void;
}

/** Brings work that began in an order back into it, after steps that take different times. */
export class ArrivalOrder {
  #last: Promise<void> = Promise.resolve();

  /** Takes the last place, synchronously. */
  enter(): Place {
    const before = this.#last;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#last = before.then(() => left);
    return { turn: before, leave };
  }
}
