// Page sizes that each client learned from the responses of ION.
import { createHash } from 'node:crypto';
import { LruCache } from '../support/lru-cache.js';
import { PageGrowth } from './page-growth.js';

/** Documents of one client whose page size is remembered. */
const MAX_DOCUMENTS = 200;

/** Rows of the largest page that ION allows, which it states only when it refuses a larger one, by client. */
const limits = new WeakMap<object, number>();
/** By client, and by the hash of the document. */
const growths = new WeakMap<object, LruCache<string, PageGrowth>>();

/** Rows that a page may have, as far as ION refused larger pages. */
export function pageLimitOf(client: object): number {
  return limits.get(client) ?? Number.POSITIVE_INFINITY;
}

/** Takes over a page size that ION accepted after it had refused a larger one. */
export function lowerPageLimit(client: object, rows: number): void {
  limits.set(client, Math.min(rows, pageLimitOf(client)));
}

/** The automatic page size of a document, so that a later list does not begin with small pages again. */
export function pageGrowthOf(client: object, document: string): PageGrowth {
  const known = growths.get(client) ?? new LruCache<string, PageGrowth>(MAX_DOCUMENTS);
  growths.set(client, known);
  const key = createHash('sha256').update(document).digest('base64');
  const growth = known.get(key) ?? new PageGrowth();
  known.set(key, growth);
  return growth;
}
