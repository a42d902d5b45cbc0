import type { NodeMessageInFlow } from 'node-red';
import type { DryRunRequest } from '../client/graphql/dry-run-request.js';

/** A message as flows pass it on: any properties, of any type. */
export type Message = NodeMessageInFlow &
  Record<string, unknown> & { ion?: Record<string, unknown> };

/** A name of a message property that needs no path parser. */
export const PLAIN_NAME = /^[A-Za-z]\w*$/;

/** The content of `msg.ion` of a result. */
export interface MessageDetails {
  operation: 'query' | 'mutation';
  name: string | undefined;
  attempts: number;
  pages?: number | undefined;
  /** Rows in this message. */
  count?: number | undefined;
  totalCount?: number | undefined;
  traceId?: string | undefined;
  extensions?: Record<string, unknown> | undefined;
  /** The outcome for each of several fields. */
  results?: Record<string, unknown> | undefined;
  /** The step was started before its value was written. */
  started?: true | undefined;
  /** An earlier try was executed, so that the last one sent nothing. */
  found?: true | undefined;
  /** The mutations that a dry run did not send. */
  notSent?: readonly DryRunRequest[] | undefined;
}

/** The content of `msg.ion` of a dry run. */
interface DryRunDetails {
  dryRun: true;
  /** The last of them. */
  request: DryRunRequest;
  /** Only if there are several. */
  requests: readonly DryRunRequest[];
}

/**
 * The content of `msg.ion` of a result (duration in ms), without unknown details. It names each of them, because that
 * is much faster for each message than a loop.
 */
export function resultDetails(
  details: MessageDetails,
  durationMs: number,
): Record<string, unknown> {
  const { operation, name, attempts, pages, count, totalCount } = details;
  const { traceId, extensions, results, started, found, notSent } = details;
  const shown: Partial<MessageDetails & DryRunDetails & { durationMs: number }> = { operation };
  if (name !== undefined) shown.name = name;
  shown.attempts = attempts;
  if (pages !== undefined) shown.pages = pages;
  if (count !== undefined) shown.count = count;
  if (totalCount !== undefined) shown.totalCount = totalCount;
  if (traceId !== undefined) shown.traceId = traceId;
  if (extensions !== undefined) shown.extensions = extensions;
  if (results !== undefined) shown.results = results;
  if (started !== undefined) shown.started = started;
  if (found !== undefined) shown.found = found;
  if (notSent !== undefined) addDryRun(shown, notSent);
  shown.durationMs = durationMs;
  return shown as Record<string, unknown>;
}

function addDryRun(shown: Partial<DryRunDetails>, notSent: readonly DryRunRequest[]): void {
  const request = notSent.at(-1);
  shown.dryRun = true;
  if (request) shown.request = request;
  if (notSent.length > 1) shown.requests = notSent;
}

/** A copy without `undefined` properties, so that a debug node does not show them. */
export function withoutUnknown(details: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  // Faster than a list of the keys, for each message.
  for (const key in details) {
    const value = (details as Record<string, unknown>)[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}
