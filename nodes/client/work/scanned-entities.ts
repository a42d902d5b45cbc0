import { foreignRow, idIn, wordIn } from '../support/known-columns.js';

/** The IDs of ION's entities, by the list that their rows are in. */
export type Entities = Partial<Record<'units' | 'runs' | 'locations', string[]>>;

/** Entities of one barcode; it may match several. */
const MAX_ENTITIES = 50;
/** Entities of a server that returns one several times, or everything. */
const MAX_ROWS = 1000;
/** Types of things with labels that lead to no step. */
const RIVALS: ReadonlySet<string> = new Set(['PARTS_KITS', 'PART_KIT_ITEMS']);
const LISTS: ReadonlyMap<string | null, keyof Entities> = new Map([
  ['PARTS_INVENTORY', 'units'],
  ['RUNS', 'runs'],
  ['LOCATIONS', 'locations'],
]);

export interface ScannedEntities {
  /** IDs of the entities that can lead to a step. */
  entities: Entities;
  /** ION's types of the others. */
  otherTypes: (string | null)[];
  /** Types of others that have labels of their own, so that a person may have scanned one. */
  rivals: string[];
  /** Whether there are more entities that can lead to a step. */
  isCut: boolean;
}

/** The entities that ION returned for a barcode. */
export function entitiesIn(value: unknown): ScannedEntities {
  const found: ScannedEntities = { entities: {}, otherTypes: [], rivals: [], isCut: false };
  const rows = foreignRow(value)?.entities;
  const known = new Set<string>();
  for (const item of Array.isArray(rows) ? rows.slice(0, MAX_ROWS) : []) {
    const row = foreignRow(item);
    const type = wordIn(row?.type)?.toUpperCase() ?? null;
    const id = entityIdIn(row?.id);
    const list = LISTS.get(type);
    if (list && id !== undefined && known.size < MAX_ENTITIES) {
      if (!known.has(id)) found.entities[list] = [...(found.entities[list] ?? []), id];
      known.add(id);
    } else if (list) {
      found.isCut ||= id === undefined || !known.has(id);
    }
    if (!list || id === undefined) found.otherTypes.push(type);
    if (type !== null && RIVALS.has(type)) found.rivals.push(type);
  }
  found.isCut ||= Array.isArray(rows) && rows.length > MAX_ROWS;
  return found;
}

/** The ID as other types have it: ION declares the one of an entity as Float, which may end in `.0`. */
function entityIdIn(value: unknown): string | undefined {
  const text = String(idIn(value)).replace(/\.0+$/, '');
  return /^\d{1,20}$/.test(text) ? text : undefined;
}
