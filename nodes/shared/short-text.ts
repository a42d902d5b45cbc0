import { cut, quote } from '../client/errors.js';

/** One line, which ends after a whole word if possible. */
export function shortText(text: string, maxLength: number): string {
  const line = quote(text);
  if (line.length <= maxLength) return line;
  const begin = line.slice(0, maxLength + 1);
  const end = begin.lastIndexOf(' ');
  return cut(line, end > maxLength / 2 ? end : maxLength);
}
