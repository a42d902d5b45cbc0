import type { NodeAPI } from 'node-red';
import { IonError, toIonError } from '../../client/errors.js';
import { writeJson } from '../../client/support/long-json.js';
import { isOutage } from '../../outbox/listeners.js';
import type { Outbox } from '../../outbox/outbox.js';
import type { Stored } from '../../outbox/store/entries.js';
import { OUTBOX } from '../../outbox/store/outbox-folder.js';
import { loadLevel } from '../../storage/load-level.js';
import { requireDeployedConfig } from './deployed-config.js';

/** Retry and discard can also apply to all writes at once. */
const MAX_WRITES_SHOWN = 100;
/** Limit for a value, or variables, that the dialog can edit, in bytes of JSON. */
const MAX_EDITED_BYTES = 1024 * 1024;

interface OutboxRequest {
  decision?: unknown;
  sequences?: unknown;
  /** For the retry of one write: its corrected value, or variables. */
  value?: unknown;
}

/** The state of the outbox, under the names that docs/scaling.md gives for monitoring. */
export async function readOutbox(RED: NodeAPI, id: string): Promise<unknown> {
  const config = requireDeployedConfig(RED, id);
  const dryRun = config.isDryRun || undefined;
  const outbox = await config.outbox.openIfPresent();
  if (!outbox) {
    const problem = await outboxProblem();
    return { waiting: 0, givenUp: 0, failing: [], refused: [], problem, dryRun };
  }
  const { state } = outbox;
  const { pending, rejected, unreachableSince, nextTryAt, reason, failing } = state;
  const shown = await outbox.rejected(MAX_WRITES_SHOWN);
  return {
    dryRun,
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
  const { decision, sequences, ...edit } = (body ?? {}) as OutboxRequest;
  const isList = Array.isArray(sequences) && sequences.every(Number.isInteger);
  const isDecision = decision === 'retry' || decision === 'discard' || decision === 'skip';
  if (!isDecision || !(isList || (sequences === 'all' && decision !== 'skip'))) {
    throw new IonError(
      'ION_CONFIG',
      'The request must hold a decision ("retry", "discard" or "skip") and a list of sequences, or "all" for "retry" and "discard".',
    );
  }
  const chosen = isList ? (sequences as number[]) : undefined;
  if ('value' in edit) {
    const [sequence, ...others] = chosen ?? [];
    if (decision !== 'retry' || sequence === undefined || others.length > 0) {
      throw new IonError('ION_CONFIG', 'A value belongs to the retry of one write.');
    }
    await (await requireOutbox(RED, id)).retryWith(checkSequence(sequence), edit.value);
    return readOutbox(RED, id);
  }
  const outbox = await requireDeployedConfig(RED, id).outbox.openIfPresent();
  await outbox?.decide(decision, chosen);
  return readOutbox(RED, id);
}

/** The whole value of a rejected write, or its variables, to be corrected. */
export async function readValue(RED: NodeAPI, id: string, sequence: number): Promise<unknown> {
  const outbox = await requireOutbox(RED, id);
  const value = (await outbox.editOf(checkSequence(sequence))).read();
  const { length } = await writeJson(value ?? null);
  if (length <= MAX_EDITED_BYTES) return { sequence, value };
  throw new IonError(
    'ION_CONFIG',
    `This write holds ${Math.ceil(length / 1024)} KiB of values. The dialog edits at most ${MAX_EDITED_BYTES / 1024} KiB. Retry or discard it.`,
  );
}

/** @throws IonError `ION_NOT_FOUND` if there is none */
async function requireOutbox(RED: NodeAPI, id: string): Promise<Outbox> {
  const outbox = await requireDeployedConfig(RED, id).outbox.openIfPresent();
  if (outbox) return outbox;
  throw new IonError('ION_NOT_FOUND', 'The outbox has no writes.');
}

function checkSequence(sequence: number): number {
  if (Number.isSafeInteger(sequence) && sequence > 0) return sequence;
  throw new IonError('ION_CONFIG', 'The number of a write must be a whole number above 0.');
}

/** The reason why this machine cannot have an outbox. */
async function outboxProblem(): Promise<string | undefined> {
  return loadLevel(OUTBOX).then(
    () => undefined,
    (thrown) => toIonError(thrown).message,
  );
}

/** The sender and the time of an unreadable entry are not known. */
function shownEntry(outbox: Outbox, stored: Stored): object {
  const { sequence, entry, unreadable } = stored;
  const { sender, acceptedAt } = entry;
  const summary = { sequence, ...outbox.summaryOf(stored) };
  return unreadable ? summary : { ...summary, sender, acceptedAt };
}
