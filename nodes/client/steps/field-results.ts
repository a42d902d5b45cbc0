import { type IonError, type IonErrorCode, toIonError } from '../errors.js';
import { isOperationRejected } from '../failures/classify-failure.js';
import type { Written } from './etag-writes.js';
import type { RequestScope } from './request-scope.js';

/** The outcome of one of several fields. */
export type FieldResult = { written: Written } | { error: { code: IonErrorCode; message: string } };

/** The outcomes of several fields that were all written, by name. */
export interface FieldResults {
  payload: Record<string, Written>;
  results: Record<string, FieldResult>;
}

/**
 * Writes all fields, even if some of them fail.
 * @throws IonError with `results` by name and the errors as `parts`, if at least one field failed
 */
export async function writeAllFields(
  values: Record<string, unknown>,
  requests: RequestScope,
  write: (name: string, value: unknown) => Promise<Written>,
): Promise<FieldResults> {
  const names = Object.keys(values);
  const outcomes = await Promise.allSettled(names.map((name) => write(name, values[name])));
  const payload: Record<string, Written> = {};
  const results: Record<string, FieldResult> = {};
  const failures: Failure[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const name = names[index] as string;
    if (outcome.status === 'fulfilled') {
      payload[name] = outcome.value;
      results[name] = { written: outcome.value };
    } else {
      const error = toIonError(outcome.reason);
      failures.push({ name, error });
      results[name] = { error: { code: error.code, message: error.message } };
    }
  }
  const [first, ...others] = failures;
  if (first) throw commonError([first, ...others], names.length, results, requests);
  return { payload, results };
}

interface Failure {
  name: string;
  error: IonError;
}

/** One error for a message of which some fields were not written. */
function commonError(
  failures: readonly [Failure, ...Failure[]],
  count: number,
  results: Record<string, FieldResult>,
  { attempts }: RequestScope,
): IonError {
  const texts = failures.map(({ name, error: { message } }) =>
    message.includes(`"${name}"`) ? message : `"${name}": ${message}`,
  );
  // A rejection takes precedence over an outage, because sending the message again would not help it.
  const { error: cause } = failures.find(({ error }) => isOperationRejected(error)) ?? failures[0];
  const errors = failures.map(({ error }) => error);
  const were = failures.length === 1 ? 'was' : 'were';
  return cause.with({
    message: `${failures.length} of ${count} fields ${were} not written: ${texts.join(' · ')}`,
    cause,
    mayHaveRun: errors.some(({ mayHaveRun }) => mayHaveRun),
    notRun: errors.every(({ notRun }) => notRun),
    results,
    parts: errors,
    attempts,
  });
}
