import type { ArgumentNode, ObjectFieldNode, ValueNode } from 'graphql';
import { isPlainObject } from '../support/json.js';
import { Kind, parse, print, visit } from './language.js';

/** A mutation as it would have been sent. Secrets in it are masked. */
export interface DryRunRequest {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  /** It was not compared with ION's schema: it is too long, or ION does not show its schema. */
  unchecked?: true;
}

/** Masks the secrets of the client in the texts of a value; `undefined` if it cannot. */
export type Mask = (value: unknown) => unknown;

const MASK = '***';
/** Names of values that are secrets whatever they are, such as `sharedSecret`. */
const SECRET_NAME = /secret|passw(or)?d|credential|token|api_?key/i;
/** A URL with a user and a password. */
const PASSWORD_IN_URL = /(:\/\/[^\s/?#:@"]*:)[^\s/?#@"]+(?=@)/g;
/** Kinds of values in a document that may be secrets. */
const TEXTS: ReadonlySet<string> = new Set([Kind.STRING, Kind.INT, Kind.FLOAT, Kind.LIST]);
/** Deeper values are omitted. */
const MAX_DEPTH = 100;

/** The request that a body holds, without secrets. */
export function withoutSecretValues(request: DryRunRequest, mask: Mask): DryRunRequest {
  const { query, variables, ...others } = request;
  const { text, secretVariables } = withoutSecretTexts(query);
  const isSecret = (name: string) => SECRET_NAME.test(name) || secretVariables.has(name);
  const masked = { query: withoutPasswords(text), ...others };
  const shown = mask(
    variables ? { ...masked, variables: withoutNamed(variables, isSecret, MAX_DEPTH) } : masked,
  );
  return (shown ?? { ...others, query: MASK }) as DryRunRequest;
}

function withoutNamed(value: unknown, isSecret: (name: string) => boolean, depth: number): unknown {
  if (typeof value === 'string') return withoutPasswords(value);
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNamed(item, isSecret, depth - 1));
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]) => {
    // Variables with a secret are only those of the document, not parts of their values.
    const isHidden = isSecret(name) && isText(item);
    return [name, isHidden ? MASK : withoutNamed(item, isSecretName, depth - 1)];
  });
  return Object.fromEntries(entries);
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A text or a number, or a list of them. */
function isText(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isText);
  return typeof value === 'string' || typeof value === 'number';
}

function withoutPasswords(text: string): string {
  return text.includes('://') ? text.replace(PASSWORD_IN_URL, `$1${MASK}`) : text;
}

/** Values may be in the text of a document as well, and variables may be values of such arguments. */
function withoutSecretTexts(query: string): { text: string; secretVariables: Set<string> } {
  const secretVariables = new Set<string>();
  if (!SECRET_NAME.test(query)) return { text: query, secretVariables };
  let hasSecret = false;
  const hidden = (value: ValueNode): ValueNode | undefined => {
    if (value.kind === Kind.VARIABLE) secretVariables.add(value.name.value);
    if (!TEXTS.has(value.kind)) return undefined;
    hasSecret = true;
    return { kind: Kind.STRING, value: MASK };
  };
  const withoutText = <Named extends ArgumentNode | ObjectFieldNode>(named: Named) => {
    if (!SECRET_NAME.test(named.name.value)) return undefined;
    const value = hidden(named.value);
    return value && { ...named, value };
  };
  const document = visit(parse(query, { noLocation: true }), {
    Argument: withoutText,
    ObjectField: withoutText,
    VariableDefinition(definition) {
      const { variable, defaultValue } = definition;
      if (!defaultValue || !SECRET_NAME.test(variable.name.value)) return undefined;
      const value = hidden(defaultValue);
      return value && { ...definition, defaultValue: value };
    },
  });
  return { text: hasSecret ? print(document) : query, secretVariables };
}
