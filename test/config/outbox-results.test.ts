import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { util } from '@node-red/util';
import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../../nodes/client/errors.js';
import { outboxResults } from '../../nodes/config/outbox-results.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { NodeStatus, StatusText } from '../../nodes/shared/node-status.js';
import { FakeIon, useOutbox, write } from '../support/outbox.js';
import { until } from '../support/until.js';

type Sent = [unknown, Record<string, unknown> | null][];

describe('a node that writes through the outbox', () => {
  let ion: FakeIon;
  let listeners: Map<string, OutboxListener>;
  let sent: Sent;
  let shown: StatusText[];
  let shownByOther: StatusText[];
  let reported: [unknown, unknown][];
  let config: Parameters<typeof outboxResults>[3];
  beforeEach(() => {
    ion = new FakeIon();
    listeners = new Map();
    sent = [];
    reported = [];
    const node = Object.assign(new EventEmitter(), {
      ...{ id: 'node', type: 'ion-step', name: 'Torque', wires: [[], ['after']] },
      send: (messages: Sent[number]) => void sent.push(messages),
      error: (error: unknown, msg: unknown) => void reported.push([error, msg]),
    });
    const subscribe = (id: string, listener: OutboxListener) => void listeners.set(id, listener);
    const RED = {
      nodes: { getNode: () => ({ type: 'ion-config', outbox: { subscribe } }) },
      util,
    };
    shown = [];
    const status = { idle: (text: StatusText) => void shown.push(text) } as unknown as NodeStatus;
    config = { config: 'config', delivery: 'outbox', output: '' };
    outboxResults(RED as unknown as NodeAPI, node as unknown as Node, status, config);
    shownByOther = [];
    const other = Object.assign(new EventEmitter(), { ...node, id: 'other' });
    const otherStatus = { idle: (text: StatusText) => void shownByOther.push(text) };
    outboxResults(
      RED as unknown as NodeAPI,
      other as unknown as Node,
      otherStatus as unknown as NodeStatus,
      config,
    );
  });
  const { open, close } = useOutbox(() => ({ writer: ion, listeners }));

  it('sends rejected writes from output 2 with all details, also when they are rejected again', async () => {
    const known = {
      status: 200,
      errors: [{ message: 'The step is complete.', path: ['updateRunStepFieldValue'] }],
      data: { updateRunStepFieldValue: null },
      retryAfterMs: 1500,
      traceId: 'abc',
      attempts: 2,
      results: { Torque: { error: { code: 'ION_GRAPHQL', message: 'The step is complete.' } } },
    };
    ion.fail = () => {
      const error = new IonError('ION_GRAPHQL', 'The step is complete.');
      return Object.assign(error, known, { mayHaveRun: true });
    };
    const check = (message: Record<string, unknown> | null | undefined) => {
      const { durationMs, ...details } = (message?.ion ?? {}) as Record<string, unknown>;
      assert.equal(typeof durationMs, 'number');
      assert.deepEqual(details, { code: 'ION_GRAPHQL', mayHaveRun: true, ...known });
      const source = { id: 'node', type: 'ion-step', name: 'Torque' };
      const text = 'The step is complete.';
      assert.deepEqual(message?.error, { code: 'ION_GRAPHQL', message: text, source });
      assert.deepEqual([message?.payload, message?.run], [12.5, 1]);
    };
    const outbox = await open();
    outbox.start();
    await outbox.add('node', write({ run: 1, step: 11 }, 12.5), { payload: 12.5, run: 1 });
    await until(() => sent.length === 1);
    check(sent[0]?.[1]);
    await close(outbox);
    const again = await open();
    again.start();
    await again.decide('retry');
    await until(() => sent.length === 2);
    check(sent[1]?.[1]);
  });

  it('puts the delivered result into the chosen property, and leaves the measured value', async () => {
    const outbox = await open();
    outbox.start();
    const deliver = async (output: string) => {
      const count = sent.length + reported.length;
      config.output = output;
      await outbox.add('node', write({ run: 1, step: 11 }, 12.5), { payload: 12.5, run: 1 });
      await until(() => sent.length + reported.length > count);
      return sent.at(-1)?.[0] as Record<string, unknown>;
    };
    assert.deepEqual((await deliver('')).payload, { value: 12.5 });
    const { payload, written } = await deliver('written.torque');
    assert.deepEqual([payload, written], [12.5, { torque: { value: 12.5 } }]);
    await deliver('payload.result');
    const [error, msg] = reported[0] ?? [];
    assert.match(String(error), /msg\.payload\.result.*The mutation was executed\./);
    assert.equal((msg as { payload: unknown }).payload, 12.5);
  });

  it('shows in its status that a write fails while ION answers, and why in a few words', async () => {
    ion.fail = () => new IonError('ION_SERVER', 'A fault with many words.');
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    await outbox.add('node', write({ run: 1, step: 11 }, 12.5), {});
    await until(() => shown.some(({ key }) => key === 'outbox.failing'));
    const failing = { key: 'outbox.failing', fill: 'red', count: 1 };
    const reason = { code: 'ION_SERVER', short: undefined };
    assert.deepEqual(shown.at(-1), { ...failing, reason });
    assert.ok(!shown.some(({ key }) => key === 'outbox.unreachable'));
    ion.fail = () => undefined;
    await until(() => shown.at(-1)?.key === 'outbox.delivered');
    assert.equal(shown.at(-1)?.count, 1);
  });

  it('shows in its status why the newest write was rejected, until somebody decides on it', async () => {
    const outbox = await open();
    outbox.start();
    const reject = async (key: 'notNumber' | 'unknownStep', name: string) => {
      const count = outbox.state.rejected + 1;
      ion.fail = () => new IonError('ION_VARIABLES', 'Many words.', { reason: { key, name } });
      await outbox.add('node', write({ run: 1, step: 11 }, 12.5), {});
      const isShown = (text: StatusText) =>
        text.key === 'outbox.rejectedBecause' && text.count === count;
      await until(() => shown.some(isShown));
    };
    await reject('unknownStep', 'Tighten');
    await reject('notNumber', 'Torque');
    const short = { key: 'notNumber', name: 'Torque' };
    assert.deepEqual(shown.at(-1), {
      ...{ key: 'outbox.rejectedBecause', fill: 'red', count: 2 },
      reason: { code: 'ION_VARIABLES', short },
    });
    const [, newest] = await outbox.rejected(2);
    await outbox.decide('discard', [newest?.sequence as number]);
    assert.deepEqual(shown.at(-1), { key: 'outbox.rejected', fill: 'red', count: 1 });
    await outbox.decide('discard');
    assert.equal(shown.at(-1)?.key, 'outbox.empty');
  });

  it('shows in its status during an outage that its only write expired', async () => {
    ion.isDown = true;
    const outbox = await open();
    outbox.start();
    const { own, ...rest } = write({ run: 1, step: 11 }, 12.5);
    // It must not expire before it was sent once.
    await outbox.add('node', { ...rest, own: { ...own, keepForMs: 1000 } }, {});
    await until(() => outbox.state.unreachableSince !== undefined && outbox.state.rejected === 1);
    const reason = { code: 'ION_TIMEOUT', short: { key: 'expired' } };
    assert.deepEqual(shown.at(-1), {
      ...{ key: 'outbox.rejectedBecause', fill: 'red', count: 1, reason },
    });
    assert.equal(shownByOther.at(-1)?.key, 'outbox.unreachable');
  });

  describe('beside another one whose write was rejected', () => {
    const target = { run: 1, step: 11 };
    const rejectOne = async (outbox: Awaited<ReturnType<typeof open>>) => {
      ion.fail = () => new IonError('ION_VARIABLES', 'Many words.');
      await outbox.add('node', write(target, 12.5), {});
      await until(() => outbox.state.rejected === 1 && outbox.state.pending === 0);
      ion.fail = () => undefined;
    };
    const others = { key: 'outbox.othersRejected', fill: 'grey', count: 1 };

    it('does not turn red for it, and shows its own deliveries', async () => {
      const outbox = await open();
      outbox.start();
      await rejectOne(outbox);
      assert.deepEqual(shownByOther.at(-1), others);
      assert.equal(shown.at(-1)?.key, 'outbox.rejectedBecause');
      await outbox.add('other', write(target, 13), {});
      await until(() => shownByOther.at(-1)?.key === 'outbox.delivered');
      assert.equal(shownByOther.at(-1)?.count, 1);
      assert.equal(shown.at(-1)?.key, 'outbox.rejectedBecause');
    });

    it('does not turn red after a restart either', async () => {
      const before = await open();
      before.start();
      await rejectOne(before);
      await close(before);
      const outbox = await open();
      outbox.start();
      await outbox.add('other', write(target, 13), {});
      await until(() => shownByOther.at(-1)?.key === 'outbox.delivered');
      assert.deepEqual(shown.at(-1), { key: 'outbox.rejected', fill: 'red', count: 1 });
      await outbox.decide('discard');
      assert.equal(shown.at(-1)?.key, 'outbox.empty');
    });

    it('does not turn red while that write fails again and again', async () => {
      ion.fail = (value) => (value === 12.5 ? new IonError('ION_SERVER', 'A fault.') : undefined);
      const outbox = await open({ pauseMs: 1 });
      outbox.start();
      await outbox.add('node', write(target, 12.5), {});
      await until(() => shown.at(-1)?.key === 'outbox.failing');
      assert.deepEqual(shownByOther.at(-1), { key: 'outbox.pending', fill: 'blue', count: 1 });
    });
  });

  describe('whose write was discarded', () => {
    const target = { run: 1, step: 11 };
    const deliver = async (outbox: Awaited<ReturnType<typeof open>>, count: number) => {
      ion.fail = () => undefined;
      await outbox.add('node', write(target, 1), {});
      const isShown = (text: StatusText) => text.key === 'outbox.delivered' && text.count === count;
      await until(() => shown.some(isShown));
    };

    it('does not claim that all writes were delivered, until one is delivered again', async () => {
      const outbox = await open();
      outbox.start();
      await deliver(outbox, 1);
      ion.fail = () => new IonError('ION_VARIABLES', 'Many words.');
      await outbox.add('node', write(target, 12.5), {});
      await until(() => shown.at(-1)?.key === 'outbox.rejectedBecause');
      await outbox.decide('discard');
      assert.deepEqual(shown.at(-1), { key: 'outbox.empty', fill: 'grey' });
      shown.length = 0;
      await deliver(outbox, 1);
    });

    it('does not claim it either if that write had failed and was never rejected', async () => {
      const outbox = await open({ pauseMs: 1 });
      outbox.start();
      await deliver(outbox, 1);
      ion.fail = () => new IonError('ION_SERVER', 'A fault.');
      await outbox.add('node', write(target, 12.5), {});
      await until(() => outbox.state.failing.length === 1);
      const [failing] = outbox.state.failing;
      await outbox.decide('discard', [failing?.stored.sequence as number]);
      await until(() => shown.at(-1)?.key === 'outbox.empty');
      assert.ok(!shown.slice(shown.length - 2).some(({ key }) => key === 'outbox.delivered'));
    });
  });

  for (const [code, what, key] of [
    ['ION_NETWORK', 'that ION is unreachable if nothing answers', 'outbox.unreachable'],
    ['ION_AUTH', 'that the API key was refused, and not that ION is unreachable', 'outbox.waiting'],
    ['ION_SERVER', 'that ION responds with errors', 'outbox.waiting'],
  ] as const) {
    it(`shows in its status ${what}`, async () => {
      const error = new IonError(code, 'A fault with many words.', { origin: 'auth' });
      ion.fail = () => error;
      ion.check = () => Promise.reject(error);
      const outbox = await open();
      outbox.start();
      await outbox.add('node', write({ run: 1, step: 11 }, 12.5), {});
      await until(() => shown.at(-1)?.since !== undefined);
      const reason = key === 'outbox.waiting' ? { reason: { code, short: undefined } } : {};
      const { since: _, ...text } = shown.at(-1) ?? { key: '' };
      assert.deepEqual(text, { key, fill: 'yellow', count: 1, ...reason });
    });
  }
});
