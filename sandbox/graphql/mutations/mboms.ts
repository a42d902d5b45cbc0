import type { PartRow, Row } from '../../data/model.js';
import type { Store } from '../../data/store.js';
import type { ApiContext } from '../context.js';
import { defaultColumns } from '../members.js';
import { existing, type Mutation, withInput } from './common.js';
import type { Input } from './shape.js';

interface MbomRow extends Row {
  partId: number;
  version: number;
  status: string;
}
interface ItemRow extends Row {
  partId: number;
}

/** The latest version of a part's bill of material. */
function latestMbom(partId: number, store: Store): MbomRow | undefined {
  const versions = [...store.of('MBom', 'partId', partId)] as MbomRow[];
  return versions.sort((a, b) => a.version - b.version).at(-1);
}

function newMbom(partId: number, { store, user }: ApiContext): MbomRow {
  const version = (latestMbom(partId, store)?.version ?? 0) + 1;
  const values: object = { ...defaultColumns('MBom'), partId, version, status: 'DRAFT' };
  return store.table('MBom').insert(values, user.id) as MbomRow;
}

function itemOf(mbomId: number, partId: number, store: Store): Row | undefined {
  const items = store.of('MBomItem', 'mbomId', mbomId) as readonly ItemRow[];
  return items.find((item) => item.partId === partId);
}

/** A new item goes into the bill of material that its input names, or into that of the parent part. */
export function itemWithMbom(input: Input, context: ApiContext): Input {
  const { store } = context;
  const { parentId, ...item } = input;
  if (!item.mbomId) {
    if (!parentId) throw new Error('An item needs an mbomId or a parentId.');
    const part = existing(store.parts, String(parentId));
    item.mbomId = (latestMbom(part.id, store) ?? newMbom(part.id, context)).id;
  }
  if (itemOf(Number(item.mbomId), Number(item.partId), store)) {
    throw new Error('The part of an item is not unique in its bill of material.');
  }
  return item;
}

interface ImportedRow {
  level?: string;
  depth?: number;
  partNumber: string;
  revision?: string | null;
  quantity: number;
  substitutes?: string | null;
  madeOnAssembly?: boolean | null;
}

interface ImportInput {
  importerType: 'LEVEL' | 'DEPTH';
  levelInputs?: ImportedRow[] | null;
  depthInputs?: ImportedRow[] | null;
}

const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

function findPart(partNumber: string, revision: string | undefined, store: Store): PartRow {
  const part = store.parts
    .all()
    .findLast(
      (each) =>
        isSame(each.partNumber, partNumber) && (!revision || isSame(each.revision, revision)),
    );
  if (!part) throw new Error(`Part ${partNumber} with revision ${revision ?? ''} was not found.`);
  return part;
}

/** Substitutes are written `part[revision];part[revision]`. */
function findSubstitutes(text: string, store: Store): PartRow[] {
  const named = text.split(';').filter((each) => each.trim());
  return named.map((each) => {
    const [partNumber = '', revision] = each.split(/[[\]]/).map((piece) => piece.trim());
    return findPart(partNumber, revision, store);
  });
}

/** The level of each row, such as `1.2`; the depths of rows in their order say the same. */
function levelsOf({
  importerType,
  levelInputs,
  depthInputs,
}: ImportInput): [string, ImportedRow][] {
  if (importerType === 'LEVEL') return (levelInputs ?? []).map((row) => [row.level ?? '', row]);
  const rows = depthInputs ?? [];
  const top = rows[0]?.depth ?? 0;
  let path: string[] = [];
  return rows.map((row, i) => {
    const outer = path.slice(0, Math.max(0, (row.depth ?? 0) - top));
    const isTooDeep = outer.length < (row.depth ?? 0) - top;
    path = [...outer, ...(isTooDeep ? ['?'] : []), String(i + 1)];
    return [path.join('.'), row];
  });
}

interface Line {
  row: ImportedRow;
  part: PartRow;
  /** The part that the row is nested in. */
  parent: PartRow | undefined;
  substitutes: PartRow[];
}

/** The parts of an import; an error for each row that names an unknown one or lies in no other row. */
function linesOf(input: ImportInput, store: Store) {
  const rows = levelsOf(input);
  const parts = new Map<string, PartRow>();
  const lines: Line[] = [];
  const errorMessages: { rowId: number; errorMsg: string }[] = [];
  const attempt = (i: number, step: () => void) => {
    try {
      step();
    } catch (error) {
      errorMessages.push({ rowId: i + 1, errorMsg: (error as Error).message });
    }
  };
  for (const [i, [level, { partNumber, revision }]] of rows.entries()) {
    attempt(i, () => parts.set(level, findPart(partNumber, revision ?? undefined, store)));
  }
  const levels = new Set(rows.map(([level]) => level));
  for (const [i, [level, row]] of rows.entries()) {
    const part = parts.get(level);
    if (!part) continue;
    attempt(i, () => {
      const outer = level.split('.').slice(0, -1).join('.');
      if (outer && !levels.has(outer)) throw new Error(`Part ${row.partNumber} lies in no part.`);
      const substitutes = findSubstitutes(row.substitutes ?? '', store);
      lines.push({ row, part, parent: parts.get(outer), substitutes });
    });
  }
  return { lines, errorMessages };
}

function writeLine(mbom: MbomRow, { row, part, substitutes }: Line, context: ApiContext): void {
  const { store, user } = context;
  const items = store.table('MBomItem');
  const known = itemOf(mbom.id, part.id, store);
  const values: object = { quantity: row.quantity, madeOnAssembly: row.madeOnAssembly ?? false };
  const item = known
    ? items.update(known.id, values, user.id)
    : items.insert({ ...values, mbomId: mbom.id, partId: part.id } as object, user.id);
  const others = store.of('MBomSubstitute', 'mbomItemId', item.id) as readonly ItemRow[];
  for (const { id } of substitutes) {
    if (others.some((other) => other.partId === id)) continue;
    const substitute: object = { mbomItemId: item.id, partId: id };
    store.table('MBomSubstitute').insert(substitute, user.id);
  }
}

/** Bills of material of parts. */
export const mbomMutations: Record<string, Mutation> = {
  // A draft is changed; any other version stays, and a new one is made.
  createOrUpdateMultipleMboms: withInput<ImportInput>((input, context) => {
    const { store } = context;
    const { lines, errorMessages } = linesOf(input, store);
    if (errorMessages.length > 0) return { errorMessages, newMbomRowIds: [] };
    const mboms = new Map<number, MbomRow>();
    const newMbomRowIds: number[] = [];
    for (const line of lines) {
      if (!line.parent) continue;
      const partId = line.parent.id;
      let mbom = mboms.get(partId) ?? latestMbom(partId, store);
      if (mbom?.status !== 'DRAFT') {
        mbom = newMbom(partId, context);
        newMbomRowIds.push(mbom.id);
      }
      mboms.set(partId, mbom);
      writeLine(mbom, line, context);
    }
    return { errorMessages: [], newMbomRowIds };
  }),
};
