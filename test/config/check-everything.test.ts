import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IonError } from '../../nodes/client/errors.js';
import { type CheckSubject, checkEverything } from '../../nodes/config/check/check-everything.js';
import type { IonConfigNode } from '../../nodes/config/config-node.js';
import type { NodeWork } from '../../nodes/config/node-work.js';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

describe('the end of Check everything', () => {
  const context = useSandbox();
  const subject = (): CheckSubject => ({
    client: () => context.client({ retries: 0 }),
    secrets: [],
    hasProxy: false,
    isVerifying: true,
    deployed: undefined,
  });
  const hang = () => {
    context.sandbox.control.fault({ target: 'api', match: '__schema', kind: 'hang' });
  };

  it('comes at once when its caller leaves', async () => {
    hang();
    const caller = new AbortController();
    const checked = checkEverything(subject(), caller.signal);
    const requests = () => context.sandbox.control.counters().api;
    await until(() => requests().concurrent === 1 && requests().total > 4);
    caller.abort();
    await assert.rejects(checked, { code: 'ION_CLOSED' });
    await until(() => requests().concurrent === 0);
  });

  it('comes after its time limit, with everything that was found until then', async () => {
    hang();
    const { signal } = new AbortController();
    const { lines } = await checkEverything(subject(), signal, 1500);
    const of = (name: string) => lines.filter(({ check }) => check === name);
    assert.deepEqual(
      of('schema').map(({ state, finding }) => [state, finding]),
      [['unknown', 'any.timeLimit']],
    );
    assert.equal(of('pageSize')[0]?.finding, 'pageSize.accepted');
  });
});

describe('Check everything, of very many nodes', () => {
  it('says how many were not checked', async () => {
    const work = (): NodeWork => ({ operations: [] });
    const users = new Set(
      Array.from({ length: 1003 }, (_, id) => ({ id: `${id}`, type: 'ion-runs', name: '', work })),
    );
    const deployed = {
      outbox: { folder: '/', openIfPresent: async () => undefined },
      values: { environment: 'custom' },
      users,
    } as unknown as IonConfigNode;
    const client = () => {
      throw new IonError('ION_CONFIG', 'Not in this test.');
    };
    const subject = { client, secrets: [], hasProxy: false, isVerifying: true, deployed };
    const { lines } = await checkEverything(subject, new AbortController().signal);
    const line = lines.find(({ finding }) => finding === 'operations.tooMany');
    assert.deepEqual([line?.state, line?.values], ['unknown', { count: 3 }]);
  });
});

describe('Check everything, of the outbox', () => {
  const temporary = useTemporaryFolder();
  const work = (usesOutbox: boolean): NodeWork => ({ operations: [], usesOutbox });

  /** The lines about the outbox, without an ION. */
  const check = async (
    folder: string,
    {
      usesOutbox = true,
      outboxSize = 1024,
      open = async (): Promise<Outbox | undefined> => undefined,
    } = {},
  ) => {
    const user = { id: 'node', type: 'ion-step', name: '', work: () => work(usesOutbox) };
    const deployed = {
      outbox: { folder, openIfPresent: open },
      values: { environment: 'custom', outboxSize },
      users: new Set([user]),
    } as unknown as IonConfigNode;
    const client = () => {
      throw new IonError('ION_CONFIG', 'Not in this test.');
    };
    const subject = { client, secrets: [], hasProxy: false, isVerifying: true, deployed };
    const { lines } = await checkEverything(subject, new AbortController().signal);
    return lines.filter((line) => line.check === 'outbox' || line.check === 'disk');
  };
  const findings = (lines: { finding: string }[]) => lines.map(({ finding }) => finding);

  it('finds a folder that can be made, and the free space, and writes nothing', async () => {
    const folder = join(temporary.path, 'new', 'ion-outbox', 'config');
    const lines = await check(folder);
    assert.deepEqual(findings(lines), ['outbox.writable', 'disk.space']);
    assert.equal(lines[1]?.values?.limit, 1024);
    await assert.rejects(mkdir(join(folder, 'inside')), { code: 'ENOENT' });
  });

  it('says that the disk may be full first', async () => {
    const lines = await check(join(temporary.path, 'other'), { outboxSize: 1_048_576 });
    assert.equal(lines[1]?.advice, 'disk.belowLimit');
  });

  it('says that the folder cannot be written', async () => {
    const file = join(temporary.path, 'file');
    await writeFile(file, '');
    const lines = await check(join(file, 'config'));
    assert.equal(lines[0]?.finding, 'outbox.notWritable');
    assert.equal(lines[0]?.state, 'failed');
  });

  it('says that its limits are wrong, also before the first entry', async () => {
    const lines = await check(join(temporary.path, 'limits'), { outboxSize: 0 });
    assert.deepEqual(findings(lines), ['outbox.unusable', 'any.notChecked']);
    assert.equal(lines[0]?.state, 'failed');
    assert.match(String(lines[0]?.values?.reason), /"Max\. size \(MiB\)"/);
  });

  it('says why it cannot be opened', async () => {
    const open = async () => {
      throw new IonError('ION_OVERLOADED', 'Another process uses it.');
    };
    const lines = await check(join(temporary.path, 'held'), { open });
    assert.deepEqual(findings(lines), ['outbox.unusable', 'any.notChecked']);
    assert.equal(lines[0]?.values?.reason, 'Another process uses it.');
  });

  it('is omitted if no node uses it, and none was left', async () => {
    assert.deepEqual(await check(join(temporary.path, 'none'), { usesOutbox: false }), []);
  });
});
