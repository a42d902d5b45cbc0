import type { Node } from 'node-red';
import type { FieldMemory } from '../client/lists/field-memory.js';
import { writeContext } from '../shared/node-context.js';
import { inBackground } from '../shared/report-error.js';
import { loadMemory, type MemoryScope, memoryToStore } from './stored-memory.js';

/** Deliveries arrive one by one, so the memory is stored after several of them. */
const SAVE_DELAY_MS = 1000;

/** The memory of a webhook's watched fields. It is loaded before its first use and saved after changes. */
export class WebhookMemory {
  readonly #node: Node;
  #loaded: { scope: MemoryScope; memory: Promise<FieldMemory> } | undefined;
  /** The last work for each object that has work in progress. */
  readonly #work = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #saving = Promise.resolve();

  constructor(node: Node) {
    this.#node = node;
  }

  /** Runs work on one object, after the earlier work on the same object has ended. */
  async inOrder(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.#work.get(key) ?? Promise.resolve();
    const own = before.catch(() => {}).then(work);
    this.#work.set(key, own);
    try {
      await own;
    } finally {
      if (this.#work.get(key) === own) this.#work.delete(key);
    }
  }

  /** The memory for this scope, which stays the same as long as the node runs. */
  async load(scope: MemoryScope): Promise<FieldMemory> {
    this.#loaded ??= { scope, memory: loadMemory(this.#node, scope) };
    try {
      return await this.#loaded.memory;
    } catch (thrown) {
      this.#loaded = undefined;
      throw thrown;
    }
  }

  saveSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      inBackground(this.#node, this.#save());
    }, SAVE_DELAY_MS);
  }

  /** Saves what is not saved yet. Call it when no work is in progress. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#save();
  }

  /** One after the other, because a context store may be slow. */
  #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => {}).then(() => this.#saveNow());
    return this.#saving;
  }

  async #saveNow(): Promise<void> {
    if (!this.#loaded) return;
    const { scope } = this.#loaded;
    const memory = await this.#loaded.memory;
    if (!memory.isChanged) return;
    memory.isChanged = false;
    try {
      await writeContext(this.#node, memoryToStore(scope, memory));
    } catch (thrown) {
      memory.isChanged = true;
      throw thrown;
    }
  }
}
