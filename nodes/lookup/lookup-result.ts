import type { WorkAnswer } from '../client/work/work.js';

/** The result of a look-up. Several callers share it, so nobody changes it. */
export interface LookupResult {
  answer: WorkAnswer;
  source: 'ion' | 'remembered';
  /** The time of ION's answer, in ISO 8601. */
  readAt: string;
  /** Requests that were sent to the API; 0 if the answer was already there. */
  attempts: number;
  traceId?: string;
}
