import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { IonError, toIonError } from '../client/errors.js';
import type { StepWriter } from '../client/steps/step-writer.js';
import type { OutboxListener } from '../outbox/listeners.js';
import { Outbox } from '../outbox/outbox.js';
import { StepWrites } from '../outbox/step-writes.js';
import type { OutboxLimits } from '../outbox/store/counters.js';
import { isFolder, oldFolder, outboxFolder } from '../outbox/store/folder.js';
import type { LockWait } from '../outbox/store/open-level.js';
import { storeError } from '../outbox/store/store-error.js';
import { inBackground, reportError } from '../shared/report-error.js';
import { OutboxOpening } from './outbox-opening.js';

/** Below Node-RED's user folder; one folder in it per config node. */
const FOLDER = 'ion-outbox';
const HELD = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxHeld';
const LEFT = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxLeft';
const NOT_OPENED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxNotOpened';
const OLD = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxOld';
const REPAIRED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxRepaired';

const REOPEN_MS = 30_000;
/** Of a message, while another process has the outbox open: an update replaces it in less. */
const PATIENCE_MS = 60_000;
/** The process before this one may still be about to end. */
const WARN_AFTER_MS = 5000;

interface OutboxSettings {
  /** Of the API: what was meant for one ION never goes to another one. */
  endpoint: () => string;
  writer: () => StepWriter;
  concurrency: () => number;
  /** Messages that may wait for it while another process has it open. */
  queueLimit: () => number;
  /** @throws IonError `ION_CONFIG` for limits that cannot be used */
  limits: () => OutboxLimits;
  /** How long each of them waits; a minute by default. */
  patienceMs?: number;
  /** Before the log tells it; 5 s by default. */
  warnAfterMs?: number;
  /** Before the next try to open what an earlier process left; 30 s by default. */
  reopenMs?: number;
}

export interface ConfigOutboxListener extends OutboxListener {
  /** Whether another process has it open. */
  held(isHeld: boolean): void;
}

/** The outbox of a config node: opened when it is needed, or when an earlier process left one. */
export class ConfigOutbox {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #settings: OutboxSettings;
  readonly #listeners = new Map<string, ConfigOutboxListener>();
  readonly #opening: OutboxOpening;
  #isClosed = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #heldTimer: NodeJS.Timeout | undefined;
  /** What was reported last. */
  #reported = '';

  constructor(RED: NodeAPI, node: Node, settings: OutboxSettings) {
    this.#RED = RED;
    this.#node = node;
    this.#settings = settings;
    this.#opening = new OutboxOpening({
      open: (wait) => this.#open(wait),
      queueLimit: settings.queueLimit,
      onHeld: (error) => this.#noteHeld(error !== undefined),
    });
    RED.events.once('flows:started', this.#begin);
  }

  /**
   * @param signal of the message that needs it
   * @throws IonError `ION_CONFIG` for limits that cannot be used; see `OutboxOpening.outbox`
   */
  open(signal?: AbortSignal): Promise<Outbox> {
    const { patienceMs = PATIENCE_MS } = this.#settings;
    return this.#opening.outbox(patienceMs, signal);
  }

  /**
   * What exists already, without making one.
   * @param patienceMs how long to wait while another process has it open
   */
  async existing(patienceMs = 0): Promise<Outbox | undefined> {
    const folder = this.#folder();
    const exists = await isFolder(folder).catch((thrown) => {
      throw storeError(folder, thrown);
    });
    return exists ? this.#opening.outbox(patienceMs) : undefined;
  }

  /** @returns what ends the listening */
  listen(sender: string, listener: ConfigOutboxListener): () => void {
    this.#listeners.set(sender, listener);
    if (this.#opening.isHeld) listener.held(true);
    else if (this.#opening.opened) listener.changed(this.#opening.opened.state);
    return () => {
      if (this.#listeners.get(sender) === listener) this.#listeners.delete(sender);
    };
  }

  /** @param isRemoved the config node is deleted, so that nobody delivers what is left */
  async close(isRemoved: boolean): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#heldTimer);
    this.#RED.events.removeListener('flows:started', this.#begin);
    const outbox = await this.#opening.close();
    const count = outbox?.state.pending ?? 0;
    if (isRemoved && count > 0) {
      this.#node.warn(this.#RED._(LEFT, { count, folder: this.#folder() }));
    }
    await outbox?.close();
  }

  readonly #begin = (): void => {
    if (this.#isClosed || !this.#isUsable()) return;
    inBackground(this.#node, this.#warnOfOldFolder());
    this.#continue();
  };

  /** Goes on with what an earlier process left. */
  #continue(): void {
    this.existing(Number.POSITIVE_INFINITY).catch((thrown) => {
      if (this.#isClosed) return;
      this.#reportOnce(toIonError(thrown));
      const { reopenMs = REOPEN_MS } = this.#settings;
      this.#retryTimer = setTimeout(() => this.#continue(), reopenMs);
    });
  }

  /** Not at each try, which would fill the log. */
  #reportOnce({ code, message: reason, cause }: IonError): void {
    if (reason === this.#reported) return;
    this.#reported = reason;
    const text = this.#RED._(NOT_OPENED, { reason });
    reportError(this.#node, new IonError(code, text, { cause }));
  }

  #noteHeld(isHeld: boolean): void {
    clearTimeout(this.#heldTimer);
    if (this.#isClosed) return;
    if (isHeld) {
      const { warnAfterMs = WARN_AFTER_MS } = this.#settings;
      const warn = () => this.#node.warn(this.#RED._(HELD, { folder: this.#folder() }));
      this.#heldTimer = setTimeout(warn, warnAfterMs);
    }
    for (const listener of this.#listeners.values()) listener.held(isHeld);
  }

  async #open(wait: LockWait): Promise<Outbox> {
    const { concurrency, limits } = this.#settings;
    const writer = this.#settings.writer();
    const outbox = await Outbox.open({
      limits: limits(),
      folder: this.#folder(),
      within: this.#allOutboxes(),
      wait,
      kinds: [new StepWrites(writer)],
      check: (options) => writer.check(options),
      concurrency: concurrency(),
      listeners: this.#listeners,
      onRepaired: (count) => this.#node.warn(this.#RED._(REPAIRED, { count })),
      onUnreadable: ({ message }) => this.#node.warn(message),
    });
    outbox.start();
    for (const listener of this.#listeners.values()) listener.changed(outbox.state);
    return outbox;
  }

  /** With settings that cannot work there is none: the config node tells about those itself. */
  #isUsable(): boolean {
    try {
      this.#settings.limits();
      return this.#folder() !== '';
    } catch {
      return false;
    }
  }

  #folder(): string {
    return outboxFolder(this.#allOutboxes(), this.#node.id, this.#settings.endpoint());
  }

  /** An engineer can tell whether what lies there belongs to this ION. */
  async #warnOfOldFolder(): Promise<void> {
    const endpoint = this.#settings.endpoint();
    const old = await oldFolder(this.#allOutboxes(), this.#node.id, endpoint);
    if (old) this.#node.warn(this.#RED._(OLD, { old, folder: this.#folder() }));
  }

  #allOutboxes(): string {
    const { userDir } = this.#RED.settings;
    if (userDir) return join(userDir, FOLDER);
    throw new IonError('ION_CONFIG', 'Node-RED has no user folder to keep the outbox in.');
  }
}
