import { siblingSteps } from '../../data/batches.js';
import type { SessionRow } from '../../data/model.js';
import { existing, type Mutation, withInput } from './common.js';
import { checkIn, endSession, openSession } from './step-effects.js';

interface SessionEventInput {
  runStepId: string;
  userId?: string | null;
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
    if (openSession(step.id, user.id, store)) {
      throw new Error(`User ${user.id} is already checked in to run step ${step.id}.`);
    }
    const session = checkIn(step.id, user.id, store);
    for (const { id, status } of siblingSteps(step, store)) {
      if (status === 'IN_PROGRESS') checkIn(id, user.id, store);
    }
    return { checkInEvent: event(session, 'CHECK_IN') };
  }),

  checkOut: withInput<SessionEventInput>((input, context) => {
    const { store } = context;
    const step = existing(store.runSteps, input.runStepId);
    const user = input.userId ? existing(store.users, input.userId) : context.user;
    const open = openSession(step.id, user.id, store);
    if (!open) throw new Error(`User ${user.id} is not checked in to run step ${step.id}.`);
    const session = endSession(open.id, store);
    for (const { id } of siblingSteps(step, store)) {
      const sibling = openSession(id, user.id, store);
      if (sibling) endSession(sibling.id, store);
    }
    return { checkOutEvent: event(session, 'CHECK_OUT') };
  }),
};
