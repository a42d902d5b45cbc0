import { type IonError, toIonError } from '../../client/errors.js';
import type { ConfigUser, NodeWork } from '../node-work.js';

/** A node with its work, or with the reason why it cannot work. */
export interface DescribedUser {
  user: ConfigUser;
  work?: NodeWork;
  error?: IonError;
}

/** Nodes that are checked; more would not fit into a dialog. */
const MAX_USERS = 1000;

export function describeUsers(users: Iterable<ConfigUser>): DescribedUser[] {
  return [...users].slice(0, MAX_USERS).map((user) => {
    try {
      return { user, work: user.work() };
    } catch (thrown) {
      return { user, error: toIonError(thrown, 'ION_CONFIG') };
    }
  });
}
