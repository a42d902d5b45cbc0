/**
 * A value as JSON that does not depend on the order of properties: that of RFC 8785. It is for values
 * that JSON can represent.
 */
export function canonicalJson(value: unknown): string {
  return written(JSON.parse(JSON.stringify(value)));
}

function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
  // Sorts by UTF-16 code units, as the RFC demands.
  const names = Object.keys(value).sort();
  const members = names.map(
    (name) => `${JSON.stringify(name)}:${written((value as Record<string, unknown>)[name])}`,
  );
  return `{${members.join(',')}}`;
}
