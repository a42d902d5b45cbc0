import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IonClient } from '../../nodes/client/client.js';
import { StepWriter } from '../../nodes/client/steps/step-writer.js';
import { Outbox } from '../../nodes/outbox/outbox.js';
import { StepWrites, stepEntry } from '../../nodes/outbox/step-writes.js';
import type { ByOutbox } from './fault-matrix.js';
import { clientSettings, type SandboxInTests } from './sandbox.js';
import { makeStep } from './steps.js';
import { until } from './until.js';

/** Properties of a config node that a fault may need. */
interface ConfigValues {
  apiUrl?: string;
  authUrl?: string;
  /** In seconds. */
  timeout?: number;
}

/** One write through the outbox during a fault. */
export class OutboxTrial {
  readonly #ion: SandboxInTests;
  readonly #client: IonClient;
  readonly #outbox: Outbox;
  readonly #folder: string;
  readonly #field: number;
  #delivered = 0;

  static async start(ion: SandboxInTests, values: ConfigValues): Promise<OutboxTrial> {
    const { fields } = await makeStep(ion.client(), [{ name: 'Log', type: 'STRING' }]);
    const { timeout, ...urls } = values;
    const timeoutMs = timeout === undefined ? {} : { timeoutMs: timeout * 1000 };
    const settings = clientSettings(ion.sandbox, { ...urls, ...timeoutMs, retries: 0 });
    const client = new IonClient(settings);
    const folder = await mkdtemp(join(tmpdir(), 'ion-outbox-trial-'));
    const listeners = new Map();
    const writer = new StepWriter(client);
    const outbox = await Outbox.open({
      folder,
      limits: { entries: 100, bytes: 1e6 },
      kinds: [new StepWrites(writer)],
      check: (options) => writer.check(options),
      concurrency: 2,
      listeners,
      pauseMs: 20,
    });
    const trial = new OutboxTrial(ion, client, outbox, folder, fields.Log ?? 0);
    listeners.set('trial', {
      delivered: () => trial.#delivered++,
      rejected: () => {},
      failed: () => {},
      changed: () => {},
    });
    outbox.start();
    return trial;
  }

  private constructor(
    ion: SandboxInTests,
    client: IonClient,
    outbox: Outbox,
    folder: string,
    field: number,
  ) {
    this.#ion = ion;
    this.#client = client;
    this.#outbox = outbox;
    this.#folder = folder;
    this.#field = field;
  }

  /** Delivers a write, so that the token and the field are known. */
  async warmUp(): Promise<void> {
    assert.equal(await this.become('warm-up', true), 'delivered');
  }

  /**
   * Outcome of a write.
   * @param isPassing a temporary outage ends, so that waiting is not the final outcome
   */
  async become(value: string, isPassing: boolean): Promise<ByOutbox> {
    const delivered = this.#delivered;
    const write = { action: 'field', target: { field: this.#field }, value } as const;
    await this.#outbox.add('trial', stepEntry({ ...write, onConflict: 'retry' }), {});
    const fate = (): ByOutbox | undefined => {
      const { rejected, failing, unreachableSince } = this.#outbox.state;
      if (this.#delivered > delivered) return 'delivered';
      if (rejected > 0) return 'gives up';
      if (failing.length > 0) return 'tries';
      return unreachableSince !== undefined && !isPassing ? 'waits' : undefined;
    };
    await until(() => fate() !== undefined);
    return fate() as ByOutbox;
  }

  /** Waits until the value is in ION. */
  async delivered(value: string): Promise<void> {
    const { runStepFields } = this.#ion.sandbox.data;
    await until(() => this.#outbox.state.pending === 0);
    assert.equal(runStepFields.get(this.#field)?.value, value);
  }

  async close(): Promise<void> {
    await this.#outbox.close();
    await this.#client.close();
    await rm(this.#folder, { recursive: true });
  }
}
