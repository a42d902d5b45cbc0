import { toIonError } from '../../client/errors.js';
import type { Outbox } from '../../outbox/outbox.js';
import { requireNumber } from '../../shared/property-checks.js';
import { type ConfigValues, outboxLimits } from '../client-settings.js';
import type { IonConfigNode } from '../config-node.js';
import { runningConfigs } from '../running-configs.js';
import { type ConfigLabels, labelsOf } from './config-labels.js';
import { ageOfOldest } from './read-metrics.js';

/** The kind of a problem, by which a monitoring system can decide. */
type HealthCode =
  /** The settings of the config node cannot work. */
  | 'settings'
  /** The outbox cannot be opened or read. */
  | 'outbox'
  /** The oldest write has been waiting for too long. */
  | 'age'
  /** ION could not be used for too long. */
  | 'unreachable'
  /** Too many rejected writes wait for a decision. */
  | 'rejected';

interface HealthReason extends ConfigLabels {
  code: HealthCode;
  /** Holds no secret. */
  message: string;
}

export interface Health {
  healthy: boolean;
  /** Empty if it is healthy. */
  reasons: HealthReason[];
}

interface Limits {
  /** `Infinity` if no age is too high. */
  ageMs: number;
  rejected: number;
}

type Problem = Pick<HealthReason, 'code' | 'message'>;

/** The health of all running config nodes. It opens no outbox and sends no request. */
export async function readHealth(): Promise<Health> {
  const reasons = await Promise.all(runningConfigs().map(reasonsOf));
  return { healthy: reasons.every(({ length }) => length === 0), reasons: reasons.flat() };
}

async function reasonsOf(node: IonConfigNode): Promise<HealthReason[]> {
  const { limits, problems } = readSettings(node);
  problems.push(...(await outboxProblems(node, limits)), ...outageProblems(node, limits));
  return problems.map((problem) => ({ ...labelsOf(node), ...problem }));
}

function readSettings(node: IonConfigNode): { limits: Limits; problems: Problem[] } {
  const problems: Problem[] = [];
  let limits: Limits = { ageMs: Number.POSITIVE_INFINITY, rejected: Number.POSITIVE_INFINITY };
  try {
    limits = limitsOf(node.values);
    outboxLimits(node.values);
    // Throws if the settings of the client cannot work.
    void node.client;
  } catch (thrown) {
    // A config node that no node uses may be incomplete.
    if (node.users.size > 0) problems.push({ code: 'settings', message: messageOf(thrown) });
  }
  return { limits, problems };
}

/** @throws IonError `ION_CONFIG` */
function limitsOf({ healthAge, healthRejected }: ConfigValues): Limits {
  const minutes = requireNumber('ion-config', 'healthAge', healthAge);
  const rejected = requireNumber('ion-config', 'healthRejected', healthRejected);
  return { ageMs: orNever(minutes * 60_000), rejected: orNever(rejected) };
}

function orNever(limit: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}

async function outboxProblems({ outbox }: IonConfigNode, limits: Limits): Promise<Problem[]> {
  const { opened, problem } = outbox;
  if (problem) return [{ code: 'outbox', message: problem.message }];
  if (!opened) return [];
  try {
    return await stuckWrites(opened, limits);
  } catch (thrown) {
    return [{ code: 'outbox', message: messageOf(thrown) }];
  }
}

async function stuckWrites(outbox: Outbox, { ageMs, rejected }: Limits): Promise<Problem[]> {
  const problems: Problem[] = [];
  const { pending, rejected: count } = outbox.state;
  const age = Number.isFinite(ageMs) ? await ageOfOldest(outbox) : 0;
  if (age * 1000 > ageMs) {
    const minutes = Math.floor(age / 60);
    const message = `The oldest of ${pending} pending writes has been waiting for ${minutes} min.`;
    problems.push({ code: 'age', message });
  }
  if (count >= rejected) {
    const message = `${count} rejected writes wait for a decision. Retry or discard them in the ION sidebar, or in the dialog of the config node.`;
    problems.push({ code: 'rejected', message });
  }
  return problems;
}

/** The outbox keeps trying; without it, only the requests of the flows show an outage. */
function outageProblems({ outbox, metrics }: IonConfigNode, { ageMs }: Limits): Problem[] {
  const now = Date.now();
  const { unreachableSince, reason } = outbox.opened?.state ?? {};
  const { outage } = metrics.reachability;
  const isRecent = outage !== undefined && outage.lastAgeMs <= ageMs;
  const age = unreachableSince === undefined ? isRecent && outage.ageMs : now - unreachableSince;
  if (age === false || age <= ageMs) return [];
  const why = reason?.message ?? `The last request failed with ${outage?.code}.`;
  const message = `ION has been unreachable since ${new Date(now - age).toISOString()}. ${why}`;
  return [{ code: 'unreachable', message }];
}

function messageOf(thrown: unknown): string {
  return toIonError(thrown).message;
}
