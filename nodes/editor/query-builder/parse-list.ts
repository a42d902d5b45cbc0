/** The words of a text field, which stand for a list. */
export function parseList(text: unknown): string[] {
  return String(text ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);
}
