import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { IonClient, IonResponse, RequestOptions } from '../../nodes/client/client.js';
import { closedError, IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import type { WriteResult } from '../../nodes/client/steps/step-writer.js';
import type { Target } from '../../nodes/client/steps/target.js';
import { abandonable } from '../../nodes/client/support/abort-listeners.js';
import type { EntryKind } from '../../nodes/outbox/entry-kind.js';
import {
  GraphqlWrites,
  graphqlEntry,
  type NewGraphqlWrite,
} from '../../nodes/outbox/graphql-writes.js';
import { Outbox, type OutboxOptions } from '../../nodes/outbox/outbox.js';
import {
  type NewStepWrite,
  type StepEntry,
  StepWrites,
  stepEntry,
} from '../../nodes/outbox/step-writes.js';
import type { Entry, NewEntry } from '../../nodes/outbox/store/entries.js';
import { decode } from '../../nodes/outbox/store/entry-codec.js';
import { until } from './until.js';

type Writer = ConstructorParameters<typeof StepWrites>[0] & {
  check: OutboxOptions['check'];
  /** Carries out mutations; without it the outbox has no entries of ion-graphql. */
  request?(operation: Operation, options: RequestOptions): Promise<IonResponse>;
};

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

  /** An ID is known at once, so that its partition is as well. */
  knownRun({ run }: Target): string | undefined {
    return /^\d+$/.test(String(run)) ? String(run) : undefined;
  }

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

  async writeNotCreated(): Promise<WriteResult<unknown>> {
    throw new Error('This ION has all steps.');
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

  /** A mutation as `mutation` makes it. */
  async request({ name }: Operation, { variables, signal }: RequestOptions): Promise<IonResponse> {
    const { run, value } = variables as { run: string; value: unknown };
    const options = { signal: signal ?? new AbortController().signal };
    const { payload, attempts } = await this.write({ run }, value, options);
    assert.equal(name, 'Write');
    return { data: payload, attempts, traceId: undefined } as unknown as IonResponse;
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
      const kinds: EntryKind[] = [new StepWrites(writer)];
      const request = writer.request?.bind(writer);
      // The mutations of the tests have no expressions.
      if (request) kinds.push(new GraphqlWrites({ request } as IonClient, async () => undefined));
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
      if (!/^[qu]!/.test(key) || !values.includes(String(valueIn(decode(value) as Entry))))
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

const MUTATION = 'mutation Write($run: ID!, $value: Value) { write(run: $run, value: $value) }';

/** Like a write to a run, with the ID of the run as its order key. */
export const mutation = (
  run: number,
  value: unknown,
  more: Partial<NewGraphqlWrite> = {},
): NewEntry =>
  graphqlEntry({
    query: MUTATION,
    operationName: '',
    variables: { run: String(run), value },
    orderKey: String(run),
    ...{ prepare: '', prepareVariables: '', alreadyDone: '', keepForMs: 0 },
    ...more,
  });

interface TestKind {
  name: string;
  /** An entry whose order key is the ID of a run. */
  entry(run: number, value: unknown): NewEntry;
}

/** The kinds of entries. */
const KINDS: readonly TestKind[] = [
  { name: 'writes to steps', entry: (run, value) => write({ run }, value) },
  { name: 'mutations', entry: (run, value) => mutation(run, value) },
];

/** Alternately of each kind. */
export const entryOfBothKinds = (run: number, value: unknown, index: number): NewEntry =>
  (KINDS[index % KINDS.length] as TestKind).entry(run, value);

/** Tests that hold for each kind of entries. */
export function describeKinds(title: string, tests: (kind: TestKind) => void): void {
  for (const kind of KINDS) describe(`${title}: ${kind.name}`, () => tests(kind));
}

/** The value that an entry writes, of either kind. */
export function valueIn(entry: Entry | undefined): unknown {
  const { value, variables } = ((entry as StepEntry | undefined)?.write ?? {}) as {
    value?: unknown;
    variables?: { value: unknown };
  };
  return variables ? variables.value : value;
}
