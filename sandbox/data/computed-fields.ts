import { entityId, type RowTypes, type RunRow, type RunStatus, type RunStepRow } from './model.js';
import type { Store } from './store.js';

/** Reads one field of a row that is more than a column. */
type Getter<R> = (row: R, store: Store) => unknown;

/** The status of a run, computed from the statuses of its steps. */
export function rollUp(statuses: readonly RunStepRow['status'][]): RunStatus {
  const has = (status: RunStepRow['status']) => statuses.includes(status);
  if (has('IN_PROGRESS')) return 'IN_PROGRESS';
  if (has('FAILED')) return 'FAILED';
  if (has('REDLINE') || has('DAG_MODIFIABLE')) return 'REDLINE';
  if (has('HOLD')) return 'HOLD';
  if (has('TODO')) return has('COMPLETE') ? 'IN_PROGRESS' : 'TODO';
  if (has('COMPLETE')) return has('CANCELED') ? 'PARTIAL_COMPLETE' : 'COMPLETE';
  return has('CANCELED') ? 'CANCELED' : 'TODO';
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

const one =
  <R>(table: (store: Store) => { get(id: number): unknown }, column: keyof R): Getter<R> =>
  (row, store) => {
    const id = row[column];
    return typeof id === 'number' ? (table(store).get(id) ?? null) : null;
  };

const user = <R>(column: keyof R) => one<R>((store) => store.users, column);

function assignees<R extends { assignedToId: number | null }>(row: R, store: Store) {
  return rows([row.assignedToId ?? 0], (id) => store.users.get(id));
}

function attachments(entity: number, store: Store) {
  return store.fileAttachments.of(entity);
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

/** The members of each GraphQL type that are not columns: relations, counters, calculated values. */
const derived: { [T in keyof RowTypes]: Record<string, Getter<RowTypes[T]>> } = {
  Run: {
    entityId: (run) => entityId('Run', run.id),
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
    prettyStr: (run) => `${run.title} (${run.id})`,
    LastSessionId: (run, store) =>
      steps(run, store)
        .flatMap((step) => store.sessions.of(step.id))
        .at(-1)
        ?.id.toString() ?? null,
    batchSiblings: () => [],
    steps,
    part: one((store) => store.parts, 'partId'),
    partInventory: one((store) => store.partInventories, 'partInventoryId'),
    originPartInventories: (run, store) =>
      rows([run.partInventoryId ?? 0], (id) => store.partInventories.get(id)),
    procedure: one((store) => store.procedures, 'procedureId'),
    locations: (run, store) =>
      rows([...new Set(steps(run, store).map((step) => step.locationId ?? 0))], (id) =>
        store.locations.get(id),
      ),
    issues: (run, store) => steps(run, store).flatMap((step) => store.issues.of(step.id)),
    sessions: (run, store) => steps(run, store).flatMap((step) => store.sessions.of(step.id)),
    attributes: (run, store) => store.attributes.of(run.id).filter((a) => a.owner === 'Run'),
    fileAttachments: (run, store) => attachments(entityId('Run', run.id), store),
    assignees,
    assignedTo: user('assignedToId'),
    createdBy: user('createdById'),
    updatedBy: user('updatedById'),
    startedBy: (run, store) =>
      store.users.get(byTime(store, run, 'startTime')[0]?.startedById ?? 0) ?? null,
    completedBy: (run, store) =>
      store.users.get(byTime(store, run, 'endTime').at(-1)?.completedById ?? 0) ?? null,
    timeline: () => [],
    _StepsCount: (run, store) => steps(run, store).length,
    _IssuesCount: (run, store) =>
      steps(run, store).reduce((sum, step) => sum + store.issues.of(step.id).length, 0),
    _SessionsCount: (run, store) =>
      steps(run, store).reduce((sum, step) => sum + store.sessions.of(step.id).length, 0),
    // The two shortcuts of RunsInputFilters that are not members of Run.
    partNumber: (run, store) => store.parts.get(run.partId ?? 0)?.partNumber ?? null,
    locationId: (run, store) => steps(run, store).map((step) => step.locationId),
  },
  RunStep: {
    entityId: (step) => entityId('RunStep', step.id),
    calculatedLeadTime: (step) => step.leadTime,
    settable: (step) => String(step.status === 'IN_PROGRESS'),
    editable: (step) => String(step.status === 'REDLINE'),
    availableToWork,
    downstreamStepIds: (step, store) =>
      store.runSteps
        .of(step.runId)
        .filter((other) => other.upstreamStepIds.includes(step.id))
        .map((other) => other.id),
    batchSiblings: () => [],
    run: one((store) => store.runs, 'runId'),
    fields: (step, store) => store.runStepFields.of(step.id),
    steps: (step, store) =>
      store.runSteps.of(step.runId).filter((child) => child.parentId === step.id),
    parent: one((store) => store.runSteps, 'parentId'),
    allParents: (step, store) => ancestors(step, (id) => store.runSteps.get(id)),
    allChildren: (step, store) =>
      store.runSteps
        .of(step.runId)
        .filter((other) => ancestors(other, (id) => store.runSteps.get(id)).includes(step)),
    location: one((store) => store.locations, 'locationId'),
    startedBy: user('startedById'),
    completedBy: user('completedById'),
    assignees,
    sessions: (step, store) => store.sessions.of(step.id),
    issues: (step, store) => store.issues.of(step.id),
    blockingIssues: (step, store) =>
      store.issues
        .all()
        .filter((issue) => issue.mustCloseByRunStepId === step.id && issue.status !== 'RESOLVED'),
    partInventories: (step, store) =>
      rows(step.partInventoryIds, (id) => store.partInventories.get(id)),
    attributes: (step, store) => store.attributes.of(step.id).filter((a) => a.owner === 'RunStep'),
    fileAttachments: (step, store) => attachments(entityId('RunStep', step.id), store),
    assets: () => [],
    timeline: () => [],
    _FieldsCount: (step, store) => store.runStepFields.of(step.id).length,
    _SessionsCount: (step, store) => store.sessions.of(step.id).length,
  },
  RunStepField: {
    entityId: (field) => entityId('RunStepField', field.id),
    valid: (field) => !field.required || field.notApplicable || field.value !== null,
    editable: (field, store) => store.runSteps.get(field.runStepId)?.status === 'REDLINE',
    settable,
    ionValue: (field, store) => {
      const id = Number(field.value ?? 0);
      if (field.type !== 'ION') return null;
      return (field.allowedIonType === 'USERS' ? store.users.get(id) : store.parts.get(id)) ?? null;
    },
    batchSiblings: () => [],
    assignees,
    step: one((store) => store.runSteps, 'runStepId'),
    validations: () => [],
    part: one((store) => store.parts, 'partId'),
    partInventory: one((store) => store.partInventories, 'partInventoryId'),
    fileAttachment: one((store) => store.fileAttachments, 'fileAttachmentId'),
    timeline: () => [],
  },
  Procedure: {},
  Part: {
    entityId: (part) => entityId('Part', part.id),
    runs: (part, store) => store.runs.all().filter((run) => run.partId === part.id),
  },
  PartInventory: {
    entityId: (item) => entityId('PartInventory', item.id),
    quantityAvailable: (item) =>
      item.quantity - item.quantityScrapped - item.quantityKitted - item.quantityInstalled,
    kitted: (item) => item.status === 'KITTED',
    installed: (item) => item.status === 'INSTALLED',
    trackingType: (item, store) => store.parts.get(item.partId)?.trackingType ?? null,
    part: one((store) => store.parts, 'partId'),
    location: one((store) => store.locations, 'locationId'),
    runs: (item, store) => store.runs.all().filter((run) => run.partInventoryId === item.id),
    originRuns: (item, store) => store.runs.all().filter((run) => run.partInventoryId === item.id),
    runSteps: (item, store) =>
      store.runSteps.all().filter((step) => step.partInventoryIds.includes(item.id)),
    issues: (item, store) =>
      store.issues.all().filter((issue) => issue.partInventoryIds.includes(item.id)),
    timeline: () => [],
  },
  Location: {
    entityId: (location) => entityId('Location', location.id),
    parent: one((store) => store.locations, 'parentId'),
    runSteps: (location, store) =>
      store.runSteps.all().filter((step) => step.locationId === location.id),
    allParents: (location, store) => ancestors(location, (id) => store.locations.get(id)),
    allChildren: (location, store) =>
      store.locations
        .all()
        .filter((other) => ancestors(other, (id) => store.locations.get(id)).includes(location)),
  },
  Issue: {
    entityId: (issue) => entityId('Issue', issue.id),
    approved: (issue) => issue.status === 'RESOLVED',
    partInventoryId: (issue) => issue.partInventoryIds[0] ?? null,
    partInventories: (issue, store) =>
      rows(issue.partInventoryIds, (id) => store.partInventories.get(id)),
    runStep: one((store) => store.runSteps, 'runStepId'),
  },
  User: {
    entityId: (row) => entityId('User', row.id),
    organization: one((store) => store.organizations, 'organizationId'),
  },
  Organization: {},
  RunAttribute: {
    Created: (attribute) => attribute._created,
    Updated: (attribute) => attribute._updated,
    Etag: (attribute) => attribute._etag,
    runId: (attribute) => attribute.ownerId,
    runStepId: (attribute) => attribute.ownerId,
  },
  Session: {
    Created: (session) => session._created,
    duration: (session) =>
      session.checkOut && (Date.parse(session.checkOut) - Date.parse(session.checkIn)) / 1000,
    isValidGrouping: (session) => session.checkOut !== null,
    runStep: one((store) => store.runSteps, 'runStepId'),
    createdBy: user('createdById'),
  },
  FileAttachment: {},
  Comment: {},
  APIKeyObject: {
    // ION shows a secret once, in the answer to createApiKey.
    clientSecret: () => null,
  },
  WebhookReceiver: {
    subscriptions: (receiver, store) => store.webhookSubscriptions.of(receiver.id),
    headers: (receiver, store) => rows(receiver.headerIds, (id) => store.webhookHeaders.get(id)),
  },
  WebhookHeader: {},
  WebhookSubscription: {
    receiver: one((store) => store.webhookReceivers, 'receiverId'),
    events: (subscription, store) => store.webhookEvents.of(subscription.id),
  },
  WebhookEvent: {
    subscription: one((store) => store.webhookSubscriptions, 'subscriptionId'),
  },
};

/** The computed fields of a type, by name. */
export function computedFieldsOf(type: string): Readonly<Record<string, Getter<unknown>>> {
  return (derived as unknown as Record<string, Record<string, Getter<unknown>>>)[type] ?? {};
}

/** The getter of a field: a computed one or a column. */
export function getter(type: string, field: string): Getter<unknown> {
  const own = computedFieldsOf(type)[field];
  return own ?? ((row) => (row as Record<string, unknown>)[field]);
}
