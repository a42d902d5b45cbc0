import { setMaxListeners } from 'node:events';
import { closedError, IonError, toIonError } from '../client/errors.js';
import { isRefusal } from '../client/failures/classify-failure.js';
import { fileAt } from '../client/steps/attachment-file.js';
import type { StepWriter, WriteResult } from '../client/steps/step-writer.js';
import { idOf, isGiven } from '../client/steps/target.js';
import { addAbortListener } from '../client/support/abort-listeners.js';
import { isPlainObject } from '../client/support/json.js';
import type { Entry, GivenUpEntry, Stored, Write } from './entries.js';
import {
  type FailingDecision,
  type FailingWrite,
  FailingWrites,
  type GiveUpRule,
} from './failing-writes.js';
import { END, laneOf } from './keys.js';
import { type OutboxLimits, OutboxStore, type StoreOptions, writing } from './store.js';

/** What a sender hears of its entries. */
export interface OutboxListener {
  delivered(entry: Entry, answer: WriteResult<unknown>): void;
  givenUp(entry: Entry, error: IonError): void;
  /** What it heard could not be passed on. */
  failed(thrown: unknown): void;
  /** Backlog or reachability changed. */
  changed(state: OutboxState): void;
}

export interface OutboxState {
  waiting: number;
  givenUp: number;
  /** Since when ION cannot be reached, in ms since 1970. */
  unreachableSince: number | undefined;
  /** Why it cannot be reached. */
  reason: IonError | undefined;
  /** Writes that fail again and again although ION answers. */
  failing: readonly FailingWrite[];
}

export interface OutboxOptions extends StoreOptions {
  folder: string;
  limits: OutboxLimits;
  writer: Pick<
    StepWriter,
    'runOf' | 'write' | 'writeStatus' | 'attach' | 'attachmentsOf' | 'check'
  >;
  /** Requests that the writer makes at once. */
  concurrency: number;
  /** Who hears of what, by sender. */
  listeners: ReadonlyMap<string, OutboxListener>;
  /** The first pause after a failure, in ms; 1000 by default. */
  pauseMs?: number;
  random?: () => number;
  /** When a write is given up that fails while ION answers others. */
  giveUp?: GiveUpRule;
  /** Hears how long each pause is, in ms. */
  onPause?: (ms: number) => void;
  /** Hears of an entry that cannot be read, which no sender does. */
  onUnreadable?: (error: IonError) => void;
}

export interface NewWrite extends Write {
  /** Only the last one that waits for the same target is delivered. */
  latestOnly?: boolean;
  /** For a file: its size in bytes, and where the bytes come from. */
  file?: { size: number; read(): AsyncIterable<Uint8Array> };
}

type Refused = Stored<GivenUpEntry>;

const FIRST_PAUSE_MS = 1000;
/** One bad answer is soon forgotten: a lane waits a tenth as long as an outage. */
const SHARE_OF_A_LANE = 0.1;
const LONGEST_PAUSE_MS = 60_000;
/** However long a server asks to be left alone. */
const LONGEST_ASKED_MS = 600_000;
const FIRST_TRY = 1;
/** Entries of a run that are delivered before other runs get their turn. */
const ENTRIES_PER_TURN = 50;
/** While one lane reads the disk, another one has its request under way. */
const LANES_PER_REQUEST = 2;
const LOOKED_UP_AT_ONCE = 100;
const REFUSED_AT_ONCE = 100;
/** Stands for the lane of those whose run has to be looked up. */
const ROUTING = 'routing';
/** And for the search for lanes, which fails with the disk. */
const SEARCHING = 'searching';
/** Failed look-ups of one run, while ION is there, before the others no longer wait for it. */
const LOOK_UPS_BEFORE_DOUBT = 5;

/**
 * Delivers what was accepted, whatever happens meanwhile: in order within a run, runs side by side,
 * at least once. What ION refuses for good waits for somebody's decision.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #store: OutboxStore;
  readonly #listeners: ReadonlyMap<string, OutboxListener>;
  readonly #closing = new AbortController();
  /** Lanes that are worked on. */
  readonly #busy = new Map<string, Promise<void>>();
  /** Lanes that wait for the next try of their first entry. */
  readonly #paused = new Map<string, NodeJS.Timeout>();
  readonly #failing: FailingWrites;
  /** Further tries of those that fail, which somebody may end. */
  readonly #tries = new Map<string, AbortController>();
  /** Lanes whose next entry came after one that may belong to the same run. */
  readonly #behind = new Set<string>();
  /** Where the search for the next lane goes on, so that each gets its turn. */
  #place = '';
  #searching: Promise<unknown> | undefined;
  #searchAgain = false;
  /** Entries before which one may still belong to any run. */
  #firstUnrouted = Number.POSITIVE_INFINITY;
  /** Numbers of entries that are not in the store yet, with their lanes. */
  readonly #onTheirWay = new Map<number, string | undefined>();
  #deciding: Promise<void> = Promise.resolve();
  #routing: Promise<void> | undefined;
  #routeAgain = false;
  /** In a row while ION was there, of the first entry whose run is not known. */
  #failedLookUps = 0;
  /** The number of that one. */
  #lookedUp = 0;
  /** Failures in a row of what is no delivery: look-ups of runs, and the search for lanes. */
  readonly #stumbles = new Map<string, number>();
  #isStarted = false;
  /** When ION answered last, on the monotonic clock. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<boolean> | undefined;
  /** In ms since 1970. */
  #unreachableSince: number | undefined;
  #reason: IonError | undefined;
  #probes = 0;
  #probeTimer: NodeJS.Timeout | undefined;

  private constructor(options: OutboxOptions, store: OutboxStore) {
    this.#options = options;
    this.#listeners = options.listeners;
    this.#store = store;
    this.#failing = new FailingWrites(options.giveUp);
    setMaxListeners(0, this.#closing.signal);
  }

  /** @throws IonError see `OutboxStore.open` */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const { folder, limits } = options;
    const store = await OutboxStore.open(folder, limits, options);
    const outbox = new Outbox(options, store);
    try {
      // What shows its damage at the first try is repaired by the second one.
      const [first] = await store.unrouted(1).catch(() => store.unrouted(1));
      if (first) outbox.#firstUnrouted = first.sequence;
      return outbox;
    } catch (thrown) {
      // Else it would stay locked until the process ends.
      await store.close();
      throw thrown;
    }
  }

  get state(): OutboxState {
    const { waiting, givenUp } = this.#store;
    return {
      waiting,
      givenUp,
      unreachableSince: this.#unreachableSince,
      reason: this.#reason,
      failing: this.#failing.shown,
    };
  }

  /** Begins to deliver, also what an earlier process left. */
  start(): void {
    this.#isStarted = true;
    this.#route();
    this.#search();
  }

  /**
   * Accepts a write. When it resolves, the write is on the disk and will be delivered.
   * @param context what the sender wants back with the result
   * @throws IonError `ION_OVERLOADED` at the limits or where the disk is full; NotKeptError
   * for what cannot be kept, such as a function
   */
  async add(sender: string, write: NewWrite, context: unknown): Promise<void> {
    const { latestOnly, file, ...kept } = write;
    const run = runIn(write);
    const entry: Entry = {
      write: kept,
      sender,
      context,
      acceptedAt: Date.now(),
      ...(latestOnly && { replaces: whatIsWritten(write) }),
      ...(file && { fileSize: file.size }),
    };
    await this.#incoming(run === undefined ? undefined : laneOf(run), (noted) =>
      this.#store.add(entry, run, file && writing(file.read()), noted),
    );
    this.#changed();
    this.#search();
  }

  /** From the moment that an entry has its number, later ones of its lane wait for it. */
  async #incoming(
    lane: string | undefined,
    take: (noted: (sequence: number) => void) => Promise<unknown>,
  ): Promise<void> {
    let own: number | undefined;
    const noted = (sequence: number) => {
      own = sequence;
      this.#onTheirWay.set(sequence, lane);
      if (lane === undefined) this.#firstUnrouted = Math.min(this.#firstUnrouted, sequence);
    };
    try {
      await take(noted);
    } finally {
      if (own !== undefined) this.#onTheirWay.delete(own);
      if (lane === undefined) this.#route();
      else if (this.#behind.delete(lane)) this.#search();
    }
  }

  /** The first entry that is not in the store yet, of those without a run or of a lane. */
  #firstOnItsWay(lane: string | undefined): number {
    let first = Number.POSITIVE_INFINITY;
    for (const [sequence, of] of this.#onTheirWay) {
      if (of === lane) first = Math.min(first, sequence);
    }
    return first;
  }

  /** What was given up, the oldest first. */
  refused(limit: number): Promise<Refused[]> {
    return this.#store.refused(limit);
  }

  /**
   * Delivers given up entries again, or forgets them. Failing ones are tried at once, given up
   * (`skip`) or forgotten, so that those behind them go on.
   * @param sequences undefined for all that were given up
   */
  decide(decision: 'retry' | 'discard' | 'skip', sequences?: readonly number[]): Promise<void> {
    // Two people may press the button.
    const work = async () => {
      await Promise.all((sequences ?? []).map((each) => this.#decideFailing(decision, each)));
      if (decision !== 'skip') await this.#decide(decision, sequences);
    };
    this.#deciding = this.#deciding.then(work, work);
    return this.#deciding;
  }

  async #decideFailing(decision: 'retry' | FailingDecision, sequence: number): Promise<void> {
    const lane = this.#failing.laneOf(sequence);
    if (lane === undefined || this.#closing.signal.aborted) return;
    const stored = this.#failing.decide(lane, decision);
    this.#endPause(lane);
    if (decision === 'retry') {
      if (!this.#busy.has(lane)) this.#work(lane);
      return;
    }
    // It may be tried just now: nobody waits for that any more.
    this.#tries.get(lane)?.abort();
    const isUndecided = () =>
      this.#failing.laneOf(sequence) === lane && !this.#closing.signal.aborted;
    for (let work = this.#busy.get(lane); work && isUndecided(); work = this.#busy.get(lane)) {
      // What is done in the lane may end without it, such as by an outage.
      await Promise.race([this.#failing.ended(lane), work]);
    }
    if (!stored || !isUndecided()) return;
    this.#endPause(lane);
    await this.#occupy(lane, () => this.#carryOut(decision, lane, stored));
  }

  #endPause(lane: string): void {
    clearTimeout(this.#paused.get(lane));
    this.#paused.delete(lane);
  }

  async #decide(decision: 'retry' | 'discard', sequences?: readonly number[]): Promise<void> {
    // One that is given up again has another number.
    const chosen = sequences && new Set(sequences);
    const last = this.#store.lastSequence;
    let chunk = await this.#store.refused(REFUSED_AT_ONCE);
    while (chunk.length > 0) {
      for (const stored of chunk) {
        if (stored.sequence > last || this.#closing.signal.aborted) return;
        if (chosen && !chosen.has(stored.sequence)) continue;
        if (decision === 'discard') await this.#store.discard(stored);
        else if (!stored.unreadable)
          await this.#incoming(undefined, (noted) => this.#store.restore(stored, noted));
        this.#changed();
      }
      chunk = await this.#store.refused(REFUSED_AT_ONCE, chunk.at(-1)?.sequence);
    }
  }

  /** Ends deliveries and closes the store; what was not delivered stays in it. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#probeTimer);
    for (const timer of this.#paused.values()) clearTimeout(timer);
    await Promise.allSettled([
      ...this.#busy.values(),
      this.#routing,
      this.#searching,
      this.#deciding,
    ]);
    await this.#store.close();
  }

  /** Looks up the runs of entries that came without one, in order, and lets them follow. */
  #route(): void {
    if (!this.#isStarted || this.#closing.signal.aborted) return;
    this.#routeAgain = true;
    if (this.#routing || this.#paused.has(ROUTING) || this.#probeTimer) return;
    this.#routing = this.#routeAll()
      .catch((thrown) => this.#stumbled(ROUTING, toIonError(thrown)))
      .finally(() => {
        this.#routing = undefined;
        if (this.#routeAgain) this.#route();
      });
  }

  async #routeAll(): Promise<void> {
    while (this.#routeAgain && !this.#closing.signal.aborted) {
      this.#routeAgain = false;
      const entries = await this.#store.unrouted(this.#isOutage() ? 1 : LOOKED_UP_AT_ONCE);
      const runs = entries.map((stored) =>
        stored.unreadable ? undefined : this.#runOf(stored.entry),
      );
      for (const [index, stored] of entries.entries()) {
        this.#firstUnrouted = Math.min(stored.sequence, this.#firstOnItsWay(undefined));
        if (this.#lookedUp !== stored.sequence) this.#failedLookUps = 0;
        this.#lookedUp = stored.sequence;
        const run = runs[index];
        if (run) await this.#routeOne(stored, run);
        else await this.#giveUp(stored, unreadableError(stored));
      }
      if (entries.length > 0) this.#routeAgain = true;
      // Whoever is on the way in asks again when it is there.
      else if (!this.#routeAgain) this.#firstUnrouted = this.#firstOnItsWay(undefined);
      this.#behind.clear();
      this.#search();
    }
  }

  async #routeOne(stored: Stored, run: Promise<string>): Promise<void> {
    const begun = performance.now();
    try {
      const found = await run;
      this.#answered();
      await this.#store.route(stored, found);
      this.#failedLookUps = 0;
      this.#stumbles.delete(ROUTING);
    } catch (thrown) {
      const error = toIonError(thrown);
      if (isRefused(error)) {
        this.#answered();
        await this.#giveUp(stored, error);
        return;
      }
      // An outage tells nothing of this one.
      this.#failedLookUps = (await this.#isAnswering(begun)) ? this.#failedLookUps + 1 : 0;
      if (this.#failedLookUps === 0) this.#beginOutage(error);
      if (this.#failedLookUps < LOOK_UPS_BEFORE_DOUBT) throw error;
      // ION answers, but not for this one: it waits by itself, so that the others do not.
      const { step, field } = stored.entry.write.target;
      await this.#store.route(stored, `unknown run of ${step ?? field}`);
      this.#failedLookUps = 0;
    }
  }

  /** Whether ION has answered anything since then, or does so now. */
  async #isAnswering(since: number): Promise<boolean> {
    if (this.#answeredAt >= since) return true;
    const { signal } = this.#closing;
    this.#checking ??= this.#options.writer
      .check({ signal, isNew: false })
      .then(
        () => true,
        // A refusal is an answer as well.
        (thrown) => isRefusal(toIonError(thrown)),
      )
      .finally(() => {
        this.#checking = undefined;
      });
    const isAnswering = await this.#checking;
    if (isAnswering) this.#answered();
    return isAnswering;
  }

  #runOf({ write }: Entry): Promise<string> {
    const { signal } = this.#closing;
    const run = this.#options.writer.runOf(write.target, { signal, isNew: false });
    // Each one is looked at when it is its turn.
    run.catch(() => {});
    return run;
  }

  /** Starts work on further lanes, as many as may be worked on. */
  #search(): void {
    if (!this.#isStarted || this.#closing.signal.aborted) return;
    this.#searchAgain = true;
    this.#searching ??= this.#searchAll()
      .then(() => this.#stumbles.delete(SEARCHING))
      .catch((thrown) => this.#stumbled(SEARCHING, toIonError(thrown)))
      .finally(() => {
        this.#searching = undefined;
        if (this.#searchAgain && this.#hasRoom()) this.#search();
      });
  }

  async #searchAll(): Promise<void> {
    while (this.#searchAgain && this.#hasRoom()) {
      this.#searchAgain = false;
      let lane = await this.#nextLane();
      while (lane !== undefined && this.#hasRoom()) {
        this.#work(lane);
        lane = this.#hasRoom() ? await this.#nextLane() : undefined;
      }
    }
  }

  /** While ION is out of reach, one delivery at a time finds out when it is back. */
  #hasRoom(): boolean {
    if (this.#closing.signal.aborted || this.#probeTimer) return false;
    if (this.#paused.has(SEARCHING)) return false;
    const { concurrency } = this.#options;
    return this.#busy.size < (this.#isOutage() ? 1 : concurrency * LANES_PER_REQUEST);
  }

  #isOutage(): boolean {
    return this.#unreachableSince !== undefined;
  }

  /** The next lane in the round that may be worked on. */
  async #nextLane(): Promise<string | undefined> {
    const begin = this.#place;
    const rounds = [
      { after: begin, upTo: END },
      { after: '', upTo: begin },
    ];
    for (const { after, upTo } of rounds) {
      let lane = await this.#store.laneAfter(after);
      while (lane !== undefined && lane <= upTo) {
        if (!this.#busy.has(lane) && !this.#paused.has(lane) && !this.#behind.has(lane)) {
          this.#place = lane;
          return lane;
        }
        lane = await this.#store.laneAfter(lane);
      }
    }
    return undefined;
  }

  #work(lane: string): void {
    void this.#occupy(lane, () => this.#deliverFrom(lane));
  }

  /** One thing at a time happens in a lane. */
  #occupy(lane: string, occupation: () => Promise<unknown>): Promise<void> {
    const work = occupation()
      .then(() => {})
      .catch((thrown) => {
        // The disk: of deliveries that fail, others are told.
        this.#pause(lane, FIRST_TRY, toIonError(thrown));
      })
      .finally(() => {
        this.#busy.delete(lane);
        this.#changed();
        this.#search();
      });
    this.#busy.set(lane, work);
    return work;
  }

  async #deliverFrom(lane: string): Promise<void> {
    // As it is before the entries are read: one that comes in meanwhile is not among them.
    const before = this.#firstBefore(lane);
    for (const stored of await this.#store.first(lane, ENTRIES_PER_TURN)) {
      if (this.#closing.signal.aborted) return;
      // One that came earlier is on its way in, or may turn out to belong to this run.
      if (stored.sequence > before) {
        // It may be looked for at once where that has changed by now.
        if (this.#firstBefore(lane) === before) this.#behind.add(lane);
        return;
      }
      if (!(await this.#deliver(lane, stored))) return;
    }
  }

  #firstBefore(lane: string): number {
    return Math.min(this.#firstUnrouted, this.#firstOnItsWay(lane));
  }

  /** @returns whether the next entry of the lane may follow */
  async #deliver(lane: string, stored: Stored): Promise<boolean> {
    if (stored.unreadable) {
      await this.#giveUp(stored, unreadableError(stored));
      return true;
    }
    const { entry } = stored;
    const failing = this.#failing.of(lane, stored);
    if (!failing) this.#failing.forget(lane);
    else if (failing.decision) {
      await this.#carryOut(failing.decision, lane, stored);
      return true;
    }
    this.#failing.waits(lane, undefined);
    const begun = performance.now();
    let answer: WriteResult<unknown>;
    try {
      answer = await this.#tryOnce(lane, stored, failing !== undefined);
    } catch (thrown) {
      const decision = this.#failing.of(lane, stored)?.decision;
      if (decision && !this.#closing.signal.aborted) {
        await this.#carryOut(decision, lane, stored);
        return true;
      }
      const error = toIonError(thrown);
      if (!isRefused(error)) return this.#failed(lane, stored, error, begun);
      this.#failing.forget(lane);
      this.#answered();
      await this.#giveUp(stored, error);
      return true;
    }
    this.#failing.delivered(lane);
    this.#answered();
    // Only a store that closes refuses it.
    this.#store.remove(stored).catch(() => {});
    this.#tell(entry, (listener) => listener.delivered(entry, answer));
    return true;
  }

  /** Somebody decided that it is not to be tried any more. */
  async #carryOut(decision: FailingDecision, lane: string, stored: Stored): Promise<void> {
    const reason = this.#failing.of(lane, stored)?.error ?? closedError();
    const { entry } = stored;
    const wasThere = await (decision === 'skip'
      ? this.#store.giveUp(stored, reason, Date.now())
      : this.#store.drop(stored));
    this.#failing.forget(lane);
    this.#changed();
    // A newer value may have taken its place.
    if (wasThere) this.#tell(entry, (listener) => listener.givenUp(entry, reason));
  }

  async #tryOnce(lane: string, stored: Stored, hasFailed: boolean): Promise<WriteResult<unknown>> {
    const { signal } = this.#closing;
    if (!hasFailed) return this.#write(stored, signal);
    const controller = new AbortController();
    this.#tries.set(lane, controller);
    const stopListening = addAbortListener(signal, () => controller.abort());
    try {
      return await this.#write(stored, controller.signal);
    } finally {
      stopListening();
      this.#tries.delete(lane);
    }
  }

  async #write(stored: Stored, signal: AbortSignal): Promise<WriteResult<unknown>> {
    const { writer } = this.#options;
    const { entry } = stored;
    const { action, target, value, onConflict, filename = '' } = entry.write;
    const options = { signal, isNew: false, onConflict };
    switch (action) {
      case 'status':
        return writer.writeStatus(target, value, options);
      case 'field':
        return writer.write(target, value, options);
      case 'file': {
        const { attachmentsBefore, attachment } = entry;
        if (!attachmentsBefore) {
          // Known before the first try, whose answer may get lost.
          entry.attachmentsBefore = await writer.attachmentsOf(target, filename, options);
          await this.#store.update(stored);
        }
        const path = this.#store.fileOf(stored.sequence);
        const file = await fileAt(path, filename, { followsLinks: false });
        return writer.attach(target, file, options, {
          ...(attachmentsBefore && { before: attachmentsBefore }),
          ...(attachment && { attachment }),
          created: async (created) => {
            entry.attachment = created;
            await this.#store.update(stored);
          },
        });
      }
    }
  }

  async #giveUp(stored: Stored, error: IonError): Promise<void> {
    await this.#store.giveUp(stored, error, Date.now());
    this.#changed();
    if (stored.unreadable) this.#options.onUnreadable?.(error);
    this.#tell(stored.entry, (listener) => listener.givenUp(stored.entry, error));
  }

  #tell({ sender }: Entry, tell: (listener: OutboxListener) => void): void {
    const listener = this.#listeners.get(sender);
    if (listener) this.#guard(listener, () => tell(listener));
  }

  /** What a listener does with what it hears is no matter of the delivery. */
  #guard(listener: OutboxListener, tell: () => void): void {
    try {
      tell();
    } catch (thrown) {
      listener.failed(thrown);
    }
  }

  /** ION answered, if only with a refusal. */
  #answered(): void {
    this.#answeredAt = performance.now();
    if (!this.#isOutage()) return;
    this.#probes = 0;
    this.#unreachableSince = undefined;
    this.#reason = undefined;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#changed();
    this.#route();
    this.#search();
  }

  /**
   * A write failed by something that may pass: of ION as a whole, which lets all of them wait, or of
   * this write, which lets only its lane wait.
   * @returns whether the next entry of the lane may follow
   */
  async #failed(lane: string, stored: Stored, error: IonError, begun: number): Promise<boolean> {
    const isAnswering = await this.#isAnswering(begun);
    if (this.#closing.signal.aborted) return false;
    if (!isAnswering) {
      this.#beginOutage(error);
      return false;
    }
    const { tries, minutes, isOver } = this.#failing.failed(lane, stored, error);
    const decision = this.#failing.of(lane, stored)?.decision;
    if (decision || isOver) {
      if (!decision) error.message += ` Given up after ${tries} tries in ${minutes} min.`;
      await this.#carryOut(decision ?? 'skip', lane, stored);
      return true;
    }
    this.#failing.waits(lane, this.#pause(lane, tries, error));
    this.#changed();
    return false;
  }

  /** Nobody answers: one delivery at a time finds out when somebody does. */
  #beginOutage(error: IonError): void {
    if (this.#closing.signal.aborted) return;
    this.#unreachableSince ??= Date.now();
    this.#reason = error;
    this.#probeTimer ??= this.#later(this.#delay(++this.#probes, 1, error), () => {
      this.#probeTimer = undefined;
    });
    this.#changed();
  }

  /** A look-up or the search for lanes failed. */
  #stumbled(what: string, error: IonError): void {
    const tries = (this.#stumbles.get(what) ?? 0) + 1;
    this.#stumbles.set(what, tries);
    // After an outage look-ups go on by themselves.
    if (what === SEARCHING || !this.#probeTimer) this.#pause(what, tries, error);
  }

  /** @returns how long the lane waits, in ms */
  #pause(lane: string, tries: number, error: IonError): number {
    const delay = this.#delay(tries, SHARE_OF_A_LANE, error);
    if (this.#closing.signal.aborted) return delay;
    clearTimeout(this.#paused.get(lane));
    this.#paused.set(
      lane,
      this.#later(delay, () => {
        this.#paused.delete(lane);
        void this.#forgetReplaced(lane);
      }),
    );
    return delay;
  }

  /** A newer value, whose lane may be another one, took the place of what fails: nobody would see it again. */
  async #forgetReplaced(lane: string): Promise<void> {
    const failing = this.#failing.in(lane);
    if (failing?.entry.replaces === undefined) return;
    const isThere = await this.#store.has(failing).catch(() => true);
    if (isThere || !this.#failing.of(lane, failing)) return;
    this.#failing.forget(lane);
    this.#changed();
  }

  /** Exponential back-off with jitter, so that many Node-REDs do not come back at once; in ms. */
  #delay(tries: number, share: number, { retryAfterMs = 0 }: IonError): number {
    const { random = Math.random, pauseMs = FIRST_PAUSE_MS, onPause } = this.#options;
    const most = Math.min(LONGEST_PAUSE_MS, share * pauseMs * 2 ** (tries - 1));
    const asked = Math.min(LONGEST_ASKED_MS, retryAfterMs);
    const delay = Math.max(most * (0.5 + random() / 2), asked);
    onPause?.(delay);
    return delay;
  }

  #later(delay: number, then: () => void): NodeJS.Timeout {
    return setTimeout(() => {
      then();
      this.#route();
      this.#search();
    }, delay);
  }

  #changed(): void {
    if (this.#closing.signal.aborted) return;
    const { state } = this;
    for (const listener of this.#listeners.values()) {
      this.#guard(listener, () => listener.changed(state));
    }
  }
}

/** The run of a write that names it. */
function runIn({ target: { run } }: NewWrite): string | undefined {
  return isGiven(run) ? idOf(run) : undefined;
}

/** The field, or the fields, that a value is for: a newer value for the same takes its place. */
function whatIsWritten({ target: { run, step, field }, value }: NewWrite): string {
  const fields = !isGiven(field) && isPlainObject(value) ? Object.keys(value).sort() : field;
  return JSON.stringify([run, step, fields]);
}

function unreadableError({ entry }: Stored): IonError {
  const { error } = entry as GivenUpEntry;
  return new IonError('ION_CONFIG', error.message);
}

/** Whether it was refused for good; of several fields, one that may still be written is enough. */
function isRefused(error: IonError): boolean {
  return isRefusal(error) && (error.parts?.every(isRefusal) ?? true);
}
