import type { SessionRow } from '../../data/model.js';
import type { ApiContext } from '../context.js';
import { existing, type Mutation, withInput } from './common.js';

interface SessionEventInput {
  runStepId: string;
  userId?: string | null;
}

function openSession(runStepId: number, userId: number, { store }: ApiContext) {
  return store.sessions
    .of(runStepId)
    .find((session) => session.checkOut === null && session.createdById === userId);
}

/** A session's id stands for both of its events. */
function event(session: SessionRow, eventType: SessionRow['eventType']) {
  return { ...session, eventType, Created: session._updated };
}

export const sessionMutations: Record<string, Mutation> = {
  checkIn: withInput<SessionEventInput>((input, context) => {
    const { store } = context;
    const step = existing(store.runSteps, input.runStepId);
    const user = input.userId ? existing(store.users, input.userId) : context.user;
    if (step.status !== 'IN_PROGRESS') {
      throw new Error(`Nobody can check in to run step ${step.id} while it is ${step.status}.`);
    }
    if (openSession(step.id, user.id, context)) {
      throw new Error(`User ${user.id} is already checked in to run step ${step.id}.`);
    }
    const session = store.sessions.insert(
      {
        runStepId: step.id,
        eventType: 'CHECK_IN',
        checkIn: store.clock.now(),
        checkOut: null,
      },
      user.id,
    );
    return { checkInEvent: event(session, 'CHECK_IN') };
  }),

  checkOut: withInput<SessionEventInput>((input, context) => {
    const { store } = context;
    const step = existing(store.runSteps, input.runStepId);
    const user = input.userId ? existing(store.users, input.userId) : context.user;
    const open = openSession(step.id, user.id, context);
    if (!open) throw new Error(`User ${user.id} is not checked in to run step ${step.id}.`);
    const session = store.sessions.update(open.id, {
      checkOut: store.clock.now(),
      eventType: 'CHECK_OUT',
    });
    return { checkOutEvent: event(session, 'CHECK_OUT') };
  }),
};
