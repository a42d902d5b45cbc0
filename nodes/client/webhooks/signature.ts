import { createHmac, timingSafeEqual } from 'node:crypto';

const PREFIX = /^sha256=/i;
const HEX = /^[0-9a-f]{64}$/i;
/** 32 bytes in base64 or base64url, with or without its padding. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * Whether a header has the form of a signature, which can be checked before the body is read.
 * @param values all values of the header; more than one is not a signature
 */
export function looksLikeSignature(values: readonly string[] | undefined): boolean {
  return signatureIn(values) !== undefined;
}

/**
 * Whether a signature is the HMAC-SHA256 of a body with the receiver's shared secret. ION documents
 * neither its encoding nor a prefix, so hex, base64 and base64url are accepted, each with or without
 * `sha256=`.
 * @param secret an empty one matches no signature
 * @param values all values of the header; more than one is not a signature
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

/** The 32 bytes in the header's only value. */
function signatureIn(values: readonly string[] | undefined): Uint8Array | undefined {
  const [value, ...others] = values ?? [];
  if (value === undefined || others.length > 0) return undefined;
  const text = value.trim().replace(PREFIX, '');
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  // Node.js reads both alphabets as base64.
  if (BASE64.test(text)) return Buffer.from(text, 'base64');
  return undefined;
}
