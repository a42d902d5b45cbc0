import type { StepStatus } from './model.js';
import { blankField, blankStep } from './row-templates.js';
import { type Labelled, labelOf } from './seed-labels.js';
import type { Store } from './store.js';

/** A thing with a label on it. */
interface Labeled {
  id: number;
  /** The text in the code of its label. */
  code: string;
}

export interface ScanCase {
  units: (Labeled & {
    partNumber: string;
    serialNumber: string | null;
    lotNumber: string | null;
  })[];
  runs: (Labeled & { title: string; stepIds: number[] })[];
  /** The station of the steps `Assemble`. */
  station?: Labeled & { name: string };
  kit?: Labeled;
}

interface Unit {
  serial?: string;
  lot?: string;
  /** The second of two parts. */
  isOther?: true;
}

interface Plan {
  units: readonly Unit[];
  /** The statuses of the steps Clean, Assemble and Inspect of each run; the last unit has all further runs. */
  runs: readonly (readonly [StepStatus, StepStatus, StepStatus])[];
  /** The title of the runs; numbered if there are several. */
  title?: string;
  station?: string;
  isBatch?: true;
  hasKit?: true;
}

const STARTED = ['COMPLETE', 'IN_PROGRESS', 'TODO'] as const;
const READY = ['COMPLETE', 'TODO', 'TODO'] as const;

/** The things that a scan can find, by the name of the case. Each unit, run and station has names that no other one has. */
const PLANS = {
  /** One step is in progress, at a station with no other one. */
  started: { units: [{ serial: 'SCAN-STARTED' }], runs: [STARTED], station: 'Scan station 1' },
  /** No step is in progress; the second one may start. */
  ready: { units: [{ serial: 'SCAN-READY' }], runs: [READY] },
  /** Units of two parts have one serial number. */
  shared: {
    units: [{ serial: 'SCAN-SHARED' }, { serial: 'SCAN-SHARED', isOther: true }],
    runs: [READY, READY],
  },
  /** Two runs of one unit are open. */
  twoRuns: { units: [{ serial: 'SCAN-TWO-RUNS' }], runs: [READY, READY] },
  /** One of two runs of a unit is complete. */
  rebuilt: {
    units: [{ serial: 'SCAN-REBUILT' }],
    runs: [['COMPLETE', 'COMPLETE', 'COMPLETE'], READY],
  },
  /** Two runs are a batch. */
  batch: {
    units: [{ serial: 'SCAN-BATCH-1' }, { serial: 'SCAN-BATCH-2' }],
    runs: [READY, READY],
    isBatch: true,
  },
  /** The only open step is on hold. */
  onHold: { units: [{ serial: 'SCAN-HOLD' }], runs: [['COMPLETE', 'COMPLETE', 'HOLD']] },
  /** The open step waits for one that failed. */
  failed: { units: [{ serial: 'SCAN-FAILED' }], runs: [['COMPLETE', 'FAILED', 'TODO']] },
  redline: { units: [{ serial: 'SCAN-REDLINE' }], runs: [['COMPLETE', 'REDLINE', 'TODO']] },
  complete: { units: [{ serial: 'SCAN-COMPLETE' }], runs: [['COMPLETE', 'COMPLETE', 'COMPLETE']] },
  withoutRun: { units: [{ serial: 'SCAN-WITHOUT-RUN' }], runs: [] },
  lot: { units: [{ lot: 'SCAN LOT 1' }], runs: [READY], hasKit: true },
  /** Names whose umlauts are single characters (NFC). */
  composed: {
    units: [{ serial: 'Gehäuse Ä 7'.normalize('NFC') }],
    runs: [STARTED],
    title: 'Prüfung Größe 7'.normalize('NFC'),
    station: 'Prüfplatz Süd 7'.normalize('NFC'),
  },
  /** Names whose umlauts are a letter and a mark (NFD). */
  decomposed: {
    units: [{ serial: 'Kühler Ö 8'.normalize('NFD') }],
    runs: [STARTED],
    title: 'Lötung Höhe 8'.normalize('NFD'),
    station: 'Lötplatz Über 8'.normalize('NFD'),
  },
  /** A title of 4,000 characters. */
  longTitle: {
    units: [{ serial: 'SCAN-LONG-TITLE' }],
    runs: [READY],
    title: 'Example of a long title '.repeat(200).slice(0, 3999).concat('.'),
  },
} satisfies Record<string, Plan>;

export type ScanCases = Record<keyof typeof PLANS, ScanCase>;

/** The patterns for the cases, beside the seeded ones. */
const PATTERNS = [
  ['PARTS_INVENTORY', 'PN:(?P<part_partNumber>[^;]+);SN:(?P<serialNumber>.+)'],
  ['PARTS_INVENTORY', 'SN:(?P<serialNumber>.+)'],
  ['PARTS_INVENTORY', 'LOT:(?P<lotNumber>.+)'],
  ['RUNS', 'RUN:(?P<title>.+)'],
  ['PARTS_KITS', 'KIT:(?P<id>\\d+)'],
] as const;

const PART_NUMBERS = ['EX-SCAN-1', 'EX-SCAN-2'] as const;

/**
 * Adds a unit, its runs and its labels for everything that a scan can find.
 * @throws Error if they have been added already
 */
export function addScanCases(store: Store): ScanCases {
  if (store.parts.find(({ partNumber }) => partNumber === PART_NUMBERS[0])) {
    throw new Error('The cases have been added already.');
  }
  return store.transaction(() => {
    for (const [entityType, expression] of PATTERNS) {
      insert(store, 'BarcodePattern', { entityType, expression });
    }
    const partIds = PART_NUMBERS.map((partNumber) => addPart(store, partNumber));
    const cases = Object.entries(PLANS as Record<string, Plan>).map(([name, plan]) => [
      name,
      addCase(store, name, plan, partIds),
    ]);
    return Object.fromEntries(cases) as ScanCases;
  });
}

function addCase(store: Store, name: string, plan: Plan, partIds: readonly number[]): ScanCase {
  const units = plan.units.map((unit) => addUnit(store, unit, partIds));
  const station = plan.station === undefined ? undefined : addStation(store, plan.station);
  const runBatchId = plan.isBatch
    ? insert(store, 'RunBatch', { title: `Scan batch ${name}` })
    : null;
  const runs = plan.runs.map((statuses, i) => {
    const unit = units[i] ?? units.at(-1);
    const number = plan.runs.length > 1 ? ` ${i + 1}` : '';
    const title = `${plan.title ?? `Scan run ${name}`}${number}`;
    const columns = { title, partInventoryId: unit?.id ?? null, runBatchId };
    return addRun(store, columns, statuses, station?.id ?? null);
  });
  const kit = plan.hasKit && runs[0] && addKit(store, runs[0].id);
  return { units, runs, ...(station && { station }), ...(kit && { kit }) };
}

/** Adds a row of a type that only its columns describe. */
function insert(store: Store, type: string, columns: object): number {
  return store.table(type).insert(columns).id;
}

function labeled(store: Store, type: Labelled, id: number): Labeled {
  const label = labelOf(type, id);
  insert(store, 'BarcodeLabel', label);
  return { id, code: JSON.stringify({ uid: label.iuid }) };
}

function addPart(store: Store, partNumber: string): number {
  return store.parts.insert({
    partNumber,
    revision: 'A',
    description: 'Example of a scanned part',
    trackingType: 'SERIAL',
    partType: 'PART',
  }).id;
}

function addUnit(store: Store, { serial, lot, isOther }: Unit, partIds: readonly number[]) {
  const index = isOther ? 1 : 0;
  const named = { serialNumber: serial ?? null, lotNumber: lot ?? null };
  const { id } = store.partInventories.insert({
    ...named,
    partId: partIds[index] ?? 0,
    quantity: 1,
    quantityScrapped: 0,
    quantityKitted: 0,
    quantityInstalled: 0,
    status: 'WIP',
    received: true,
    locationId: null,
    supplierId: null,
    unitOfMeasureId: null,
  });
  return { ...labeled(store, 'PartInventory', id), partNumber: PART_NUMBERS[index], ...named };
}

function addStation(store: Store, name: string) {
  const { id } = store.locations.insert({
    name,
    description: null,
    type: 'WORKCENTER',
    available: true,
    archived: false,
    parentId: null,
    locationSubtypeId: null,
  });
  return { ...labeled(store, 'Location', id), name };
}

function addKit(store: Store, runId: number): Labeled {
  return labeled(store, 'PartKit', insert(store, 'PartKit', { runId, status: 'DELIVERED' }));
}

interface RunColumns {
  title: string;
  partInventoryId: number | null;
  runBatchId: number | null;
}

function addRun(
  store: Store,
  columns: RunColumns,
  statuses: readonly StepStatus[],
  locationId: number | null,
) {
  const { id } = store.runs.insert({
    ...columns,
    description: null,
    archived: false,
    quantity: 1,
    dueDate: null,
    scheduledStart: null,
    scheduledEnd: null,
    procedureId: null,
    partId: store.partInventories.get(columns.partInventoryId ?? 0)?.partId ?? null,
    assignedToId: null,
    assignedTeamId: null,
    jiraIssueKey: null,
    resultsLink: null,
    exportControlled: false,
  });
  const stepIds: number[] = [];
  for (const [position, title] of ['Clean', 'Assemble', 'Inspect'].entries()) {
    const status = statuses[position] ?? 'TODO';
    const isStarted = status !== 'TODO' && status !== 'REDLINE';
    const step = store.runSteps.insert({
      ...blankStep(id, title, position),
      status,
      startTime: isStarted ? store.clock.now() : null,
      endTime: status === 'COMPLETE' || status === 'FAILED' ? store.clock.now() : null,
      locationId: title === 'Assemble' ? locationId : null,
      upstreamStepIds: stepIds.slice(-1),
      partInventoryIds: columns.partInventoryId === null ? [] : [columns.partInventoryId],
    });
    stepIds.push(step.id);
    if (title === 'Assemble') addFields(store, step.id);
  }
  return { ...labeled(store, 'Run', id), title: columns.title, stepIds };
}

function addFields(store: Store, stepId: number): void {
  const fields = store.runStepFields;
  fields.insert({ ...blankField(stepId, 'Torque', 'NUMBER', 0), unit: 'N·m', required: true });
  const finish = blankField(stepId, 'Finish', 'SELECT', 1);
  fields.insert({ ...finish, options: ['Matte', 'Gloss'] });
  fields.insert(blankField(stepId, 'Notes', 'STRING', 2));
}
