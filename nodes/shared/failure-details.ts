import { IonError, reasonOf, toIonError } from '../client/errors.js';
import { type MessageDetails, withoutUnknown } from './message.js';

/** For an answer that cannot be passed on, with what is known of it. */
export function notPassedOn(thrown: unknown, details: MessageDetails): IonError {
  const error = toIonError(thrown);
  const { operation, attempts, traceId, results } = details;
  const known = error.with({ attempts, traceId: error.traceId ?? traceId, results });
  if (operation === 'query') return known;
  const message = `${error.message} The mutation was executed: do not repeat it.`;
  return known.with({ message, mayHaveRun: true });
}

/** For a message that holds what Node-RED cannot copy, such as very deep nesting. */
export function notCopied(cause: unknown): IonError {
  const text = `Node-RED cannot copy this message: ${reasonOf(cause)}.`;
  return new IonError('ION_CONFIG', text, { cause });
}

/** What `msg.ion` tells about a failure. */
export function failureDetails(error: IonError, durationMs: number): Record<string, unknown> {
  const { code, status, errors, data, retryAfterMs, traceId, attempts, pages, results } = error;
  return withoutUnknown({
    code,
    mayHaveRun: error.mayHaveRun || undefined,
    status,
    errors,
    data,
    retryAfterMs,
    traceId,
    attempts,
    pages,
    results,
    durationMs,
  });
}
