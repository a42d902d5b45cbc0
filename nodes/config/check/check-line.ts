import { type IonError, quote, toIonError } from '../../client/errors.js';
import type { ConfigUser } from '../node-work.js';

/** The subject of a line, in the order in which lines are shown. */
export const CHECK_NAMES = [
  ...(['settings', 'names', 'tls', 'clock', 'token', 'scheme', 'user', 'rules'] as const),
  ...(['permissions', 'schema', 'operations', 'parts', 'cursors', 'counts', 'pageSize'] as const),
  ...(['webhooks', 'outbox', 'disk'] as const),
] as const;

export type CheckName = (typeof CHECK_NAMES)[number];

/** `unknown`: it cannot be said whether it works. */
export type CheckState = 'ok' | 'failed' | 'unknown';

export type CheckValues = Record<string, string | number>;

/**
 * One result. Finding and advice are keys of the catalogue `check`, whose texts insert the values.
 */
export interface CheckLine {
  check: CheckName;
  state: CheckState;
  finding: string;
  advice?: string;
  values?: CheckValues;
  /** The deployed nodes that are affected. */
  nodes?: Pick<ConfigUser, 'id' | 'type' | 'name'>[];
}

interface Details {
  advice?: string | undefined;
  values?: CheckValues;
  nodes?: readonly ConfigUser[];
}

function checkLine(
  check: CheckName,
  state: CheckState,
  finding: string,
  { advice, values, nodes = [] }: Details = {},
): CheckLine {
  return {
    ...{ check, state, finding },
    ...(advice && { advice }),
    ...(values && { values }),
    ...(nodes.length > 0 && { nodes: nodes.map(({ id, type, name }) => ({ id, type, name })) }),
  };
}

export function ok(check: CheckName, finding: string, details?: Details): CheckLine {
  return checkLine(check, 'ok', finding, details);
}

export function failed(check: CheckName, finding: string, details?: Details): CheckLine {
  return checkLine(check, 'failed', finding, details);
}

export function unknown(check: CheckName, finding: string, details?: Details): CheckLine {
  return checkLine(check, 'unknown', finding, details);
}

/** Lines that depend on another one that did not succeed. */
export function notChecked(checks: readonly CheckName[], because: CheckName): CheckLine[] {
  return checks.map((check) => unknown(check, 'any.notChecked', { values: { because } }));
}

/** Code and text of an error. */
export function reasonValues({ code, message }: IonError): { code: string; reason: string } {
  return { code, reason: message };
}

/** Whether ION itself, and no server in between, says that the API key lacks a permission. */
export function isRefused({ code, origin }: IonError): boolean {
  return code === 'ION_FORBIDDEN' && origin === 'operation';
}

/** The line of a check that could not be completed. */
export function incomplete(check: CheckName, thrown: unknown): CheckLine {
  const error = toIonError(thrown);
  const values = reasonValues(error);
  if (error.code === 'ION_CLOSED') return unknown(check, 'any.timeLimit');
  if (isRefused(error)) return unknown(check, 'any.forbidden', { values });
  return unknown(check, 'any.error', { values });
}

/** A foreign text as a value of a line. */
export function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? quote(String(value)) : '';
}
