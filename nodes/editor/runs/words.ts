/** The words of a text field, which stand for a list. */
export function words(text: unknown): string[] {
  return String(text ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);
}
