import { cut, IonError, quote } from '../errors.js';

/** White space, format characters and control characters, such as the line break of a scanner. */
const UNSEEN = /^[\s\p{Cf}\p{Cc}]$/u;
/** A longer value is a mistake in the flow. */
const MAX_VALUE_LENGTH = 5000;
/** Characters of a value in the status of a node. */
const MAX_SHOWN = 20;

/**
 * A value without unseen characters at its ends.
 * @param subject subject of the sentence in the error, such as `The serial number`
 * @throws IonError `ION_VARIABLES` for an empty or too long value
 */
export function scannedValue(value: string, subject: string): string {
  const text = scannedText(value, subject);
  if (text !== '') return text;
  throw new IonError('ION_VARIABLES', `${subject} is empty.`, {
    reason: { key: 'noValue', name: subject },
  });
}

/**
 * The same for a value that may be empty.
 * @throws IonError `ION_VARIABLES` for a too long value
 */
export function scannedText(value: string, subject: string): string {
  const text = withoutUnseenEnds(value);
  if (text.length <= MAX_VALUE_LENGTH) return text;
  throw new IonError(
    'ION_VARIABLES',
    `${subject} is longer than ${MAX_VALUE_LENGTH} characters ("${quote(text)}").`,
    { reason: { key: 'notReference', name: cut(text, MAX_SHOWN) } },
  );
}

function withoutUnseenEnds(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && UNSEEN.test(text.charAt(begin))) begin++;
  while (end > begin && UNSEEN.test(text.charAt(end - 1))) end--;
  return text.slice(begin, end);
}
