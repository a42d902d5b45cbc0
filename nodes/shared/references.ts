// Node-RED puts the value of an environment variable in the place of `${NAME}` or `$(NAME)` where
// that is the whole text of a property, and leaves the text as it is where there is no such variable.

import type { Node, NodeAPI } from 'node-red';
import { IonError, type IonErrorCode, quote } from '../client/errors.js';
import { referenceIn, referenceInUrl, variableOf } from '../client/support/references.js';
import { trimEnds } from '../client/support/trim-ends.js';

const REFERENCES = /\$\{([^{}]+)\}/g;

/**
 * @param what begins the sentence of the error
 * @throws IonError for a text that is still a reference to an environment variable
 */
export function requireResolved(
  what: string,
  value: unknown,
  code: IonErrorCode = 'ION_CONFIG',
): void {
  const name = variableOf(value);
  if (name !== undefined) throw new IonError(code, unresolved(what, String(value), name));
}

/**
 * For choices, of which the default would apply without a word.
 * @throws IonError `ION_CONFIG`
 */
export function requireResolvedChoices<Config extends object>(
  node: string,
  config: Config,
  names: readonly (keyof Config & string)[],
): void {
  for (const name of names) {
    requireResolved(`The property "${name}" of the ${node} node`, config[name]);
  }
}

/**
 * For a typed input of type `env`, of which Node-RED makes an empty text where a variable is missing.
 * @throws IonError that names the variable
 */
export function requireVariables(
  RED: NodeAPI,
  node: Node,
  what: string,
  value: string,
  code: IonErrorCode,
): void {
  const references = [...value.matchAll(REFERENCES)].map(([, name = '']) => name);
  // As Node-RED reads it: without any reference, the whole text is the name.
  const names = references.length > 0 ? references : [value];
  const { getSetting } = RED.util as typeof RED.util & {
    getSetting?(node: Node, name: string): unknown;
  };
  const missing = names.find((name) => name !== '' && getSetting?.(node, name) === undefined);
  if (missing === undefined || !getSetting) return;
  throw new IonError(
    code,
    `${what} comes from the environment variable ${quote(missing)}, which Node-RED does not have. Set it where Node-RED is started, and restart Node-RED; or set it for the flow.`,
  );
}

/**
 * As `requireResolved`, and for a text with a reference in it.
 * @throws IonError `ION_CONFIG`
 */
export function requireNoReference(what: string, value: unknown): void {
  requireResolved(what, value);
  refusePart(what, referenceIn(value));
}

/**
 * As `requireNoReference`, for a URL.
 * @throws IonError `ION_CONFIG`
 */
export function requireUrlWithoutReference(what: string, value: unknown): void {
  requireResolved(what, value);
  refusePart(what, referenceInUrl(value));
}

function refusePart(what: string, part: string | undefined): void {
  if (part === undefined) return;
  throw new IonError(
    'ION_CONFIG',
    `${what} contains ${quote(part)}. Node-RED replaces an environment variable only where its reference, such as \${NAME}, is the whole text: set a variable to the whole text, and enter its reference alone.`,
  );
}

function unresolved(what: string, text: string, name: string): string {
  const reference = trimEnds(text);
  if (reference !== text) {
    return `${what} is ${quote(reference)} with a blank before or after it, so Node-RED does not replace it by the environment variable ${quote(name)}. Remove the blank.`;
  }
  if (process.env[name] !== undefined) {
    return `${what} is still ${quote(reference)} although the environment variable ${quote(name)} is set: envVarExcludes in Node-RED's settings excludes it, or the text came out of another variable. Enter a variable that holds the value itself.`;
  }
  return `${what} is ${quote(reference)}, but Node-RED has no environment variable ${quote(name)}. Set it where Node-RED is started, and restart Node-RED; or enter the value itself.`;
}
