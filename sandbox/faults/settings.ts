import type { TimeForm } from '../data/clock.js';
import { isSignatureEncoding, type SignatureEncoding } from '../data/signature.js';
import type { PagingSettings } from '../graphql/connections.js';
import type { FaultEffect, FaultTarget, FieldFault } from './fault.js';

/** The readings of the facts about ION that are uncertain: which of them this sandbox follows. */
export interface Dialect extends PagingSettings {
  /** The form in which the API accepts a token: bare, as `Bearer <token>`, or in any form. */
  authScheme: 'both' | 'raw' | 'bearer';
  /** The path of the token endpoint: as it is now, as before 2024 (`/auth/realms/…`), or both. */
  tokenPath: 'both' | 'new' | 'old';
  /** Parts that the schema lacks, such as `RunStepField.notApplicable`; see `schemaWithout`. */
  unknown: readonly string[];
  /** Whether the API answers introspection. */
  introspection: boolean;
  /** The status of a response to a stale etag, which has `errors`: HTTP 200, 409 or 400. */
  etagConflict: 'errors' | 'status' | 'bad-request';
  /** The form of that error: with the code `CONCURRENCY_ERROR`, only with its text, or only with another text. */
  etagError: 'code' | 'text' | 'other-text';
  /** The refusal of a mutation that is not permitted: of the whole request with HTTP 403, or of the mutation with HTTP 200. Both have `errors`. */
  permissionError: 'status' | 'errors';
  /** IDs in responses: of the types in the public schema (most are numbers), all numbers, or all texts. */
  idForm: 'schema' | 'number' | 'text';
  /** The case of enum values in responses; in requests they are always upper case. */
  enumCase: 'upper' | 'lower';
  /** The zone and the fraction of times in responses. */
  timeForm: TimeForm;
  /** Whether the `_updated` and the etag of a run move with its steps. */
  runsMoveWithSteps: boolean;
  /** The ways of attaching a file: `createFileAttachment` first (two calls), `requestFileUploadUrl` first, or both. */
  uploadFlow: 'both' | 'two-calls' | 'three-calls';
  /** Whether numbers as text are taken for numbers. */
  coercion: 'lenient' | 'strict';
  /** Whether several operations in one request are answered. */
  arrayBatching: boolean;
  /** The names of the tables in the bodies of webhooks; subscriptions name them in the plural. */
  resourceNames: 'plural' | 'singular';
  /** The member of a webhook's body that holds the row: `row_data`, `data`, or `new` beside `old`. */
  webhookBody: 'row_data' | 'data' | 'new';
  /** Whether a webhook's body has its `action`. */
  webhookAction: boolean;
  /** The encoding of the signature of a webhook delivery. */
  webhookSignature: SignatureEncoding;
  /** Whether a delivery that was answered with 404 is tried again. */
  webhookRetriesOn404: boolean;
}

/** The settings that can be changed while the sandbox runs. */
export interface Settings extends Dialect {
  /** Seconds that a new access token lives. */
  tokenLifetime: number;
  /** Seconds by which the API's clock is behind the auth server's. */
  clockBehind: number;
  /** Minimum duration of every API response, in milliseconds. */
  latency: number;
  /** Additional duration for each row of a list, in milliseconds. */
  rowLatency: number;
  /** Whether the token endpoint accepts the sandbox's own API key. */
  keyEnabled: boolean;
  /** The permissions of that key, such as `UpdateRunStep`; all by default. */
  permissions: readonly string[] | null;
  /** The ION Action: refuses a torque above 50 with a text of the customer's own. */
  rule: boolean;
  /**
   * This share (0 to 1) of the requests that any effect is for is hit by one of them, evenly at random;
   * effects without a target are for the API.
   */
  randomFaults: {
    share: number;
    effects: (FaultEffect & Partial<FaultTarget>)[];
  } | null;
  /** Failures of single mutations, also of one among several in a document. */
  fieldFaults: readonly FieldFault[];
  /** More API requests in one second than this are answered with 429. */
  rateLimit: { perSecond: number } | null;
  /** Milliseconds before a webhook delivery is tried again; doubles with each try, up to 60 s. */
  webhookRetryDelay: number;
  /** Number of tries before a webhook delivery has failed. */
  webhookTries: number;
  /** Milliseconds that one try of a webhook delivery may take. */
  webhookTimeout: number;
}

export const DEFAULT_DIALECT: Dialect = {
  authScheme: 'both',
  tokenPath: 'both',
  unknown: [],
  introspection: true,
  maxPageSize: null,
  pageRefusal: 'first must be at most {max}.',
  opaqueCursors: false,
  etagConflict: 'errors',
  etagError: 'code',
  permissionError: 'status',
  idForm: 'schema',
  enumCase: 'upper',
  timeForm: 'microseconds',
  runsMoveWithSteps: false,
  uploadFlow: 'both',
  coercion: 'lenient',
  arrayBatching: false,
  resourceNames: 'plural',
  webhookBody: 'row_data',
  webhookAction: true,
  webhookSignature: 'hex',
  webhookRetriesOn404: true,
};

/** The settings of a sandbox that was started without any. */
export function defaultSettings(): Settings {
  return {
    ...DEFAULT_DIALECT,
    tokenLifetime: 300,
    clockBehind: 0,
    latency: 0,
    rowLatency: 0,
    keyEnabled: true,
    permissions: null,
    rule: false,
    randomFaults: null,
    fieldFaults: [],
    rateLimit: null,
    webhookRetryDelay: 1000,
    webhookTries: 10,
    webhookTimeout: 10_000,
  };
}

const CHOICES: { readonly [K in keyof Settings]?: readonly Settings[K][] } = {
  authScheme: ['both', 'raw', 'bearer'],
  tokenPath: ['both', 'new', 'old'],
  etagConflict: ['errors', 'status', 'bad-request'],
  etagError: ['code', 'text', 'other-text'],
  permissionError: ['status', 'errors'],
  idForm: ['schema', 'number', 'text'],
  enumCase: ['upper', 'lower'],
  timeForm: ['microseconds', 'milliseconds', 'offset', 'no-zone'],
  uploadFlow: ['both', 'two-calls', 'three-calls'],
  coercion: ['lenient', 'strict'],
  resourceNames: ['plural', 'singular'],
  webhookBody: ['row_data', 'data', 'new'],
};

/** @throws TypeError for a setting that does not exist, or a value that is none of its choices */
export function checkSettings(settings: Partial<Settings>): void {
  if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) {
    throw new TypeError('The settings are not a JSON object');
  }
  const known: Record<string, unknown> = { ...defaultSettings() };
  for (const [name, value] of Object.entries(settings)) {
    if (!(name in known)) throw new TypeError(`There is no setting "${name}"`);
    if (Array.isArray(known[name]) && !Array.isArray(value)) {
      throw new TypeError(`The setting "${name}" is a list`);
    }
    const choices: readonly unknown[] | undefined =
      typeof known[name] === 'boolean' ? [true, false] : CHOICES[name as keyof Settings];
    if (!choices || choices.includes(value)) continue;
    throw new TypeError(`The setting "${name}" is one of ${choices.join(', ')}`);
  }
  const { webhookSignature = 'hex' } = settings;
  if (!isSignatureEncoding(webhookSignature)) {
    throw new TypeError(`There is no signature encoding "${webhookSignature}"`);
  }
}
