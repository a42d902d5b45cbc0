import {
  createHash,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { promisify } from 'node:util';

/** A key pair under a name that is unique to one sandbox. */
export interface SigningKey {
  kid: string;
  publicKey: KeyObject;
  jwk: JsonWebKey & { kid: string; use: 'sig'; alg: 'RS256' };
}

// Generating RSA keys is slow, so a process makes two pairs and every sandbox in it gives them its own names.
let pairs: Promise<[KeyObject, KeyObject]> | undefined;

/** The keys that sign access tokens: one of this environment, one that the API does not know. */
export async function signingKeys(): Promise<{ own: SigningKey; foreign: SigningKey }> {
  pairs ??= Promise.all([generateRsaKey(), generateRsaKey()]);
  const [own, foreign] = await pairs;
  return { own: named(own), foreign: named(foreign) };
}

async function generateRsaKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return privateKey;
}

function named(privateKey: KeyObject): SigningKey {
  const kid = createHash('sha256').update(randomUUID()).digest('base64url');
  return {
    kid,
    publicKey: createPublicKey(privateKey),
    jwk: { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
  };
}
