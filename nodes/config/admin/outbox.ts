import type { NodeAPI } from 'node-red';
import { IonError, toIonError } from '../../client/errors.js';
import { isOutage } from '../../outbox/listeners.js';
import type { Outbox } from '../../outbox/outbox.js';
import type { Stored } from '../../outbox/store/entries.js';
import { loadLevel } from '../../outbox/store/load-level.js';
import { requireDeployedConfig } from './deployed-config.js';

/** Retry and discard can also apply to all writes at once. */
const MAX_WRITES_SHOWN = 100;

/** The state of the outbox, under the names that docs/scaling.md gives for monitoring. */
export async function readOutbox(RED: NodeAPI, id: string): Promise<unknown> {
  const outbox = await requireDeployedConfig(RED, id).outbox.openIfPresent();
  if (!outbox) {
    return { waiting: 0, givenUp: 0, failing: [], refused: [], problem: await outboxProblem() };
  }
  const { state } = outbox;
  const { pending, rejected, unreachableSince, nextTryAt, reason, failing } = state;
  const shown = await outbox.rejected(MAX_WRITES_SHOWN);
  return {
    waiting: pending,
    givenUp: rejected,
    unreachableSince,
    nextTryAt,
    reason: reason?.message,
    ...(reason && { isOutage: isOutage(state) }),
    failing: failing
      .slice(0, MAX_WRITES_SHOWN)
      .map(({ stored, error, tries, since, nextTryAt }) => {
        const { code, message } = error;
        return { ...shownEntry(outbox, stored), error: { code, message }, tries, since, nextTryAt };
      }),
    refused: shown.map((stored) => {
      const { error, givenUpAt, retries } = stored.entry;
      return { ...shownEntry(outbox, stored), givenUpAt, error, retries };
    }),
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

function shownEntry(outbox: Outbox, stored: Stored): object {
  const { sequence, entry } = stored;
  return { sequence, ...outbox.summaryOf(stored), acceptedAt: entry.acceptedAt };
}
