// Side effects of a step's new status.
import type { PartInventoryRow, Row, RunStepRow, StepStatus } from '../../data/model.js';
import { isOn } from '../../data/organization-settings.js';
import type { Store } from '../../data/store.js';
import type { WriteContext } from '../context.js';
import { insertIssue } from './issues.js';

/** @param before the status that the step had */
export function applyEffects(step: RunStepRow, before: StepStatus, context: WriteContext): void {
  if (step.status === before) return;
  if (before === 'IN_PROGRESS') checkOutAll(step.id, context.store);
  if (step.status === 'IN_PROGRESS') {
    checkIn(step.id, context.user.id, context.store);
    moveUnit(step, context);
  }
  if (step.status === 'FAILED' && isOn(context.store, 'issues', 'createIssueOnStepFailure')) {
    const { id: runStepId, title, partInventoryIds } = step;
    insertIssue({ title: `${title} failed`, runStepId, partInventoryIds }, context);
  }
}

/** The session of a user who is checked in to a step. */
export function openSession(runStepId: number, userId: number, store: Store) {
  return store.sessions
    .of(runStepId)
    .find((session) => session.checkOut === null && session.createdById === userId);
}

/** Checks a user in to a step, unless that has been done. */
export function checkIn(runStepId: number, userId: number, store: Store) {
  return (
    openSession(runStepId, userId, store) ??
    store.sessions.insert(
      { runStepId, eventType: 'CHECK_IN', checkIn: store.clock.now(), checkOut: null },
      userId,
    )
  );
}

/** Leaving IN_PROGRESS checks out everyone who was checked in. */
function checkOutAll(runStepId: number, store: Store): void {
  for (const { id, checkOut } of store.sessions.of(runStepId)) {
    if (checkOut === null) endSession(id, store);
  }
}

export function endSession(id: number, store: Store) {
  return store.sessions.update(id, { checkOut: store.clock.now(), eventType: 'CHECK_OUT' });
}

/** The run's unit, and what is installed in it, go to the location of the step. */
function moveUnit({ runId, locationId }: RunStepRow, { store, user }: WriteContext): void {
  if (locationId === null || !isOn(store, 'partsInventory', 'moveInventoryToStepLocation')) return;
  const unit = store.partInventories.get(store.runs.get(runId)?.partInventoryId ?? 0);
  for (const item of unit ? withInstalled(unit, store) : []) {
    if (item.locationId === locationId) continue;
    store.partInventories.update(item.id, { locationId }, user.id);
  }
}

/** A unit and all units in it, at any depth. */
function withInstalled(unit: PartInventoryRow, store: Store): Set<PartInventoryRow> {
  const found = new Set([unit]);
  // A loop over a set also visits what the loop adds.
  for (const { id } of found) {
    for (const requirement of store.of('BuildRequirement', 'partInventoryId', id)) {
      for (const row of store.of('ABomInstallation', 'buildRequirementId', requirement.id)) {
        const { partInventoryId } = row as Row & { partInventoryId?: number | null };
        const item = store.partInventories.get(partInventoryId ?? 0);
        if (item) found.add(item);
      }
    }
  }
  return found;
}
