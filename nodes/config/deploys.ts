import type { NodeAPI } from 'node-red';
import { onFlowEvent } from '../shared/on-flow-event.js';

/** Knows when Node-RED starts or replaces flows: then nodes are missing for a moment. */
export class Deploys {
  readonly #stopListening: (() => void)[];
  #ended: Promise<void> = Promise.resolve();
  #end: (() => void) | undefined;

  constructor(RED: NodeAPI) {
    // A config node is made before the nodes that use it.
    this.#begin();
    this.#stopListening = [
      onFlowEvent(RED, 'flows:stopping', this.#begin),
      onFlowEvent(RED, 'flows:started', this.#started),
    ];
  }

  get isUnderWay(): boolean {
    return this.#end !== undefined;
  }

  /** Resolves when all nodes exist. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
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
