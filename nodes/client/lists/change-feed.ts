import type { IonResponse } from '../client.js';
import { IonError, toIonError } from '../errors.js';
import { ownOperation } from '../graphql/own-operation.js';
import type { PageSource } from '../paging/page-reader.js';
import { failureAt, type Page, type PagesOptions } from '../paging/paginator.js';
import { Slices } from '../support/slices.js';
import type { Resource } from './resources.js';
import { type RowVersion, STATE_FIELDS, versionOf } from './row-version.js';
import { flattenResponse, type Row, readRows, selectFields } from './rows.js';
import type { RowsQuery } from './rows-query.js';
import { beforeOverlap, latest, OVERLAP_MS, toMs, toTimestamp, updatedOf } from './timestamps.js';

/** Rows of the overlap, whose states a checkpoint holds. */
const MAX_STATES = 200_000;

/** The position up to which changes were delivered; plain JSON, so that it can be stored. */
export interface Checkpoint {
  /** High-water mark: time up to which all changes were read; null if there was no row at all. */
  updated: string | null;
  /** Time from which the next read begins; no earlier change can become visible any more. */
  begin: string | null;
  /** States of the rows that changed since `begin`, by id. */
  states: Record<string, string>;
}

export interface Change {
  /** The row with the selected fields. */
  row: Row;
  id: unknown;
  /** The id as a text of bounded length. */
  key: string;
  /** A text of bounded length that differs for each state of the row. */
  state: string;
  /** Newest `_updated` of the row and its parts, in ms since 1970. */
  updatedMs?: number | undefined;
  /** Whether the row did not exist at the checkpoint. */
  isNew: boolean;
  /** Whether the row or one of its parts changed after the row was created. */
  isUpdated: boolean;
}

export interface ChangesPage {
  /** May be empty. */
  changes: Change[];
  page: Page;
}

export interface ChangesOptions extends Omit<PagesOptions, 'variables' | 'limit'> {
  /**
   * Whether only new rows matter. Without the time of their creation, all changes are updates.
   * @default false
   */
  onlyCreated?: boolean | undefined;
}

/**
 * A checkpoint after which only later changes count. Costs one request for the newest timestamp and
 * one or more for the rows of the overlap.
 * @throws IonError as `ChangeFeed.read`, or the error of the first request
 */
export async function checkpointNow(
  client: PageSource,
  resource: Resource,
  query: RowsQuery,
  options: ChangesOptions,
): Promise<Checkpoint> {
  const lists = listsOf(resource);
  const selections = lists.map(
    (list) => `${list}(sort: [_UPDATED_DESC], first: 1) { edges { node { _updated } } }`,
  );
  const operation = ownOperation(`{ ${selections.join(' ')} }`);
  const response = await client.request(operation, options);
  const rows = await Promise.all(lists.map((list) => firstRow(response, list)));
  let updated = rows.reduce<string | null>((newest, row) => latest(newest, updatedOf(row)), null);
  // A timestamp in the future must not hide earlier changes.
  const respondedAt = Date.parse(response.date ?? '');
  if (updated !== null && toMs(updated) > respondedAt) updated = toTimestamp(respondedAt);
  if (updated === null) return { updated, begin: null, states: {} };
  // Reads the rows of the overlap, because they would count as changed without their states.
  const feed = new ChangeFeed(resource, { updated, begin: beforeOverlap(updated), states: {} });
  try {
    for await (const _ of feed.read(client, query, options)) {
      // Only the states are needed.
    }
  } catch (thrown) {
    const error = toIonError(thrown);
    throw error.with({ attempts: response.attempts + error.attempts });
  }
  return feed.checkpoint();
}

/** The root fields whose rows can make a row of the resource count as changed. */
function listsOf({ list, parts }: Resource): string[] {
  return parts ? [list, parts.list] : [list];
}

async function firstRow(response: IonResponse, list: string): Promise<Row | null | undefined> {
  const rows = await flattenResponse(response.data[list], response);
  if (Array.isArray(rows)) return rows[0] as Row | null | undefined;
  throw new IonError('ION_RESPONSE', `ION's response has no list "${list}".`);
}

/**
 * Reads the rows that were created or changed since a checkpoint. Each read overlaps the one before
 * by `OVERLAP_MS`; rows of the overlap are recognized by their states, so that no change is missed
 * or delivered twice. A row also counts as changed when only one of its parts did, because its own
 * `_updated` need not move then. Only ION's timestamps count, never this machine's clock.
 */
export class ChangeFeed {
  readonly #resource: Resource;
  readonly #since: Checkpoint | undefined;
  /** Rows that the next read may find again, by key. */
  readonly #versions = new Map<string, RowVersion>();
  #newest: string | null;
  /** ION's clock when the read began, in ms. */
  #startedAtMs: number | undefined;
  /** ION's clock at the first response, in ms. */
  #respondedAtMs: number | undefined;

  /** @param since without it, every row counts as changed */
  constructor(resource: Resource, since: Checkpoint | undefined) {
    this.#resource = resource;
    this.#since = since;
    this.#newest = since?.updated ?? null;
  }

  /**
   * The changes, page by page.
   * @throws IonError with `pages`, the number of pages that were delivered before the failure;
   * `ION_RESPONSE` if the overlap holds too many rows
   */
  async *read(
    client: PageSource,
    query: RowsQuery,
    options: ChangesOptions,
  ): AsyncGenerator<ChangesPage, void, undefined> {
    const requestedAt = performance.now();
    const slices = new Slices();
    for await (const { rows, page } of readRows(
      client,
      this.#resource,
      changesQuery(this.#resource, query, this.#begin, options.onlyCreated),
      { ...options, limit: 0 },
    )) {
      this.#setClock(page.response, requestedAt);
      const changes = await this.#changesIn(rows, query, slices).catch((thrown) => {
        throw failureAt(page, thrown);
      });
      const mark = this.#highWaterMark();
      if (mark !== null) this.#prune(beforeOverlap(mark));
      yield { changes, page };
    }
  }

  /** The checkpoint for the next read, once this one is complete. */
  checkpoint(): Checkpoint {
    const updated = this.#highWaterMark();
    if (updated === null) return { updated, begin: null, states: {} };
    const begin = this.#advance(updated);
    this.#prune(begin);
    const states = [...this.#versions.values()].map(({ key, state }) => [key, state]);
    return { updated, begin, states: Object.fromEntries(states) };
  }

  /** Takes ION's clock from the first response that has a date. */
  #setClock({ date }: IonResponse, requestedAt: number): void {
    const respondedAtMs = Date.parse(date ?? '');
    if (Number.isNaN(respondedAtMs) || this.#startedAtMs !== undefined) return;
    this.#respondedAtMs = respondedAtMs;
    this.#startedAtMs = respondedAtMs - (performance.now() - requestedAt);
  }

  async #changesIn(rows: readonly Row[], query: RowsQuery, slices: Slices): Promise<Change[]> {
    const changes: Change[] = [];
    for (const row of rows) {
      if (slices.isOver) await slices.pause();
      const change = await this.#changeOf(row, query, slices);
      if (change) changes.push(change);
    }
    return changes;
  }

  /** `undefined` for a row in the state in which it was delivered before. */
  async #changeOf(row: Row, query: RowsQuery, slices: Slices): Promise<Change | undefined> {
    const { key, state, updatedMs } = await this.#addVersion(row, slices);
    const { states = {} } = this.#since ?? {};
    const knownState = Object.hasOwn(states, key) ? states[key] : undefined;
    if (knownState === state) return undefined;
    const isNew = knownState === undefined && this.#isCreatedSince(row._created);
    const isUpdated =
      typeof row._created === 'string' && updatedMs !== undefined && updatedMs > toMs(row._created);
    const selected = selectFields(row, query.fields);
    return { row: selected, id: row.id, key, state, updatedMs, isNew, isUpdated };
  }

  async #addVersion(row: Row, slices: Slices): Promise<RowVersion> {
    const version = await versionOf(row, this.#resource, slices);
    this.#newest = latest(this.#newest, version.updated);
    this.#versions.set(version.key, version);
    if (this.#versions.size > MAX_STATES) {
      throw new IonError(
        'ION_RESPONSE',
        `More than ${MAX_STATES} rows changed within a few seconds, which is too many to keep track of.`,
      );
    }
    return version;
  }

  /** Time up to which all changes were read; null if there was no row at all. */
  #highWaterMark(): string | null {
    const startedAtMs = this.#startedAtMs;
    if (this.#newest === null || startedAtMs === undefined) return this.#newest;
    // A row that changed during the read may belong to a page that had been read before.
    return toMs(this.#newest) > startedAtMs ? toTimestamp(startedAtMs) : this.#newest;
  }

  /** Begin of the next read: the high-water mark, or the overlap before it if it is recent. */
  #advance(mark: string): string {
    const isSettled =
      this.#startedAtMs !== undefined && toMs(mark) < this.#startedAtMs - OVERLAP_MS;
    const next = isSettled ? mark : beforeOverlap(mark);
    const begin = this.#begin;
    // A begin in the future would hide all changes until then.
    const isFuture =
      begin !== null && toMs(begin) > (this.#respondedAtMs ?? Number.POSITIVE_INFINITY);
    // Never back, because the states of earlier changes were not read this time.
    return isFuture ? next : (latest(begin, next) ?? next);
  }

  /** Keeps only versions that a read from this time on would find again. */
  #prune(begin: string): void {
    const beginMs = toMs(begin);
    for (const [key, { updatedMs }] of this.#versions) {
      if (updatedMs !== undefined && updatedMs < beginMs) this.#versions.delete(key);
    }
  }

  /** Time from which changes may be new; null: all of them. */
  get #begin(): string | null {
    return this.#since?.begin ?? null;
  }

  #isCreatedSince(created: unknown): boolean {
    if (this.#begin === null) return true;
    return typeof created === 'string' && toMs(created) >= toMs(this.#begin);
  }
}

/**
 * The query that reads the changes of a query's rows.
 * @param begin time from which changes may be new; null: all of them
 * @param onlyCreated whether only new rows matter
 */
export function changesQuery(
  { parts }: Resource,
  query: RowsQuery,
  begin: string | null,
  onlyCreated = false,
): RowsQuery {
  const partFields = parts ? STATE_FIELDS.map((name) => `${parts.field}.${name}`) : [];
  const needed = [...STATE_FIELDS, ...partFields].filter((name) => !name.endsWith('_etag'));
  if (onlyCreated) needed.push('_created');
  const fields = [...query.fields, ...STATE_FIELDS, '_created', ...partFields];
  const isChanged = { _updated: { gte: begin } };
  const isNewer = parts ? { or_: [isChanged, { [parts.field]: isChanged }] } : isChanged;
  return {
    ...query,
    fields,
    wished: unneeded(fields, query, needed),
    filter: allOf(query.filter, begin === null ? undefined : isNewer),
  };
}

/** The fields that are neither chosen nor needed. */
function unneeded(
  fields: readonly string[],
  query: RowsQuery,
  needed: readonly string[],
): string[] {
  const { wished = [] } = query;
  const chosen = new Set(query.fields.filter((field) => !wished.includes(field)));
  return fields.filter((field) => !chosen.has(field) && !needed.includes(field));
}

function allOf(
  one: Record<string, unknown> | undefined,
  other: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  return one && other ? { and_: [one, other] } : (one ?? other);
}
