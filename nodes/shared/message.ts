import type { NodeMessageInFlow } from 'node-red';

/** A message as flows pass it on: any properties, of any type. */
export type Message = NodeMessageInFlow &
  Record<string, unknown> & { ion?: Record<string, unknown> };

/** What `msg.ion` tells about an answer. */
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
  /** What became of each of several fields. */
  results?: Record<string, unknown> | undefined;
}

/** Without the properties that are not known, so that a debug node shows none. */
export function withoutUnknown(details: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(details)) {
    const value = (details as Record<string, unknown>)[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}
