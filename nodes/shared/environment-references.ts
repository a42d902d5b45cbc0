// Node-RED replaces `${NAME}` or `$(NAME)` by the value of the environment variable if it is the whole
// text of a property. Without such a variable, the text stays as it is.

import type { Node, NodeAPI } from 'node-red';
import { IonError, type IonErrorCode, quote } from '../client/errors.js';
import { referenceIn, referenceInUrl, variableOf } from '../client/support/references.js';
import { trimEnds } from '../client/support/trim-ends.js';

const REFERENCES = /\$\{([^{}]+)\}/g;

/**
 * @param subject of the error message
 * @throws IonError for a text that is still a reference to an environment variable
 */
export function requireResolved(
  subject: string,
  value: unknown,
  code: IonErrorCode = 'ION_CONFIG',
): void {
  const name = variableOf(value);
  if (name === undefined) return;
  throw new IonError(code, unresolved(subject, String(value), name), {
    reason: { key: 'noVariable', name },
  });
}

/**
 * Checks choices, whose default would otherwise apply silently.
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
 * Checks a typed input of type `env`, which Node-RED evaluates to an empty text if a variable is missing.
 * @throws IonError that names the variable
 */
export function requireVariables(
  RED: NodeAPI,
  node: Node,
  subject: string,
  value: string,
  code: IonErrorCode,
): void {
  const references = [...value.matchAll(REFERENCES)].map(([, name = '']) => name);
  // Node-RED takes a text without references as the name of a variable.
  const names = references.length > 0 ? references : [value];
  const { getSetting } = RED.util as typeof RED.util & {
    getSetting?(node: Node, name: string): unknown;
  };
  const missing = names.find((name) => name !== '' && getSetting?.(node, name) === undefined);
  if (missing === undefined || !getSetting) return;
  throw new IonError(
    code,
    `${subject} comes from the environment variable ${quote(missing)}, which is not set. Set it for Node-RED and restart Node-RED, or set it for the flow.`,
    { reason: { key: 'noVariable', name: missing } },
  );
}

/**
 * Like `requireResolved`, but also rejects a text with a reference in the middle.
 * @throws IonError `ION_CONFIG`
 */
export function requireNoReference(subject: string, value: unknown): void {
  requireResolved(subject, value);
  rejectPart(subject, referenceIn(value));
}

/**
 * Like `requireNoReference`, for a URL.
 * @throws IonError `ION_CONFIG`
 */
export function requireUrlWithoutReference(subject: string, value: unknown): void {
  requireResolved(subject, value);
  rejectPart(subject, referenceInUrl(value));
}

function rejectPart(subject: string, part: string | undefined): void {
  if (part === undefined) return;
  throw new IonError(
    'ION_CONFIG',
    `${subject} contains ${quote(part)}. Node-RED replaces a reference such as \${NAME} only if it is the whole text. Set a variable to the whole text and enter only its reference.`,
  );
}

function unresolved(subject: string, text: string, name: string): string {
  const reference = trimEnds(text);
  if (reference !== text) {
    return `${subject} is ${quote(reference)} with a space before or after it, so Node-RED does not replace it by the environment variable ${quote(name)}. Remove the space.`;
  }
  if (process.env[name] !== undefined) {
    return `${subject} is still ${quote(reference)} although the environment variable ${quote(name)} is set: envVarExcludes in Node-RED's settings excludes it, or the text is the value of another variable. Use a variable that holds the value itself.`;
  }
  return `${subject} is ${quote(reference)}, but the environment variable ${quote(name)} is not set. Set it for Node-RED and restart Node-RED, or enter the value itself.`;
}
