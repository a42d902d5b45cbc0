import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { GraphqlEntry } from '../../nodes/outbox/graphql-writes.js';
import type { StepEntry } from '../../nodes/outbox/step-writes.js';
import type { RejectedEntry } from '../../nodes/outbox/store/entries.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';
import { configFolder } from '../../nodes/storage/folder.js';
import type { Sandbox } from '../../sandbox/server.js';
import type { RunningNodeRed } from '../../tools/running-node-red.js';
import type { OutboxFlow, Prepared } from './outbox-flow.js';

/** Between the result and the line that the flow writes about it. */
const REPORT_MS = 2000;
const WORDS = 'The part is not in stock.';

/** Times at which a Node-RED was not there, or not with all its nodes, so that it reported nothing. */
export class Interruptions {
  readonly #all: { from: number; to: number }[] = [];

  async kill(running: RunningNodeRed): Promise<void> {
    const now = Date.now();
    this.#all.push({ from: now, to: now });
    await running.kill();
  }

  async during(work: () => Promise<void>): Promise<void> {
    const from = Date.now();
    await work();
    this.#all.push({ from, to: Date.now() });
  }

  /** Whether the report about something that happened then may be missing. */
  hide(at: number): boolean {
    return this.#all.some(({ from, to }) => at > from - REPORT_MS && at <= to);
  }
}

/** Makes the sandbox reject the writes that the flow wants to be rejected. */
export function rejectRefused({ control }: Sandbox): void {
  control.set({ fieldFaults: [{ message: WORDS, match: '"refuse-' }] });
}

/**
 * Each accepted write was either delivered or rejected, as ION wanted it, and left by that output.
 * Node-RED has to be stopped.
 * @param accepted lines of the accepted writes
 * @param url of the API, as the config node has it
 * @returns a line with the numbers
 */
export async function checkOutcomes(
  flow: OutboxFlow,
  { userDir, delivered, givenUp }: Prepared,
  accepted: string[],
  interruptions: Interruptions,
  url: string,
): Promise<string> {
  const isRefused = (value: string) => value.startsWith('refuse-');
  const refused = accepted.filter(isRefused);
  const others = accepted.filter((value) => !isRefused(value));
  const { written, repeated } = flow.check(others);
  const kept = await readRejected(userDir, `${url}/graphql`);
  // A mutation whose response was lost before says so behind ION's words.
  assert.deepEqual(
    kept.filter(({ value, message }) => !isRefused(value) || !message.startsWith(WORDS)),
    [],
    'nothing else was rejected',
  );
  const keptValues = new Set(kept.map(({ value }) => value));
  assert.deepEqual(
    refused.filter((value) => !keptValues.has(value)),
    [],
    'all of them are kept',
  );
  const reported = new Set(await givenUp());
  assert.deepEqual(
    kept.filter(
      ({ value, message, at }) => !reported.has(`${value} ${message}`) && !interruptions.hide(at),
    ),
    [],
    'all of them left by output 2',
  );
  const sent = new Set(await delivered());
  const arrivals = flow.lastArrivals();
  assert.deepEqual(
    others.filter((value) => !sent.has(value) && !interruptions.hide(arrivals.get(value) ?? 0)),
    [],
    'all others left by output 1',
  );
  return `${accepted.length} accepted; ${written} written, ${repeated} of them again, ${sent.size} reported; ${refused.length} refused, ${reported.size} reported`;
}

/** Rejected writes, read from the disk of a process that has ended. */
async function readRejected(
  userDir: string,
  endpoint: string,
): Promise<{ value: string; message: string; at: number }[]> {
  const path = configFolder(join(userDir, 'ion-outbox'), 'config', endpoint);
  const store = await OutboxStore.open(path, { entries: 1e6, bytes: 1e9 });
  try {
    const rejected = await store.firstRejected(10_000);
    return rejected.map(({ entry }) => ({
      value: valueIn(entry),
      message: entry.error.message,
      at: entry.givenUpAt,
    }));
  } finally {
    await store.close();
  }
}

function valueIn(entry: RejectedEntry): string {
  if (entry.kind === undefined) return String((entry as RejectedEntry & StepEntry).write.value);
  return String((entry as unknown as GraphqlEntry).write.variables?.value);
}
