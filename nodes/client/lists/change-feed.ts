import { createHash } from 'node:crypto';
import type { IonResponse } from '../client.js';
import { IonError, toIonError } from '../errors.js';
import { parseOperation } from '../graphql/operation.js';
import { failureAt, type Page, type PageSource, type PagesOptions } from '../paging/paginator.js';
import { beginning } from '../support/json-size.js';
import { Slices } from '../support/slices.js';
import type { Resource } from './resources.js';
import { flattenResponse, type Row, readRows, selectFields } from './rows.js';
import type { RowsQuery } from './rows-query.js';

/**
 * How long a change may become visible after the time that it bears, in ms: a database writes the
 * time at which a transaction began, and shows its rows when it ends.
 */
const LATE_MS = 5000;

/** In characters; a longer id or state of a row is kept as its hash. */
const MAX_STATE = 4000;
/** Rows that changed so shortly before the newest one that they may have to be read again. */
const MAX_STATES = 200_000;
/** Parts of a row, such as the steps of a run. */
const MAX_PARTS = 20_000;
/** How many states of parts are sorted without a pause. */
const MAX_SORTED_AT_ONCE = 500;
/** In characters; a longer column is hashed, and a text that no column holds is cut before. */
const MAX_COLUMN = 200;
const MAX_HASHED_COLUMN = 4000;
const COLUMN_BEGIN = 100;
/** In characters; a longer text is not a timestamp. */
const MAX_TIMESTAMP = 100;

/** What tells a changed row from one that was delivered before, besides what the user selects. */
const STATE_FIELDS = ['id', '_updated', '_etag'];

/** How far changes were delivered; plain JSON, so that it can be kept. */
export interface Checkpoint {
  /** Time up to which changes were surely read; null where there was no row at all. */
  updated: string | null;
  /** From when on changes are read the next time: nothing earlier can become visible any more. */
  begin: string | null;
  /** States of the rows that changed since then, by id. */
  states: Record<string, string>;
}

/** A row in the state that it was read in. */
interface ReadRow {
  id: string;
  /** Newest `_updated` of the row and its parts. */
  updated: string | null;
  /** The same in ms since 1970. */
  updatedMs: number | undefined;
  /** Tells this state from any other one of the row. */
  state: string;
}

export interface Change {
  /** What was selected. */
  row: Row;
  id: unknown;
  /** The id as a text of bounded length. */
  key: string;
  state: string;
  /** The row did not exist at the place from which the changes were read. */
  isNew: boolean;
}

export interface ChangesPage {
  /** May be none. */
  changes: Change[];
  page: Page;
}

export type ChangesOptions = Omit<PagesOptions, 'variables' | 'limit'>;

/** The place from which only what changes from now on counts. */
export async function checkpointNow(
  client: PageSource,
  resource: Resource,
  query: RowsQuery,
  options: ChangesOptions,
): Promise<Checkpoint> {
  const lists = listsOf(resource);
  const newest = lists.map(
    (list) => `${list}(sort: [_UPDATED_DESC], first: 1) { edges { node { _updated } } }`,
  );
  const answer = await client.request(parseOperation(`{ ${newest.join(' ')} }`), options);
  const { date } = answer;
  const rows = (await Promise.all(lists.map((list) => rowsOf(answer, list)))).flat();
  let updated = rows.reduce<string | null>((newest, row) => later(newest, timeOf(row)), null);
  // What bears a time to come does not keep what comes before it from being told.
  const answeredAt = Date.parse(date ?? '');
  if (updated !== null && millis(updated) > answeredAt)
    updated = new Date(answeredAt).toISOString();
  if (updated === null) return { updated, begin: null, states: {} };
  // What bears nearly the same time is known as well, so that it does not count as changed.
  const changes = new ChangeFeed(resource, { updated, begin: tooLateFor(updated), states: {} });
  try {
    for await (const _ of changes.read(client, query, options)) {
      // Nothing of it is delivered.
    }
  } catch (thrown) {
    const error = toIonError(thrown);
    throw error.with({ attempts: answer.attempts + error.attempts });
  }
  return changes.checkpoint();
}

/** The root fields whose rows can make a row of the resource count as changed. */
function listsOf({ list, parts }: Resource): string[] {
  return parts ? [list, parts.list] : [list];
}

async function rowsOf(answer: IonResponse, list: string): Promise<(Row | null)[]> {
  const rows = await flattenResponse(answer.data[list], answer);
  // Only one was asked for.
  if (Array.isArray(rows)) return rows.slice(0, 1);
  throw new IonError('ION_RESPONSE', "ION's answer has no list of rows that it was asked for.");
}

/**
 * Reads the rows that were created or changed since a place. A row also counts as changed when
 * only one of its parts did, because its own `_updated` need not move then. Only ION's timestamps
 * count, never this machine's clock.
 */
export class ChangeFeed {
  readonly #resource: Resource;
  readonly #from: Checkpoint | undefined;
  /** What was read and may have to be read again. */
  readonly #read = new Map<string, ReadRow>();
  #newest: string | null;
  /** ION's clock when the reading began, in ms. */
  #beganAt: number | undefined;
  /** ION's clock when the first page was answered, in ms. */
  #answeredAt: number | undefined;

  /** @param from without it, every row counts as changed */
  constructor(resource: Resource, from: Checkpoint | undefined) {
    this.#resource = resource;
    this.#from = from;
    this.#newest = from?.updated ?? null;
  }

  /** The changes, page by page. */
  async *read(
    client: PageSource,
    query: RowsQuery,
    options: ChangesOptions,
  ): AsyncGenerator<ChangesPage, void, undefined> {
    const { field } = this.#resource.parts ?? {};
    const ofParts = field ? STATE_FIELDS.map((name) => `${field}.${name}`) : [];
    const fields = [...query.fields, ...STATE_FIELDS, '_created', ...ofParts];
    const filter = both(query.filter, this.#filter());
    const askedAt = performance.now();
    const slices = new Slices();
    for await (const { rows, page } of readRows(
      client,
      this.#resource,
      { ...query, fields, filter },
      { ...options, limit: 0 },
    )) {
      const answeredAt = Date.parse(page.answer.date ?? '');
      if (!Number.isNaN(answeredAt) && this.#beganAt === undefined) {
        this.#answeredAt = answeredAt;
        this.#beganAt = answeredAt - (performance.now() - askedAt);
      }
      const changes = await this.#changesOf(rows, query, slices).catch((thrown) => {
        throw failureAt(page, thrown);
      });
      const end = this.#end();
      if (end !== null) this.#forget(tooLateFor(end));
      yield { changes, page };
    }
  }

  async #changesOf(rows: readonly Row[], query: RowsQuery, slices: Slices): Promise<Change[]> {
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
    const { id: key, state } = await this.#note(row, slices);
    const known = this.#stateAtBegin(key);
    if (known === state) return undefined;
    const isNew = known === undefined && this.#isAfterBegin(row._created);
    return { row: selectFields(row, query.fields), id: row.id, key, state, isNew };
  }

  /** Where the next reading begins, once this one is complete. */
  checkpoint(): Checkpoint {
    const end = this.#end();
    if (end === null) return { updated: null, begin: null, states: {} };
    const isSettled = this.#beganAt !== undefined && millis(end) < this.#beganAt - LATE_MS;
    const settledAt = isSettled ? end : tooLateFor(end);
    // Not back, because the states of what changed before were not read this time; but from a
    // time that has not come yet nothing would be told until then.
    const last = this.#begin();
    const isToCome = last !== null && millis(last) > (this.#answeredAt ?? Number.POSITIVE_INFINITY);
    const begin = isToCome ? settledAt : (later(last, settledAt) ?? settledAt);
    this.#forget(begin);
    const states = [...this.#read.values()].map(({ id, state }) => [id, state]);
    return { updated: end, begin, states: Object.fromEntries(states) };
  }

  /** Up to when the changes were surely read. */
  #end(): string | null {
    // What changed while the list was read may stand on a page that had been read before.
    const isDuring =
      this.#newest !== null && this.#beganAt !== undefined && millis(this.#newest) > this.#beganAt;
    return isDuring ? new Date(Number(this.#beganAt)).toISOString() : this.#newest;
  }

  /** Keeps only what a reading would find again that begins at a time. */
  #forget(begin: string): void {
    const beginMs = millis(begin);
    for (const [id, { updatedMs }] of this.#read) {
      if (updatedMs !== undefined && updatedMs < beginMs) this.#read.delete(id);
    }
  }

  /** From when on changes may be new; null: all of them. */
  #begin(): string | null {
    return this.#from?.begin ?? null;
  }

  #filter(): Record<string, unknown> | undefined {
    const begin = this.#begin();
    if (begin === null) return undefined;
    const since = { _updated: { gte: begin } };
    const { parts } = this.#resource;
    return parts ? { or_: [since, { [parts.field]: since }] } : since;
  }

  #isAfterBegin(created: unknown): boolean {
    const begin = this.#begin();
    if (begin === null) return true;
    return typeof created === 'string' && millis(created) >= millis(begin);
  }

  #stateAtBegin(id: string): string | undefined {
    const { states = {} } = this.#from ?? {};
    return Object.hasOwn(states, id) ? states[id] : undefined;
  }

  async #note(row: Row, slices: Slices): Promise<ReadRow> {
    const read = await readRow(row, this.#resource, slices);
    this.#newest = later(this.#newest, read.updated);
    this.#read.set(read.id, read);
    if (this.#read.size > MAX_STATES) {
      throw new IonError(
        'ION_RESPONSE',
        `More than ${MAX_STATES} rows changed within a few seconds, which are too many to be told apart.`,
      );
    }
    return read;
  }
}

/** A time that is too early for a change that becomes visible after another one. */
function tooLateFor(updated: string): string {
  return new Date(millis(updated) - LATE_MS).toISOString();
}

async function readRow(row: Row, { parts }: Resource, slices: Slices): Promise<ReadRow> {
  const list = parts && row[parts.field];
  if (Array.isArray(list) && list.length > MAX_PARTS) {
    throw new IonError('ION_RESPONSE', `ION answered a row with more than ${MAX_PARTS} parts.`);
  }
  let updated = timeOf(row);
  const states: string[] = [];
  for (const part of Array.isArray(list) ? (list as unknown[]) : []) {
    if (slices.isOver) await slices.pause();
    if (typeof part !== 'object' || part === null) continue;
    updated = later(updated, timeOf(part as Row));
    states.push(stateOf(part as Row));
  }
  return {
    id: columnOf(row.id),
    updated,
    updatedMs: updated === null ? undefined : millis(updated),
    // ION promises no order of the parts.
    state: await shortened([stateOf(row), ...(await sorted(states, slices))], slices),
  };
}

function stateOf({ id, _updated, _etag }: Row): string {
  return [id, _updated, _etag].map(columnOf).join(' ');
}

/** ION's columns hold no objects and no long texts; what one looks like makes no difference. */
function columnOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'object';
  const text = String(value);
  if (text.length <= MAX_COLUMN) return text;
  const known =
    text.length > MAX_HASHED_COLUMN ? beginning(text, COLUMN_BEGIN) + text.length : text;
  return createHash('sha256').update(known).digest('base64');
}

/** The texts in the order of `sort`; many of them are sorted with pauses. */
async function sorted(texts: string[], slices: Slices): Promise<string[]> {
  if (texts.length <= MAX_SORTED_AT_ONCE) {
    if (slices.isOver) await slices.pause();
    return texts.sort();
  }
  const half = Math.ceil(texts.length / 2);
  const one = await sorted(texts.slice(0, half), slices);
  const other = await sorted(texts.slice(half), slices);
  const merged: string[] = [];
  for (let at = 0, otherAt = 0; merged.length < texts.length; ) {
    if (slices.isOver) await slices.pause();
    const [left, right] = [one[at], other[otherAt]];
    const isLeft = right === undefined || (left !== undefined && left <= right);
    merged.push((isLeft ? left : right) as string);
    if (isLeft) at++;
    else otherAt++;
  }
  return merged;
}

/** The lines as one text; a hash in its place if it is long, so that a kept state stays small. */
async function shortened(lines: readonly string[], slices: Slices): Promise<string> {
  const length = lines.reduce((sum, line) => sum + line.length + 1, -1);
  if (length <= MAX_STATE) return lines.join('\n');
  const pieces = createHash('sha256');
  for (const [index, line] of lines.entries()) {
    if (slices.isOver) await slices.pause();
    pieces.update(index === 0 ? line : `\n${line}`);
  }
  return pieces.digest('base64');
}

/** Null also for what is no time, with which no place could be found again. */
function timeOf(row: Row | null | undefined): string | null {
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
  if (timestamp.length > MAX_TIMESTAMP) return Number.NaN;
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
