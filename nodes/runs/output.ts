import type { NodeAPI } from 'node-red';
import { closedError } from '../client/errors.js';
import type { Row } from '../client/lists/rows.js';
import { Slices } from '../client/support/slices.js';
import type { MessageTools } from '../shared/handle-messages.js';
import type { Message, MessageDetails } from '../shared/message.js';
import { Sequence } from '../shared/sequence.js';

type Tools = Pick<MessageTools, 'send' | 'signal'>;

/** Converts pages of runs, or of rows of one level, to messages. */
export interface RunsOutput {
  /** @throws IonError `ION_CLOSED` when the flow is stopped; then no more messages are sent */
  page(rows: Row[], details: MessageDetails): Promise<void>;
  /** Called after the last page. */
  end(details: MessageDetails): Promise<void>;
  /**
   * Called after a failed read: sends the runs that were read, without a mark on the last one. Sends
   * no message if the flow was stopped.
   */
  interrupt(): void;
}

/** One message with all runs or rows, sent only at the end. */
export function arrayOutput(
  msg: Message,
  { send, signal }: Tools,
  sendsEmpty: boolean,
): RunsOutput {
  const all: Row[] = [];
  return {
    async page(rows) {
      for (const row of rows) all.push(row);
    },
    async end(details) {
      if (signal.aborted) throw closedError();
      if (all.length > 0 || sendsEmpty) send(msg, all, { ...details, count: all.length });
    },
    interrupt() {},
  };
}

/** One message per run or row, or one per page of runs, numbered for a Join node. */
export function sequenceOutput(
  RED: NodeAPI,
  msg: Message,
  { send, signal }: Tools,
  mode: 'each' | 'page',
): RunsOutput {
  const sequence = new Sequence(RED, msg);
  // The newest message waits, because only the next run or the end shows whether it is the last.
  let held: { payload: Row | Row[]; details: MessageDetails } | undefined;
  const sendHeld = (isLast: boolean) => {
    const next = held;
    held = undefined;
    if (next) send(sequence.next(isLast), next.payload, next.details);
  };
  const slices = new Slices();
  // Copying and sending thousands of messages takes a long time.
  const pause = async () => {
    if (slices.isOver) await slices.pause();
    if (signal.aborted) throw closedError();
  };
  const hold = async (payload: Row | Row[], details: MessageDetails) => {
    await pause();
    sendHeld(false);
    held = { payload, details };
  };
  return {
    async page(rows, details) {
      if (mode === 'page' && rows.length > 0) await hold(rows, { ...details, count: rows.length });
      if (mode === 'each') for (const row of rows) await hold(row, { ...details, count: 1 });
    },
    async end() {
      await pause();
      sendHeld(true);
    },
    interrupt() {
      if (!signal.aborted) sendHeld(false);
    },
  };
}
