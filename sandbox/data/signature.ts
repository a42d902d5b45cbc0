import { createHmac } from 'node:crypto';

// ION publishes neither hash nor encoding, so receivers must be ready for each of these.
const ENCODINGS = {
  hex: (digest: Buffer) => digest.toString('hex'),
  base64: (digest: Buffer) => digest.toString('base64'),
  'sha256=hex': (digest: Buffer) => `sha256=${digest.toString('hex')}`,
};

export type SignatureEncoding = keyof typeof ENCODINGS;

export function isSignatureEncoding(name: string): name is SignatureEncoding {
  return Object.hasOwn(ENCODINGS, name);
}

/** The HMAC-SHA256 of a body's bytes with the secret that the receiver shares. */
export function sign(body: Buffer, sharedSecret: string, encoding: SignatureEncoding): string {
  return ENCODINGS[encoding](createHmac('sha256', sharedSecret).update(body).digest());
}
