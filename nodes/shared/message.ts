import type { NodeMessageInFlow } from 'node-red';

/** A message as flows pass it on: any properties, of any type. */
export type Message = NodeMessageInFlow &
  Record<string, unknown> & { ion?: Record<string, unknown> };

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
