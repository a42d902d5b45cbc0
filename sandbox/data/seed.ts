import { formatMicros } from './clock.js';
import type {
  FieldValue,
  Row,
  RunRow,
  RunStatus,
  RunStepRow,
  StepStatus,
  TemplateField,
  TemplateStep,
} from './model.js';
import { Random } from './random.js';
import { seedRecords } from './seed-records.js';
import type { RowSource, Store } from './store.js';
import { makeTemplate, PROCEDURES } from './templates.js';

const HOUR = 3_600_000_000; // microseconds
const DAY = 24 * HOUR;
const WEEKS = 21 * DAY;
const OPERATORS = 5;
const NONE: readonly number[] = [];

/** The user whose API key the sandbox prints, and so the author of all writes over the API. */
export const SERVICE_USER = OPERATORS + 1;

/** The plan of every twenty runs; all statuses are among them. */
const PATTERN: readonly RunStatus[] = [
  'COMPLETE',
  'TODO',
  'IN_PROGRESS',
  'COMPLETE',
  'FAILED',
  'COMPLETE',
  'IN_PROGRESS',
  'HOLD',
  'COMPLETE',
  'TODO',
  'COMPLETE',
  'REDLINE',
  'IN_PROGRESS',
  'COMPLETE',
  'CANCELED',
  'COMPLETE',
  'TODO',
  'PARTIAL_COMPLETE',
  'COMPLETE',
  'IN_PROGRESS',
];

/** Runs of one procedure, all still to do, which are a batch if all of them are seeded. */
const BATCHED: readonly number[] = [70, 130, 190];

/** Fills a store with plainly fictional data, the same on every start but for the dates. */
export function seed(store: Store, runs: number): void {
  const now = Date.now() * 1000;
  const random = new Random(20_240_607);
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
  seedRuns(store, random, runs, now);
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

function seedRuns(store: Store, random: Random, runs: number, now: number): void {
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
  const plan = new SeededWork(store, runs, firstStep, firstField, now);
  store.runSteps.source = plan.steps;
  store.runSteps.reserve((firstStep[runs] ?? 1) - 1);
  store.runStepFields.source = plan.fields;
  store.runStepFields.reserve((firstField[runs] ?? 1) - 1);
}

/** The steps and fields of the seeded runs, made when they are first asked for. */
class SeededWork {
  readonly steps: RowSource;
  readonly fields: RowSource;
  readonly #stepsMade: Uint8Array;
  readonly #fieldsMade: Uint8Array;
  /** The plans of the seed, whatever happens to the procedures later. */
  readonly #templates: readonly (readonly TemplateStep[])[];

  constructor(
    private readonly store: Store,
    private readonly runs: number,
    private readonly firstStep: Int32Array,
    private readonly firstField: Int32Array,
    private readonly now: number,
  ) {
    const stepCount = (firstStep[runs] ?? 1) - 1;
    this.#stepsMade = new Uint8Array(runs);
    this.#fieldsMade = new Uint8Array(runs);
    this.#templates = store.procedures.all().map(({ template = [] }) => template);
    let allSteps = false;
    let allFields = false;
    this.steps = {
      one: (id) => this.#makeSteps(indexOf(firstStep, id)),
      group: (runId) => this.#makeSteps(runId - 1),
      all: () => {
        if (allSteps) return;
        allSteps = true;
        for (let i = 0; i < runs; i++) this.#makeSteps(i);
      },
    };
    this.fields = {
      one: (id) => this.#makeFields(indexOf(firstField, id)),
      group: (stepId) => {
        if (stepId <= stepCount) this.#makeFields(indexOf(firstStep, stepId));
      },
      all: () => {
        if (allFields) return;
        allFields = true;
        for (let i = 0; i < runs; i++) this.#makeFields(i);
      },
    };
  }

  #run(index: number): { run: RunRow; template: readonly TemplateStep[] } | undefined {
    if (index < 0 || index >= this.runs) return undefined;
    const run = this.store.runs.get(index + 1);
    const template = this.#templates[index % 6];
    return run && template && { run, template };
  }

  #makeSteps(index: number): void {
    if (this.#stepsMade[index] !== 0) return;
    const found = this.#run(index);
    if (!found) return;
    this.#stepsMade[index] = 1;
    const { run, template } = found;
    const random = new Random(7919 * run.id + 1);
    const created = Date.parse(run._created) * 1000;
    const statuses = stepStatuses(
      PATTERN[index % PATTERN.length] ?? 'TODO',
      template.length,
      random,
    );
    const first = this.firstStep[index] ?? 1;
    const partInventoryIds = run.partInventoryId === null ? NONE : [run.partInventoryId];
    // A step takes some hours, and all of them lie in the past.
    const slot = Math.min(4 * HOUR, (this.now - created) / (template.length + 1));
    for (const [i, step] of template.entries()) {
      const status = statuses[i] ?? 'TODO';
      const started = status !== 'TODO' && status !== 'CANCELED' && status !== 'REDLINE';
      const ended = status === 'COMPLETE' || status === 'FAILED';
      const id = first + i;
      const startTime = started ? Math.round(created + slot * (i + random.next() * 0.4)) : null;
      const endTime = ended ? Math.round(created + slot * (i + 0.5 + random.next() * 0.4)) : null;
      const operator = random.int(1, OPERATORS);
      const end = endTime === null ? null : formatMicros(endTime);
      const start = startTime === null ? null : formatMicros(startTime);
      // One literal, and shared values: with 100,000 runs there are half a million of these.
      this.store.runSteps.put({
        id,
        _created: run._created,
        _updated: end ?? start ?? run._created,
        _etag: random.etag(),
        createdById: run.createdById,
        updatedById: started ? operator : run.createdById,
        runId: run.id,
        title: step.title,
        status,
        type: 'CONTENT',
        position: i,
        content: step.content,
        slateContent: null,
        leadTime: step.leadTime,
        scheduledStart: null,
        scheduledEnd: null,
        startTime: start,
        endTime: end,
        startedById: started ? operator : null,
        completedById: status === 'COMPLETE' ? operator : null,
        assignedToId: null,
        assignedTeamId: null,
        locationId: step.locationId,
        parentId: null,
        originStepId: step.id,
        isStandardStep: false,
        upstreamStepIds: i === 0 ? NONE : [id - 1],
        partInventoryIds,
      });
    }
  }

  #makeFields(index: number): void {
    if (this.#fieldsMade[index] !== 0) return;
    const found = this.#run(index);
    if (!found) return;
    this.#fieldsMade[index] = 1;
    const { run, template } = found;
    const random = new Random(104_729 * run.id + 3);
    let id = this.firstField[index] ?? 1;
    let stepId = this.firstStep[index] ?? 1;
    for (const plan of template) {
      const step = this.store.runSteps.get(stepId);
      // ION's copies of one step start with the same etag.
      const etag = random.etag();
      for (const [position, field] of plan.fields.entries()) {
        const value = step ? seededValue(field, step, random) : null;
        this.store.runStepFields.put({
          id: id++,
          _created: run._created,
          _updated: value === null ? run._created : (step?._updated ?? run._created),
          _etag: value === null ? etag : random.etag(),
          createdById: run.createdById,
          updatedById: step?.updatedById ?? run.createdById,
          runStepId: stepId,
          name: field.name,
          type: field.type,
          value,
          unit: field.unit ?? null,
          required: field.required,
          options: field.options ?? null,
          display: null,
          helpText: null,
          position,
          notApplicable: false,
          allowNotApplicable: !field.required,
          allowedIonType: field.allowedIonType ?? null,
          peerReviewRequired: false,
          signoffRoleId: field.type === 'SIGNOFF' ? 1 : null,
          originFieldId: field.id,
          partId: null,
          partSubtypeId: null,
          partInventoryId: null,
          fileAttachmentId: null,
          assignedToId: null,
          assignedTeamId: null,
        });
      }
      stepId++;
    }
  }
}

/** The index of the run that an id belongs to, given the first id of each run. */
function indexOf(firsts: Int32Array, id: number): number {
  let low = 0;
  let high = firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((firsts[middle] ?? 0) <= id) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Statuses of the steps that roll up to the wanted status of the run. */
function stepStatuses(wanted: RunStatus, count: number, random: Random): StepStatus[] {
  if (wanted === 'PARTIAL_COMPLETE') {
    return Array.from({ length: count }, (_, i) => (i === count - 1 ? 'CANCELED' : 'COMPLETE'));
  }
  if (wanted === 'TODO' || wanted === 'COMPLETE' || wanted === 'CANCELED') {
    return Array.from({ length: count }, () => wanted);
  }
  const active = random.int(0, count - 1);
  return Array.from({ length: count }, (_, i) =>
    i < active ? 'COMPLETE' : i === active ? wanted : 'TODO',
  );
}

function seededValue(field: TemplateField, step: RunStepRow, random: Random): FieldValue {
  const done = step.status === 'COMPLETE' || step.status === 'FAILED';
  return done ? plausibleValue(field, step.endTime, random) : null;
}

/** A value as a machine or an operator would enter it. */
export function plausibleValue(
  field: Pick<TemplateField, 'type' | 'options' | 'range'>,
  time: string | null,
  random: Random,
): FieldValue {
  switch (field.type) {
    case 'NUMBER': {
      const [min, max] = field.range ?? [0, 100];
      return Math.round((min + random.next() * (max - min)) * 100) / 100;
    }
    case 'BOOLEAN':
      return random.next() < 0.95;
    case 'SELECT':
      return field.options ? random.pick(field.options) : null;
    case 'MULTISELECT':
      return (field.options ?? []).filter(() => random.next() < 0.15);
    case 'DATETIME':
      return time;
    case 'STRING':
      return `EX-${random.int(100, 999)}`;
    case 'ION':
      return String(random.int(1, OPERATORS));
    default:
      return null;
  }
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
