import type { NodeAPI } from 'node-red';
import { IonError, quote, toIonError } from '../../client/errors.js';
import type { Entry, GivenUpEntry } from '../../outbox/entries.js';
import type { FailingWrite } from '../../outbox/failing-writes.js';
import { loadLevel } from '../../outbox/load-level.js';
import { requireDeployedConfig } from './deployed-config.js';

/** Retry and discard can also apply to all writes at once. */
const MAX_WRITES_SHOWN = 100;

/** The state of the outbox, under the names that docs/scaling.md gives for monitoring. */
export async function readOutbox(RED: NodeAPI, id: string): Promise<unknown> {
  const outbox = await requireDeployedConfig(RED, id).outbox.openIfPresent();
  if (!outbox) {
    return { waiting: 0, givenUp: 0, failing: [], refused: [], problem: await outboxProblem() };
  }
  const { waiting, givenUp, unreachableSince, reason, failing } = outbox.state;
  const refused = await outbox.refused(MAX_WRITES_SHOWN);
  return {
    waiting,
    givenUp,
    unreachableSince,
    reason: reason?.message,
    failing: failing.slice(0, MAX_WRITES_SHOWN).map(shownFailing),
    refused: refused.map(({ sequence, entry }) => ({ sequence, ...shown(entry) })),
  };
}

/** Retries, skips or discards writes of the outbox. @returns its state afterwards */
export async function changeOutbox(RED: NodeAPI, id: string, body: unknown): Promise<unknown> {
  const { decision, sequences } = (body ?? {}) as { decision?: unknown; sequences?: unknown };
  const isList = Array.isArray(sequences) && sequences.every(Number.isInteger);
  const isDecision = decision === 'retry' || decision === 'discard' || decision === 'skip';
  if (!isDecision || !(isList || (sequences === 'all' && decision !== 'skip'))) {
    throw new IonError(
      'ION_CONFIG',
      'The request must hold a decision ("retry", "discard" or "skip") and a list of sequences, or "all" for "retry" and "discard".',
    );
  }
  const outbox = await requireDeployedConfig(RED, id).outbox.openIfPresent();
  await outbox?.decide(decision, isList ? (sequences as number[]) : undefined);
  return readOutbox(RED, id);
}

/** The reason why this machine cannot have an outbox. */
async function outboxProblem(): Promise<string | undefined> {
  return loadLevel().then(
    () => undefined,
    (thrown) => toIonError(thrown).message,
  );
}

function shownFailing({ stored, error, tries, since, nextTryAt }: FailingWrite): object {
  const { sequence, entry } = stored;
  const { code, message } = error;
  return { sequence, ...shownEntry(entry), error: { code, message }, tries, since, nextTryAt };
}

function shown({ givenUpAt, error, ...entry }: GivenUpEntry): object {
  return { ...shownEntry(entry), givenUpAt, error };
}

function shownEntry({ write, acceptedAt }: Entry): object {
  const { action, target, filename } = write;
  // An earlier version kept names of any length.
  const short = (value: unknown) => (typeof value === 'string' ? quote(value) : value);
  return {
    action,
    target: Object.fromEntries(Object.entries(target).map(([name, to]) => [name, short(to)])),
    filename: short(filename),
    acceptedAt,
  };
}
