/** The names in a text, separated by blanks or commas. */
export function parseList(text: unknown): string[] {
  return String(text ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);
}
