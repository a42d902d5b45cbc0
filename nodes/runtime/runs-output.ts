import type { NodeAPI } from 'node-red';
import type { Row } from '../client/rows.js';
import type { Message, MessageDetails, MessageTools } from './on-message.js';
import { Sequence } from './sequence.js';

type Send = MessageTools['send'];

/** How pages of runs become messages. */
export interface RunsOutput {
  page(rows: Row[], details: MessageDetails): void;
  /** All pages were read. */
  end(details: MessageDetails): void;
  /** The reading failed: what was read is sent, but nothing is marked as the last. */
  interrupt(): void;
}

/** One message with all runs, sent only at the end. */
export function arrayOutput(msg: Message, send: Send, sendsEmpty: boolean): RunsOutput {
  const all: Row[] = [];
  return {
    page(rows) {
      for (const row of rows) all.push(row);
    },
    end(details) {
      if (all.length > 0 || sendsEmpty) send(msg, all, { ...details, count: all.length });
    },
    interrupt() {},
  };
}

/** One message per run, or one per page of runs, numbered for a Join node. */
export function sequenceOutput(
  RED: NodeAPI,
  msg: Message,
  send: Send,
  mode: 'each' | 'page',
): RunsOutput {
  const sequence = new Sequence(RED, msg);
  // The newest one waits, because only what follows tells whether it is the last.
  let held: { payload: Row | Row[]; details: MessageDetails } | undefined;
  const sendHeld = (isLast: boolean) => {
    if (held) send(sequence.next(isLast), held.payload, held.details);
    held = undefined;
  };
  const hold = (payload: Row | Row[], details: MessageDetails) => {
    sendHeld(false);
    held = { payload, details };
  };
  return {
    page(rows, details) {
      if (mode === 'page' && rows.length > 0) hold(rows, { ...details, count: rows.length });
      if (mode === 'each') for (const row of rows) hold(row, { ...details, count: 1 });
    },
    end: () => sendHeld(true),
    interrupt: () => sendHeld(false),
  };
}
