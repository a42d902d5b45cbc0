import { formsOf, lowerCase, MIN_SECRET_LENGTH, PIECE_LENGTH } from './secret-forms.js';
import { type TextView, unescaped } from './unescape.js';

/** Levels of escapes that are searched: JSON may contain JSON, and a URL another URL. */
const MAX_ESCAPE_LEVELS = 2;

export type Range = [begin: number, end: number];
type AddRange = (begin: number, end: number) => void;

/** Finds secrets in texts, in many forms, whole or in pieces. */
export class SecretSearch {
  readonly secrets: ReadonlySet<string>;
  /** Forms that are shorter than a piece. */
  readonly #shortForms: string[] = [];
  /** All pieces of the other forms. A set of texts, because a server could make hashes collide. */
  readonly #pieces = new Set<string>();
  readonly #beginnings = new Fragments();
  readonly #ends = new Fragments();

  constructor(secrets: readonly string[]) {
    this.secrets = new Set(secrets);
    for (const secret of this.secrets) {
      if (secret.length < MIN_SECRET_LENGTH) continue;
      for (const form of formsOf(secret)) this.#addForm(form);
    }
  }

  /** The positions of secrets, and of pieces of them, in a text. */
  rangesIn(text: string): Range[] {
    const ranges: Range[] = [];
    let view: TextView | undefined = { text };
    for (let level = 0; view && level <= MAX_ESCAPE_LEVELS; level++) {
      const { indexes } = view;
      const add = (begin: number, end: number) =>
        ranges.push(indexes ? [Number(indexes[begin]), Number(indexes[end])] : [begin, end]);
      const folded = lowerCase(view.text);
      this.#findShortForms(view.text, add);
      this.#findPieces(folded, add);
      this.#findFragments(folded, add);
      view = unescaped(view);
    }
    return ranges;
  }

  #addForm(form: string): void {
    if (form.length < PIECE_LENGTH) this.#shortForms.push(form);
    for (let at = 0; at <= form.length - PIECE_LENGTH; at++) {
      this.#pieces.add(form.slice(at, at + PIECE_LENGTH));
    }
    const folded = lowerCase(form);
    const maxLength = Math.min(PIECE_LENGTH, folded.length) - 1;
    for (let length = MIN_SECRET_LENGTH; length <= maxLength; length++) {
      const beginning = folded.slice(0, length);
      const end = folded.slice(-length);
      this.#beginnings.add(beginning, beginning.slice(-MIN_SECRET_LENGTH));
      this.#ends.add(end, end.slice(0, MIN_SECRET_LENGTH));
    }
  }

  #findShortForms(text: string, add: AddRange): void {
    for (const form of this.#shortForms) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
        add(at, at + form.length);
      }
    }
  }

  /** Pieces that overlap are one longer match. */
  #findPieces(text: string, add: AddRange): void {
    if (this.#pieces.size === 0) return;
    let begin = 0;
    let end = 0;
    for (let at = 0; at <= text.length - PIECE_LENGTH; at++) {
      if (!this.#pieces.has(text.slice(at, at + PIECE_LENGTH))) continue;
      if (at > end) {
        if (end > 0) add(begin, end);
        begin = at;
      }
      end = at + PIECE_LENGTH;
    }
    if (end > 0) add(begin, end);
  }

  /** A text may have been cut in the middle of a secret, before or after its "…". */
  #findFragments(text: string, add: AddRange): void {
    for (const mark of ['…', '...']) {
      for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) {
        const before = this.#beginnings.longestMatch((length) =>
          text.slice(Math.max(0, at - length), at),
        );
        if (before > 0) add(at - before, at);
        const begin = at + mark.length;
        const after = this.#ends.longestMatch((length) => text.slice(begin, begin + length));
        if (after > 0) add(begin, begin + after);
      }
    }
  }
}

/** Beginnings, or ends, of secrets that are shorter than a piece. */
class Fragments {
  readonly #all = new Set<string>();
  /** The part of each fragment beside the cut, which excludes most texts at once. */
  readonly #nearest = new Set<string>();

  add(fragment: string, nearest: string): void {
    this.#all.add(fragment);
    this.#nearest.add(nearest);
  }

  /** The length of the longest fragment that a text has beside its cut, or 0. */
  longestMatch(textBeside: (length: number) => string): number {
    if (!this.#nearest.has(textBeside(MIN_SECRET_LENGTH))) return 0;
    for (let length = PIECE_LENGTH - 1; length >= MIN_SECRET_LENGTH; length--) {
      const text = textBeside(length);
      if (text.length === length && this.#all.has(text)) return length;
    }
    return 0;
  }
}

/** Whether a text contains the secret or a piece of it, both without any encoding. */
export function showsPiece(text: string, secret: string): boolean {
  if (secret.length < PIECE_LENGTH) return secret !== '' && text.includes(secret);
  for (let at = 0; at <= text.length - PIECE_LENGTH; at++) {
    if (secret.includes(text.slice(at, at + PIECE_LENGTH))) return true;
  }
  return false;
}
