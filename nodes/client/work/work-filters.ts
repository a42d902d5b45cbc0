// The filters of a look-up. Names are compared byte by byte in ION, so that each one is sent in both
// normal forms.
import { type ListName, PAGE_SIZE, PAGE_SIZE_WITH_FIELDS } from './documents.js';
import type { Entities, ScannedEntities } from './scanned-entities.js';
import type { WorkQuery } from './work.js';

export type Filter = Record<string, unknown>;

/** The lists that a look-up reads, and the filter of all steps that belong to their rows. */
export interface Subject {
  lists: Partial<Record<ListName, Filter>>;
  steps: Filter;
  /** Only for a barcode: what it means. */
  entities?: Entities;
  rivals?: readonly string[];
  isCut?: boolean;
}

/** ION's IDs are 32-bit numbers; its database fails on larger ones. */
const MAX_ID = 2 ** 31 - 1;
/** A longer name must match exactly: a pattern with very many parts may take a database long. */
const MAX_SIMILAR_LENGTH = 500;
const FINISHED_STATUSES: ReadonlySet<string> = new Set(['COMPLETE', 'CANCELED']);
const OPEN_STATUSES = ['TODO', 'IN_PROGRESS', 'FAILED', 'REDLINE', 'HOLD', 'DAG_MODIFIABLE'];

/** Whether a step with this status may still be worked on, now or later. */
export function isOpenStatus(status: string | null): boolean {
  return status === null || !FINISHED_STATUSES.has(status);
}

export function subjectOfSerial({ value, part }: Pick<WorkQuery, 'value' | 'part'>): Subject {
  const serial = { serialNumber: { in: formsOf(value) } };
  const units = part === '' ? serial : and(serial, { part: { partNumber: { in: formsOf(part) } } });
  return { lists: { units }, steps: { run: { partInventory: units } } };
}

export function subjectOfRun(value: string): Subject {
  const runs = { title: { in: formsOf(value) } };
  const id = idIn(value);
  if (id === undefined) return { lists: { runs }, steps: { run: runs } };
  const eq = { eq: id };
  return { lists: { runById: { id: eq }, runs }, steps: or({ runId: eq }, { run: runs }) };
}

export function subjectOfLocation(value: string): Subject {
  const locations = { name: { in: formsOf(value) } };
  const id = idIn(value);
  if (id === undefined) return { lists: { locations }, steps: { location: locations } };
  const eq = { eq: id };
  return {
    lists: { locationById: { id: eq }, locations },
    steps: or({ locationId: eq }, { location: locations }),
  };
}

export function subjectOfEntities({
  entities,
  rivals,
  isCut,
}: Pick<ScannedEntities, 'entities' | 'rivals' | 'isCut'>): Subject {
  const lists: Subject['lists'] = {};
  const steps: Filter[] = [];
  for (const list of ['units', 'runs', 'locations'] as const) {
    const ids = entities[list];
    if (!ids) continue;
    const filter = { entityId: { in: ids } };
    lists[list] = filter;
    if (list === 'units') steps.push({ run: { partInventory: filter } });
    else steps.push({ [list === 'runs' ? 'run' : 'location']: filter });
  }
  return { lists, steps: or(...steps), entities, rivals, isCut };
}

/** The variables of `workOperation`. */
export function workVariables(
  { lists, steps }: Subject,
  { step, fields }: Pick<WorkQuery, 'step' | 'fields'>,
): Record<string, unknown> {
  const size = fields ? PAGE_SIZE_WITH_FIELDS : PAGE_SIZE;
  const isOpen = { status: { in: OPEN_STATUSES } };
  const open = and(steps, isOpen);
  if (step === '') {
    const wanted = and(steps, { status: { eq: 'IN_PROGRESS' } });
    const others = and(steps, { availableToWork: { eq: true } });
    return { ...lists, wanted, others, open, size, fields };
  }
  const title = { title: similarTo(step) };
  return {
    ...lists,
    ...{ wanted: and(steps, title, isOpen), others: and(steps, title), open, size, fields },
  };
}

/** A name in the forms in which ION may have it. */
function formsOf(name: string): string[] {
  return [...new Set([name, name.normalize('NFC'), name.normalize('NFD')])];
}

/** The condition on a name for at least those that differ in case, blanks or normal form. */
function similarTo(name: string): Filter {
  const parts = name
    .normalize('NFC')
    .split(/[^!-~]+/)
    .filter((part) => part !== '');
  const isLong = name.length > MAX_SIMILAR_LENGTH;
  if (parts.length === 0 || isLong) return { in: formsOf(name) };
  return { ilike: `%${parts.map((part) => part.replace(/[\\%_]/g, '\\$&')).join('%')}%` };
}

/** The value as an ID of ION, without the leading zeros that a PLC may add. */
function idIn(value: string): string | undefined {
  if (!/^\d{1,20}$/.test(value)) return undefined;
  const id = Number(value);
  return id <= MAX_ID ? String(id) : undefined;
}

// ION documents `and_`, but not how several keys of one filter object are combined.
function and(...filters: Filter[]): Filter {
  return filters.length === 1 ? (filters[0] as Filter) : { and_: filters };
}

function or(...filters: Filter[]): Filter {
  return filters.length === 1 ? (filters[0] as Filter) : { or_: filters };
}
