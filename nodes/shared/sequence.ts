import type { NodeAPI } from 'node-red';
import { notCopied } from './failure-details.js';
import type { Message } from './message.js';

/** The messages that come of one message, numbered so that a Join node can put them together. */
export class Sequence {
  readonly #RED: NodeAPI;
  readonly #source: Message;
  readonly #id: string;
  #index = 0;

  constructor(RED: NodeAPI, source: Message) {
    this.#RED = RED;
    this.#source = source;
    this.#id = RED.util.generateId();
  }

  /** A message of its own, to be sent next. */
  next(isLast: boolean): Message {
    const msg = this.#copy();
    // Of an outer sequence, whose end it would be for a Join node.
    delete msg.complete;
    const index = this.#index++;
    const parts = {
      id: this.#id,
      type: 'array',
      index,
      // Told at the end only: a list may grow or shrink while it is read.
      ...(isLast && { count: index + 1 }),
      // The core Split node stacks the parts of an outer sequence in the same way.
      ...(this.#source.parts !== undefined && { parts: this.#source.parts }),
    };
    return Object.assign(msg, { parts }, isLast && { complete: true });
  }

  #copy(): Message {
    try {
      return this.#RED.util.cloneMessage(this.#source);
    } catch (thrown) {
      throw notCopied(thrown);
    }
  }
}
