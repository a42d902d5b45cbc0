import { randomBytes } from 'node:crypto';

/** The headers of a trace, as the W3C recommendation "Trace Context" defines them. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ONLY_ZEROS = /^0+$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;
/** The recommendation asks for at least as many characters. */
const MAX_TRACESTATE = 512;
const SAMPLED = 1;

/**
 * The trace that a message, or an entry of an outbox, holds. A version after 00 is written as 00, as
 * the recommendation demands. A `tracestate` counts only with a valid `traceparent`, and up to 512
 * characters of printable ASCII.
 * @returns `undefined` if there is no valid `traceparent`
 */
export function readTraceContext(
  traceparent: unknown,
  tracestate?: unknown,
): TraceContext | undefined {
  const valid = typeof traceparent === 'string' ? validTraceparent(traceparent) : undefined;
  if (valid === undefined) return undefined;
  return isTracestate(tracestate) ? { traceparent: valid, tracestate } : { traceparent: valid };
}

/** A trace that begins here, with the flag that asks others to record it. */
export function newTraceContext(): TraceContext {
  const digits = randomBytes(24).toString('hex');
  return { traceparent: `00-${digits.slice(0, 32)}-${digits.slice(32)}-01` };
}

function validTraceparent(text: string): string | undefined {
  const [, version = '', traceId = '', parentId = '', flags = '', rest] =
    TRACEPARENT.exec(text) ?? [];
  if (version === '' || version === 'ff') return undefined;
  if (ONLY_ZEROS.test(traceId) || ONLY_ZEROS.test(parentId)) return undefined;
  if (version === '00') return rest === undefined ? text : undefined;
  // Other flags of a later version may mean something else.
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}`;
}

function isTracestate(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TRACESTATE && PRINTABLE_ASCII.test(value);
}
