import { quote } from '../client/errors.js';

/** Parts of a list or an object, and levels of them, that are shown. */
const MAX_PARTS = 10;
const MAX_DEPTH = 2;

/** A value as a short text on one line, which distinguishes the number 12.5 from the text "12.5". */
export function shownValue(value: unknown, depth = 0): string {
  if (typeof value === 'string') return `"${quote(value)}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '…' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} B`;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) {
    const parts = value.slice(0, MAX_PARTS).map((part) => shownValue(part, depth + 1));
    return `[${quote(joined(parts, value.length))}]`;
  }
  const names = Object.keys(value);
  const parts = names.slice(0, MAX_PARTS).map((name) => {
    return `${quote(name)}: ${shownValue((value as Record<string, unknown>)[name], depth + 1)}`;
  });
  return `{ ${quote(joined(parts, names.length))} }`;
}

function joined(parts: string[], count: number): string {
  return (parts.length < count ? [...parts, '…'] : parts).join(', ');
}
