import {
  type ForeignRow,
  foreignRow,
  type Id,
  idIn,
  nameIn,
  numberIn,
  wordIn,
} from '../support/known-columns.js';
import type { WorkRun, WorkStep, WorkUnit } from './work.js';

export type WorkLocation = NonNullable<WorkStep['location']>;

/** A step of a run that a look-up found. Null stands for a column that ION did not return. */
export interface FoundStep {
  step: WorkStep;
  runId: Id;
  run: FoundRun | null;
  /** Whether ION said at which location the step is, or that it has none. */
  isLocationKnown: boolean;
  parentId: Id | null;
  /** Null if it is not known. */
  upstreamIds: Id[] | null;
  /** Missing if they were not read. */
  fields?: unknown;
}

/** Columns that a row is found by; undefined if ION did not return them. */
interface Keys {
  /** The serial number of a unit, the title of a run, the name of a location. */
  name: string | null | undefined;
  entityId: Id | null | undefined;
}

export interface FoundUnit extends Keys {
  unit: WorkUnit;
  isPartKnown: boolean;
  /** Null if they are not known. */
  runs: FoundRun[] | null;
}

export interface FoundRun extends Keys {
  run: WorkRun;
  /** Null for a run without a unit, undefined if ION did not return it. */
  unit: WorkUnit | null | undefined;
  isArchived: boolean;
}

export interface FoundLocation extends Keys {
  location: WorkLocation;
  isArchived: boolean;
}

export interface FoundList<Row> {
  rows: Row[];
  /** Whether ION has more rows than it returned. */
  isMore: boolean;
  /** Whether ION returned rows that cannot be read, such as null. */
  isUnread: boolean;
}

/** Rows of a list from a server that returns more than it was asked for. */
const MAX_ROWS = 1000;
/** Runs of one unit, or upstream steps of one step. */
const MAX_RELATED = 1000;

/** The rows of a list that ION returned page by page, without those that `toRow` cannot read. */
export function listIn<Row>(
  value: unknown,
  size: number,
  toRow: (row: ForeignRow) => Row | undefined,
): FoundList<Row> {
  const list = foreignRow(value);
  const edges = Array.isArray(list?.edges) ? list.edges : [];
  const isMore = edges.length >= size || foreignRow(list?.pageInfo)?.hasNextPage === true;
  const nodes = edges.slice(0, MAX_ROWS).map((edge) => foreignRow(edge)?.node);
  const rows = rowsIn(nodes, toRow);
  return { rows, isMore, isUnread: rows.length < nodes.length };
}

function rowsIn<Row>(
  values: readonly unknown[],
  toRow: (row: ForeignRow) => Row | undefined,
): Row[] {
  return values.flatMap((value) => {
    const row = foreignRow(value);
    return (row && toRow(row)) ?? [];
  });
}

export function toFoundUnit(row: ForeignRow): FoundUnit | undefined {
  const unit = toUnit(row);
  if (!unit) return undefined;
  const part = row.part === null ? null : foreignRow(row.part)?.partNumber;
  const runs = Array.isArray(row.runs) ? rowsIn(row.runs.slice(0, MAX_RELATED), toFoundRun) : null;
  return { unit, runs, isPartKnown: part !== undefined, ...keysIn(row, 'serialNumber') };
}

export function toFoundRun(row: ForeignRow): FoundRun | undefined {
  const id = idIn(row.id);
  if (id === null) return undefined;
  const run = { id, title: nameIn(row.title), status: statusIn(row.status) };
  const unit = row.partInventory === undefined ? undefined : related(row.partInventory, toUnit);
  return { run, unit, isArchived: row.archived === true, ...keysIn(row, 'title') };
}

export function toFoundLocation(row: ForeignRow): FoundLocation | undefined {
  const location = toLocation(row);
  return location && { location, isArchived: row.archived === true, ...keysIn(row, 'name') };
}

function toLocation(row: ForeignRow): WorkLocation | undefined {
  const id = idIn(row.id);
  return id === null ? undefined : { id, name: nameIn(row.name) };
}

function keysIn(row: ForeignRow, column: string): Keys {
  const name = row[column] === undefined ? undefined : nameIn(row[column]);
  return { name, entityId: row.entityId === undefined ? undefined : idIn(row.entityId) };
}

export function toFoundStep(row: ForeignRow): FoundStep | undefined {
  const id = idIn(row.id);
  const runId = idIn(row.runId);
  if (id === null || runId === null) return undefined;
  return {
    step: {
      id,
      title: nameIn(row.title),
      status: statusIn(row.status),
      position: numberIn(row.position),
      availableToWork: flagIn(row.availableToWork),
      batched: flagIn(row.batched),
      location: locationOf(row),
    },
    runId,
    run: related(row.run, toFoundRun),
    isLocationKnown: row.location !== undefined || row.locationId !== undefined,
    parentId: idIn(row.parentId),
    upstreamIds: idsIn(row.upstreamStepIds),
    ...(Array.isArray(row.fields) && { fields: row.fields }),
  };
}

/** The fields of a step that is known already. */
export function toFieldsOfStep(row: ForeignRow): { id: Id; fields: unknown } | undefined {
  const id = idIn(row.id);
  return id === null || !Array.isArray(row.fields) ? undefined : { id, fields: row.fields };
}

function locationOf(row: ForeignRow): WorkLocation | null {
  const location = related(row.location, toLocation);
  if (location) return location;
  const id = idIn(row.locationId);
  return id === null ? null : { id, name: null };
}

function toUnit(row: ForeignRow): WorkUnit | undefined {
  const id = idIn(row.id);
  if (id === null) return undefined;
  const part = foreignRow(row.part);
  return {
    id,
    serialNumber: nameIn(row.serialNumber),
    lotNumber: nameIn(row.lotNumber),
    partNumber: nameIn(part?.partNumber),
    revision: nameIn(part?.revision),
    description: nameIn(part?.description),
  };
}

function related<Row>(value: unknown, toRow: (row: ForeignRow) => Row | undefined): Row | null {
  const row = foreignRow(value);
  return (row && toRow(row)) ?? null;
}

/** Older IONs write statuses in lower case. */
function statusIn(value: unknown): string | null {
  return wordIn(value)?.toUpperCase() ?? null;
}

export function flagIn(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

function idsIn(value: unknown): Id[] | null {
  if (!Array.isArray(value)) return null;
  return value.slice(0, MAX_RELATED).flatMap((each) => idIn(each) ?? []);
}
