import type { NodeAPI } from 'node-red';
import { toIonError } from '../../client/errors.js';
import type { RequestSlot } from '../../monitoring/recent-requests.js';
import { readOutbox } from '../admin/outbox.js';
import type { IonConfigNode, KeyOwner } from '../config-node.js';
import type { ConfigUser } from '../node-work.js';
import { type ConfigNumbers, clientOf } from './config-numbers.js';

/** More would not fit into a sidebar. */
const MAX_USERS = 200;

/** State that changes rarely, or that only users with permission for the config node may see. */
export interface ConfigDetails {
  name: string;
  environment: string;
  endpoint?: string;
  owner?: KeyOwner;
  /** Why the settings, or the outbox, cannot work. */
  problem?: { of: 'settings' | 'outbox'; message: string };
  /** Another process uses the outbox. */
  isHeld?: true;
  /** Mutations are not sent. */
  isDryRun?: true;
  queueLimit?: number;
  outbox?: unknown;
  users: Pick<ConfigUser, 'id' | 'type' | 'name'>[];
  userCount: number;
  /** The last 15 minutes, the oldest part first. */
  slots: RequestSlot[];
}

export interface ConfigStatus extends ConfigNumbers {
  /** Differs after each change of the details. */
  version: number;
  details: ConfigDetails;
}

export async function configDetails(RED: NodeAPI, node: IonConfigNode): Promise<ConfigDetails> {
  const { id, name = '', values, users, owner, outbox, requests, isDryRun } = node;
  const client = clientOf(node);
  const problem = problemOf(node);
  return {
    name,
    environment: values.environment ?? '',
    ...(client && { endpoint: client.endpoint, queueLimit: client.queueLimit }),
    ...(owner && { owner }),
    ...(problem && { problem }),
    ...(outbox.isHeld && { isHeld: true }),
    ...(isDryRun && { isDryRun: true }),
    // It may close at any time, such as by a deploy.
    ...(outbox.opened && { outbox: await readOutbox(RED, id).catch(() => undefined) }),
    users: shownUsers(users),
    userCount: users.size,
    slots: requests.slots(),
  };
}

/** A text that differs after each change of the details, except for the requests. */
export function versionOf(node: IonConfigNode): string {
  const { users, owner, outbox } = node;
  const { opened } = outbox;
  const parts: unknown[] = [owner, problemOf(node), outbox.isHeld, users.size, shownUsers(users)];
  if (opened) {
    const { unreachableSince, nextTryAt, reason, failing } = opened.state;
    const tries = failing.map(({ stored, tries, nextTryAt }) => [
      stored.sequence,
      tries,
      nextTryAt,
    ]);
    parts.push(opened.rejectionsVersion, unreachableSince, nextTryAt, reason?.message, tries);
  }
  return JSON.stringify(parts);
}

function shownUsers(users: IonConfigNode['users']): ConfigDetails['users'] {
  return [...users].slice(0, MAX_USERS).map(({ id, type, name }) => ({ id, type, name }));
}

function problemOf(node: IonConfigNode): ConfigDetails['problem'] {
  try {
    void node.client;
  } catch (thrown) {
    return { of: 'settings', message: toIonError(thrown).message };
  }
  const { problem } = node.outbox;
  return problem && { of: 'outbox', message: problem.message };
}
