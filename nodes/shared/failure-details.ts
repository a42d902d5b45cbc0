import { IonError, reasonOf, toIonError } from '../client/errors.js';
import { type MessageDetails, withoutUnknown } from './message.js';

/** The failure of a result that cannot be sent, with its known details. */
export function unsentResultError(thrown: unknown, details: MessageDetails): IonError {
  const error = toIonError(thrown);
  const { operation, attempts, traceId, results, started } = details;
  const known = error.with({ attempts, traceId: error.traceId ?? traceId, results, started });
  if (operation === 'query') return known;
  const message = `${error.message} The mutation was executed. Do not send it again.`;
  return known.with({ message, mayHaveRun: true });
}

/** The failure of a message that Node-RED cannot copy, for example because of very deep nesting. */
export function uncopyableError(cause: unknown): IonError {
  const text = `Node-RED cannot copy this message: ${reasonOf(cause)}.`;
  return new IonError('ION_CONFIG', text, { cause });
}

/** The content of `msg.ion` of a failed message. */
export function failureDetails(error: IonError, durationMs: number): Record<string, unknown> {
  const { code, status, errors, data, retryAfterMs, traceId, attempts, pages, results } = error;
  return withoutUnknown({
    code,
    dryRun: error.dryRun,
    mayHaveRun: error.mayHaveRun || undefined,
    status,
    errors,
    data,
    retryAfterMs,
    traceId,
    attempts,
    pages,
    results,
    started: error.started,
    durationMs,
  });
}
