import type { ArgumentNode, ObjectFieldNode } from 'graphql';
import { isPlainObject } from '../support/json.js';
import { Kind, parse, print, visit } from './language.js';

/** A mutation as it would have been sent. Secrets in it are masked. */
export interface DryRunRequest {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

/** Masks the secrets of the client in the texts of a value. */
export type Mask = (value: unknown) => unknown;

const MASK = '***';
/** Names of values that are secrets whatever they are, such as `sharedSecret`. */
const SECRET_NAME = /secret|passw(or)?d|credential|token|api_?key/i;
/** Deeper values are omitted. */
const MAX_DEPTH = 100;

/** The request that a body holds, without secrets. */
export function withoutSecretValues(request: DryRunRequest, mask: Mask): DryRunRequest {
  const { query, variables, ...others } = request;
  const masked = { query: withoutSecretTexts(query), ...others };
  return mask(
    variables ? { ...masked, variables: withoutNamed(variables, MAX_DEPTH) } : masked,
  ) as DryRunRequest;
}

function withoutNamed(value: unknown, depth: number): unknown {
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNamed(item, depth - 1));
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]) => {
    const isSecret = typeof item === 'string' && SECRET_NAME.test(name);
    return [name, isSecret ? MASK : withoutNamed(item, depth - 1)];
  });
  return Object.fromEntries(entries);
}

/** Values may be in the text of a document as well. */
function withoutSecretTexts(query: string): string {
  if (!SECRET_NAME.test(query)) return query;
  let hasSecret = false;
  const withoutText = <Named extends ArgumentNode | ObjectFieldNode>(named: Named) => {
    if (named.value.kind !== Kind.STRING || !SECRET_NAME.test(named.name.value)) return undefined;
    hasSecret = true;
    return { ...named, value: { kind: Kind.STRING, value: MASK } };
  };
  const document = visit(parse(query, { noLocation: true }), {
    Argument: withoutText,
    ObjectField: withoutText,
  });
  return hasSecret ? print(document) : query;
}
