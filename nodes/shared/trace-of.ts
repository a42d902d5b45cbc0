import {
  newTraceContext,
  readTraceContext,
  type TraceContext,
} from '../client/http/trace-context.js';
import type { Message } from './message.js';

/**
 * The trace of a message, for its requests. A new one is put into the message, whether that succeeds or
 * fails, if the config node makes traces.
 * @returns `undefined` if the message has no valid one, and none is made
 */
export function traceOf(
  { makesTraces }: { readonly makesTraces: boolean },
  msg: Message,
): TraceContext | undefined {
  if (msg.traceparent === undefined && !makesTraces) return undefined;
  const given = readTraceContext(msg.traceparent, msg.tracestate);
  if (given || !makesTraces) return given;
  const made = newTraceContext();
  // A flow may send a frozen object, which these leave unchanged.
  Reflect.set(msg, 'traceparent', made.traceparent);
  // It belongs to no trace, or to one that cannot be read.
  Reflect.deleteProperty(msg, 'tracestate');
  return made;
}
