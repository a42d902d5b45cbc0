import { trimEnds } from './trim-ends.js';

// Unresolved references to environment variables, `${NAME}` or `$(NAME)`.

const WHOLE = /^\$(?:\{([^\s{}]+)\}|\(([^\s()]+)\))$/;
/** Any other text between the brackets may be part of a password. */
const NAME = /^(?:\$parent\.)*[\p{L}_][\p{L}\p{N}_.-]*$/u;
const PART = /\$\{[^{}]*\}/;
/** References of other programs, which have no other meaning in a URL. */
const PART_OF_URL = /\$\([^()]*\)|\{\{[^{}]*\}\}/;
const PART_OF_HOST = /\$\w+/;

/** The name of the environment variable, if the whole text is a reference. */
export function variableOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const match = WHOLE.exec(trimEnds(value));
  const name = match?.[1] ?? match?.[2];
  return name !== undefined && NAME.test(name) ? name : undefined;
}

/** The first `${NAME}` in a text. */
export function referenceIn(value: unknown): string | undefined {
  return typeof value === 'string' ? PART.exec(value)?.[0] : undefined;
}

/** The first reference in a URL, in any notation. */
export function referenceInUrl(value: unknown): string | undefined {
  const reference = referenceIn(value);
  if (reference !== undefined || typeof value !== 'string') return reference;
  // A password, before the "@", may contain any characters.
  const behindUser = value.slice(value.lastIndexOf('@') + 1);
  const [host = ''] = behindUser.replace(/^\s*[a-z]+:\/\//i, '').split(/[/?#]/, 1);
  return (PART_OF_URL.exec(behindUser) ?? PART_OF_HOST.exec(host))?.[0];
}
