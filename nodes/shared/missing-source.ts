/**
 * A clause about the source of a typed input that has no value, such as "msg.payload does not exist".
 * @returns `undefined` for a source that always has one
 */
export function missingSource(type: string, value: unknown): string | undefined {
  if (type === 'jsonata') return 'the JSONata expression returns nothing';
  const isPlace = type === 'msg' || type === 'flow' || type === 'global';
  return isPlace ? `${type}.${String(value).slice(0, MAX_LENGTH)} does not exist` : undefined;
}

/** In characters. */
const MAX_LENGTH = 60;
