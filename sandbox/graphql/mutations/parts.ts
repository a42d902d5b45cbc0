import type { PartRow } from '../../data/model.js';
import type { ApiContext } from '../context.js';
import { defaultColumns } from '../members.js';
import {
  checkEtag,
  columns,
  current,
  existing,
  type Mutation,
  type Versioned,
  withInput,
} from './common.js';
import type { Input } from './shape.js';

/** The revision after this one: B after A. */
function nextRevision(revision: string): string {
  return /^[A-Y]$/.test(revision)
    ? String.fromCharCode(revision.charCodeAt(0) + 1)
    : `${revision}1`;
}

type PartInput = Partial<Pick<PartRow, 'revision'>> & { partNumber: string };

/** The part with a number and a revision, which is A if nothing else is said. */
function findPart({ partNumber, revision }: PartInput, { store }: ApiContext): PartRow | undefined {
  return store.parts.find(
    (part) => part.partNumber === partNumber && part.revision === (revision ?? 'A'),
  );
}

/** A new part, provided that no other has its number and revision. */
export function uniquePart(input: Input, context: ApiContext): Input {
  const known = findPart(input as unknown as PartInput, context);
  if (!known) return input;
  throw new Error(`Part ${known.partNumber} with revision ${known.revision} is not unique.`);
}

/** Changes the part that has this number and revision, or makes it. */
function createOrUpdate(input: PartInput, context: ApiContext): PartRow {
  const { store, user } = context;
  const { revision = 'A' } = input;
  const known = findPart(input, context);
  if (known) return store.parts.update(known.id, columns(input), user.id);
  const values = { ...defaultColumns('Part'), ...columns(input), revision };
  // Safe: the default columns are all that a part must have.
  return store.parts.insert(values as unknown as PartRow, user.id);
}

interface Value {
  rowId: number;
  columnId: number;
  value?: unknown;
  etag?: string | null;
}

/** Parts, kits and datagrids. */
export const partMutations: Record<string, Mutation> = {
  createPartRevision: withInput<Versioned>((input, { store, user }) => {
    const { id, _created, _updated, _etag, ...part } = current(store.parts, input);
    const revision = nextRevision(part.revision);
    const values = { ...part, ...columns(input), revision, revisedFromId: id };
    return { part: store.parts.insert(values, user.id) };
  }),

  createOrUpdateMultipleParts: withInput<{ parts?: PartInput[] | null }>((input, context) => ({
    parts: (input.parts ?? []).map((part) => createOrUpdate(part, context)),
  })),

  createKitForRun: withInput<{ runId: string }>((input, { store, user }) => {
    const run = existing(store.runs, input.runId);
    const kit = { runId: run.id, status: 'DRAFT' };
    return { partKit: store.table('PartKit').insert(kit, user.id) };
  }),

  moveKitInventoryToLocation: withInput<{ partKitId: string; locationId: string; etag: string }>(
    ({ partKitId, locationId, etag }, { store, user }) => {
      const kit = current(store.table('PartKit'), { id: partKitId, etag });
      const location = existing(store.locations, locationId);
      const patch: object = { locationId: location.id };
      return { partKit: store.table('PartKit').update(kit.id, patch, user.id) };
    },
  ),

  setDatagridValue: withInput<Value>(({ rowId, columnId, etag, ...input }, { store, user }) => {
    existing(store.table('DatagridRow'), rowId);
    existing(store.table('DatagridColumn'), columnId);
    const table = store.table('DatagridValue');
    const values: object = { ...columns(input), rowId, columnId };
    const known = store
      .of('DatagridValue', 'rowId', rowId)
      .find((row) => (row as unknown as Value).columnId === columnId);
    if (known && etag) checkEtag(known, etag);
    return {
      datagridValue: known
        ? table.update(known.id, values, user.id)
        : table.insert(values, user.id),
    };
  }),
};
