import type { SentOperation } from '../graphql/operation.js';
import {
  AWAITED_QUERY,
  FIELDS_QUERY,
  type ListName,
  SCAN_QUERY,
  workOperation,
} from './documents.js';
import type { LookupBy, WorkQuery } from './work.js';

const LISTS: Record<LookupBy, ListName[]> = {
  barcode: ['units', 'runs', 'locations'],
  serial: ['units'],
  run: ['runById', 'runs'],
  location: ['locationById', 'locations'],
};

/** The operations that a look-up sends. */
export function workOperations({
  by,
  fields,
}: Pick<WorkQuery, 'by' | 'step' | 'fields'>): SentOperation[] {
  return [
    ...(by === 'barcode' ? [{ operation: SCAN_QUERY }] : []),
    { operation: workOperation(LISTS[by]) },
    ...(by === 'location' || by === 'barcode' ? [{ operation: AWAITED_QUERY, isRare: true }] : []),
    ...(fields ? [{ operation: FIELDS_QUERY, isRare: true }] : []),
  ];
}
