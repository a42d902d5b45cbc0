import { createHash } from 'node:crypto';
import type { WorkQuery } from '../client/work/work.js';

/** The key of a query, which only equal queries have: 43 characters of base64url. */
export function queryKey({ by, value, part, step, fields }: WorkQuery): string {
  const text = JSON.stringify([by, value, part, step, fields]);
  return createHash('sha256').update(text).digest('base64url');
}

/** Whether a text may be such a key. */
export function isQueryKey(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}
