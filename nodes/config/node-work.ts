import type { SentOperation } from '../client/graphql/operation.js';
import type { PageSize } from '../client/paging/page-reader.js';
import type { ExpectedWebhook } from '../client/webhooks/webhook-state.js';

/** The work that a node does with ION, as far as it is known without a message. */
export interface NodeWork {
  operations: readonly SentOperation[];
  /**
   * Whether messages bring further operations.
   * @default false
   */
  isOpen?: boolean;
  /** If the node reads a list. */
  pageSize?: PageSize;
  /** @default false */
  usesOutbox?: boolean;
  webhook?: ExpectedWebhook;
}

/** A running node that uses a config node. */
export interface ConfigUser {
  id: string;
  type: string;
  name: string;
  /** @throws IonError for properties that cannot work */
  work(): NodeWork;
}
