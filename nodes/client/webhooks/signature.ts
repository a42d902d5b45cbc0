import { createHmac, timingSafeEqual } from 'node:crypto';

const PREFIX = /^sha256=/i;
const HEX = /^[0-9a-f]{64}$/i;
/** 32 bytes in base64 or base64url, with or without its padding. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * Whether a header's values can be a signature at all, which is known before the body is read.
 * @param values all values of the header that came; more than one is no signature
 */
export function looksLikeSignature(values: readonly string[] | undefined): boolean {
  return signatureIn(values) !== undefined;
}

/**
 * Whether a signature is the HMAC-SHA256 of a body's bytes with the secret that ION shares. ION
 * publishes neither its encoding nor whether it has a prefix, so hex, base64 and base64url are
 * taken, each with or without `sha256=`.
 * @param values all values of the header that came; more than one is no signature
 */
export function isSignedWith(
  secret: string,
  body: Uint8Array,
  values: readonly string[] | undefined,
): boolean {
  const signature = signatureIn(values);
  if (!signature || secret === '') return false;
  return timingSafeEqual(signature, createHmac('sha256', secret).update(body).digest());
}

/** The 32 bytes that the header's only value stands for. */
function signatureIn(values: readonly string[] | undefined): Uint8Array | undefined {
  const [value, ...others] = values ?? [];
  if (value === undefined || others.length > 0) return undefined;
  const text = value.trim().replace(PREFIX, '');
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  // Node.js reads both alphabets as base64.
  if (BASE64.test(text)) return Buffer.from(text, 'base64');
  return undefined;
}
