import type { Work } from '../client/work/work.js';

/** Levels of a value that are searched for IDs. */
const MAX_DEPTH = 50;
/** Texts and numbers that are collected. */
const MAX_VALUES = 10_000;
/** IDs are shorter. */
const MAX_ID_LENGTH = 200;

/** IDs that something names, as text; `all` if they are too many to be compared. */
export type NamedIds = ReadonlySet<string> | 'all';

/** The IDs of a unit, its run and its step, with the location and the fields of the step. */
export function idsIn({ unit, run, step, fields = {} }: Work): string[] {
  const objects = [unit, run, step, step.location, ...Object.values(fields)];
  return objects.flatMap((object) => (object ? [String(object.id)] : []));
}

/** All texts and numbers in values: each of them may be an ID. */
export function idsNamedIn(values: readonly unknown[]): NamedIds {
  const found = new Set<string>();
  return collect(values, found, MAX_DEPTH) ? found : 'all';
}

/** @returns false if there are too many values, or they are nested too deeply */
function collect(value: unknown, found: Set<string>, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'number') {
    if (typeof value === 'number' || value.length <= MAX_ID_LENGTH) found.add(String(value));
    return found.size <= MAX_VALUES;
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true;
  if (depth === 0) return false;
  return Object.values(value).every((item) => collect(item, found, depth - 1));
}
