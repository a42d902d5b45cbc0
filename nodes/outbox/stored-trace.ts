import { readTraceContext, type TraceContext } from '../client/http/trace-context.js';
import type { Entry } from './store/entries.js';

/** The trace of an entry for its requests. A trace that the disk holds may be damaged. */
export function storedTrace({ trace }: Entry): TraceContext | undefined {
  return trace ? readTraceContext(trace.traceparent, trace.tracestate) : undefined;
}
