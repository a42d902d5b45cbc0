import type { Node, NodeAPI, NodeStatus as NodeRedStatus } from 'node-red';
import type { RequestState } from '../client/client.js';
import type { IonErrorCode } from '../client/errors.js';

/** The catalogue of `ion-config` holds the texts that all nodes share. */
const SHARED = '@ion-nodes/node-red-ion/ion-config:ion-config.status.';
/** Not more than 5 changes a second, however fast messages come. */
const MIN_INTERVAL_MS = 200;

/** A text by its catalogue key below `ion-config.status`. */
export interface StatusText {
  key: string;
  fill?: 'green' | 'red' | 'yellow' | 'blue';
  count?: number;
  ms?: number;
  /** A time of day. */
  since?: string;
  /** Shown in a few words. */
  reason?: IonErrorCode;
}

export interface Tracker {
  update(state: RequestState): void;
  /** The message is answered or failed; only the first call counts. */
  end(text?: StatusText): void;
}

/** The status under one node, drawn from all messages that it works on. */
export class NodeStatus {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #counts: Record<RequestState, number> = { waiting: 0, running: 0, retrying: 0 };
  #result: StatusText | undefined;
  #override: StatusText | undefined;
  #timer: NodeJS.Timeout | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(RED: NodeAPI, node: Node) {
    this.#RED = RED;
    this.#node = node;
  }

  /** A message came in. */
  begin(): Tracker {
    let state: RequestState | undefined = 'running';
    this.#counts.running++;
    this.#show();
    return {
      update: (next) => {
        if (!state || state === next) return;
        this.#counts[state]--;
        this.#counts[next]++;
        state = next;
        this.#show();
      },
      end: (text) => {
        if (!state) return;
        this.#counts[state]--;
        state = undefined;
        this.#result = text;
        this.#show();
      },
    };
  }

  /** What is shown while no message is under way. */
  idle(text: StatusText): void {
    this.#result = text;
    this.#show();
  }

  /** Shown whatever the messages do, until it is taken back; its count is of those under way. */
  override(text: StatusText | undefined): void {
    this.#override = text;
    this.#show();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#node.status({});
  }

  #show(): void {
    if (this.#timer || this.#closed) return;
    const wait = this.#shownAt + MIN_INTERVAL_MS - performance.now();
    if (wait <= 0) {
      this.#showNow();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#showNow();
    }, wait);
  }

  #showNow(): void {
    this.#shownAt = performance.now();
    this.#node.status(this.#current());
  }

  #current(): NodeRedStatus {
    const { waiting, running, retrying } = this.#counts;
    if (this.#override) {
      return this.#shown({ ...this.#override, count: waiting + running + retrying });
    }
    if (retrying > 0) {
      return { fill: 'yellow', shape: 'ring', text: this.#text('retrying', { count: retrying }) };
    }
    if (running + waiting > 0) {
      const key = waiting > 0 ? 'runningAndWaiting' : 'running';
      return { fill: 'blue', shape: 'dot', text: this.#text(key, { running, waiting }) };
    }
    return this.#result ? this.#shown(this.#result) : {};
  }

  #shown({
    fill = 'green',
    key,
    count = 0,
    ms = 0,
    since = '',
    reason: code,
  }: StatusText): NodeRedStatus {
    const shape = fill === 'red' || fill === 'yellow' ? 'ring' : 'dot';
    const reason = code ? this.#text(`error.${code}`, {}) : '';
    return { fill, shape, text: this.#text(key, { count, ms, since, reason }) };
  }

  #text(key: string, values: Record<string, number | string>): string {
    return this.#RED._(SHARED + key, values);
  }
}
