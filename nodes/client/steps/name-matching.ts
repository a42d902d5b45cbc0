// Names as people type them: letters may come composed or decomposed (a Mac's file names are), and
// blanks may be ones that a word processor or a web page made of them.

/** Letters with each of their marks apart are at most so many times as many characters. */
const MAX_DECOMPOSED = 4;
/** Characters that nobody sees, which a name may have as well. */
const MAX_UNSEEN = 100;
/** In characters; longer names are only found as they are written, because folding takes time. */
const MAX_FOLDED = 1000;
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;

/** A name without the differences that nobody sees: in NFC, with single blanks, without others. */
export function foldedName(name: string): string {
  if (PLAIN.test(name)) return name;
  return name
    .replace(/\p{Cf}/gu, '')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether two names differ by nothing that can be seen. */
export function isSameName(one: string, other: string): boolean {
  return one === other || foldedName(one) === foldedName(other);
}

/** The rows whose name is written exactly so, else those where nobody sees a difference. */
export function rowsNamed<Row>(
  rows: readonly Row[],
  wanted: string,
  nameOf: (row: Row) => string,
): Row[] {
  const exact = rows.filter((row) => nameOf(row) === wanted);
  if (exact.length > 0) return exact;
  const folded = foldedName(wanted);
  return rows.filter((row) => mayBe(nameOf(row), folded) && foldedName(nameOf(row)) === folded);
}

/** Whether it is worth folding. */
function mayBe(name: string, folded: string): boolean {
  return name.length <= Math.min(MAX_DECOMPOSED * folded.length + MAX_UNSEEN, MAX_FOLDED);
}

/** A name with the codes of what cannot be seen, or is easily taken for something else. */
export function spelledName(name: string): string {
  const shown = name.replace(/[\p{C}\p{Z}\u2010\u2011]/gu, (character, at: number) => {
    const isInside = at > 0 && at < name.length - 1 && name.charAt(at - 1) !== ' ';
    return character === ' ' && isInside ? character : codeOf(character);
  });
  return name === name.normalize('NFC') ? shown : shown.replace(/\p{M}/gu, codeOf);
}

function codeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
