import { siblingFields, siblingRuns, siblingSteps } from './batches.js';
import type {
  IssueRow,
  PartInventoryRow,
  PartRow,
  Row,
  RowTypes,
  RunRow,
  RunStatus,
  RunStepRow,
} from './model.js';
import { settingsOf } from './organization-settings.js';
import { procedureFields } from './procedure-fields.js';
import { recordFields } from './record-fields.js';
import type { Getter, Store } from './store.js';

interface ValidationRow extends Row {
  runStepFieldId: number;
  result: string | null;
}

/** The status of a run, computed from the statuses of its steps, in the order of reports on ION's database. */
export function rollUp(statuses: readonly RunStepRow['status'][]): RunStatus {
  const any = (status: RunStepRow['status']) => statuses.includes(status);
  const all = (status: RunStepRow['status']) => statuses.every((each) => each === status);
  if (any('REDLINE') || any('DAG_MODIFIABLE')) return 'REDLINE';
  if (any('HOLD')) return 'HOLD';
  if (any('FAILED')) return 'FAILED';
  if (all('TODO')) return 'TODO';
  if (all('COMPLETE')) return 'COMPLETE';
  if (all('CANCELED')) return 'CANCELED';
  if (any('IN_PROGRESS')) return 'IN_PROGRESS';
  if (any('COMPLETE')) return any('TODO') ? 'IN_PROGRESS' : 'PARTIAL_COMPLETE';
  return 'TODO';
}

/** Whether a validation of the field has failed; nobody knows ION's functions, so callers write the results. */
function failed({ id }: Row, store: Store): boolean {
  const all = store.table('RunStepFieldValidation').all() as readonly ValidationRow[];
  return all.some(({ runStepFieldId, result }) => runStepFieldId === id && result === 'FAIL');
}

/** Whether work on the step may begin now. */
export function availableToWork(step: RunStepRow, store: Store): boolean {
  return (
    step.status === 'TODO' && openUpstream(step, store).length === 0 && parentAllows(step, store)
  );
}

/** The upstream steps that are neither complete nor canceled. */
export function openUpstream(step: RunStepRow, store: Store): RunStepRow[] {
  return rows(step.upstreamStepIds, (id) => store.runSteps.get(id)).filter(
    (upstream) => upstream.status !== 'COMPLETE' && upstream.status !== 'CANCELED',
  );
}

function parentAllows(step: RunStepRow, store: Store): boolean {
  if (step.parentId === null) return true;
  return store.runSteps.get(step.parentId)?.status === 'IN_PROGRESS';
}

function rows<R>(ids: readonly number[], get: (id: number) => R | undefined): R[] {
  return ids.map(get).filter((row) => row !== undefined);
}

function steps(run: RunRow, store: Store): readonly RunStepRow[] {
  return store.runSteps.of(run.id);
}

function statusOf(run: RunRow, store: Store): RunStatus {
  return rollUp(steps(run, store).map((step) => step.status));
}

function first<T>(values: readonly (T | null)[], better: (a: T, b: T) => boolean): T | null {
  let best: T | null = null;
  for (const value of values) {
    if (value !== null && (best === null || better(value, best))) best = value;
  }
  return best;
}

function startTime(run: RunRow, store: Store): string | null {
  return first(
    steps(run, store).map((step) => step.startTime),
    (a, b) => a < b,
  );
}

function endTime(run: RunRow, store: Store): string | null {
  if (!['COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED'].includes(statusOf(run, store))) return null;
  return first(
    steps(run, store).map((step) => step.endTime),
    (a, b) => a > b,
  );
}

function byTime(store: Store, run: RunRow, column: 'startTime' | 'endTime'): RunStepRow[] {
  return steps(run, store)
    .filter((step) => step[column] !== null)
    .sort((a, b) => String(a[column]).localeCompare(String(b[column])));
}

/** Walks from a row over its parents, e.g. to the location that holds a location. */
function ancestors<R extends { parentId: number | null }>(
  row: R,
  get: (id: number) => R | undefined,
): R[] {
  const found: R[] = [];
  let parent = row.parentId === null ? undefined : get(row.parentId);
  while (parent && !found.includes(parent)) {
    found.push(parent);
    parent = parent.parentId === null ? undefined : get(parent.parentId);
  }
  return found;
}

/** Whether a value may be written into the field now. */
export function settable(field: RowTypes['RunStepField'], store: Store): boolean {
  return field.type !== 'SIGNOFF' && store.runSteps.get(field.runStepId)?.status === 'IN_PROGRESS';
}

/** The quantity of a unit that is installed in others; data of earlier versions has it as a column. */
function quantityInstalled(item: PartInventoryRow, store: Store): number {
  const installations = store.of('ABomInstallation', 'partInventoryId', item.id);
  return (installations as readonly (Row & { quantity?: number })[]).reduce(
    (sum, { quantity = 1 }) => sum + quantity,
    item.quantityInstalled,
  );
}

type Computed = { [T in keyof RowTypes]?: Record<string, Getter<RowTypes[T]>> };

/** The members of GraphQL types that neither a column nor a relation's column gives. */
const computed: Computed = {
  Run: {
    status: statusOf,
    percentComplete: (run, store) => {
      const all = steps(run, store).filter((step) => step.status !== 'CANCELED');
      const done = all.filter((step) => step.status === 'COMPLETE').length;
      return all.length === 0 ? 0 : Math.round((100 * done) / all.length);
    },
    isOpen: (run, store) =>
      !['COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED'].includes(statusOf(run, store)),
    startTime,
    endTime,
    calculatedLeadTime: (run, store) =>
      steps(run, store).reduce((sum, step) => sum + (step.leadTime ?? 0), 0),
    LastSessionId: (run, store) =>
      steps(run, store)
        .flatMap((step) => store.sessions.of(step.id))
        .at(-1)
        ?.id.toString() ?? null,
    originPartInventories: (run, store) =>
      rows([run.partInventoryId ?? 0], (id) => store.partInventories.get(id)),
    locations: (run, store) =>
      rows([...new Set(steps(run, store).map((step) => step.locationId ?? 0))], (id) =>
        store.locations.get(id),
      ),
    issues: (run, store) => steps(run, store).flatMap((step) => store.issues.of(step.id)),
    sessions: (run, store) => steps(run, store).flatMap((step) => store.sessions.of(step.id)),
    startedBy: (run, store) =>
      store.users.get(byTime(store, run, 'startTime')[0]?.startedById ?? 0) ?? null,
    completedBy: (run, store) =>
      store.users.get(byTime(store, run, 'endTime').at(-1)?.completedById ?? 0) ?? null,
    batched: (run, store) => siblingRuns(run, store).length > 0,
    batchSiblings: siblingRuns,
    // The two shortcuts of RunsInputFilters that are not members of Run.
    partNumber: (run, store) => store.parts.get(run.partId ?? 0)?.partNumber ?? null,
    locationId: (run, store) => steps(run, store).map((step) => step.locationId),
  },
  RunStep: {
    calculatedLeadTime: (step) => step.leadTime,
    settable: (step) => String(step.status === 'IN_PROGRESS'),
    editable: (step) => String(step.status === 'REDLINE'),
    availableToWork,
    downstreamStepIds: (step, store) =>
      store.runSteps
        .of(step.runId)
        .filter((other) => other.upstreamStepIds.includes(step.id))
        .map((other) => other.id),
    steps: (step, store) =>
      store.runSteps.of(step.runId).filter((child) => child.parentId === step.id),
    allParents: (step, store) => ancestors(step, (id) => store.runSteps.get(id)),
    allChildren: (step, store) =>
      store.runSteps
        .of(step.runId)
        .filter((other) => ancestors(other, (id) => store.runSteps.get(id)).includes(step)),
    blockingIssues: (step, store) =>
      mustCloseBy(step, store).filter(({ status }) => status !== 'RESOLVED'),
    mustCloseByLinkedIssues: mustCloseBy,
    batched: (step, store) => siblingSteps(step, store).length > 0,
    batchSiblings: siblingSteps,
  },
  RunStepField: {
    valid: (field, store) =>
      (!field.required || field.notApplicable || field.value !== null) && !failed(field, store),
    editable: (field, store) => store.runSteps.get(field.runStepId)?.status === 'REDLINE',
    settable,
    ionValue: (field, store) => {
      const id = Number(field.value ?? 0);
      if (field.type !== 'ION') return null;
      return (field.allowedIonType === 'USERS' ? store.users.get(id) : store.parts.get(id)) ?? null;
    },
    step: (field, store) => store.runSteps.get(field.runStepId) ?? null,
    batched: (field, store) => siblingFields(field, store).length > 0,
    batchSiblings: siblingFields,
  },
  Part: {
    revisions: (part, store) =>
      store.parts.all().filter(({ partNumber }) => partNumber === part.partNumber),
    isLatestRevision: (part, store) => latestRevision(part, store) === part,
    latestRevision: (part, store) => latestRevision(part, store)?.revision ?? null,
  },
  PartInventory: {
    quantityInstalled,
    quantityAvailable: (item, store) =>
      item.quantity - item.quantityScrapped - item.quantityKitted - quantityInstalled(item, store),
    kitted: (item) => item.status === 'KITTED',
    installed: (item) => item.status === 'INSTALLED',
    Cost: (item) => (item as { cost?: unknown }).cost ?? null,
    trackingType: (item, store) => store.parts.get(item.partId)?.trackingType ?? null,
    issues: (item, store) =>
      store.issues.all().filter((issue) => inventoryIds(issue, store).includes(item.id)),
  },
  Location: {
    allParents: (location, store) => ancestors(location, (id) => store.locations.get(id)),
    allChildren: (location, store) =>
      store.locations
        .all()
        .filter((other) => ancestors(other, (id) => store.locations.get(id)).includes(location)),
  },
  Issue: {
    approved: (issue) => issue.status === 'RESOLVED',
    partInventoryId: (issue, store) => inventoryIds(issue, store)[0] ?? null,
    partInventories: (issue, store) =>
      rows(inventoryIds(issue, store), (id) => store.partInventories.get(id)),
  },
  Organization: { settings: settingsOf },
  Session: {
    duration: (session) =>
      session.checkOut && (Date.parse(session.checkOut) - Date.parse(session.checkIn)) / 1000,
    isValidGrouping: (session) => session.checkOut !== null,
  },
  APIKeyObject: {
    // ION shows a secret once, in the answer to createApiKey.
    clientSecret: (key) => (key as { shownSecret?: string }).shownSecret ?? null,
  },
  WebhookReceiver: {
    subscriptions: (receiver, store) => store.webhookSubscriptions.of(receiver.id),
    headers: (receiver, store) => rows(receiver.headerIds, (id) => store.webhookHeaders.get(id)),
  },
  WebhookHeader: {
    webhookReceivers: (header, store) =>
      store.webhookReceivers.all().filter(({ headerIds }) => headerIds.includes(header.id)),
  },
  WebhookSubscription: {
    events: (subscription, store) => store.webhookEvents.of(subscription.id),
  },
};

function mustCloseBy(step: RunStepRow, store: Store) {
  return store.issues.all().filter((issue) => issue.mustCloseByRunStepId === step.id);
}

function latestRevision({ partNumber }: PartRow, store: Store): PartRow | undefined {
  return store.parts.all().findLast((part) => part.partNumber === partNumber);
}

/** The inventories of an issue: those that it was created with and those that were added. */
function inventoryIds(issue: IssueRow, store: Store): number[] {
  const added = store.of('IssuePartInventory', 'issueId', issue.id);
  const ids = added.map((row) => (row as unknown as { partInventoryId: number }).partInventoryId);
  return [...new Set([...issue.partInventoryIds, ...ids])];
}

const all = { ...computed, ...procedureFields, ...recordFields };

/** The computed fields of a type, by name. */
export function computedFieldsOf(type: string): Readonly<Record<string, Getter<unknown>>> {
  return (all as Record<string, Record<string, Getter<unknown>> | undefined>)[type] ?? {};
}
