import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { closedError, IonError } from '../../nodes/client/errors.js';
import type { WriteResult } from '../../nodes/client/steps/step-writer.js';
import type { Target } from '../../nodes/client/steps/target.js';
import { abandonable } from '../../nodes/client/support/abort-listeners.js';
import { Outbox, type OutboxOptions } from '../../nodes/outbox/outbox.js';
import {
  type NewStepWrite,
  type StepEntry,
  StepWrites,
  stepEntry,
} from '../../nodes/outbox/step-writes.js';
import type { NewEntry } from '../../nodes/outbox/store/entries.js';
import { decode } from '../../nodes/outbox/store/entry-codec.js';
import { until } from './until.js';

type Writer = ConstructorParameters<typeof StepWrites>[0] & { check: OutboxOptions['check'] };

/** A separate ION: remembers the writes, and fails on request. */
export class FakeIon implements Writer {
  readonly written: { run: string; value: unknown }[] = [];
  calls = 0;
  atOnce = 0;
  mostAtOnce = 0;
  isDown = false;
  isDownAt: (call: number) => boolean = () => this.isDown;
  fail: (value: unknown, call: number) => IonError | undefined = () => undefined;
  before: () => Promise<void> = async () => {};
  failLookUp: (target: Target, call: number) => IonError | undefined = () => undefined;
  lookUps = 0;
  /** At the last look-up: no outage ends just before the probe. */
  wasDown = false;
  /** Per file name. */
  attachments = new Map<string, number[]>();

  async runOf(target: Target): Promise<string> {
    this.calls++;
    this.lookUps++;
    await this.before();
    this.wasDown = this.isDownAt(this.calls);
    if (this.wasDown) throw outage();
    const error = this.failLookUp(target, this.calls);
    if (error) throw error;
    return runOf(target);
  }

  async write(
    target: Target,
    value: unknown,
    { signal }: { signal: AbortSignal },
  ): Promise<WriteResult<unknown>> {
    this.calls++;
    this.atOnce++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    try {
      await abandonable(this.before(), signal, closedError);
      const error = this.isDownAt(this.calls) ? outage() : this.fail(value, this.calls);
      if (error) throw error;
      const run = await this.runOf(target);
      this.written.push({ run, value });
      return {
        payload: { value },
        name: 'UpdateRunStepFieldValue',
        attempts: 1,
        traceId: undefined,
      };
    } finally {
      this.atOnce--;
    }
  }

  writeStatus(target: Target, value: unknown, options: { signal: AbortSignal }) {
    return this.write(target, value, options) as Promise<WriteResult<never>>;
  }

  async check(): Promise<void> {
    this.calls++;
    if (this.wasDown || this.isDownAt(this.calls)) throw outage();
  }

  async attachmentsOf(_target: Target, filename: string): Promise<number[]> {
    if (this.isDown) throw outage();
    return this.attachments.get(filename) ?? [];
  }

  async attach(
    target: Target,
    { filename, read }: { filename: string; read(): AsyncIterable<Uint8Array> },
    _options: object,
    { before }: { before?: readonly number[] } = {},
  ) {
    const known = this.attachments.get(filename) ?? [];
    let id = before && known.find((each) => !before.includes(each));
    if (id === undefined) {
      let text = '';
      for await (const chunk of read()) text += Buffer.from(chunk).toString();
      id = this.written.length + 1;
      this.attachments.set(filename, [...known, id]);
      this.written.push({ run: runOf(target), value: text });
    }
    const error = this.fail(filename, ++this.calls);
    if (error) throw error;
    return {
      payload: { id },
      name: 'CreateFileAttachment',
      attempts: 1,
      traceId: undefined,
    } as never;
  }
}

/** Steps 10 to 19 belong to run 1, and so on; fields in the same way. */
function runOf({ run, step, field }: Target): string {
  const id = run ?? Math.floor(Number(step ?? field) / 10);
  if (Number.isNaN(id)) throw new IonError('ION_NOT_FOUND', 'no such step');
  return String(id);
}

export function outage(): IonError {
  return new IonError('ION_NETWORK', 'unreachable', { transient: true, mayHaveRun: true });
}

export function fault(): IonError {
  return new IonError('ION_SERVER', 'a fault', { status: 500 });
}

/**
 * A folder for each test, and its outboxes, which are closed after it.
 * @param options read at each opening
 */
export function useOutbox(
  options: () => { writer: Writer; listeners: OutboxOptions['listeners'] } & Partial<OutboxOptions>,
) {
  let folder = '';
  const opened = new Set<Outbox>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ion-outbox-test-'));
  });
  afterEach(async () => {
    await Promise.all([...opened].map((outbox) => outbox.close()));
    opened.clear();
    await rm(folder, { recursive: true });
  });
  return {
    get folder() {
      return folder;
    },
    async open(more: Partial<OutboxOptions> = {}): Promise<Outbox> {
      const limits = { entries: 100_000, bytes: 1e9 };
      const { writer, ...others } = options();
      const kinds = [new StepWrites(writer)];
      const check: Writer['check'] = (how) => writer.check(how);
      const usual = { folder, limits, kinds, check, concurrency: 10, pauseMs: 5 };
      const outbox = await Outbox.open({ ...usual, ...others, ...more });
      opened.add(outbox);
      return outbox;
    },
    async close(outbox: Outbox): Promise<void> {
      opened.delete(outbox);
      await outbox.close();
    },
    empty: (outbox: Outbox) => until(() => outbox.state.pending === 0),
  };
}

/** Reads a closed outbox, or changes its contents. */
export async function inStore(
  folder: string,
  work: (level: ClassicLevel<string, Buffer>) => Promise<void>,
): Promise<void> {
  const level = new ClassicLevel<string, Buffer>(join(folder, 'entries'), {
    valueEncoding: 'buffer',
  });
  await level.open();
  try {
    await work(level);
  } finally {
    await level.close();
  }
}

/**
 * Makes entries unreadable in a closed outbox.
 * @returns a function that makes them readable again, also if they have moved
 */
export async function damage(folder: string, values: string[]): Promise<() => Promise<void>> {
  const before = new Map<string, Buffer>();
  const numberOf = (key: string) => key.slice(key.lastIndexOf('!') + 1);
  await inStore(folder, async (level) => {
    for await (const [key, value] of level.iterator()) {
      if (!/^[qu]!/.test(key) || !values.includes(String((decode(value) as StepEntry).write.value)))
        continue;
      before.set(numberOf(key), value);
      await level.put(key, Buffer.from('not an entry'));
    }
  });
  return () =>
    inStore(folder, async (level) => {
      for await (const key of level.keys()) {
        const value = before.get(numberOf(key));
        if (value) await level.put(key, value);
      }
    });
}

export const write = (target: Target, value: unknown, more: Partial<NewStepWrite> = {}): NewEntry =>
  stepEntry({ action: 'field', target, value, onConflict: 'retry', ...more });
