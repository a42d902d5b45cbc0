/** Words that appear only in errors of the program itself. */
const INTERNAL = [
  ...['undefined', '[object ', 'is not a function', 'is not iterable', 'cannot read prop'],
  ...[
    'maximum call stack',
    'cannot convert',
    'is not defined',
    'invalid string length',
    'invalid array length',
  ],
];
const MAX_LENGTH = 2000;

/** The reason why nobody could act on an error; `undefined` if it is clear. */
export function unclear({
  code,
  message,
}: {
  code?: unknown;
  message?: unknown;
}): string | undefined {
  const text = String(message);
  const begin = `${String(code)}: ${JSON.stringify(text.slice(0, 200))}`;
  if (typeof code !== 'string' || !/^ION_[A-Z_]{1,40}$/.test(code))
    return `no code of this package: ${begin}`;
  if (typeof message !== 'string' || text.trim() === '') return `no text: ${begin}`;
  if (text.length >= MAX_LENGTH) return `${text.length} characters: ${begin}`;
  // ION's own messages are passed on unchanged.
  const found =
    code !== 'ION_GRAPHQL' && INTERNAL.find((each) => text.toLowerCase().includes(each));
  return found ? `"${found}" in it: ${begin}` : undefined;
}
