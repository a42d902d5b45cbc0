/** White space and invisible characters, such as a byte order mark or a zero-width space. */
const INVISIBLE = /^[\s\p{Cf}]$/u;
/** Control characters and line separators. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/**
 * The text without invisible characters at its ends, such as the line break at the end of a file.
 */
export function trimEnds(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && INVISIBLE.test(text.charAt(begin))) begin++;
  while (end > begin && INVISIBLE.test(text.charAt(end - 1))) end--;
  return text.slice(begin, end);
}

/** Whether the text holds a line break, a tab or another control character. */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}
