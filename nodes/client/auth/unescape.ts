/** A text with or without its escapes. */
export interface TextView {
  text: string;
  /**
   * Index of each character, and of the end, in the original text; `undefined` for the original
   * text itself.
   */
  indexes?: Uint32Array;
}

/** Escapes of URLs, of HTML, and of JSON and JavaScript. */
const ESCAPE =
  /%[\da-f]{2}|&#\d{1,9};|&#x[\da-f]{1,8};|&(?:amp|lt|gt|quot|apos);|\\(?:u[\da-f]{4}|x[\da-f]{2}|["'\\/bfnrt])/gi;

const NAMED: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '\\b': '\b',
  '\\f': '\f',
  '\\n': '\n',
  '\\r': '\r',
  '\\t': '\t',
};
const MAX_CODE_POINT = 0x10ffff;

/** The text with each escape replaced by its character; `undefined` for a text without escapes. */
export function unescaped({ text, indexes }: TextView): TextView | undefined {
  const originalIndex = (at: number) => (indexes ? Number(indexes[at]) : at);
  const newIndexes = new Uint32Array(text.length + 1);
  let result = '';
  let done = 0;
  const copyUntil = (end: number) => {
    for (let at = done; at < end; at++) newIndexes[result.length + at - done] = originalIndex(at);
    result += text.slice(done, end);
  };
  for (const { 0: sequence, index } of text.matchAll(ESCAPE)) {
    copyUntil(index);
    const character = characterOf(sequence);
    for (let unit = 0; unit < character.length; unit++) {
      newIndexes[result.length + unit] = originalIndex(index);
    }
    result += character;
    done = index + sequence.length;
  }
  if (done === 0) return undefined;
  copyUntil(text.length);
  newIndexes[result.length] = originalIndex(text.length);
  return { text: result, indexes: newIndexes };
}

function characterOf(sequence: string): string {
  const name = sequence.toLowerCase();
  const named = NAMED[name];
  if (named !== undefined) return named;
  const hexDigits = /^(?:%|&#x|\\u|\\x)([\da-f]+)/.exec(name)?.[1];
  if (hexDigits === undefined && !name.startsWith('&#')) return sequence.slice(1);
  const code =
    hexDigits === undefined ? Number.parseInt(name.slice(2), 10) : Number.parseInt(hexDigits, 16);
  return code > MAX_CODE_POINT ? ' ' : String.fromCodePoint(code);
}
