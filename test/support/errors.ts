import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { IonError, type IonErrorCode } from '../../nodes/client/errors.js';

/** The error that a promise must reject with. */
export async function failure(promise: Promise<unknown>, code: IonErrorCode): Promise<IonError> {
  const error = await promise.then(
    (value) => assert.fail(`did not fail, but gave ${inspect(value)}`),
    (thrown: unknown) => thrown,
  );
  return checked(error, code);
}

/** The error that a function must throw. */
export function thrown(run: () => unknown, code: IonErrorCode): IonError {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    return checked(error, code);
  }
  assert.fail(`did not throw, but gave ${inspect(value)}`);
}

/** Everything readable in an error: texts, own properties, stack and causes. */
export function everythingIn(error: unknown): string {
  const parts = [inspect(error, { depth: Infinity, showHidden: true, maxStringLength: null })];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    parts.push(cause.message, String(cause.stack), JSON.stringify({ ...cause }));
  }
  return parts.join('\n');
}

function checked(error: unknown, code: IonErrorCode): IonError {
  if (!(error instanceof IonError)) {
    assert.fail(`is not an IonError of code ${code}, but ${inspect(error)}`);
  }
  assert.equal(error.code, code, error.message);
  return error;
}
