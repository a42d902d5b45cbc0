import { type IonErrorCode, toIonError } from '../client/errors.js';

const UNREACHABLE: ReadonlySet<IonErrorCode> = new Set(['ION_NETWORK', 'ION_TIMEOUT']);
/** Statuses of a gateway that ION does not answer, or of ION itself while it is down. */
const DOWN: ReadonlySet<number | undefined> = new Set([502, 503, 504]);

/** Whether a failure shows that ION is out of reach. A refusal, also one to do more for now, does not. */
export function isOutOfReach(thrown: unknown): boolean {
  const { code, origin, status, transient } = toIonError(thrown);
  // GraphQL errors are an answer of ION, if only about its own trouble.
  const isAnswer = origin === 'operation' || origin === 'service';
  if (code === 'ION_SERVER') return transient && (!isAnswer || DOWN.has(status));
  return UNREACHABLE.has(code) && !isAnswer;
}

/** Whether a failure shows that ION answers. A failure on this machine shows nothing. */
export function isAnswered(thrown: unknown): boolean {
  return toIonError(thrown).origin !== 'local' && !isOutOfReach(thrown);
}
