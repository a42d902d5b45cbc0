import type { FieldMemory } from '../client/lists/field-memory.js';
import type { Row } from '../client/lists/rows.js';
import type { Slices } from '../client/support/slices.js';

/** An object that changed, as it was read without the node's filters. */
export interface ChangedObject {
  key: string;
  id: unknown;
  row: Row;
  action: string | undefined;
  /** When it changed, in ms since 1970, if that is known. */
  updatedMs?: number | undefined;
  /** Whether the node reports events of this action. */
  isWanted: boolean;
}

/** A change of a field that the node watches. */
export interface ChangedEvent {
  action: string | undefined;
  id: unknown;
  row: Row;
  /** When the object changed, in ms since 1970, if that is known. */
  updatedMs?: number | undefined;
  /** Earlier values of the watched fields that changed. */
  previous?: Record<string, unknown>;
  /** False if the object was not seen before, so that nobody knows which fields changed. */
  previousKnown?: false;
}

/**
 * The objects of which a watched field changed. Each one is remembered only after its event was handled,
 * so that a failure cannot lose an event. The filters are applied after the comparison: an object that
 * no longer matches them must be remembered, too.
 * @param readMatching reads the objects that match the filters, by key; `undefined` without filters
 */
export async function* changedEvents(
  memory: FieldMemory,
  objects: readonly ChangedObject[],
  slices: Slices,
  readMatching: ((ids: readonly unknown[]) => Promise<Map<string, Row>>) | undefined,
): AsyncGenerator<ChangedEvent, void, undefined> {
  const isCandidate = (object: ChangedObject) => eventOf(memory, object) !== undefined;
  const candidates: ChangedObject[] = [];
  for (const object of objects) {
    if (slices.isOver) await slices.pause();
    if (isCandidate(object)) candidates.push(object);
  }
  const isFiltered = readMatching !== undefined && candidates.length > 0;
  const matching = isFiltered ? await readMatching(candidates.map(({ id }) => id)) : undefined;
  const possible = new Set(candidates);
  for (const object of objects) {
    if (slices.isOver) await slices.pause();
    // The object may have changed again between the two reads.
    const row = matching?.get(object.key) ?? object.row;
    const isMatch = possible.has(object) && (!matching || matching.has(object.key));
    const event = isMatch ? eventOf(memory, { ...object, row }) : undefined;
    if (event) yield { ...event, updatedMs: object.updatedMs };
    memory.remember(object.key, row);
  }
}

function eventOf(memory: FieldMemory, object: ChangedObject): ChangedEvent | undefined {
  const { key, id, row, action, isWanted } = object;
  if (!isWanted) return undefined;
  // All fields of a new object are new.
  if (action === 'CREATE') return { action, id, row };
  const changes = memory.changes(key, row);
  if (!changes) return { action, id, row, previousKnown: false };
  return changes.isChanged ? { action, id, row, previous: changes.previous } : undefined;
}
