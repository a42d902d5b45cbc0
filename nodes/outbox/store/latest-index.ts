import type { Level } from '../../storage/open-level.js';
import { parseObject } from '../../storage/parse-object.js';
import type { Stored } from './entries.js';
import { ALL_LATEST, latestKey, targetOfKey } from './keys.js';

/** The entry that holds the latest value of a target. */
export interface Latest {
  key: string;
  bytes: number;
}

/** The part of the index that a change needs before it is applied. */
export interface IndexQuery {
  /** A target whose latest entry it needs. */
  target?: string | undefined;
  /** A key of which it needs to know whether there is still an entry. */
  key?: string | undefined;
}

/** The results of the queries of a batch, as they are on the disk. */
export interface IndexPart {
  latest: Map<string, Latest | undefined>;
  /** The queried keys under which there is an entry. */
  present: Set<string>;
}

export async function readIndex(level: Level, queries: readonly IndexQuery[]): Promise<IndexPart> {
  const targets = [...new Set(queries.flatMap(({ target }) => target ?? []))];
  const values = targets.length > 0 ? await level.getMany(targets.map(latestKey)) : [];
  const latest = new Map(targets.map((target, index) => [target, parseLatest(values[index])]));
  const keys = queries.flatMap(({ key }) => key ?? []);
  for (const each of latest.values()) if (each) keys.push(each.key);
  const found = keys.length > 0 ? await level.hasMany(keys) : [];
  return { latest, present: new Set(keys.filter((_key, index) => found[index])) };
}

/** The target of which an entry holds the latest value, if only its key can be read. */
export async function targetOf(level: Level, key: string): Promise<string | undefined> {
  for await (const [indexKey, value] of level.iterator(ALL_LATEST)) {
    if (parseLatest(value)?.key === key) return targetOfKey(indexKey);
  }
  return undefined;
}

/** Whether a newer entry may take the place of this one, or its time end what is done with it. */
export function mayBeGone({ entry, unreadable }: Stored): boolean {
  const { replaces, keepUntil } = entry;
  return replaces !== undefined || keepUntil !== undefined || unreadable !== undefined;
}

export function encodeLatest({ key, bytes }: Latest): Buffer {
  return Buffer.from(JSON.stringify({ key, bytes }));
}

/** @returns `undefined` if it is missing or damaged */
function parseLatest(bytes: Buffer | undefined): Latest | undefined {
  const { key, bytes: size } = parseObject<Latest>(bytes);
  if (typeof key !== 'string' || !Number.isSafeInteger(size)) return undefined;
  return { key, bytes: size as number };
}
