import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { closedError, IonError } from '../client/errors.js';
import type { StepWriter } from '../client/step-writer.js';
import { isFolder, oldFolder, outboxFolder } from '../outbox/folder.js';
import { Outbox, type OutboxListener } from '../outbox/outbox.js';
import type { OutboxLimits } from '../outbox/store.js';
import { reportError } from './report-error.js';

/** Below Node-RED's user folder; one folder in it per config node. */
const FOLDER = 'ion-outbox';
const LEFT = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxLeft';
const OLD = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxOld';
const REPAIRED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxRepaired';

/** Before the next try to open what an earlier process left. */
const REOPEN_MS = 30_000;

interface OutboxSettings {
  /** Of the API: what was meant for one ION never goes to another one. */
  endpoint: () => string;
  writer: () => StepWriter;
  concurrency: () => number;
  /** @throws IonError `ION_CONFIG` for limits that cannot be used */
  limits: () => OutboxLimits;
}

/** The outbox of a config node: opened when it is needed, or when an earlier process left one. */
export class ConfigOutbox {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #settings: OutboxSettings;
  readonly #listeners = new Map<string, OutboxListener>();
  #outbox: Promise<Outbox> | undefined;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(RED: NodeAPI, node: Node, settings: OutboxSettings) {
    this.#RED = RED;
    this.#node = node;
    this.#settings = settings;
    RED.events.once('flows:started', this.#begin);
  }

  /** @throws IonError `ION_CONFIG` where its folder or its limits cannot be used */
  open(): Promise<Outbox> {
    if (this.#isClosed) throw closedError();
    this.#outbox ??= this.#open().catch((thrown) => {
      // The next message tries again.
      this.#outbox = undefined;
      throw thrown;
    });
    return this.#outbox;
  }

  /** What exists already, without making one. */
  async existing(): Promise<Outbox | undefined> {
    return (await isFolder(this.#folder())) ? this.open() : undefined;
  }

  /** @returns what ends the listening */
  listen(sender: string, listener: OutboxListener): () => void {
    this.#listeners.set(sender, listener);
    // Whoever opened it reports its failure.
    this.#outbox?.then((outbox) => listener.changed(outbox.state)).catch(() => {});
    return () => {
      if (this.#listeners.get(sender) === listener) this.#listeners.delete(sender);
    };
  }

  /** @param isRemoved the config node is deleted, so that nobody delivers what is left */
  async close(isRemoved: boolean): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#RED.events.removeListener('flows:started', this.#begin);
    const outbox = await this.#outbox?.catch(() => undefined);
    const count = outbox?.state.waiting ?? 0;
    if (isRemoved && count > 0) {
      this.#node.warn(this.#RED._(LEFT, { count, folder: this.#folder() }));
    }
    await outbox?.close();
  }

  /** Goes on with what an earlier process left. */
  readonly #begin = (): void => {
    if (this.#isClosed || !this.#isUsable()) return;
    const continued = Promise.all([this.existing(), this.#warnOfOldFolder()]);
    continued.catch((thrown) => {
      if (this.#isClosed) return;
      reportError(this.#node, thrown);
      this.#timer = setTimeout(this.#begin, REOPEN_MS);
    });
  };

  async #open(): Promise<Outbox> {
    const { writer, concurrency, limits } = this.#settings;
    const outbox = await Outbox.open({
      limits: limits(),
      folder: this.#folder(),
      within: this.#allOutboxes(),
      writer: writer(),
      concurrency: concurrency(),
      listeners: this.#listeners,
      onRepaired: (count) => this.#node.warn(this.#RED._(REPAIRED, { count })),
      onUnreadable: ({ message }) => this.#node.warn(message),
    });
    outbox.start();
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
