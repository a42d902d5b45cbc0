// The content of the tab "ION": one card for each config node that runs.
import { adminRequest, type ServerError } from '../shared/admin-request.js';
import { type Card, createCard } from './card.js';
import { type Numbers, type Status, type StatusMessage, withSlots } from './status.js';
import { addStyle } from './style.js';
import { text } from './texts.js';
import { prepareWatch } from './watch.js';

/** The order of the cards. */
const SEVERITIES = ['failed', 'attention', 'ok'] as const;
/** More cards begin closed. */
const MAX_OPEN = 3;
const TICK_MS = 1000;

/** Fills the tab, once for the page. */
async function showSidebar(content: JQuery): Promise<void> {
  addStyle();
  const sidebar = new Sidebar(content);
  if (RED.user.hasPermission('ion-config.read')) sidebar.follow();
  else sidebar.say(text('notPermitted'));
}

class Sidebar {
  readonly #content: JQuery;
  readonly #message = $('<p class="ion-sidebar-message">');
  readonly #list = $('<div class="ion-sidebar-cards">');
  readonly #cards = new Map<string, { card: Card; status: Status }>();
  /** By ID of the config node. A deploy removes its card for a moment. */
  readonly #isOpen = new Map<string, boolean>();
  /** Config nodes whose details must be read; `undefined` for none. */
  #wanted: Set<string> | 'all' | undefined;
  #isReading = false;
  /** The lead of the server's clock, in ms. */
  #ahead = 0;

  constructor(content: JQuery) {
    this.#content = content;
    content.append(this.#message, this.#list);
    this.say(text('loading'));
  }

  say(message: string): void {
    this.#message.text(message).toggle(message !== '');
  }

  /** Follows the state while the tab is visible. */
  follow(): void {
    const watch = prepareWatch({
      begun: () => this.#read('all'),
      message: (message) => this.#receive(message),
      failed: (thrown) => this.#failed(thrown),
    });
    let isShown = true;
    let timer: number | undefined;
    const update = () => {
      window.clearInterval(timer);
      if (isShown && document.visibilityState === 'visible') {
        watch.start();
        timer = window.setInterval(() => this.#tick(), TICK_MS);
      } else {
        watch.stop();
      }
    };
    const [element] = this.#content.get();
    if (!element) return;
    // Node-RED calls a tab when it is shown, but not when it is hidden.
    new IntersectionObserver((entries) => {
      isShown = entries.at(-1)?.isIntersecting ?? isShown;
      update();
    }).observe(element);
    document.addEventListener('visibilitychange', update);
  }

  #receive({ now, ids, cards }: StatusMessage): void {
    this.#ahead = now - Date.now();
    if (ids) this.#keepOnly(ids);
    for (const numbers of cards) this.#update(numbers);
    this.#sort();
    for (const id of ids ?? []) if (!this.#cards.has(id)) this.#read(id);
  }

  #update(numbers: Numbers): void {
    const { id } = numbers;
    const known = this.#cards.get(id);
    if (!known) {
      this.#read(id);
      return;
    }
    const { details, version } = known.status;
    const slots = withSlots(details.slots, known.status.slots, numbers.slots);
    // The details are those of the version that was read.
    known.status = { ...numbers, version, details: { ...details, slots } };
    known.card.show(known.status, this.#now());
    if (numbers.version !== version) this.#read(id);
  }

  /** Ages grow also if nothing happens. */
  #tick(): void {
    for (const { card, status } of this.#cards.values()) card.show(status, this.#now());
  }

  #now(): number {
    return Date.now() + this.#ahead;
  }

  #read(id: string): void {
    if (this.#wanted !== 'all') {
      this.#wanted = id === 'all' ? 'all' : (this.#wanted ?? new Set()).add(id);
    }
    if (this.#isReading) return;
    this.#isReading = true;
    this.#readWanted()
      .catch((thrown) => this.#failed(thrown))
      .finally(() => {
        this.#isReading = false;
      });
  }

  async #readWanted(): Promise<void> {
    while (this.#wanted) {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      const query = wanted === 'all' ? '' : `?ids=${[...wanted].map(encodeURIComponent).join()}`;
      const url = `ion-config/status${query}`;
      const { now, cards } = await adminRequest<{ now: number; cards: Status[] }>({ url });
      this.#ahead = now - Date.now();
      if (wanted === 'all') this.#keepOnly(cards.map(({ id }) => id));
      const count = new Set([...this.#cards.keys(), ...cards.map(({ id }) => id)]).size;
      for (const status of cards) this.#show(status, count <= MAX_OPEN);
      this.#sort();
      this.say(this.#cards.size === 0 ? text('none') : '');
    }
  }

  /** The most severe first, else as they started. Nothing moves below the user's keyboard focus. */
  #sort(): void {
    const [list] = this.#list.get();
    if (!list || list.contains(document.activeElement)) return;
    const cards = [...this.#cards.values()].map(({ card }) => card);
    const sorted = SEVERITIES.flatMap((each) => cards.filter(({ severity }) => severity === each));
    const elements = sorted.flatMap(({ element }) => element.get());
    if (elements.some((element, index) => list.children[index] !== element))
      list.append(...elements);
  }

  /** @param isFirstOpen whether a card is open that this page has not shown yet */
  #show(status: Status, isFirstOpen: boolean): void {
    const { id } = status;
    const known = this.#cards.get(id);
    const card =
      known?.card ??
      createCard(id, {
        isOpen: this.#isOpen.get(id) ?? isFirstOpen,
        onToggled: (isOpen) => this.#isOpen.set(id, isOpen),
        onDecided: (outbox) => decided(outbox),
      });
    const entry = { card, status };
    const decided = (outbox: Status['details']['outbox']) => {
      const current = this.#cards.get(id);
      if (!current || !outbox) return;
      current.status = { ...current.status, details: { ...current.status.details, outbox } };
      current.card.show(current.status, this.#now());
    };
    this.#cards.set(id, entry);
    card.show(status, this.#now());
    if (!known) this.#list.append(card.element);
  }

  #keepOnly(ids: readonly string[]): void {
    for (const [id, { card }] of this.#cards) {
      if (ids.includes(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    this.say(ids.length === 0 ? text('none') : '');
  }

  #failed(thrown: unknown): void {
    const { code, message } = thrown as ServerError;
    const isForbidden = code === 'HTTP 401' || code === 'HTTP 403';
    this.say(isForbidden ? text('notPermitted') : `${code}: ${message}`);
  }
}

export type ShowSidebar = typeof showSidebar;

declare global {
  interface Window {
    ionSidebar?: ShowSidebar;
  }
}

window.ionSidebar = showSidebar;
