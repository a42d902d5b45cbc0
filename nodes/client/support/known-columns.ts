import type { Id } from './id.js';
import { beginning } from './json-size.js';

export type { Id } from './id.js';

// Columns of ION's rows with the type and size that they have in ION. Everything else in a response
// is ignored, so that no server can fill the caches.

/** A row of a response, whose columns are not checked yet. */
export type ForeignRow = Record<string, unknown>;

const MAX_OPTIONS = 1000;
const MAX_ID_LENGTH = 200;
const MAX_ETAG_LENGTH = 1000;
const MAX_NAME_LENGTH = 10_000;
const MAX_WORD_LENGTH = 100;
const MAX_OPTION_LENGTH = 1000;

/** A value as a row; `undefined` for a value that is not an object, such as a list. */
export function foreignRow(value: unknown): ForeignRow | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as ForeignRow;
}

/** Null for a value that is not an id, because nothing could be found or written with it. */
export function idIn(value: unknown): Id | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH ? value : null;
}

export function etagIn(value: unknown): string | null {
  return textUpTo(MAX_ETAG_LENGTH, value);
}

/** A title or a name. A longer one is cut, because its row can still be found by its id. */
export function nameIn(value: unknown): string | null {
  return typeof value === 'string' ? beginning(value, MAX_NAME_LENGTH) : null;
}

/** A status, or a type of a field. */
export function wordIn(value: unknown): string | null {
  return textUpTo(MAX_WORD_LENGTH, value);
}

export function numberIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/**
 * The options of a select field. Null leaves the check to ION: there are more or longer options than
 * can be compared quickly.
 */
export function optionsIn(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > MAX_OPTIONS) return null;
  const options = value.filter((option) => typeof option === 'string');
  return options.some((option) => option.length > MAX_OPTION_LENGTH) ? null : options;
}

function textUpTo(length: number, value: unknown): string | null {
  return typeof value === 'string' && value.length <= length ? value : null;
}
