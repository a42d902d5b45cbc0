import { type ReasonKey, toIonError, withSentence } from '../errors.js';
import type { Target, TargetPart } from './target.js';

/** Adds to a failed look-up why the reference that it needs is not given. */
export function withMissing<Found>({ missing }: Target, finding: Promise<Found>): Promise<Found> {
  if (!missing) return finding;
  return finding.catch((thrown) => {
    const error = toIonError(thrown);
    const part = error.reason && MISSING_PARTS[error.reason.key];
    const why = part && missing[part];
    throw why === undefined
      ? error
      : error.with({ message: withSentence(error.message, `${why}.`) });
  });
}

/** The reference that is not given, by the reason of the failure. */
const MISSING_PARTS: Partial<Record<ReasonKey, TargetPart>> = {
  noRun: 'run',
  noStep: 'step',
  noField: 'field',
};
