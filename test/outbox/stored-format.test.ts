import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { FakeIon, inStore, mutation, useOutbox, write } from '../support/outbox.js';

/** An outbox as version 1.0.0 left it, written here byte by byte: it must always open. */
describe('outbox: the stored format of version 1.0.0', () => {
  let ion: FakeIon;
  beforeEach(() => {
    ion = new FakeIon();
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners: new Map() }));
  const { open, close, empty } = outboxes;

  const entry = (value: unknown, target: object, more: object = {}) => ({
    write: { action: 'field', target, value, onConflict: 'retry' },
    sender: 'node',
    context: { payload: value },
    acceptedAt: 1,
    ...more,
  });
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const number = (sequence: number) => String(sequence).padStart(15, '0');

  it('is opened, shown and delivered in order', async () => {
    const { folder } = outboxes;
    await mkdir(join(folder, 'files'), { recursive: true });
    await mkdir(join(folder, 'entries'));
    await writeFile(join(folder, 'files', '4'), 'a;b');
    const torque = { run: 2, step: 'A', field: 'Torque' };
    const target = { run: 1 };
    const file = { action: 'file', target, filename: 'report.csv', onConflict: 'retry' };
    const latest = JSON.stringify([2, 'A', 'Torque']);
    const error = { code: 'ION_GRAPHQL', message: 'The step is complete.' };
    await inStore(folder, async (level) => {
      const rows: [string, Buffer][] = [
        [`q!1!${number(1)}`, json(entry('first', { run: 1 }))],
        [`u!${number(2)}`, json(entry('second', { step: 15 }))],
        [`q!1!${number(3)}`, serialize(entry(new Date(5), { run: 1 }))],
        [`q!1!${number(4)}`, json({ ...entry('', {}), write: file, fileSize: 3 })],
        [`q!2!${number(5)}`, json(entry('old', torque, { replaces: latest }))],
        [`g!${number(6)}`, json(entry('rejected', { run: 3 }, { error, givenUpAt: 7 }))],
        [`l!${latest}`, json({ key: `q!2!${number(5)}`, bytes: 100 })],
        ['m', json({ sequence: 7, waiting: 5, givenUp: 1, bytes: 1000 })],
      ];
      for (const [key, value] of rows) await level.put(key, value);
    });

    const outbox = await open();
    assert.deepEqual([outbox.state.pending, outbox.state.rejected], [5, 1]);
    const [rejected] = await outbox.rejected(1);
    assert.deepEqual([rejected?.sequence, rejected?.entry.error], [6, error]);
    await outbox.add('node', write(torque, 'latest', { latestOnly: true }), {});
    assert.equal(outbox.state.pending, 5);
    outbox.start();
    await empty(outbox);
    await outbox.decide('retry');
    await empty(outbox);
    const valuesOf = (run: string) =>
      ion.written.filter((each) => each.run === run).map(({ value }) => value);
    assert.deepEqual(valuesOf('1'), ['first', 'second', new Date(5), 'a;b']);
    assert.deepEqual([valuesOf('2'), valuesOf('3')], [['latest'], ['rejected']]);
    await close(outbox);
  });

  it('is the one that is still written, so that version 1.0.0 can return', async () => {
    const outbox = await open();
    const target = { run: 2, field: 'Torque' };
    await outbox.add('node', write(target, 5, { latestOnly: true }), { payload: 5 });
    await outbox.add('node', write({ step: 15 }, 6), { payload: 6 });
    await close(outbox);
    const rows = new Map<string, Record<string, unknown>>();
    await inStore(outboxes.folder, async (level) => {
      for await (const [key, value] of level.iterator()) rows.set(key, JSON.parse(String(value)));
    });
    const key = `q!2!${number(1)}`;
    const latest = `l!${JSON.stringify([2, null, 'Torque'])}`;
    assert.deepEqual([...rows.keys()].sort(), [latest, 'm', key, `u!${number(2)}`]);
    const { acceptedAt, ...stored } = rows.get(key) ?? {};
    assert.equal(typeof acceptedAt, 'number');
    assert.deepEqual(stored, {
      write: { action: 'field', target, value: 5, onConflict: 'retry' },
      sender: 'node',
      context: { payload: 5 },
      replaces: latest.slice(2),
    });
    const { bytes, ...counts } = rows.get('m') ?? {};
    assert.equal(typeof bytes, 'number');
    assert.deepEqual(counts, { sequence: 3, waiting: 2, givenUp: 0 });
  });

  it('has mutations that version 1.0.0 sets aside, and that are delivered when it is gone', async () => {
    const outbox = await open();
    await outbox.add('node', mutation(1, 'a'), { payload: 'a' });
    await outbox.add('node', write({ run: 1 }, 'b'), { payload: 'b' });
    await outbox.add('node', mutation(1, 'c', { keepForMs: 1 }), { at: new Date(0) });
    await close(outbox);
    await inStore(outboxes.folder, async (level) => {
      // Version 1.0.0 delivers the second one, keeps the bytes of the others, and knows no times.
      await level.del(`q!1!${number(2)}`);
      let bytes = 0;
      for (const sequence of [1, 3]) {
        const value = (await level.get(`q!1!${number(sequence)}`)) ?? assert.fail();
        await level.put(`g!${number(sequence)}`, value);
        await level.del(`q!1!${number(sequence)}`);
        bytes += value.length;
      }
      await level.put('m', json({ sequence: 4, waiting: 0, givenUp: 2, bytes }));
    });
    const again = await open();
    again.start();
    const shown = await again.rejected(10);
    assert.deepEqual(
      shown.map(({ entry: { sender, error } }) => [sender, error.code]),
      [
        ['node', 'ION_CONFIG'],
        ['node', 'ION_CONFIG'],
      ],
    );
    await again.decide('retry', [1]);
    await empty(again);
    await again.decide('discard');
    await close(again);
    assert.deepEqual(ion.written, [{ run: '1', value: 'a' }]);
    await inStore(outboxes.folder, async (level) => {
      assert.deepEqual(await level.keys().all(), ['m']);
      const counts = JSON.parse(String(await level.get('m')));
      assert.deepEqual([counts.waiting, counts.givenUp, counts.bytes], [0, 0, 0]);
    });
  });

  it('has mutations in the form that later versions have to read', async () => {
    const outbox = await open();
    await outbox.add('node', mutation(5, 'a', { keepForMs: 3_600_000 }), { payload: 'a' });
    await close(outbox);
    await inStore(outboxes.folder, async (level) => {
      const key = `q!5!${number(1)}`;
      const { acceptedAt, keepUntil, ...stored } = JSON.parse(String(await level.get(key)));
      assert.equal(keepUntil, acceptedAt + 3_600_000);
      assert.deepEqual(await level.keys().all(), ['m', key, `x!${number(keepUntil)}!${number(1)}`]);
      const { query, ...write } = stored.write;
      assert.match(query, /^mutation/);
      assert.deepEqual(
        { ...stored, write },
        {
          kind: 'graphql',
          sender: 'node',
          context: { payload: 'a' },
          keepForMs: 3_600_000,
          write: {
            operationName: '',
            variables: { run: '5', value: 'a' },
            orderKey: '5',
            ...{ prepare: '', prepareVariables: '', alreadyDone: '' },
          },
        },
      );
    });
  });
});
