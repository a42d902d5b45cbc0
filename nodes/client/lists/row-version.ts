import { createHash } from 'node:crypto';
import { IonError } from '../errors.js';
import { beginning } from '../support/json-size.js';
import type { Slices } from '../support/slices.js';
import type { Resource } from './resources.js';
import type { Row } from './rows.js';
import { latest, toMs, updatedOf } from './timestamps.js';

/** A row as it was at the time of a read. */
export interface RowVersion {
  /** The row's id as a text of bounded length. */
  key: string;
  /** Newest `_updated` of the row and its parts. */
  updated: string | null;
  /** The same in ms since 1970. */
  updatedMs: number | undefined;
  /** A text of bounded length that differs for each state of the row and its parts. */
  state: string;
}

/** Columns that differ between two states of a row. */
export const STATE_FIELDS = ['id', '_updated', '_etag'] as const;

/** A longer state is hashed. */
const MAX_STATE_LENGTH = 4000;
/** Parts of a row, such as the steps of a run. */
const MAX_PARTS = 20_000;
/** Number of states that are sorted without a pause. */
const MAX_SORTED_AT_ONCE = 500;
/** A longer column is hashed. */
const MAX_COLUMN_LENGTH = 200;
/** Only the beginning of a longer column is hashed. */
const MAX_HASHED_COLUMN_LENGTH = 4000;
const COLUMN_BEGINNING_LENGTH = 100;

/**
 * The version of a row and its parts.
 * @throws IonError `ION_RESPONSE` for a row with too many parts
 */
export async function versionOf(
  row: Row,
  { parts }: Resource,
  slices: Slices,
): Promise<RowVersion> {
  const list = parts && row[parts.field];
  if (Array.isArray(list) && list.length > MAX_PARTS) {
    throw new IonError('ION_RESPONSE', `ION returned a row with more than ${MAX_PARTS} parts.`);
  }
  let updated = updatedOf(row);
  const partStates: string[] = [];
  for (const part of Array.isArray(list) ? (list as unknown[]) : []) {
    if (slices.isOver) await slices.pause();
    if (typeof part !== 'object' || part === null) continue;
    updated = latest(updated, updatedOf(part as Row));
    partStates.push(stateOf(part as Row));
  }
  return {
    key: keyOf(row.id),
    updated,
    updatedMs: updated === null ? undefined : toMs(updated),
    // Sorted, because ION promises no order of the parts.
    state: await joined([stateOf(row), ...(await sorted(partStates, slices))], slices),
  };
}

/** The id of a row as a text of bounded length. */
export function keyOf(id: unknown): string {
  return columnText(id);
}

function stateOf(row: Row): string {
  return STATE_FIELDS.map((name) => columnText(row[name])).join(' ');
}

/** ION's columns hold neither objects nor long texts, so those need not be distinguished. */
function columnText(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'object';
  const text = String(value);
  if (text.length <= MAX_COLUMN_LENGTH) return text;
  const hashed =
    text.length > MAX_HASHED_COLUMN_LENGTH
      ? beginning(text, COLUMN_BEGINNING_LENGTH) + text.length
      : text;
  return createHash('sha256').update(hashed).digest('base64');
}

/** The texts in the order of `sort`; many of them are merge-sorted with pauses. */
async function sorted(texts: string[], slices: Slices): Promise<string[]> {
  if (texts.length <= MAX_SORTED_AT_ONCE) {
    if (slices.isOver) await slices.pause();
    return texts.sort();
  }
  const half = Math.ceil(texts.length / 2);
  const left = await sorted(texts.slice(0, half), slices);
  const right = await sorted(texts.slice(half), slices);
  const merged: string[] = [];
  for (let leftAt = 0, rightAt = 0; merged.length < texts.length; ) {
    if (slices.isOver) await slices.pause();
    const [fromLeft, fromRight] = [left[leftAt], right[rightAt]];
    const isLeft = fromRight === undefined || (fromLeft !== undefined && fromLeft <= fromRight);
    merged.push((isLeft ? fromLeft : fromRight) as string);
    if (isLeft) leftAt++;
    else rightAt++;
  }
  return merged;
}

/** The lines as one text, or its hash if it is long, so that a stored state stays small. */
async function joined(lines: readonly string[], slices: Slices): Promise<string> {
  const length = lines.reduce((sum, line) => sum + line.length + 1, -1);
  if (length <= MAX_STATE_LENGTH) return lines.join('\n');
  const hash = createHash('sha256');
  for (const [index, line] of lines.entries()) {
    if (slices.isOver) await slices.pause();
    hash.update(index === 0 ? line : `\n${line}`);
  }
  return hash.digest('base64');
}
