import type { IonError, Reason } from '../client/errors.js';
import { shortText } from './short-text.js';

/** In characters: a longer text does not fit below a node. */
const MAX_LENGTH = 40;
const MAX_NAME_LENGTH = 25;

/** ION's statuses of steps. */
const STEP_STATUS = /\b(?:TODO|IN_PROGRESS|COMPLETE|FAILED|HOLD|CANCELED|REDLINE)\b/g;

/** A reason with a text in the catalogue, or a text of ION. */
export type FailureReason = Reason | { text: string };

/** ION's refusal to start a step. */
const UPSTREAM_STEP = /\bupstream (?:run )?steps?\b/i;

/** Why an operation failed, in a few words; `undefined` if only the code of the error is known. */
export function failureReason(error: IonError): FailureReason | undefined {
  const { reason, origin, errors } = error;
  if (reason) return shortened(reason);
  const message = origin === 'operation' ? errors?.[0]?.message : undefined;
  if (message === undefined || message.trim() === '') return undefined;
  if (UPSTREAM_STEP.test(message)) return { key: 'earlierStep' };
  const statuses = new Set(message.match(STEP_STATUS));
  const [status, other] = statuses;
  if (status && other === undefined && /\bstep\b/i.test(message)) {
    return { key: 'stepStatus', name: status };
  }
  return { text: shortText(message, MAX_LENGTH) };
}

function shortened({ key, name, value }: Reason): Reason {
  return {
    key,
    ...(name !== undefined && { name: shortText(name, MAX_NAME_LENGTH) }),
    ...(value !== undefined && { value: shortText(value, MAX_NAME_LENGTH) }),
  };
}
