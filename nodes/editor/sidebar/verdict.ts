// The first line of a card: what is wrong and what to do, or that all is well.
import type { Status } from './status.js';

export type Severity = 'failed' | 'attention' | 'ok';

export interface Verdict {
  severity: Severity;
  /** Key of a text. */
  key: string;
  values?: Record<string, string | number>;
  /** A time, in ms since 1970. */
  since?: number;
  /** An error code: its meaning, and the advice on it, belong to the text. */
  code?: string;
}

/** One failure passes. */
const MIN_FAILURES = 3;
const MIN_ERRORS = 5;
const ERROR_SHARE = 0.1;
const QUEUE_SHARE = 0.5;

/** The most severe finding. */
export function verdictOf(status: Status): Verdict {
  return failureOf(status) ?? concernOf(status) ?? well(status);
}

function failureOf({ details, outbox, requests }: Status): Verdict | undefined {
  const { problem, isHeld } = details;
  const failed = (key: string, others: Omit<Verdict, 'severity' | 'key'> = {}): Verdict => {
    return { severity: 'failed', key, ...others };
  };
  if (problem) return failed(`problem.${problem.of}`, { values: { reason: problem.message } });
  if (isHeld) return failed('held');
  const { unreachableSince, reason = '', isOutage } = details.outbox ?? {};
  if (unreachableSince !== undefined) {
    const count = outbox?.waiting ?? 0;
    const key = count === 0 ? 'unreachable' : isOutage ? 'outage' : 'waiting';
    return failed(key, { values: { reason, count }, since: unreachableSince });
  }
  const { failing } = requests;
  if (failing && failing.count >= MIN_FAILURES) {
    return failed('requestsFail', { values: { count: failing.count }, code: failing.code });
  }
  const { refused = 0, failing: failingWrites = 0 } = outbox ?? {};
  if (refused > 0) return failed('refused', { values: { count: refused } });
  if (failingWrites > 0) return failed('writesFail', { values: { count: failingWrites } });
  return undefined;
}

function concernOf({ details, waiting, requests }: Status): Verdict | undefined {
  const { queueLimit } = details;
  if (queueLimit !== undefined && waiting > queueLimit * QUEUE_SHARE) {
    return { severity: 'attention', key: 'busy', values: { count: waiting } };
  }
  const { requests: count, errors, code } = requests.lastMinute;
  if (errors < MIN_ERRORS || errors < count * ERROR_SHARE) return undefined;
  const values = { errors, count };
  return { severity: 'attention', key: 'someFail', values, ...(code && { code }) };
}

function well({ details, requests, outbox }: Status): Verdict {
  if (details.isDryRun) return { severity: 'attention', key: 'dryRun' };
  const isIdle = requests.requests === 0 && (outbox?.waiting ?? 0) === 0;
  return { severity: 'ok', key: isIdle ? 'idle' : 'well' };
}
