import type { NodeAPI } from 'node-red';
import { uncopyableError } from './failure-details.js';
import type { Message } from './message.js';

/** The messages that result from one message, numbered so that a Join node can combine them. */
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

  /** Creates the next message. */
  next(isLast: boolean): Message {
    const msg = this.#copy();
    // `complete` belongs to an outer sequence; a Join node would end it early.
    delete msg.complete;
    const index = this.#index++;
    const parts = {
      id: this.#id,
      type: 'array',
      index,
      // Only the last message has it, because a list may grow or shrink while it is read.
      ...(isLast && { count: index + 1 }),
      // Node-RED's Split node also nests the parts of an outer sequence in this way.
      ...(this.#source.parts !== undefined && { parts: this.#source.parts }),
    };
    return Object.assign(msg, { parts }, isLast && { complete: true });
  }

  #copy(): Message {
    try {
      return this.#RED.util.cloneMessage(this.#source);
    } catch (thrown) {
      throw uncopyableError(thrown);
    }
  }
}
