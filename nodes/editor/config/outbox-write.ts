// The writes of an outbox as the admin route reports them, and the decisions on them.

export interface OutboxWrite {
  sequence: number;
  action: 'field' | 'status' | 'file' | 'graphql';
  target: Record<'run' | 'step' | 'field', string | number | null | undefined>;
  filename?: string;
  /** Name of a mutation. */
  operation?: string;
  /** Missing if the node has no key of its own. */
  orderKey?: string;
  /** A short text about the value, or the variables. */
  value?: string;
  isEditable?: true;
  /** ID of the running node; missing if the write cannot be read. */
  sender?: string;
  /** In ms since 1970; missing if the write cannot be read. */
  acceptedAt?: number;
  error: { code: string; message: string };
}

export interface RejectedWrite extends OutboxWrite {
  /** In ms since 1970. */
  givenUpAt: number;
  /** Missing if nobody has retried it. */
  retries?: number;
}

/** A write that fails again and again while ION responds to other requests. */
export interface FailingWrite extends OutboxWrite {
  tries: number;
  /** In ms since 1970. */
  since: number;
  nextTryAt?: number;
}

export type Decision = 'retry' | 'discard' | 'skip';

/** A decision, or the wish to correct the write first. */
export type Choice = Decision | 'edit';
