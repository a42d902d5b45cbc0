/** Limit for a secret that a server may encode, in characters. Longer secrets are access tokens. */
const MAX_ENCODED_LENGTH = 256;

/** Shorter secrets would mask ordinary words in messages. */
export const MIN_SECRET_LENGTH = 4;
/** Length of the pieces of a secret that are masked in any text, in characters. */
export const PIECE_LENGTH = 12;

const HTML: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * The forms in which a server may repeat a secret; forms as long as a piece are in lower case. Most
 * escapes need no form, because texts are searched without their escapes as well.
 */
export function formsOf(secret: string): Set<string> {
  const forms = new Set([secret]);
  // `quote` folds white space, and form data writes it as "+".
  forms.add(secret.replace(/\s+/g, ' ').trim());
  forms.add(secret.replaceAll(' ', '+'));
  // A URL without its percent signs contains the bytes of UTF-8.
  forms.add(Buffer.from(secret).toString('latin1'));
  if (secret.length >= PIECE_LENGTH) forms.add(secret.toUpperCase());
  if (secret.length <= MAX_ENCODED_LENGTH) {
    // A secret that looks like an escape would be lost in a text without escapes.
    const percent = encodeURIComponent(secret);
    const form = new URLSearchParams({ secret }).toString().slice('secret='.length);
    for (const each of [percent, form]) {
      forms.add(each);
      forms.add(each.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()));
    }
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(secret.replace(/[&<>"']/g, (character) => HTML[character] ?? character));
    for (const each of encodings(Buffer.from(secret))) {
      if (each.length >= PIECE_LENGTH) forms.add(each);
    }
  }
  const folded = [...forms].map((form) => (form.length < PIECE_LENGTH ? form : lowerCase(form)));
  return new Set(folded.filter((form) => form.length >= MIN_SECRET_LENGTH));
}

/** Lower case that keeps the length of a text: "İ" would become two characters. */
export function lowerCase(text: string): string {
  // The lower case of "Σ" depends on its position in a word.
  return text.replaceAll('İ', 'i').toLowerCase().replaceAll('ς', 'σ');
}

/** Hex, and base64 at each of the three offsets that the bytes can have in a longer text. */
function* encodings(bytes: Buffer): Generator<string> {
  yield bytes.toString('hex');
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 4) / 3);
    // The last character is omitted if it also contains bits of the following text.
    const end = Math.floor((padded.length * 8) / 6);
    yield padded.toString('base64').slice(first, end);
    yield padded.toString('base64url').slice(first, end);
  }
}
