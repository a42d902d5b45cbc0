import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { renameSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { toIonError } from '../../nodes/client/errors.js';
import { type HolderListener, OutboxHolder } from '../../nodes/config/outbox-holder.js';
import { OutboxStore } from '../../nodes/outbox/store/store.js';
import { configFolder } from '../../nodes/storage/folder.js';
import { failure } from '../support/errors.js';
import { entryOfBothKinds, FakeIon } from '../support/outbox.js';
import { holdStore, StoreProcess } from '../support/store-processes.js';
import { until } from '../support/until.js';

const API = 'https://api.buildwithion.com/graphql';

describe('outbox: in use by another process', () => {
  let userDir: string;
  let folder: string;
  let holder: StoreProcess | undefined;
  let outbox: OutboxHolder;
  let ion: FakeIon;
  let flows: EventEmitter;
  const said = new EventEmitter();
  const warnings: string[] = [];
  const held: boolean[] = [];

  beforeEach(async () => {
    userDir = await mkdtemp(join(tmpdir(), 'ion-outbox-test-'));
    folder = configFolder(join(userDir, 'ion-outbox'), 'config', API);
    await mkdir(folder, { recursive: true });
    ion = new FakeIon();
    flows = new EventEmitter();
    held.length = 0;
    warnings.length = 0;
    holder = await holdStore(folder);
  });
  afterEach(async () => {
    await outbox?.close(false);
    await holder?.end();
    await rm(userDir, { recursive: true });
  });

  const start = ({
    patienceMs = 60_000,
    queueLimit = 1000,
    warnAfterMs = 60_000,
    reopenMs = 60_000,
  } = {}) => {
    const RED = { settings: { userDir }, events: flows, _: (key: string) => key.split('.').at(-1) };
    const warn = (text: string) => {
      warnings.push(text);
      said.emit('warning');
    };
    const node = { id: 'config', warn, error: (error: Error) => warn(error.message) };
    outbox = new OutboxHolder(RED as unknown as NodeAPI, node as unknown as Node, {
      client: () => ({ endpoint: API }) as never,
      batches: () => ({ size: 1, request: ion.request.bind(ion) }) as never,
      writer: () => ion as never,
      concurrency: () => 1,
      queueLimit: () => queueLimit,
      limits: () => ({ entries: 1000, bytes: 1e6 }),
      patienceMs,
      warnAfterMs,
      reopenMs,
    });
    outbox.subscribe('node', {
      delivered() {},
      rejected() {},
      failed() {},
      changed() {},
      held: (isHeld) => {
        held.push(isHeld);
        said.emit('held');
      },
    } satisfies HolderListener);
  };
  /** Counts the attempts to open the existing outbox. */
  const countTries = (before = () => {}) => {
    let tries = 0;
    const { openIfPresent } = outbox;
    outbox.openIfPresent = (...patience) => {
      tries++;
      before();
      return openIfPresent.apply(outbox, patience);
    };
    return () => tries;
  };
  /** A write as ion-step and ion-graphql make it. */
  const send = async (value: number, signal = new AbortController().signal) => {
    const opened = await outbox.open(signal);
    await opened.add('node', entryOfBothKinds(1, value, value), undefined);
  };
  const release = async () => {
    await holder?.end();
    holder = undefined;
  };
  const values = () => ion.written.map(({ value }) => value);

  it('queues messages, and accepts them in order when that process has ended', async () => {
    start();
    const settled: number[] = [];
    const sending = Array.from({ length: 10 }, (_, value) =>
      send(value).finally(() => settled.push(value)),
    );
    await once(said, 'held');
    assert.deepEqual([held, settled], [[true], []]);
    await release();
    await Promise.all(sending);
    await until(() => ion.written.length === 10);
    assert.deepEqual(
      values(),
      Array.from({ length: 10 }, (_, value) => value),
    );
    assert.deepEqual(held, [true, false]);
  });

  it('fails messages after the wait with a code for a temporary failure', async () => {
    start({ patienceMs: 50 });
    const errors = await Promise.all(
      [send(1), send(2)].map((each) => failure(each, 'ION_OVERLOADED')),
    );
    for (const { message } of errors) {
      assert.match(message, /in use by another process\. Is Node-RED running twice/);
      assert.match(message, /This message waited 0\.05 s for it\. Send it again later/);
    }
    await release();
    // Later messages are accepted without a restart.
    const later = async (): Promise<void> => {
      await send(3).catch((thrown) =>
        toIonError(thrown).code === 'ION_OVERLOADED' ? later() : Promise.reject(thrown),
      );
    };
    await later();
    await until(() => ion.written.length === 1);
    assert.deepEqual(values(), [3]);
  });

  it('queues no more messages than the limit of the config node', async () => {
    start({ queueLimit: 3 });
    const waiting = [1, 2, 3].map((value) => send(value));
    await once(said, 'held');
    const { message } = await failure(send(4), 'ION_OVERLOADED');
    assert.match(message, /in use by another process\. .* 3 messages are already queued for it/);
    await release();
    await Promise.all(waiting);
    await send(5);
    await until(() => ion.written.length === 4);
    assert.deepEqual(values(), [1, 2, 3, 5]);
  });

  it('drops a message when its node is redeployed, and all messages when the config node is', async () => {
    start();
    const redeploy = new AbortController();
    const first = failure(send(1, redeploy.signal), 'ION_CLOSED');
    const second = failure(send(2), 'ION_CLOSED');
    await once(said, 'held');
    redeploy.abort();
    await first;
    await outbox.close(false);
    await second;
    await failure(send(3), 'ION_CLOSED');
    assert.deepEqual(values(), []);
  });

  it('delivers the writes of the earlier process as soon as it has ended', async () => {
    await release();
    start();
    ion.isDown = true;
    await send(1);
    await outbox.close(false);
    ion.isDown = false;
    holder = await holdStore(folder);
    start({ patienceMs: 1, warnAfterMs: 1 });
    flows.emit('flows:started');
    await once(said, 'warning');
    assert.deepEqual(warnings, ['outboxHeld']);
    await release();
    await until(() => ion.written.length === 1);
    assert.deepEqual([values(), warnings], [[1], ['outboxHeld']]);
  });

  it('reports once why it cannot open the existing outbox, and delivers it when it can', async () => {
    await release();
    start();
    ion.isDown = true;
    await send(1);
    await outbox.close(false);
    ion.isDown = false;
    // A file in the place of a folder, like a folder that is not mounted yet.
    await rename(folder, `${folder} away`);
    await writeFile(folder, '');
    start({ reopenMs: 1 });
    let repair: (() => void) | undefined;
    const tries = countTries(() => repair?.());
    flows.emit('flows:started');
    await until(() => tries() > 5);
    assert.equal(warnings.length, 1);
    // Between two attempts, so that none of them finds no folder.
    repair = () => {
      rmSync(folder);
      renameSync(`${folder} away`, folder);
      repair = undefined;
    };
    await until(() => ion.written.length === 1);
    assert.equal(warnings.length, 1);
  });

  it('reports it at once to a caller that only reads', async () => {
    start();
    const { message } = await failure(outbox.openIfPresent(), 'ION_OVERLOADED');
    assert.match(message, /in use by another process/);
  });

  it('stays locked for a second opener in the same process', async () => {
    await release();
    const limits = { entries: 10, bytes: 1e6 };
    const store = await OutboxStore.open(folder, limits);
    const closing = new AbortController();
    const wait = { signal: closing.signal, onHeld: () => closing.abort() };
    await failure(OutboxStore.open(folder, limits, { wait }), 'ION_CLOSED');
    holder = new StoreProcess(folder, 'open');
    assert.match((await holder.outcome).message ?? '', /in use by another process/);
    await store.close();
    start();
    await outbox.open();
  });
});
