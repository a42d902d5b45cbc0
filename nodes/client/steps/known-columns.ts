import { beginning } from '../support/json-size.js';

// Takes over from a row of ION's only what this code uses, in the type and size that it has in
// ION: what else a server answers is not kept and not looked at.

/** As ION answers it: in some versions a number, in others a text. */
export type Id = string | number;

/** A row of ION's answer before anything is known of it. */
export type ForeignRow = Record<string, unknown>;

/** In characters, as all the limits below. */
const MAX_ID = 200;
const MAX_ETAG = 1000;
const MAX_NAME = 10_000;
const MAX_WORD = 100;
const MAX_OPTIONS = 1000;
const MAX_OPTION = 1000;

/** `undefined` for what is no object, such as a list. */
export function foreignRow(value: unknown): ForeignRow | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as ForeignRow;
}

/** Null for what is no id, with which nothing could be found or written. */
export function idIn(value: unknown): Id | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID ? value : null;
}

export function etagIn(value: unknown): string | null {
  return textUpTo(MAX_ETAG, value);
}

/** A title or a name; a longer one is cut, because its row can still be found by its id. */
export function nameIn(value: unknown): string | null {
  return typeof value === 'string' ? beginning(value, MAX_NAME) : null;
}

/** A status, or a type of a field. */
export function wordIn(value: unknown): string | null {
  return textUpTo(MAX_WORD, value);
}

export function numberIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/**
 * The options of a field from which one is chosen; null, which leaves the choice to ION, if there are
 * more or longer ones than can be compared quickly.
 */
export function optionsIn(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > MAX_OPTIONS) return null;
  const options = value.filter((option) => typeof option === 'string');
  return options.some((option) => option.length > MAX_OPTION) ? null : options;
}

function textUpTo(length: number, value: unknown): string | null {
  return typeof value === 'string' && value.length <= length ? value : null;
}
