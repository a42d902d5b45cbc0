import { IonError } from './errors.js';
import { parseOperation } from './operation.js';
import type { PageSource, PagesOptions } from './pages.js';
import { flatten, type Run, type RunsPage, readRuns, selectFields } from './runs.js';
import type { RunsQuery } from './runs-query.js';

/**
 * How long a change may become visible after the time that it bears, in ms: a database writes the
 * time at which a transaction began, and shows its rows when it ends.
 */
const LATE_MS = 5000;

/** What tells a changed run from one that was delivered before, besides what the user selects. */
const CHANGE_FIELDS = ['id', '_updated', '_etag', 'steps.id', 'steps._updated', 'steps._etag'];

/** How far changes were delivered; plain JSON, so that it can be kept. */
export interface Place {
  /** Newest `_updated` that was surely read; null where there was no run at all. */
  updated: string | null;
  /** States of the runs that changed so near to it that they are read again, by id. */
  states: Record<string, string>;
  /** Nothing that bears an earlier time can become visible any more. */
  settled: boolean;
}

interface Change {
  id: string;
  /** Newest `_updated` of the run and its steps. */
  updated: string | null;
  state: string;
}

export type ChangesOptions = Omit<PagesOptions, 'variables' | 'limit'>;

const NEWEST = `{
  runs(sort: [_UPDATED_DESC], first: 1) { edges { node { _updated } } }
  runSteps(sort: [_UPDATED_DESC], first: 1) { edges { node { _updated } } }
}`;

/** The place from which only what changes from now on counts. */
export async function placeOfNow(
  client: PageSource,
  query: RunsQuery,
  options: ChangesOptions,
): Promise<Place> {
  const { data } = await client.request(parseOperation(NEWEST), options);
  const updated = [data.runs, data.runSteps]
    .flatMap(rowsOf)
    .reduce<string | null>((newest, row) => later(newest, timeOf(row)), null);
  if (updated === null) return { updated, states: {}, settled: false };
  // What bears nearly the same time is known as well, so that it does not count as changed.
  const changes = new RunChanges({ updated, states: {}, settled: false });
  for await (const _ of changes.read(client, query, options)) {
    // Nothing of it is delivered.
  }
  return changes.place();
}

function rowsOf(list: unknown): (Run | null)[] {
  const rows = flatten(list);
  if (Array.isArray(rows)) return rows;
  throw new IonError('ION_RESPONSE', "ION's answer has no list of runs or of their steps.");
}

/**
 * Reads the runs that were created or changed since a place. A run also counts as changed when
 * only one of its steps did, because a run's own `_updated` need not move then. Only ION's
 * timestamps count, never this machine's clock.
 */
export class RunChanges {
  readonly #from: Place | undefined;
  /** What was read and may have to be read again. */
  readonly #changes = new Map<string, Change>();
  #newest: string | null;
  /** ION's clock when the reading began, in ms. */
  #beganAt: number | undefined;

  /** @param from without it, every run counts as changed */
  constructor(from: Place | undefined) {
    this.#from = from;
    this.#newest = from?.updated ?? null;
  }

  /** The changed runs, page by page; a page may hold none. */
  async *read(
    client: PageSource,
    query: RunsQuery,
    options: ChangesOptions,
  ): AsyncGenerator<RunsPage, void, undefined> {
    const fields = [...query.fields, ...CHANGE_FIELDS];
    const filter = both(query.filter, this.#filter());
    const askedAt = performance.now();
    for await (const { runs, page } of readRuns(
      client,
      { ...query, fields, filter },
      { ...options, limit: 0 },
    )) {
      const answeredAt = Date.parse(page.answer.date ?? '');
      if (!Number.isNaN(answeredAt)) this.#beganAt ??= answeredAt - (performance.now() - askedAt);
      const changed = runs.filter((run) => this.#isChanged(run));
      this.#forget(LATE_MS);
      yield { runs: changed.map((run) => selectFields(run, query.fields)), page };
    }
  }

  /** Where the next reading begins, once this one is complete. */
  place(): Place {
    const end = this.#end();
    if (end === null) return { updated: null, states: {}, settled: false };
    const settled = this.#beganAt !== undefined && millis(end) < this.#beganAt - LATE_MS;
    this.#forget(settled ? 0 : LATE_MS);
    const states = [...this.#changes.values()].map(({ id, state }) => [id, state]);
    return { updated: end, states: Object.fromEntries(states), settled };
  }

  /** Up to when the changes were surely read. */
  #end(): string | null {
    // What changed while the list was read may stand on a page that had been read before.
    const isDuring =
      this.#newest !== null && this.#beganAt !== undefined && millis(this.#newest) > this.#beganAt;
    return isDuring ? new Date(Number(this.#beganAt)).toISOString() : this.#newest;
  }

  /** Keeps only what a reading would find again that begins so much before the end. */
  #forget(before: number): void {
    const end = this.#end();
    if (end === null) return;
    for (const [id, { updated }] of this.#changes) {
      if (updated !== null && millis(updated) < millis(end) - before) this.#changes.delete(id);
    }
  }

  #filter(): Record<string, unknown> | undefined {
    const { updated, settled } = this.#from ?? {};
    if (!updated) return undefined;
    // Changes may share a time, or become visible late.
    const begin = settled ? updated : new Date(millis(updated) - LATE_MS).toISOString();
    return { or_: [{ _updated: { gte: begin } }, { steps: { _updated: { gte: begin } } }] };
  }

  #isChanged(run: Run): boolean {
    const change = changeOf(run);
    this.#newest = later(this.#newest, change.updated);
    this.#changes.set(change.id, change);
    return this.#from?.states[change.id] !== change.state;
  }
}

function changeOf(run: Run): Change {
  const steps = (Array.isArray(run.steps) ? run.steps : []).filter(
    (step: unknown): step is Run => typeof step === 'object' && step !== null,
  );
  const rows = [run, ...steps];
  return {
    id: wordOf(run.id),
    updated: rows.reduce<string | null>((newest, row) => later(newest, timeOf(row)), null),
    // ION promises no order of the steps.
    state: [stateOf(run), ...steps.map(stateOf).sort()].join('\n'),
  };
}

function stateOf({ id, _updated, _etag }: Run): string {
  return [id, _updated, _etag].map(wordOf).join(' ');
}

function wordOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Null also for what is no time, with which no place could be found again. */
function timeOf(row: Run | null | undefined): string | null {
  const updated = row?._updated;
  return typeof updated === 'string' && !Number.isNaN(millis(updated)) ? updated : null;
}

function later(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return millis(other) > millis(one) ? other : one;
}

/**
 * An ION timestamp in ms since 1970, with a fraction. Python writes up to six digits after the
 * second, and none for a whole second; a time without an offset is UTC.
 */
function millis(timestamp: string): number {
  const [, seconds = '', fraction = '', offset = ''] =
    /^(.*?)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(timestamp) ?? [];
  return Date.parse(seconds + (offset || 'Z')) + Number(fraction) * 1000;
}

function both(
  one: Record<string, unknown> | undefined,
  other: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  return one && other ? { and_: [one, other] } : (one ?? other);
}
