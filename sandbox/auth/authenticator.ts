import { verify } from 'node:crypto';
import type { ApiKeyRow, UserRow } from '../data/model.js';
import type { Store } from '../data/store.js';
import { type Control, schemeOf } from '../faults/control.js';
import type { SigningKey } from './signing-keys.js';

/** Refusal of a request before GraphQL sees it. */
export class Unauthorized extends Error {}

interface Claims {
  client_id?: string;
  exp?: number;
  iat?: number;
  generation?: number;
}

const MAX_VERIFIED = 1000;

/** The API's own check of access tokens, with the texts that ION publishes. */
export function createAuthenticator(key: SigningKey, store: Store, control: Control) {
  /** Tokens with a valid signature: to verify it takes longer than most requests. */
  const verified = new Set<string>();
  const isSigned = (token: string, { header, signed, signature }: ReturnType<typeof decode>) => {
    if (verified.has(token)) return true;
    if (header.alg !== 'RS256') return false;
    if (!verify('RSA-SHA256', signed, key.publicKey, signature)) return false;
    if (verified.size >= MAX_VERIFIED) verified.clear();
    verified.add(token);
    return true;
  };
  return (authorization: string | undefined): { apiKey: ApiKeyRow; user: UserRow } => {
    if (!authorization) throw new Unauthorized('Please provide proper credentials');
    const { authScheme } = control.settings;
    if (authScheme !== 'both' && schemeOf(authorization).toLowerCase() !== authScheme) {
      throw new Unauthorized('Unable to parse authentication token');
    }
    const token = authorization.replace(/^(?:Bearer|Token)\s+/i, '').trim();
    const decoded = decode(token);
    const { header, claims } = decoded;
    if (header.kid !== key.kid) throw new Unauthorized('Unable to find appropriate RSA key');
    if (!isSigned(token, decoded)) {
      throw new Unauthorized('Unable to parse authentication token');
    }
    const now = Date.now() / 1000 - control.settings.clockBehind;
    // Whole seconds, as `exp` is: the last second belongs to the token.
    if (Math.floor(now) > (claims.exp ?? 0)) throw new Unauthorized('Token is expired.');
    // With the text of PyJWT, which services in Python use.
    if (now < (claims.iat ?? 0)) throw new Unauthorized('The token is not yet valid (iat)');
    if (claims.generation !== control.tokenGeneration) {
      throw new Unauthorized('Token has been revoked.');
    }
    const apiKey = store.apiKeys.find((row) => row.clientId === claims.client_id);
    const user = apiKey && store.users.get(apiKey.createdById);
    if (!apiKey || !user || user.deactivated) {
      throw new Unauthorized('Unable to find user for token');
    }
    return { apiKey, user };
  };
}

function decode(token: string) {
  const [head, payload, signature, ...rest] = token.split('.');
  try {
    if (!head || !payload || !signature || rest.length > 0) throw new SyntaxError('not a JWT');
    return {
      header: parsePart(head) as { kid?: string; alg?: string },
      claims: parsePart(payload) as Claims,
      signed: Buffer.from(`${head}.${payload}`),
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    throw new Unauthorized('Unable to parse authentication token');
  }
}

function parsePart(part: string): object {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
  if (typeof value !== 'object' || value === null) throw new SyntaxError('not a JWT');
  return value;
}
