import type { WriteTemplate } from './write-template.js';

/** The order of the writes to one run step. */
export const BY_STEP = { value: '"run step " & variables.runStepId', type: 'jsonata' };

/** RunStep.sessions is older than a list of all sessions, and so surer to exist. */
const OWN_SESSIONS = `query OwnSessions($runStepId: ID!) {
  me {
    id
  }
  runStep(id: $runStepId) {
    sessions {
      runStepId
      createdById
      checkOut
    }
  }
}
`;

/** Check-in and check-out of the API key's own user, for the outbox. */
export const sessionTemplates = {
  checkIn: {
    query: `# Checks in the user of the API key: done
# already if that user has an open session
# on the step.
mutation CheckIn($runStepId: ID!) {
  checkIn(input: { runStepId: $runStepId }) {
    checkInEvent {
      runStepId
      createdById
    }
  }
}
`,
    variables: '{ "runStepId": 1 }',
    prepare: OWN_SESSIONS,
    prepareVariables: '',
    alreadyDone: `(
  $own := data.runStep.sessions[$string(createdById) = $string($$.data.me.id)];
  $open := $own[checkOut = null][0];
  { "checkIn": { "checkInEvent": $open.{ "runStepId": runStepId, "createdById": createdById } } }
)`,
    order: BY_STEP,
  },
  checkOut: {
    query: `# Checks out the user of the API key: done
# already if that user had sessions on the
# step and none is open.
mutation CheckOut($runStepId: ID!) {
  checkOut(input: { runStepId: $runStepId }) {
    checkOutEvent {
      runStepId
      createdById
    }
  }
}
`,
    variables: '{ "runStepId": 1 }',
    prepare: OWN_SESSIONS,
    prepareVariables: '',
    alreadyDone: `(
  $own := data.runStep.sessions[$string(createdById) = $string($$.data.me.id)];
  $last := $own[checkOut = null] ? null : $own[-1];
  { "checkOut": { "checkOutEvent": $last.{ "runStepId": runStepId, "createdById": createdById } } }
)`,
    order: BY_STEP,
  },
} satisfies Record<string, WriteTemplate>;
