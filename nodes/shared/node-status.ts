import type { Node, NodeAPI, NodeStatus as NodeRedStatus } from 'node-red';
import type { RequestState } from '../client/client.js';
import type { IonError, IonErrorCode } from '../client/errors.js';
import { type FailureReason, failureReason } from './failure-reason.js';
import { shortText } from './short-text.js';

/** Texts that all nodes share are in the catalogue of `ion-config`. */
const SHARED = '@ion-nodes/node-red-ion/ion-config:ion-config.status.';
/** At most 5 changes a second, at any rate of messages. */
const MIN_INTERVAL_MS = 200;
/** In characters. */
const MAX_NAME_LENGTH = 40;

/** A text by its catalogue key below `ion-config.status`. */
export interface StatusText {
  /** Without a key, only the reason is shown. */
  key?: string;
  fill?: 'green' | 'red' | 'yellow' | 'blue' | 'grey';
  count?: number;
  ms?: number;
  /** A time of day. */
  since?: string;
  /** The subject of the result; shown in one line, and shortened. */
  name?: string;
  /** Shown in front of the text. */
  isDryRun?: boolean | undefined;
  /** Why something failed. */
  reason?: { code: IonErrorCode; short: FailureReason | undefined };
}

/** The status after a mutation that a dry run did not send. */
export const NOT_SENT: StatusText = { key: 'notSent', isDryRun: true };

/** The status after a failure, with its reason. */
export function failedStatus(error: IonError, key?: string): StatusText {
  const reason = { code: error.code, short: failureReason(error) };
  const isDryRun = error.dryRun;
  return {
    fill: 'red',
    ...(key !== undefined && { key }),
    reason,
    ...(isDryRun && { isDryRun }),
  };
}

export interface Tracker {
  update(state: RequestState): void;
  /** The message has succeeded or failed; only the first call counts. */
  end(text?: StatusText): void;
}

/** The status of a node, computed from all messages in progress. */
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

  /** Starts the progress of a message. */
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

  /** Sets the status shown while no message is in progress. */
  idle(text: StatusText): void {
    this.#result = text;
    this.#show();
  }

  /** Replaces every status until it is set to `undefined`; it shows the number of pending messages. */
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
      const key = waiting > 0 ? 'runningAndQueued' : 'running';
      return { fill: 'blue', shape: 'dot', text: this.#text(key, { running, queued: waiting }) };
    }
    return this.#result ? this.#shown(this.#result) : {};
  }

  #shown({
    fill = 'green',
    key,
    count = 0,
    ms = 0,
    since = '',
    name: given = '',
    reason: failure,
    isDryRun,
  }: StatusText): NodeRedStatus {
    const shape = fill === 'red' || fill === 'yellow' ? 'ring' : 'dot';
    const reason = failure ? this.#reason(failure) : '';
    const name = shortText(given, MAX_NAME_LENGTH);
    const text = key === undefined ? reason : this.#text(key, { count, ms, since, name, reason });
    return { fill, shape, text: isDryRun ? this.#text('dryRun', { status: text }) : text };
  }

  #reason({ code, short }: NonNullable<StatusText['reason']>): string {
    if (!short) return this.#text(`error.${code}`, {});
    return 'text' in short
      ? short.text
      : this.#text(`reason.${short.key}`, { name: short.name ?? '', value: short.value ?? '' });
  }

  #text(key: string, values: Record<string, number | string>): string {
    return this.#RED._(SHARED + key, values);
  }
}
