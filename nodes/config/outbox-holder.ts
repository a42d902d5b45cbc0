import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { RequestBatches } from '../client/batching/request-batches.js';
import type { IonClient } from '../client/client.js';
import { IonError, toIonError } from '../client/errors.js';
import type { StepWriter } from '../client/steps/step-writer.js';
import { GraphqlWrites } from '../outbox/graphql-writes.js';
import type { OutboxListener } from '../outbox/listeners.js';
import { Outbox } from '../outbox/outbox.js';
import { StepWrites } from '../outbox/step-writes.js';
import type { OutboxLimits } from '../outbox/store/counters.js';
import { OUTBOX, oldFolder } from '../outbox/store/outbox-folder.js';
import { onFlowsStarted } from '../shared/on-flows-started.js';
import { inBackground, reportError } from '../shared/report-error.js';
import { configFolder, isFolder } from '../storage/folder.js';
import type { LockWait } from '../storage/open-level.js';
import { storeError } from '../storage/store-error.js';
import { Deploys } from './deploys.js';
import { LateReports } from './late-reports.js';
import { OutboxOpening } from './outbox-opening.js';
import { senderExpressions } from './sender-expressions.js';

/** The folder in Node-RED's user folder; it has one folder per config node. */
const FOLDER = 'ion-outbox';
/** Separate, because writes of a dry run are never delivered, and pending ones of live mode are kept. */
const DRY_RUN_FOLDER = 'ion-outbox-dry-run';
const HELD = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxHeld';
const LEFT = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxLeft';
const LIVE = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxLive';
const NOT_OPENED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxNotOpened';
const OLD = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxOld';
const REPAIRED = '@ion-nodes/node-red-ion/ion-config:ion-config.log.outboxRepaired';

const REOPEN_MS = 30_000;
/** The patience of a message while another process uses the outbox; an update of Node-RED takes less. */
const PATIENCE_MS = 60_000;
/** The previous process may still be closing. */
const WARN_AFTER_MS = 5000;

interface OutboxSettings {
  /** A write for one ION environment never goes to another. */
  client: () => Pick<IonClient, 'endpoint'>;
  writer: () => StepWriter;
  concurrency: () => number;
  /** Sends several writes in one request. */
  batches: () => RequestBatches;
  /** The number of messages that may wait while another process uses the outbox. */
  queueLimit: () => number;
  /** @throws IonError `ION_CONFIG` for limits that cannot be used */
  limits: () => OutboxLimits;
  /**
   * Whether deliveries send nothing.
   * @default false
   */
  isDryRun?: boolean;
  /** The patience of each message; a minute by default. */
  patienceMs?: number;
  /** The delay before the log reports the other process; 5 s by default. */
  warnAfterMs?: number;
  /** The delay between attempts to open an outbox of an earlier process; 30 s by default. */
  reopenMs?: number;
}

export interface HolderListener extends OutboxListener {
  /** Whether another process uses the outbox. */
  held(isHeld: boolean): void;
}

/** Holds the outbox of a config node, and opens it on the first use or if an earlier process left one. */
export class OutboxHolder {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #settings: OutboxSettings;
  readonly #listeners = new Map<string, HolderListener>();
  readonly #opening: OutboxOpening;
  readonly #deploys: Deploys;
  readonly #stopListening: () => void;
  #isClosed = false;
  /** Why writes of an earlier process cannot be delivered. */
  #notResumed: IonError | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #heldTimer: NodeJS.Timeout | undefined;
  /** The text of the last report. */
  #reported = '';

  constructor(RED: NodeAPI, node: Node, settings: OutboxSettings) {
    this.#RED = RED;
    this.#node = node;
    this.#settings = settings;
    this.#deploys = new Deploys(RED);
    this.#opening = new OutboxOpening({
      open: (wait) => this.#open(wait),
      queueLimit: settings.queueLimit,
      onHeld: (error) => this.#setHeld(error !== undefined),
    });
    this.#stopListening = onFlowsStarted(RED, this.#start);
  }

  /**
   * The folder that holds the outbox, or will hold it.
   * @throws IonError `ION_CONFIG` without a user folder, or if the settings cannot work
   */
  get folder(): string {
    return configFolder(this.#allOutboxes(), this.#node.id, this.#settings.client().endpoint);
  }

  /** `undefined` until the first use, unless an earlier process left writes. */
  get opened(): Outbox | undefined {
    return this.#opening.opened;
  }

  /** Why the outbox cannot be opened; `undefined` if it is open, or if nobody uses it. */
  get problem(): IonError | undefined {
    return this.opened ? undefined : (this.#opening.problem ?? this.#notResumed);
  }

  /** Whether another process uses the outbox. */
  get isHeld(): boolean {
    return this.#opening.isHeld;
  }

  /**
   * @param signal the signal of the message
   * @throws IonError `ION_CONFIG` for limits that cannot be used; see `OutboxOpening.outbox`
   */
  open(signal?: AbortSignal): Promise<Outbox> {
    const { patienceMs = PATIENCE_MS } = this.#settings;
    return this.#opening.outbox(patienceMs, signal);
  }

  /**
   * Opens the outbox only if its folder exists.
   * @param patienceMs how long to wait while another process uses it
   */
  async openIfPresent(patienceMs = 0): Promise<Outbox | undefined> {
    const { folder } = this;
    const exists = await isFolder(folder, OUTBOX).catch((thrown) => {
      throw storeError({ folder, owner: OUTBOX }, thrown);
    });
    return exists ? this.#opening.outbox(patienceMs) : undefined;
  }

  /** @returns a function that ends the subscription */
  subscribe(sender: string, listener: HolderListener): () => void {
    this.#listeners.set(sender, listener);
    if (this.#opening.isHeld) listener.held(true);
    else if (this.#opening.opened) listener.changed(this.#opening.opened.state);
    return () => {
      if (this.#listeners.get(sender) === listener) this.#listeners.delete(sender);
    };
  }

  /** @param isRemoved whether the config node is deleted, so that pending writes are left behind */
  async close(isRemoved: boolean): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#heldTimer);
    this.#stopListening();
    this.#deploys.close();
    const outbox = await this.#opening.close();
    const count = outbox?.state.pending ?? 0;
    if (isRemoved && count > 0) {
      this.#node.warn(this.#RED._(LEFT, { count, folder: this.folder }));
    }
    await outbox?.close();
  }

  readonly #start = (): void => {
    this.#stopListening();
    if (this.#isClosed || !this.#isUsable()) return;
    inBackground(this.#node, this.#warnOfOldFolder());
    if (this.#settings.isDryRun) inBackground(this.#node, this.#warnOfLiveWrites());
    this.#resume();
  };

  /** Continues the delivery of writes that an earlier process left. */
  #resume(): void {
    this.openIfPresent(Number.POSITIVE_INFINITY).then(
      () => {
        this.#notResumed = undefined;
      },
      (thrown) => {
        if (this.#isClosed) return;
        this.#notResumed = toIonError(thrown);
        this.#reportOnce(this.#notResumed);
        const { reopenMs = REOPEN_MS } = this.#settings;
        this.#retryTimer = setTimeout(() => this.#resume(), reopenMs);
      },
    );
  }

  /** Reports a failure once, because one report per attempt would fill the log. */
  #reportOnce({ code, message: reason, cause }: IonError): void {
    if (reason === this.#reported) return;
    this.#reported = reason;
    const text = this.#RED._(NOT_OPENED, { reason });
    reportError(this.#node, new IonError(code, text, { cause }));
  }

  #setHeld(isHeld: boolean): void {
    clearTimeout(this.#heldTimer);
    if (this.#isClosed) return;
    if (isHeld) {
      const { warnAfterMs = WARN_AFTER_MS } = this.#settings;
      const warn = () => this.#node.warn(this.#RED._(HELD, { folder: this.folder }));
      this.#heldTimer = setTimeout(warn, warnAfterMs);
    }
    for (const listener of this.#listeners.values()) listener.held(isHeld);
  }

  async #open(wait: LockWait): Promise<Outbox> {
    const { batches, concurrency, limits } = this.#settings;
    const writer = this.#settings.writer();
    const evaluate = senderExpressions(this.#RED, this.#node, this.#deploys);
    const late = new LateReports(this.#deploys, (sender) => this.#listeners.get(sender));
    const outbox = await Outbox.open({
      limits: limits(),
      folder: this.folder,
      within: this.#allOutboxes(),
      wait,
      kinds: [new StepWrites(writer), new GraphqlWrites(batches(), evaluate)],
      check: (options) => writer.check(options),
      concurrency: concurrency(),
      requestSize: () => batches().size,
      listeners: this.#listeners,
      onAbsent: (sender, report) => late.add(sender, report),
      onRepaired: (count) => this.#node.warn(this.#RED._(REPAIRED, { count })),
      onUnreadable: ({ message }) => this.#node.warn(message),
    });
    outbox.start();
    for (const listener of this.#listeners.values()) listener.changed(outbox.state);
    return outbox;
  }

  /** Without usable settings there is no outbox; the config node reports that problem. */
  #isUsable(): boolean {
    try {
      this.#settings.limits();
      return this.folder !== '';
    } catch {
      return false;
    }
  }

  /** Warns of an outbox of 1.0.0, because only a person knows whether it belongs to this environment. */
  async #warnOfOldFolder(): Promise<void> {
    const { endpoint } = this.#settings.client();
    const old = await oldFolder(this.#allOutboxes(), this.#node.id, endpoint);
    if (old) this.#node.warn(this.#RED._(OLD, { old, folder: this.folder }));
  }

  /** The outbox of live mode is not opened, so nobody knows whether it holds writes. */
  async #warnOfLiveWrites(): Promise<void> {
    const { endpoint } = this.#settings.client();
    const folder = configFolder(this.#allOutboxes(FOLDER), this.#node.id, endpoint);
    const exists = await isFolder(folder, OUTBOX).catch(() => false);
    if (exists) this.#node.warn(this.#RED._(LIVE, { folder }));
  }

  #allOutboxes(name = this.#settings.isDryRun ? DRY_RUN_FOLDER : FOLDER): string {
    const { userDir } = this.#RED.settings;
    if (userDir) return join(userDir, name);
    throw new IonError('ION_CONFIG', 'Node-RED has no user folder to keep the outbox in.');
  }
}
