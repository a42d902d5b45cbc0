import { creationTemplates } from './creation-templates.js';
import { sessionTemplates } from './session-templates.js';
import { updateTemplates } from './update-templates.js';
import type { WriteTemplate } from './write-template.js';

export type { WriteTemplate } from './write-template.js';

/** Writes by the outbox to start from, each with its whole set, by the name of the mutation. */
export const writeTemplates = {
  createIssue: creationTemplates.createIssue,
  createComment: creationTemplates.createComment,
  updateRunStepAttribute: updateTemplates.updateRunStepAttribute,
  updateRunAttribute: updateTemplates.updateRunAttribute,
  updatePartInventory: updateTemplates.updatePartInventory,
  createPartInventory: creationTemplates.createPartInventory,
  createRun: creationTemplates.createRun,
  createAbomInstallation: creationTemplates.createAbomInstallation,
  setDatagridValue: updateTemplates.setDatagridValue,
  checkIn: sessionTemplates.checkIn,
  checkOut: sessionTemplates.checkOut,
  dispatchNotification: {
    query: `# At least once: ION does not tell which
# notifications were sent, so a user may get
# one twice.
mutation DispatchNotification($input: DispatchNotificationInput!) {
  dispatchNotification(input: $input) {
    response {
      messageId
    }
  }
}
`,
    variables: `{
  "input": {
    "userId": 1,
    "notificationType": "WARNING",
    "title": "Oven 3 is too hot",
    "description": "215 °C instead of 180 °C",
    "linkText": "Run step",
    "path": "/runs/1"
  }
}`,
    prepare: '',
    prepareVariables: '',
    alreadyDone: '',
  },
} satisfies Record<string, WriteTemplate>;
