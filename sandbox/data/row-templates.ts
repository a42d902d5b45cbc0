import type { RunStepFieldRow, RunStepRow, TemplateField, TemplateStep } from './model.js';
import type { NewRow } from './store.js';

/** A run step as it is copied from its procedure: nothing done yet. */
export function stepFromTemplate(
  template: TemplateStep,
  runId: number,
  position: number,
  upstreamStepIds: readonly number[],
): NewRow<RunStepRow> {
  return {
    ...blankStep(runId, template.title, position),
    status: 'TODO',
    content: template.content ?? null,
    leadTime: template.leadTime ?? null,
    locationId: template.locationId ?? null,
    originStepId: template.id,
    upstreamStepIds,
  };
}

/** A run step with nothing but a title, as createRunStep makes it. */
export function blankStep(runId: number, title: string, position: number): NewRow<RunStepRow> {
  return {
    runId,
    title,
    status: 'REDLINE',
    type: 'CONTENT',
    position,
    content: null,
    slateContent: null,
    leadTime: null,
    scheduledStart: null,
    scheduledEnd: null,
    startTime: null,
    endTime: null,
    startedById: null,
    completedById: null,
    assignedToId: null,
    assignedTeamId: null,
    locationId: null,
    parentId: null,
    originStepId: null,
    isStandardStep: false,
    upstreamStepIds: [],
    partInventoryIds: [],
  };
}

/** A field as it is copied from its procedure: empty. */
export function fieldFromTemplate(
  template: TemplateField,
  runStepId: number,
  position: number,
): NewRow<RunStepFieldRow> {
  return {
    ...blankField(runStepId, template.name, template.type, position),
    unit: template.unit ?? null,
    required: template.required,
    options: template.options ?? null,
    allowNotApplicable: !template.required,
    allowedIonType: template.allowedIonType ?? null,
    signoffRoleId: template.type === 'SIGNOFF' ? 1 : null,
    originFieldId: template.id,
  };
}

/** A field with nothing but its name and type. */
export function blankField(
  runStepId: number,
  name: string,
  type: RunStepFieldRow['type'],
  position: number,
): NewRow<RunStepFieldRow> {
  return {
    runStepId,
    name,
    type,
    value: null,
    unit: null,
    required: false,
    options: null,
    display: null,
    helpText: null,
    position,
    notApplicable: false,
    allowNotApplicable: false,
    allowedIonType: null,
    peerReviewRequired: false,
    signoffRoleId: null,
    originFieldId: null,
    partId: null,
    partSubtypeId: null,
    partInventoryId: null,
    fileAttachmentId: null,
    assignedToId: null,
    assignedTeamId: null,
  };
}
