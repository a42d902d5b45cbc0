import type { QueryTemplate } from './query-templates.js';

/** A mutation for the outbox, with what makes it safe to repeat. */
export interface WriteTemplate extends QueryTemplate {
  variables: string;
  /** The query that runs before each try. */
  prepare: string;
  /** JSONata over `variables`, `data` and `msg` that gives the variables to send; empty: as they are. */
  prepareVariables: string;
  /** JSONata over the same that gives the result of an earlier try; empty: the write may be repeated. */
  alreadyDone: string;
  /** Writes with the same key are delivered in their order. */
  order?: { value: string; type: string };
}
