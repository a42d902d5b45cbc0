// Names as people type them. Letters may be composed or decomposed (file names on a Mac are), and a
// word processor or a web page may have replaced blanks.

/** Decomposed letters have at most this many times as many characters. */
const MAX_DECOMPOSED = 4;
/** Invisible characters that a name may contain in addition. */
const MAX_UNSEEN = 100;
/** A longer name must match exactly, because folding takes time. */
const MAX_FOLDED_LENGTH = 1000;
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;

/** A name without invisible differences: in NFC, with single blanks, without format characters. */
export function foldedName(name: string): string {
  if (PLAIN.test(name)) return name;
  return name
    .replace(/\p{Cf}/gu, '')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether two names have no visible difference. */
export function isSameName(one: string, other: string): boolean {
  return one === other || foldedName(one) === foldedName(other);
}

/** The rows with exactly this name, else the rows whose names have no visible difference. */
export function rowsNamed<Row>(
  rows: readonly Row[],
  wanted: string,
  nameOf: (row: Row) => string,
): Row[] {
  const exact = rows.filter((row) => nameOf(row) === wanted);
  if (exact.length > 0) return exact;
  const folded = foldedName(wanted);
  return rows.filter((row) => canMatch(nameOf(row), folded) && foldedName(nameOf(row)) === folded);
}

/** Whether a name is short enough to match the folded name. */
function canMatch(name: string, folded: string): boolean {
  return name.length <= Math.min(MAX_DECOMPOSED * folded.length + MAX_UNSEEN, MAX_FOLDED_LENGTH);
}

/** A name with the codes of characters that are invisible or easily confused. */
export function spelledName(name: string): string {
  const shown = name.replace(/[\p{C}\p{Z}\u2010\u2011]/gu, (character, at: number) => {
    const isInside = at > 0 && at < name.length - 1 && name.charAt(at - 1) !== ' ';
    return character === ' ' && isInside ? character : escapeOf(character);
  });
  return name === name.normalize('NFC') ? shown : shown.replace(/\p{M}/gu, escapeOf);
}

function escapeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
