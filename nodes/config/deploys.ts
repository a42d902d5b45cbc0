import type { NodeAPI } from 'node-red';

/** Knows when Node-RED starts or replaces flows: then nodes are missing for a moment. */
export class Deploys {
  readonly #RED: NodeAPI;
  #ended: Promise<void> = Promise.resolve();
  #end: (() => void) | undefined;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
    // A config node is made before the nodes that use it.
    this.#begin();
    RED.events.on('flows:stopping', this.#begin);
    RED.events.on('flows:started', this.#started);
  }

  get isUnderWay(): boolean {
    return this.#end !== undefined;
  }

  /** Resolves when all nodes exist. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  close(): void {
    this.#RED.events.removeListener('flows:stopping', this.#begin);
    this.#RED.events.removeListener('flows:started', this.#started);
  }

  readonly #begin = (): void => {
    if (this.#end) return;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  };

  readonly #started = (): void => {
    this.#end?.();
    this.#end = undefined;
  };
}
