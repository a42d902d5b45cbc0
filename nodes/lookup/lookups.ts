import type { IonClient, RequestOptions, RequestState } from '../client/client.js';
import { closedError } from '../client/errors.js';
import { abandonable } from '../client/support/abort-listeners.js';
import type { WorkQuery } from '../client/work/work.js';
import { idsNamedIn, type NamedIds } from './answer-ids.js';
import { AnswerMemory, type MemorySettings } from './answer-memory.js';
import { Changes } from './changes.js';
import type { LookupResult } from './lookup-result.js';
import { isAnswered, isOutOfReach } from './out-of-reach.js';
import { Outage } from './outage.js';
import { queryKey } from './query-key.js';
import { RecentAnswers } from './recent-answers.js';
import { Refresher } from './refresher.js';
import { type Finder, SharedLookup } from './shared-lookup.js';

export type { LookupResult } from './lookup-result.js';

export interface LookupOptions {
  /** The age up to which an answer may serve while ION is out of reach, in ms; 0 for never. */
  rememberMs: number;
  /** The signal of the message. */
  signal: AbortSignal;
  /** Sent with the requests, unless another message has begun the same look-up. */
  trace?: RequestOptions['trace'];
  onState?: ((state: RequestState) => void) | undefined;
}

export interface LookupsSettings {
  finder: Finder;
  /** The client of the finder, whose mutations outdate answers. */
  client: Pick<IonClient, 'onOutcome'>;
  memory: MemorySettings;
  /** A monotonic clock, in ms. */
  now?: (() => number) | undefined;
  /** The pause before the first probe of an outage; 2 s by default, doubling to 10 s. */
  firstPauseMs?: number | undefined;
  /** The pause between answers that are read again; 500 ms by default. */
  refreshPauseMs?: number | undefined;
}

/** Somebody who waits for the result of a look-up. */
interface Caller {
  keepMs: number;
  signal: AbortSignal;
  trace?: LookupOptions['trace'];
  onState?: LookupOptions['onState'];
}

/** Resources whose events may change an answer, and what their IDs belong to. */
const KINDS = { RUN_STEPS: 'step', RUNS: 'run' } as const;

/**
 * Look-ups of the work that a code means. Equal ones share their requests, and what ION answers is
 * remembered on the disk for times in which it is out of reach.
 */
export class Lookups {
  readonly #finder: Finder;
  readonly #memory: AnswerMemory;
  readonly #changes = new Changes();
  readonly #recent: RecentAnswers;
  /** All look-ups under way. */
  readonly #underWay = new Set<SharedLookup>();
  /** Look-ups that equal queries share, by the key of the query. */
  readonly #shared = new Map<string, SharedLookup>();
  readonly #outage: Outage<WorkQuery>;
  readonly #refresher: Refresher;
  readonly #closing = new AbortController();
  readonly #stopListening: () => void;

  constructor({ finder, client, memory, now, firstPauseMs, refreshPauseMs }: LookupsSettings) {
    this.#finder = finder;
    this.#memory = new AnswerMemory(memory);
    this.#recent = new RecentAnswers(this.#changes, now);
    this.#outage = new Outage({
      probe: (query, signal) => this.#probe(query, signal),
      onBegin: () => {
        for (const lookup of this.#underWay) lookup.trouble();
      },
      onEnd: () => this.#refresher.resume(),
      firstPauseMs,
    });
    this.#refresher = new Refresher({
      read: (key) => this.#refresh(key),
      usedAt: (key) => this.#memory.usedAt(key),
      isPaused: () => this.#outage.isUnderWay,
      pauseMs: refreshPauseMs,
    });
    this.#stopListening = client.onOutcome(({ operation, variables }) => {
      // A mutation that failed may have been executed. A document can name IDs as well.
      if (operation.kind !== 'mutation') return;
      this.#changed(() => idsNamedIn([variables, operation.definition]));
    });
  }

  /**
   * Finds the work that a query means: asks ION, unless it answered the same less than a second ago.
   * While ION is out of reach, a remembered answer is returned.
   * @throws IonError of the request; `ION_CLOSED` if the signal aborts or the look-ups are closed
   */
  async find(
    query: WorkQuery,
    { rememberMs, signal, trace, onState }: LookupOptions,
  ): Promise<LookupResult> {
    this.#requireOpen(signal);
    const key = queryKey(query);
    const recent = this.#recent.get(key);
    if (recent) return { ...recent, attempts: 0 };
    const keepMs = rememberMs > 0 ? rememberMs : 0;
    if (this.#outage.isUnderWay) {
      const remembered = await this.#remembered(key, keepMs, signal);
      if (remembered) {
        this.#outage.scanned(query);
        return remembered;
      }
    }
    return this.#ask(key, query, { keepMs, signal, trace, onState });
  }

  /**
   * Something changed in ION: remembered answers with this step or run are read again in the background.
   * @param resource a name of ION; others than `RUN_STEPS` and `RUNS` are ignored
   */
  changed(resource: string, id: unknown): void {
    if (this.#closing.signal.aborted || !Object.hasOwn(KINDS, resource)) return;
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#changed(() => new Set([String(id)]));
    const keys = this.#memory.keysOf(KINDS[resource as keyof typeof KINDS], String(id));
    if (keys instanceof Promise) void keys.then((found) => this.#refresher.add(found));
    else this.#refresher.add(keys);
  }

  /** Ends all look-ups with `ION_CLOSED`. Resolves when all answers are on the disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopListening();
    this.#outage.close();
    await this.#refresher.close();
    await this.#memory.close();
  }

  #changed(named: () => NamedIds): void {
    if (this.#underWay.size > 0 || !this.#recent.isEmpty) this.#changes.add(named());
    else this.#changes.forget();
  }

  /** Joins a look-up under way, or begins one. */
  async #ask(key: string, query: WorkQuery, caller: Caller): Promise<LookupResult> {
    for (;;) {
      this.#requireOpen(caller.signal);
      const lookup = this.#shared.get(key) ?? this.#begin(key, query, caller.trace);
      const wasTouched = this.#changes.last > lookup.since;
      const result = await this.#follow(key, lookup, caller);
      // The answer may be older than a change that this caller knows of.
      const isOutdated = result.source === 'ion' && this.#mayBeOutdated(lookup, result);
      if (!wasTouched || !isOutdated) return result;
    }
  }

  /** The result of a look-up, or a remembered one as soon as ION turns out to be out of reach. */
  async #follow(
    key: string,
    lookup: SharedLookup,
    { keepMs, signal, onState }: Caller,
  ): Promise<LookupResult> {
    const leave = lookup.join(keepMs, onState);
    const follow = async () => {
      if (keepMs > 0) {
        await lookup.troubled;
        if (this.#outage.isUnderWay) {
          const remembered = await this.#remembered(key, keepMs, signal);
          if (remembered) return { ...remembered, attempts: lookup.failedTries };
        }
      }
      return lookup.result;
    };
    try {
      return await this.#abandonable(follow(), signal);
    } finally {
      leave();
    }
  }

  /** @returns a look-up that equal queries share from now on */
  #begin(key: string, query: WorkQuery, trace?: LookupOptions['trace']): SharedLookup {
    const { last } = this.#changes;
    const lookup = new SharedLookup(this.#finder, query, last, trace, () =>
      this.#outage.begin(query),
    );
    this.#shared.set(key, lookup);
    this.#underWay.add(lookup);
    const end = () => {
      this.#underWay.delete(lookup);
      if (this.#shared.get(key) === lookup) this.#shared.delete(key);
    };
    lookup.onLeft = end;
    lookup.result.then(
      (result) => {
        end();
        this.#answered(key, lookup, result);
      },
      (thrown) => {
        end();
        if (isOutOfReach(thrown)) this.#outage.begin(query);
        else if (isAnswered(thrown)) this.#outage.end();
      },
    );
    return lookup;
  }

  #answered(key: string, lookup: SharedLookup, result: LookupResult): void {
    if (this.#closing.signal.aborted) return;
    const { query, keepMs } = lookup;
    const { answer, readAt } = result;
    this.#outage.end();
    if (!this.#mayBeOutdated(lookup, result)) this.#recent.set(key, result, lookup.since);
    if (answer.found !== 'one') this.#memory.remove(key, keepMs);
    else this.#memory.put(key, { query, work: answer.work, readAt: Date.parse(readAt) }, keepMs);
  }

  #mayBeOutdated({ since }: SharedLookup, { answer }: LookupResult): boolean {
    return this.#changes.mayConcern(answer, since);
  }

  async #remembered(
    key: string,
    keepMs: number,
    signal: AbortSignal,
  ): Promise<LookupResult | undefined> {
    if (keepMs === 0) return undefined;
    const found = await this.#abandonable(this.#memory.get(key, keepMs), signal);
    if (!found) return undefined;
    const { work, readAt } = found;
    return {
      answer: { found: 'one', work },
      source: 'remembered',
      readAt: new Date(readAt).toISOString(),
      attempts: 0,
    };
  }

  /** Finds out with one try whether ION answers again. */
  async #probe(query: WorkQuery, signal: AbortSignal): Promise<void> {
    // A new look-up, because one under way may be waiting for its next try.
    const lookup = this.#begin(queryKey(query), query);
    const leave = lookup.join(0);
    await this.#abandonable(lookup.troubled, signal).catch(() => {});
    leave();
  }

  /** Reads a remembered answer again. If ION refuses that, the old one stays. */
  async #refresh(key: string): Promise<void> {
    const remembered = await this.#memory.read(key);
    if (!remembered) return;
    const { signal } = this.#closing;
    await this.#ask(key, remembered.query, { keepMs: 0, signal }).catch((thrown) => {
      if (isOutOfReach(thrown)) this.#refresher.add([key]);
    });
  }

  #abandonable<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
    const { signal: closing } = this.#closing;
    return abandonable(abandonable(work, signal, closedError), closing, closedError);
  }

  #requireOpen(signal: AbortSignal): void {
    if (this.#closing.signal.aborted || signal.aborted) throw closedError();
  }
}
