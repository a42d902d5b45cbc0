import { IonError, toIonError } from '../errors.js';
import { ownOperation } from '../graphql/own-operation.js';
import { describe } from '../support/describe.js';
import { wordIn } from '../support/known-columns.js';
import { foldedName } from '../support/name-matching.js';
import { type EtagWrites, unchanged, type Written } from './etag-writes.js';
import type { RequestScope } from './request-scope.js';
import type { RunSteps } from './run-steps.js';
import { missingColumn, type RunStep } from './step-rows.js';
import type { Target } from './target.js';

export const STATUS_MUTATION = ownOperation(
  `mutation UpdateRunStep($input: UpdateRunStepInput!) {
  updateRunStep(input: $input) {
    runStep {
      id
      ... on RunStep @wished { runId title }
      status
      ... on RunStep @wished { position startTime endTime entityId _updated }
      _etag
    }
  }
}`,
);

/** Why a step needs its etag, as the end of a sentence. */
const ETAG_USE = 'a change of its status needs';

/** Changes the status of steps. */
export class StepStatus {
  readonly #steps: RunSteps;
  readonly #writes: EtagWrites;

  constructor(steps: RunSteps, writes: EtagWrites) {
    this.#steps = steps;
    this.#writes = writes;
  }

  /**
   * Changes the status of a step.
   * @param status a status of ION in any case; ION decides whether it exists
   * @throws IonError
   */
  async write(
    target: Target,
    status: unknown,
    requests: RequestScope,
    retriesConflicts: boolean,
  ): Promise<Written> {
    const newStatus = toStatus(status);
    const send = (row: RunStep) => sendStatus(row, newStatus, requests);
    return this.#write(target, requests, send, retriesConflicts);
  }

  /**
   * Starts a step if it is still to do. A conflict with somebody who started it is no failure.
   * @returns whether it was started
   * @throws IonError
   */
  async start(target: Target, requests: RequestScope, retriesConflicts: boolean): Promise<boolean> {
    const use = 'the start of a step needs';
    if (!isToDo(await this.#steps.stepWith('status', use, target, requests))) return false;
    let isStarted = false;
    const send = async (row: RunStep) => {
      // Another message, or somebody else, may have started it since it was found.
      if (!isToDo(row)) return { ...row };
      const written = await sendStatus(row, 'IN_PROGRESS', requests);
      isStarted = written !== undefined;
      return written;
    };
    try {
      await this.#write(target, requests, send, retriesConflicts);
    } catch (thrown) {
      if (toIonError(thrown).code !== 'ION_CONFLICT') throw thrown;
      // The failed write dropped the row, so this look-up reads it again.
      if (isToDo(await this.#steps.step(target, requests))) throw thrown;
    }
    return isStarted;
  }

  #write(
    target: Target,
    requests: RequestScope,
    send: (row: RunStep) => Promise<Written | undefined>,
    retriesConflicts: boolean,
  ): Promise<Written> {
    const step = {
      kind: 'step',
      find: () => this.#steps.stepWith('_etag', ETAG_USE, target, requests),
      forget: (row: RunStep) => this.#steps.forgetStep(row),
      send,
    } as const;
    return this.#writes.write(step, retriesConflicts);
  }
}

async function sendStatus(
  row: RunStep,
  status: string,
  requests: RequestScope,
): Promise<Written | undefined> {
  if (row._etag === null) throw missingColumn('_etag', ETAG_USE);
  const input = { id: row.id, etag: row._etag, status };
  const { data, dryRun } = await requests.send(STATUS_MUTATION, { input });
  const written = (data.updateRunStep as { runStep?: Written } | null)?.runStep;
  if (dryRun) return unchanged(written, row);
  if (written) row.status = wordIn(written.status);
  return written;
}

function isToDo({ status }: RunStep): boolean {
  // ION's older documentation shows enum values in lower case.
  return status?.toUpperCase() === 'TODO';
}

/** A status in the form of ION's enum, such as `IN_PROGRESS`. */
export function toStatus(status: unknown): string {
  const text = typeof status === 'string' ? foldedName(status) : '';
  if (text !== '') return text.toUpperCase().replace(/[\s-]+/g, '_');
  throw new IonError(
    'ION_VARIABLES',
    `The status must be a text such as "IN_PROGRESS" or "COMPLETE", not ${typeof status === 'number' ? status : describe(status)}.`,
    { reason: { key: 'notStatus' } },
  );
}
