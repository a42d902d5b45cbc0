import type { NodeAPI } from 'node-red';
import { IonError } from '../../client/errors.js';
import type { IonConfigNode } from '../config-node.js';
import { runningConfigs } from '../running-configs.js';
import { type ConfigStatus, configDetails, versionOf } from './config-details.js';
import { type ConfigNumbers, configNumbers } from './config-numbers.js';

/** The topic of Node-RED's comms on which editors get the numbers. */
const TOPIC = 'ion/status';
const PERIOD_MS = 1000;
/** An editor says every 5 s that its tab is open. */
const WATCH_MS = 10_000;
const MAX_WATCHERS = 200;
const MAX_ID_LENGTH = 100;

/** A message to the editors: only what differs from the message before it. */
interface StatusMessage {
  /** The server's clock, in ms since 1970. */
  now: number;
  /** All running config nodes, if they are others than before. */
  ids?: string[];
  cards: (ConfigNumbers & { version: number })[];
}

interface Card {
  /** Counts up with each change of the details. */
  version: number;
  details: string;
  /** The last numbers that were sent. */
  sent: string;
  /** Number of requests at a time. */
  counted: { total: number; at: number } | undefined;
  perSecond: number | undefined;
}

/** Sends the state of the config nodes to the editors, once a second while one of them shows it. */
export class LiveStatus {
  readonly #RED: NodeAPI;
  readonly #cards = new WeakMap<IonConfigNode, Card>();
  /** The time at which each stops, on the monotonic clock. */
  readonly #watchers = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isPublishing = false;
  #sentIds = '';
  /** Never the same for two config nodes with the same ID, one after the other. */
  #version = 0;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /**
   * An editor shows the state, for the next 10 s.
   * @param body its ID, and whether it does so no longer
   * @throws IonError `ION_CONFIG` for a wrong request
   */
  watch(body: unknown): object {
    const { watcher, isEnd } = (body ?? {}) as { watcher?: unknown; isEnd?: unknown };
    if (typeof watcher !== 'string' || watcher.length > MAX_ID_LENGTH) {
      throw new IonError('ION_CONFIG', 'The request must hold the ID of a watcher.');
    }
    this.#watchers.delete(watcher);
    if (isEnd !== true) {
      this.#watchers.set(watcher, performance.now() + WATCH_MS);
      const [oldest = ''] = this.#watchers.keys();
      if (this.#watchers.size > MAX_WATCHERS) this.#watchers.delete(oldest);
      this.#start();
    }
    this.#stopIfUnwatched();
    return {};
  }

  /** The complete state of these config nodes, or of all. */
  async status(ids?: readonly string[]): Promise<{ now: number; cards: ConfigStatus[] }> {
    const chosen = runningConfigs().filter(({ id }) => !ids || ids.includes(id));
    const cards = chosen.map(async (node): Promise<ConfigStatus> => {
      const card = this.#cardOf(node);
      this.#compareDetails(node, card);
      const { version } = card;
      const numbers = await configNumbers(node, card.perSecond);
      return { ...numbers, version, details: await configDetails(this.#RED, node) };
    });
    return { now: Date.now(), cards: await Promise.all(cards) };
  }

  #start(): void {
    if (this.#timer) return;
    this.#sentIds = '';
    for (const node of runningConfigs()) {
      Object.assign(this.#cardOf(node), { counted: undefined, sent: '' });
    }
    // A config node may be closing; the next message shows it.
    this.#timer = setInterval(() => void this.#publish().catch(() => {}), PERIOD_MS);
    // Node-RED must not run on for it.
    this.#timer.unref();
  }

  #stopIfUnwatched(): void {
    const now = performance.now();
    for (const [watcher, until] of this.#watchers) {
      if (until < now) this.#watchers.delete(watcher);
    }
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #publish(): Promise<void> {
    this.#stopIfUnwatched();
    if (!this.#timer || this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      await this.#publishChanges();
    } finally {
      this.#isPublishing = false;
    }
  }

  async #publishChanges(): Promise<void> {
    const nodes = runningConfigs();
    const ids = nodes.map(({ id }) => id);
    const changed = await Promise.all(nodes.map((node) => this.#changed(node)));
    const cards = changed.flatMap((numbers) => numbers ?? []);
    const areOthers = ids.join() !== this.#sentIds;
    if (!this.#timer || (cards.length === 0 && !areOthers)) return;
    this.#sentIds = ids.join();
    const message: StatusMessage = { now: Date.now(), ...(areOthers && { ids }), cards };
    this.#RED.comms.publish(TOPIC, message, false);
  }

  /** @returns `undefined` if nothing changed since the last message */
  async #changed(node: IonConfigNode): Promise<StatusMessage['cards'][0] | undefined> {
    const card = this.#cardOf(node);
    this.#countPerSecond(node, card);
    this.#compareDetails(node, card);
    const numbers = { ...(await configNumbers(node, card.perSecond)), version: card.version };
    const text = JSON.stringify(numbers);
    if (text === card.sent) return undefined;
    card.sent = text;
    return numbers;
  }

  #cardOf(node: IonConfigNode): Card {
    const known = this.#cards.get(node);
    if (known) return known;
    const version = this.#version++;
    const card = { version, details: '', sent: '', counted: undefined, perSecond: undefined };
    this.#cards.set(node, card);
    return card;
  }

  #countPerSecond({ requests: { total } }: IonConfigNode, card: Card): void {
    const at = performance.now();
    const { counted } = card;
    card.perSecond = counted && ((total - counted.total) * 1000) / (at - counted.at);
    card.counted = { total, at };
  }

  #compareDetails(node: IonConfigNode, card: Card): void {
    const details = versionOf(node);
    if (details === card.details) return;
    if (card.details !== '') card.version = this.#version++;
    card.details = details;
  }
}
