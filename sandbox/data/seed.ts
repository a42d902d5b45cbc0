import { formatMicros } from './clock.js';
import type { Row, TemplateStep } from './model.js';
import { Random } from './random.js';
import { seedRecords } from './seed-records.js';
import { OPERATORS, SeededWork, type SeedOptions } from './seeded-work.js';
import type { Store } from './store.js';
import { makeTemplate, PROCEDURES } from './templates.js';

const DAY = 86_400_000_000; // microseconds
const WEEKS = 21 * DAY;

/** The user whose API key the sandbox prints, and so the author of all writes over the API. */
export const SERVICE_USER = OPERATORS + 1;

/** An attribute for the keys of other systems. */
const KEPT_KEY = { attributes: [{ key: 'External key', type: 'STRING' }] };

/** Runs of one procedure, all still to do, which are a batch if all of them are seeded. */
const BATCHED: readonly number[] = [70, 130, 190];

/**
 * Fills a store with plainly fictional data, the same on every start but for the dates.
 * @param choice the number of one of many random choices
 */
export function seed(store: Store, runs: number, choice = 0): void {
  const now = Date.now() * 1000;
  const random = new Random(20_240_607 + choice);
  const stamp = (createdById = 1): Omit<Row, 'id'> => ({
    _created: formatMicros(now - WEEKS),
    _updated: formatMicros(now - WEEKS),
    _etag: random.etag(),
    createdById,
    updatedById: createdById,
  });
  seedPeople(store, stamp);
  const workCentres = seedLocations(store, stamp);
  seedParts(store, stamp);
  seedProcedures(store, stamp, workCentres);
  seedInventories(store, stamp, random, runs);
  seedRuns(store, random, { runs, choice, now });
  seedExtras(store, stamp, runs);
  seedRecords(store);
}

function seedPeople(store: Store, stamp: () => Omit<Row, 'id'>): void {
  store.organizations.put({
    id: 1,
    ...stamp(),
    name: 'Example Aerospace',
    domain: 'example.test',
    orgSchema: 'example_aerospace',
    settings: { issues: KEPT_KEY, partsInventory: KEPT_KEY, runs: KEPT_KEY },
  });
  const person = (id: number, name: string, email: string, ionBot: boolean) =>
    store.users.put({
      id,
      ...stamp(),
      name,
      email,
      deactivated: false,
      ionBot,
      isAdmin: false,
      organizationId: 1,
    });
  for (let i = 1; i <= OPERATORS; i++) {
    person(i, `Test Operator ${i}`, `operator${i}@example.test`, false);
  }
  person(SERVICE_USER, 'Sandbox Service Account', 'service@example.test', true);
}

function seedLocations(store: Store, stamp: () => Omit<Row, 'id'>): number[] {
  const plan = [
    ['Example Plant Warehouse', 'WAREHOUSE', null],
    ['Assembly 1', 'WORKCENTER', 1],
    ['Bonding 1', 'WORKCENTER', 1],
    ['Inspection 1', 'WORKCENTER', 1],
    ['Kitting', 'WORKCENTER', 1],
    ['Oven 1', 'WORKCENTER', 1],
    ['Test Stand 1', 'WORKCENTER', 1],
    ['Rack A', 'RACK', 1],
    ['Shelf A1', 'SHELF', 8],
  ] as const;
  for (const [i, [name, type, parentId]] of plan.entries()) {
    store.locations.put({
      id: i + 1,
      ...stamp(),
      name,
      description: null,
      type,
      available: true,
      archived: false,
      parentId,
      locationSubtypeId: null,
    });
  }
  return store.locations
    .all()
    .filter((location) => location.type === 'WORKCENTER')
    .map((location) => location.id);
}

function seedParts(store: Store, stamp: () => Omit<Row, 'id'>): void {
  const kinds = ['Bracket', 'Panel', 'Valve', 'Harness', 'Tank', 'Cover'];
  for (let i = 0; i < 12; i++) {
    store.parts.put({
      id: i + 1,
      ...stamp(),
      partNumber: `EX-${1001 + i}`,
      revision: i < 6 ? 'A' : 'B',
      description: `Example ${kinds[i % kinds.length]}`,
      trackingType: i % 4 === 3 ? 'LOT' : 'SERIAL',
      partType: 'PART',
    });
  }
}

function seedProcedures(
  store: Store,
  stamp: () => Omit<Row, 'id'>,
  workCentres: readonly number[],
): void {
  let stepId = 1;
  let fieldId = 1;
  for (const [i, { title, steps }] of PROCEDURES.entries()) {
    const template = makeTemplate(steps, stepId, fieldId, workCentres);
    stepId += template.length;
    fieldId += countFields(template);
    store.procedures.put({
      id: i + 1,
      ...stamp(),
      title,
      description: 'Fictional procedure of the sandbox.',
      familyId: i + 1,
      version: 1,
      status: 'RELEASED',
      type: 'BUILD',
      partId: i + 1,
      template,
    });
  }
}

function countFields(template: readonly TemplateStep[]): number {
  return template.reduce((sum, step) => sum + step.fields.length, 0);
}

function seedInventories(
  store: Store,
  stamp: () => Omit<Row, 'id'>,
  random: Random,
  runs: number,
): void {
  const count = Math.min(Math.max(runs, 12), 600);
  for (let i = 0; i < count; i++) {
    const part = store.parts.get((i % 6) + 1);
    if (!part) continue;
    const lot = part.trackingType === 'LOT';
    store.partInventories.put({
      id: i + 1,
      ...stamp(),
      partId: part.id,
      serialNumber: lot ? null : `SN-${String(i + 1).padStart(5, '0')}`,
      lotNumber: lot ? `LOT-${String(i + 1).padStart(4, '0')}` : null,
      quantity: lot ? random.int(5, 50) : 1,
      quantityScrapped: 0,
      quantityKitted: 0,
      quantityInstalled: 0,
      status: i % 5 === 0 ? 'AVAILABLE' : 'WIP',
      received: true,
      locationId: 9,
      supplierId: null,
      unitOfMeasureId: null,
    });
  }
}

function seedRuns(store: Store, random: Random, options: SeedOptions): void {
  const { runs, now } = options;
  const inventories = store.partInventories.all().length;
  const firstStep = new Int32Array(runs + 1);
  const firstField = new Int32Array(runs + 1);
  firstStep[0] = 1;
  firstField[0] = 1;
  const isBatchSeeded = BATCHED.every((id) => id <= runs);
  for (let i = 0; i < runs; i++) {
    // The inventories repeat the same six parts, so that a run's part is its procedure's.
    const procedure = store.procedures.get((i % 6) + 1);
    if (!procedure) continue;
    const created = Math.round(now - WEEKS + (WEEKS * (i + random.next() * 0.8)) / runs);
    const operator = random.int(1, OPERATORS);
    store.runs.put({
      id: i + 1,
      _created: formatMicros(created),
      _updated: formatMicros(created),
      _etag: random.etag(),
      createdById: operator,
      updatedById: operator,
      title: `${procedure.title} ${String(i + 1).padStart(4, '0')}`,
      description: null,
      archived: false,
      quantity: 1,
      dueDate: formatMicros(created + 14 * DAY),
      scheduledStart: null,
      scheduledEnd: null,
      procedureId: procedure.id,
      partId: procedure.partId,
      partInventoryId: (i % inventories) + 1,
      runBatchId: BATCHED.includes(i + 1) && isBatchSeeded ? 1 : null,
      assignedToId: i % 3 === 0 ? operator : null,
      assignedTeamId: null,
      jiraIssueKey: null,
      resultsLink: null,
      exportControlled: false,
    });
    const { template = [] } = procedure;
    firstStep[i + 1] = (firstStep[i] ?? 0) + template.length;
    firstField[i + 1] = (firstField[i] ?? 0) + countFields(template);
  }
  const plan = new SeededWork(store, options, firstStep, firstField);
  store.runSteps.source = plan.steps;
  store.runSteps.reserve((firstStep[runs] ?? 1) - 1);
  store.runStepFields.source = plan.fields;
  store.runStepFields.reserve((firstField[runs] ?? 1) - 1);
}

function seedExtras(
  store: Store,
  stamp: (createdById?: number) => Omit<Row, 'id'>,
  runs: number,
): void {
  for (let runId = 1; runId <= Math.min(runs, 60); runId++) {
    store.attributes.put({
      id: runId,
      ...stamp(),
      owner: 'Run',
      ownerId: runId,
      key: 'Priority',
      type: 'STRING',
      value: runId % 4 === 0 ? 'High' : 'Normal',
    });
  }
  let issueId = 1;
  let sessionId = 1;
  for (let runId = 1; runId <= Math.min(runs, 240); runId++) {
    const step = store.runSteps
      .of(runId)
      .find(({ status }) => ['FAILED', 'HOLD', 'IN_PROGRESS'].includes(status));
    if (!step) continue;
    if (step.status === 'IN_PROGRESS') {
      store.sessions.put({
        id: sessionId++,
        ...stamp(step.startedById ?? 1),
        runStepId: step.id,
        eventType: 'CHECK_IN',
        checkIn: step.startTime ?? step._created,
        checkOut: null,
      });
      continue;
    }
    store.issues.put({
      id: issueId,
      ...stamp(),
      title: `Example issue ${issueId}`,
      status: issueId % 3 === 0 ? 'IN_REVIEW' : 'PENDING',
      causeCondition: null,
      expectedCondition: null,
      disposition: null,
      issueDispositionTypeId: null,
      runStepId: step.id,
      mustCloseByRunStepId: null,
      purchaseOrderLineId: null,
      fixPartInventoryId: null,
      assignedToId: null,
      assignedTeamId: null,
      partInventoryIds: step.partInventoryIds,
    });
    issueId++;
  }
}
