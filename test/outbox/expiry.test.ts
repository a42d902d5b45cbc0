import assert from 'node:assert/strict';
import type { IonError } from '../../nodes/client/errors.js';
import type { DeliveryResult } from '../../nodes/outbox/entry-kind.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { NewEntry } from '../../nodes/outbox/store/entries.js';
import { describeKinds, FakeIon, inStore, useOutbox, write } from '../support/outbox.js';
import { until } from '../support/until.js';

describeKinds('outbox: entries that expire', (kind) => {
  let ion: FakeIon;
  let delivered: DeliveryResult[];
  let rejected: IonError[];
  const listeners = new Map<string, OutboxListener>();
  beforeEach(() => {
    ion = new FakeIon();
    delivered = [];
    rejected = [];
    listeners.set('node', {
      delivered: (_entry, result) => void delivered.push(result),
      rejected: (_entry, error) => void rejected.push(error),
      failed: (thrown) => assert.fail(String(thrown)),
      changed() {},
    });
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners }));
  const expiring = (run: number, value: unknown, ms: number): NewEntry => {
    const { own } = kind.entry(run, value);
    return { own: { ...own, keepForMs: ms } };
  };

  it('are rejected in time during an outage, at any place in their order', async () => {
    ion.isDown = true;
    const outbox = await outboxes.open({ pauseMs: 60_000 });
    outbox.start();
    await outbox.add('node', write({ run: 1 }, 'kept'), {});
    await outbox.add('node', expiring(1, 'second of a queue', 30), {});
    await outbox.add('node', expiring(2, 'first of a queue', 30), {});
    await outbox.add('node', expiring(3, 'later', 3_600_000), {});
    await until(() => rejected.length === 2);
    assert.deepEqual(
      rejected.map(({ code }) => code),
      ['ION_TIMEOUT', 'ION_TIMEOUT'],
    );
    assert.deepEqual([outbox.state.pending, outbox.state.rejected], [2, 2]);
    const shown = await outbox.rejected(10);
    assert.match(
      shown[0]?.entry.error.message ?? '',
      /waited for \d s .*longer than "Keep for \(h\)" of its node allows/,
    );
  });

  it('are rejected after a restart, before anything is sent', async () => {
    const before = await outboxes.open();
    await before.add('node', expiring(1, 'old', 1), {});
    await before.add('node', write({ run: 1 }, 'new'), {});
    await outboxes.close(before);
    const outbox = await outboxes.open();
    outbox.start();
    await until(() => rejected.length === 1 && delivered.length === 1);
    assert.deepEqual(ion.written, [{ run: '1', value: 'new' }]);
  });

  it('are delivered if their last try succeeds, and leave nothing behind', async () => {
    let succeed = () => {};
    const slow = new Promise<void>((resolve) => {
      succeed = resolve;
    });
    ion.before = () => slow;
    const outbox = await outboxes.open();
    outbox.start();
    const end = Date.now() + 500;
    await outbox.add('node', expiring(1, 'slow', 500), {});
    await until(() => ion.calls === 1 && Date.now() > end + 50);
    succeed();
    await until(() => delivered.length === 1);
    assert.equal(rejected.length, 0);
    await outboxes.close(outbox);
    await inStore(outboxes.folder, async (level) => {
      for await (const key of level.keys()) assert.equal(key, 'm');
    });
  });

  it('can be retried, and are kept for as long again', async () => {
    ion.isDown = true;
    const outbox = await outboxes.open({ pauseMs: 1 });
    outbox.start();
    await outbox.add('node', expiring(1, 'a', 500), {});
    await until(() => outbox.state.rejected === 1);
    ion.isDown = false;
    await outbox.decide('retry');
    await until(() => delivered.length === 1);
    assert.equal(outbox.state.rejected, 0);
  });
});
