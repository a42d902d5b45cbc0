import { trimEnds } from './trim-ends.js';

// References to environment variables, `${NAME}` or `$(NAME)`, that nobody replaced by a value.

const WHOLE = /^\$(?:\{([^\s{}]+)\}|\(([^\s()]+)\))$/;
/** Anything else between the brackets may be part of a password. */
const NAME = /^(?:\$parent\.)*[\p{L}_][\p{L}\p{N}_.-]*$/u;
const PART = /\$\{[^{}]*\}/;
/** Other programs replace these; in a URL they mean nothing else. */
const PART_OF_URL = /\$\([^()]*\)|\{\{[^{}]*\}\}/;
const PART_OF_HOST = /\$\w+/;

/** The environment variable that the whole text stands for. */
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

/** The first reference in a URL, in whatever way it is written. */
export function referenceInUrl(value: unknown): string | undefined {
  const reference = referenceIn(value);
  if (reference !== undefined || typeof value !== 'string') return reference;
  // Anything may be part of a password, which stands before the "@".
  const behindUser = value.slice(value.lastIndexOf('@') + 1);
  const [host = ''] = behindUser.replace(/^\s*[a-z]+:\/\//i, '').split(/[/?#]/, 1);
  return (PART_OF_URL.exec(behindUser) ?? PART_OF_HOST.exec(host))?.[0];
}
