/** An item in a list. */
export interface Entry<Item> {
  readonly item: Item;
  /** Removes the item. A second call does nothing. */
  remove(): void;
}

/** The links of an entry, or those of a list to its first and its last entry. */
class Link {
  previous: Link = this;
  next: Link = this;
}

class Ends extends Link {
  size = 0;
}

/** A class, because a closure for each item takes more time and memory. */
class LinkedEntry<Item> extends Link implements Entry<Item> {
  readonly item: Item;
  readonly #ends: Ends;

  constructor(item: Item, ends: Ends) {
    super();
    this.item = item;
    this.#ends = ends;
    this.previous = ends.previous;
    this.next = ends;
    ends.previous.next = this;
    ends.previous = this;
    ends.size++;
  }

  remove(): void {
    if (this.next === this) return;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    // Links to its neighbors would keep them alive.
    this.previous = this;
    this.next = this;
    this.#ends.size--;
  }
}

/**
 * A queue from which each item can be removed at any time. A `Set` could do that as well, but V8
 * keeps its former items alive until the next full garbage collection: at 10,000 messages per
 * second, that took a tenth of the time.
 */
export class LinkedList<Item> {
  readonly #ends = new Ends();

  get size(): number {
    return this.#ends.size;
  }

  /** The first item; `undefined` if the list is empty. */
  get first(): Item | undefined {
    return this.#firstEntry?.item;
  }

  add(item: Item): Entry<Item> {
    return new LinkedEntry(item, this.#ends);
  }

  /** Removes the first item. */
  shift(): Item | undefined {
    const first = this.#firstEntry;
    first?.remove();
    return first?.item;
  }

  get #firstEntry(): LinkedEntry<Item> | undefined {
    return this.size === 0 ? undefined : (this.#ends.next as LinkedEntry<Item>);
  }
}
