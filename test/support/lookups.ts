import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { closedError, IonError } from '../../nodes/client/errors.js';
import type { Operation } from '../../nodes/client/graphql/operation.js';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { abandonable } from '../../nodes/client/support/abort-listeners.js';
import type { Work, WorkAnswer, WorkQuery } from '../../nodes/client/work/work.js';
import type { WorkResponse } from '../../nodes/client/work/work-finder.js';
import type { MemoryLimits } from '../../nodes/lookup/answer-index.js';
import { AnswerStore } from '../../nodes/lookup/answer-store.js';
import { type LookupResult, Lookups, type LookupsSettings } from '../../nodes/lookup/lookups.js';
import type { Finder } from '../../nodes/lookup/shared-lookup.js';

export const HOUR_MS = 60 * 60 * 1000;

export const queryOf = (value: string, more: Partial<WorkQuery> = {}): WorkQuery => ({
  ...{ by: 'serial', value, part: '', step: '', fields: true },
  ...more,
});

/** The work of a unit, whose number is a part of all its IDs. */
export function workOf(unit: number, status = 'IN_PROGRESS'): Work {
  return {
    unit: {
      id: `${unit}1`,
      serialNumber: `SN-${unit}`,
      lotNumber: null,
      partNumber: 'EX-1',
      revision: 'A',
      description: 'Example part',
    },
    run: { id: `${unit}2`, title: 'Example run', status: 'IN_PROGRESS' },
    step: {
      id: `${unit}3`,
      title: 'Example step',
      status,
      position: 1,
      availableToWork: true,
      batched: false,
      location: { id: `${unit}4`, name: 'Example station' },
    },
    fields: {
      Torque: {
        id: `${unit}5`,
        type: 'NUMBER',
        unit: 'Nm',
        required: true,
        options: null,
        value: null,
        valid: null,
        validations: [],
      },
    },
  };
}

export const found = (work: Work): WorkAnswer => ({ found: 'one', work });
export const nothing: WorkAnswer = { found: 'none', reason: 'Nothing is found.', candidates: [] };

/** Failures of a client, as it throws them. */
export const failures = {
  network: () => new IonError('ION_NETWORK', 'unreachable', { transient: true }),
  certificate: () => new IonError('ION_NETWORK', 'not trusted'),
  timeout: () => new IonError('ION_TIMEOUT', 'too late', { transient: true }),
  gateway: (status: number) =>
    new IonError('ION_SERVER', `HTTP ${status}`, { origin: 'gateway', transient: true, status }),
  auth: (status: number) =>
    new IonError('ION_SERVER', `HTTP ${status}`, { origin: 'auth', transient: true, status }),
  /** GraphQL errors about ION's own trouble. */
  service: (status: number) =>
    new IonError('ION_SERVER', 'database', { origin: 'service', transient: true, status }),
} as const;

/** An ION of which a test decides what it answers. */
export class FakeFinder implements Finder {
  readonly queries: WorkQuery[] = [];
  /** Look-ups that ended because nobody waited for them. */
  abandoned = 0;
  /** Look-ups under way, and the most of them at once. */
  atOnce = 0;
  mostAtOnce = 0;
  answer = (query: WorkQuery): WorkAnswer => found(workOf(Number(query.value)));
  /** The error of each try. */
  fail = (_query: WorkQuery): IonError | undefined => undefined;
  /** Delays each try. */
  before = (_query: WorkQuery): Promise<void> => Promise.resolve();
  /** Delays a try after a failed one; without it there is one try. */
  pause: (() => Promise<void>) | undefined;

  async find(
    query: WorkQuery,
    { signal, onState, onRetry }: Parameters<Finder['find']>[1],
  ): Promise<WorkResponse> {
    this.queries.push(query);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    onState?.('running');
    try {
      for (let attempts = 1; ; attempts++) {
        await abandonable(this.before(query), signal, closedError);
        const error = this.fail(query);
        if (!error) return { answer: this.answer(query), attempts, requests: 1, traceId: 'trace' };
        if (!this.pause || !error.transient) throw error.with({ attempts });
        onState?.('retrying');
        onRetry?.(error);
        await abandonable(this.pause(), signal, closedError);
      }
    } catch (thrown) {
      if (signal.aborted) this.abandoned++;
      throw thrown;
    } finally {
      this.atOnce--;
    }
  }

  get values(): string[] {
    return this.queries.map(({ value }) => value);
  }
}

export interface OpenOptions extends Partial<LookupsSettings> {
  limits?: MemoryLimits;
}

/** Look-ups with a memory in a folder of their own, which are closed after each test. */
export function useLookups() {
  let top = '';
  let finder: FakeFinder;
  const opened = new Set<Lookups>();
  const failed: IonError[] = [];
  const outcomeListeners = new Set<Parameters<LookupsSettings['client']['onOutcome']>[0]>();
  const forever = new AbortController();

  beforeEach(async () => {
    top = await mkdtemp(join(tmpdir(), 'ion-lookup-test-'));
    finder = new FakeFinder();
    failed.length = 0;
  });
  afterEach(async () => {
    await Promise.all([...opened].map((lookups) => lookups.close()));
    opened.clear();
    await rm(top, { recursive: true });
  });

  const tools = {
    /** The folder of the memory, which exists if something was remembered. */
    get folder() {
      return join(top, 'config', 'endpoint');
    },
    get within() {
      return top;
    },
    get finder() {
      return finder;
    },
    /** Reported failures of the memory. */
    failed,
    outcomeListeners,
    open({ limits, ...more }: OpenOptions = {}): Lookups {
      const { folder } = tools;
      const lookups = new Lookups({
        finder,
        client: {
          onOutcome(listener) {
            outcomeListeners.add(listener);
            return () => outcomeListeners.delete(listener);
          },
        },
        memory: {
          open: (wait) => AnswerStore.open({ folder, within: top, limits, wait }),
          maxWaitMs: 100,
          isPresent: () => AnswerStore.isIn({ folder, within: top }),
          onFailure: (error) => failed.push(error),
        },
        ...more,
      });
      opened.add(lookups);
      return lookups;
    },
    async close(lookups: Lookups): Promise<void> {
      opened.delete(lookups);
      await lookups.close();
    },
    find(lookups: Lookups, value: number | WorkQuery, rememberMs = HOUR_MS): Promise<LookupResult> {
      const query = typeof value === 'number' ? queryOf(String(value)) : value;
      return lookups.find(query, { rememberMs, signal: forever.signal });
    },
    /** A mutation ended that the same client sent. */
    mutated(variables: Record<string, unknown>, document = 'mutation { write }') {
      const operation: Operation = parseOperation(document);
      for (const listener of outcomeListeners)
        listener({ operation, variables, error: undefined, attempts: 1, durationMs: 0 });
    },
    /** Look-ups of a later process, which finds the memory of the first one. */
    async reopen(lookups: Lookups, options: OpenOptions = {}): Promise<Lookups> {
      await tools.close(lookups);
      return tools.open(options);
    },
    /** Reads the closed memory, or changes it. */
    async onDisk(work: (level: ClassicLevel<string, Buffer>) => Promise<void>): Promise<void> {
      const location = join(tools.folder, 'answers');
      const level = new ClassicLevel<string, Buffer>(location, { valueEncoding: 'buffer' });
      await level.open();
      try {
        await work(level);
      } finally {
        await level.close();
      }
    },
  };
  return tools;
}
