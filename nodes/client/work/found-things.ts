// Results of the requests as things with their steps: each unit, each location, each run without a unit.

import type { Id } from '../support/known-columns.js';
import { foldedName, rowsNamed } from '../support/name-matching.js';
import { type ListName, PAGE_SIZE, PAGE_SIZE_WITH_FIELDS } from './documents.js';
import { isSameId } from './step-choice.js';
import type { WorkQuery, WorkUnit } from './work.js';
import { isOpenStatus, type Subject } from './work-filters.js';
import {
  type FoundLocation,
  type FoundRun,
  type FoundStep,
  type FoundUnit,
  listIn,
  toFoundLocation,
  toFoundRun,
  toFoundStep,
  toFoundUnit,
} from './work-rows.js';

type BareThing =
  | { kind: 'unit'; unit: FoundUnit }
  | { kind: 'location'; location: FoundLocation }
  /** Runs that were found and build the same unit, or one run without a unit. */
  | { kind: 'runs'; runs: [FoundRun, ...FoundRun[]] };

export type Thing = BareThing & { steps: FoundStep[] };

export interface Found {
  things: Thing[];
  /** Types of other things that the barcode means. */
  rivals: readonly string[];
  /** Whether ION has more things than were read. */
  isMore: boolean;
  /** Whether a step in progress may be missing, because ION has more steps than were read. */
  isMoreInProgress: boolean;
  /** Whether a step that can start may be missing. */
  isMoreAvailable: boolean;
  /** Whether ION returned steps that cannot be read. */
  isUnread: boolean;
  /** Steps of the same runs for which other steps wait. */
  context: FoundStep[];
}

/** The things in the data of `workOperation`. */
export function thingsIn(data: Record<string, unknown>, subject: Subject, query: WorkQuery): Found {
  const { units, runs, locations, isMore } = rowsIn(data, subject, query);
  const bare: BareThing[] = [
    ...units.map((unit) => ({ kind: 'unit', unit }) as const),
    ...runsByUnit(runs).map((ofUnit) => ({ kind: 'runs', runs: ofUnit }) as const),
    ...locations.map((location) => ({ kind: 'location', location }) as const),
  ];
  const { rows, ...steps } = stepsIn(data, query);
  const things = bare.map((thing): Thing => {
    const belongs = membership(thing);
    const overIds = new Set((runsOf(thing) ?? []).filter(isOver).map(({ run }) => String(run.id)));
    // A step without the column belongs to the only thing, because ION found it for this.
    const isOnly = bare.length === 1;
    return {
      ...thing,
      steps: rows.filter((step) => {
        const isPast = (step.run && isOver(step.run)) || overIds.has(String(step.runId));
        return !isPast && (belongs(step) ?? isOnly);
      }),
    };
  });
  return { things, rivals: subject.rivals ?? [], isMore, ...steps, context: [] };
}

interface FoundRows {
  units: FoundUnit[];
  runs: FoundRun[];
  locations: FoundLocation[];
  isMore: boolean;
}

function rowsIn(
  data: Record<string, unknown>,
  { lists, entities, isCut = false }: Subject,
  { by, value, part }: WorkQuery,
): FoundRows {
  let isMore = isCut;
  // ION has filtered the rows already, but compares only bytes, or ignores a filter.
  const read = <Row extends FoundUnit | FoundRun | FoundLocation>(
    [name, byId]: [keyof FoundRows & ListName, ListName?],
    toRow: Parameters<typeof listIn<Row>>[2],
    idOf: (row: Row) => Id,
  ): Row[] => {
    const named = listIn<Row>(lists[name] && data[name], PAGE_SIZE, toRow);
    const withId = listIn<Row>(byId && lists[byId] && data[byId], PAGE_SIZE, toRow);
    isMore ||= named.isMore || named.isUnread || withId.isUnread;
    const found = entities
      ? scannedRows(named.rows, entities[name] ?? [])
      : namedRows(named.rows, value);
    const wantedId = byId && lists[byId]?.id;
    const chosen = withId.rows.filter((row) => isFilterOf(wantedId, idOf(row)));
    const rows = [
      ...new Map([...chosen, ...found].map((row) => [String(idOf(row)), row])).values(),
    ];
    // The code means something that ION did not return, such as a unit without access.
    isMore ||= entities !== undefined && rows.length < new Set(entities[name]).size;
    return rows;
  };
  const units = read(['units'], toFoundUnit, ({ unit }) => unit.id);
  const runs = read(['runs', 'runById'], toFoundRun, ({ run }) => run.id);
  const places = read(['locations', 'locationById'], toFoundLocation, (row) => row.location.id);
  const inUse = places.filter(({ isArchived }) => !isArchived);
  const locations = inUse.length > 0 ? inUse : places;
  if (by !== 'serial' || part === '') return { units, runs, locations, isMore };
  return { units: unitsOfPart(units, part), runs, locations, isMore };
}

/** The units of a part; one without the column counts, because ION found it by this part. */
function unitsOfPart(units: FoundUnit[], part: string): FoundUnit[] {
  const known = units.filter(({ isPartKnown, unit }) => !isPartKnown || unit.partNumber !== null);
  return rowsNamed(known, part, ({ unit }) => unit.partNumber ?? part);
}

/** The rows with a name; a row without the column counts, because ION found it by this name. */
function namedRows<Row extends { name: string | null | undefined }>(
  rows: Row[],
  wanted: string,
): Row[] {
  const known = rows.filter(({ name }) => name !== null);
  return rowsNamed(known, wanted, ({ name }) => name ?? wanted);
}

/** The rows of scanned entities; a row without the column counts, because ION found it by this ID. */
function scannedRows<Row extends { entityId: Id | null | undefined }>(
  rows: Row[],
  ids: readonly string[],
): Row[] {
  const wanted = new Set(ids);
  return rows.filter(({ entityId }) => entityId === undefined || wanted.has(String(entityId)));
}

function isFilterOf(filter: unknown, id: Id): boolean {
  return (filter as { eq?: unknown } | undefined)?.eq === String(id);
}

/** Runs of one unit belong together. A run without a unit, or of one that is not known, stays alone. */
function runsByUnit(runs: readonly FoundRun[]): [FoundRun, ...FoundRun[]][] {
  const groups = new Map<string, [FoundRun, ...FoundRun[]]>();
  for (const found of runs) {
    const key = found.unit ? `unit ${found.unit.id}` : `run ${found.run.id}`;
    const group = groups.get(key);
    if (group) group.push(found);
    else groups.set(key, [found]);
  }
  return [...groups.values()];
}

/**
 * Text that things have in common if one with work replaces one without: part number and serial number
 * of a unit. Nobody knows which of other things a person has in the hand.
 */
export function identityOf(thing: Thing): string {
  if (thing.kind === 'location') return `location ${thing.location.location.id}`;
  if (thing.kind === 'unit') return identityOfUnit(thing.unit.unit);
  const [{ unit, run }] = thing.runs;
  if (unit) return identityOfUnit(unit);
  return unit === null ? 'runs without units' : `run ${run.id}`;
}

function identityOfUnit(unit: WorkUnit): string {
  const { id, partNumber, serialNumber } = unit;
  if (partNumber === null || serialNumber === null) return `unit ${id}`;
  return JSON.stringify([partNumber, serialNumber].map(foldedName));
}

/** Whether only runs were found that are archived or canceled, so that others with work replace them. */
export function isGivenUp(thing: Thing): boolean {
  return thing.kind === 'runs' && thing.runs.every(isOver);
}

function isOver({ run, isArchived }: FoundRun): boolean {
  return isArchived || run.status === 'CANCELED';
}

/**
 * The IDs of steps at other locations for which steps of a location may wait, more than a page at most
 * by one.
 * @param isBlocked whether they are needed to say what blocks; else only to find out what is available
 */
export function awaitedIds({ things }: Found, isBlocked: boolean): Id[] {
  const ids = new Map<string, Id>();
  for (const { kind, steps } of things) {
    if (kind !== 'location') continue;
    const known = new Set(steps.map(({ step }) => String(step.id)));
    for (const { step, upstreamIds, parentId } of steps) {
      const isAsked = step.availableToWork === null || (isBlocked && !step.availableToWork);
      if (step.status !== 'TODO' || !isAsked) continue;
      for (const id of [...(upstreamIds ?? []), parentId ?? []].flat()) {
        if (!known.has(String(id))) ids.set(String(id), id);
      }
    }
  }
  return [...ids.values()].slice(0, PAGE_SIZE + 1);
}

/** The IDs of steps at locations whose fields were not read. */
export function idsWithoutFields({ things }: Found): Id[] {
  const steps = things.flatMap((thing) => (thing.kind === 'location' ? thing.steps : []));
  const lacking = steps.filter(
    ({ step, fields }) => fields === undefined && isOpenStatus(step.status),
  );
  return lacking.slice(0, PAGE_SIZE).map(({ step }) => step.id);
}

/** The things with further steps of the same runs, and with fields of steps. */
export function withContext(
  found: Found,
  context: FoundStep[],
  fields: ReadonlyMap<string, unknown>,
  isUnread: boolean,
): Found {
  const things = found.things.map((thing) => ({
    ...thing,
    steps: thing.steps.map((each) => {
      const own = each.fields ?? fields.get(String(each.step.id));
      return own === undefined ? each : { ...each, fields: own };
    }),
  }));
  return { ...found, things, context, isUnread: found.isUnread || isUnread };
}

/** Whether the steps of a thing may be of more than one run that is open. */
export function hasSeveralOpenRuns(thing: Thing): boolean {
  const runs = runsOf(thing);
  return runs === null || runs.filter(isOpenRun).length > 1;
}

/** The runs of a unit, or the runs that were found; null if they are not known. */
export function runsOf(thing: BareThing): FoundRun[] | null {
  if (thing.kind === 'unit') return thing.unit.runs;
  return thing.kind === 'runs' ? thing.runs : null;
}

export function hasOpenSteps({ steps }: Thing): boolean {
  return steps.some(({ step }) => isOpenStatus(step.status));
}

function isOpenRun(found: FoundRun): boolean {
  const { status } = found.run;
  return isOpenStatus(status) && status !== 'PARTIAL_COMPLETE' && !isOver(found);
}

/** Whether a step belongs to a thing; `undefined` if ION did not return the column that says so. */
function membership(thing: BareThing): (step: FoundStep) => boolean | undefined {
  if (thing.kind === 'location') {
    const { id } = thing.location.location;
    return ({ step: { location }, isLocationKnown }) =>
      location ? isSameId(location.id, id) : isLocationKnown ? false : undefined;
  }
  const runs = runsOf(thing);
  const runIds = runs && new Set(runs.map(({ run }) => String(run.id)));
  const isOfRuns = ({ runId }: FoundStep) => runIds?.has(String(runId));
  if (thing.kind === 'runs') return isOfRuns;
  const { id } = thing.unit.unit;
  return (step) => {
    const unit = step.run?.unit;
    return unit === undefined ? isOfRuns(step) : unit !== null && isSameId(unit.id, id);
  };
}

/** The steps of all three lists, each once. */
function stepsIn(
  data: Record<string, unknown>,
  { step: title, fields }: WorkQuery,
): Pick<Found, 'isMoreInProgress' | 'isMoreAvailable' | 'isUnread'> & { rows: FoundStep[] } {
  const size = fields ? PAGE_SIZE_WITH_FIELDS : PAGE_SIZE;
  const wanted = listIn(data.wanted, size, toFoundStep);
  const others = listIn(data.others, size, toFoundStep);
  const open = listIn(data.open, PAGE_SIZE, toFoundStep);
  const rows = new Map<string, FoundStep>();
  for (const row of [...wanted.rows, ...others.rows, ...open.rows]) {
    const id = String(row.step.id);
    if (!rows.has(id)) rows.set(id, row);
  }
  const isMoreInProgress = wanted.isMore && open.isMore;
  // The list of wanted titles holds both kinds of steps.
  const isMoreAvailable = isMoreInProgress || (title === '' && others.isMore && open.isMore);
  const isUnread = [wanted, others, open].some((each) => each.isUnread);
  return { rows: [...rows.values()], isMoreInProgress, isMoreAvailable, isUnread };
}
