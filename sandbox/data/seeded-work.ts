import { formatMicros } from './clock.js';
import type {
  FieldValue,
  RunRow,
  RunStatus,
  RunStepRow,
  StepStatus,
  TemplateField,
  TemplateStep,
} from './model.js';
import { Random } from './random.js';
import type { RowSource, Store } from './store.js';

const HOUR = 3_600_000_000; // microseconds
/** Number of the users who work in the plant; their IDs come first. */
export const OPERATORS = 5;
const NONE: readonly number[] = [];

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

export interface SeedOptions {
  runs: number;
  /** The number of one of many random choices. */
  choice: number;
  /** In microseconds. */
  now: number;
}

/** The steps and fields of the seeded runs, made when they are first asked for. */
export class SeededWork {
  readonly steps: RowSource;
  readonly fields: RowSource;
  readonly #stepsMade: Uint8Array;
  readonly #fieldsMade: Uint8Array;
  /** The plans of the seed, whatever happens to the procedures later. */
  readonly #templates: readonly (readonly TemplateStep[])[];

  constructor(
    private readonly store: Store,
    private readonly options: SeedOptions,
    private readonly firstStep: Int32Array,
    private readonly firstField: Int32Array,
  ) {
    const { runs } = options;
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
    if (index < 0 || index >= this.options.runs) return undefined;
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
    const random = new Random(7919 * run.id + 1 + this.options.choice);
    const created = Date.parse(run._created) * 1000;
    const statuses = stepStatuses(
      PATTERN[index % PATTERN.length] ?? 'TODO',
      template.length,
      random,
    );
    const first = this.firstStep[index] ?? 1;
    const partInventoryIds = run.partInventoryId === null ? NONE : [run.partInventoryId];
    // A step takes some hours, and all of them lie in the past.
    const slot = Math.min(4 * HOUR, (this.options.now - created) / (template.length + 1));
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
    const random = new Random(104_729 * run.id + 3 + this.options.choice);
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
