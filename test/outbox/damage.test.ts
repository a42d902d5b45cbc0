import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { IonError } from '../../nodes/client/errors.js';

import { type AttachmentFile, fileOf } from '../../nodes/client/steps/attachment-file.js';
import type { Target } from '../../nodes/client/steps/target.js';
import type { OutboxState } from '../../nodes/outbox/listeners.js';
import type { Outbox } from '../../nodes/outbox/outbox.js';
import type { NewStepWrite } from '../../nodes/outbox/step-writes.js';

import {
  describeKinds,
  entryOfBothKinds,
  FakeIon,
  inStore,
  outage,
  useOutbox,
  write,
} from '../support/outbox.js';
import { until } from '../support/until.js';

describe('outbox: a damaged disk', () => {
  let ion: FakeIon;
  let lost: number[];
  let unreadable: string[];
  beforeEach(() => {
    ion = new FakeIon();
    lost = [];
    unreadable = [];
  });
  const outboxes = useOutbox(() => ({
    writer: ion,
    listeners: new Map(),
    onRepaired: (count) => lost.push(count),
    onUnreadable: ({ message }) => unreadable.push(message),
  }));
  const { open, close, empty } = outboxes;
  const add = (outbox: Outbox, target: Target, value: unknown, more?: Partial<NewStepWrite>) =>
    outbox.add('node', write(target, value, more), undefined);
  const valuesOf = (run: string) =>
    ion.written.filter((each) => each.run === run).map(({ value }) => value);
  const put = (range: { gte: string; lt: string }, text: string) =>
    inStore(outboxes.folder, async (level: ClassicLevel<string, Buffer>) => {
      for await (const key of level.keys(range)) await level.put(key, Buffer.from(text));
    });

  const LATEST = { gte: 'l!', lt: 'l"' };
  const GARBAGE = ['not json', '5', '{}', 'null', '{"sequence":null,"waiting":1,"givenUp":0}'];

  for (const text of GARBAGE) {
    it(`delivers each value once if the index of latest values is lost: ${text}`, async () => {
      const outbox = await open();
      await add(outbox, { run: 1 }, 'old', { latestOnly: true });
      await add(outbox, { step: 25 }, 'old', { latestOnly: true });
      await close(outbox);
      await put(LATEST, text);
      const again = await open();
      again.start();
      await empty(again);
      await add(again, { run: 1 }, 'new', { latestOnly: true });
      await add(again, { run: 3 }, 'other');
      await empty(again);
      assert.deepEqual(valuesOf('1'), ['old', 'new']);
      assert.deepEqual(valuesOf('2'), ['old']);
    });
  }

  it('rejects a write without a pointer once when ION rejects it', async () => {
    const outbox = await open();
    await add(outbox, { run: 1 }, 'a', { latestOnly: true });
    await close(outbox);
    await inStore(outboxes.folder, (level) => level.clear(LATEST));
    ion.fail = () => new IonError('ION_GRAPHQL', 'no');
    const again = await open();
    again.start();
    await empty(again);
    assert.equal(again.state.rejected, 1);
    const { calls } = ion;
    await add(again, { run: 2 }, 'b');
    await until(() => again.state.rejected === 2);
    assert.ok(ion.calls - calls <= 2, `${ion.calls - calls} calls`);
  });

  describeKinds('of', (kind) => {
    const addOfKind = (outbox: Outbox, run: number, value: unknown) =>
      outbox.add('node', kind.entry(run, value), undefined);

    for (const text of GARBAGE) {
      it(`recounts its entries if its counts are ${text}`, async () => {
        const outbox = await open();
        await addOfKind(outbox, 1, 'a');
        await add(outbox, { step: 15 }, 'b');
        await close(outbox);
        await put({ gte: 'm', lt: 'n' }, text);
        const again = await open();
        assert.equal(again.state.pending, 2);
        await addOfKind(again, 1, 'c');
        again.start();
        await empty(again);
        assert.deepEqual(valuesOf('1'), ['a', 'b', 'c']);
        assert.deepEqual(lost, [0]);
      });
    }

    for (const text of ['{}', '{"write":null}', '{"write":{"action":"later","target":{}}}']) {
      it(`sets aside an entry that is not a write, and reports it: ${text}`, async () => {
        const outbox = await open();
        await add(outbox, { step: 15 }, 'a');
        await addOfKind(outbox, 2, 'b');
        await close(outbox);
        await put({ gte: 'q!', lt: 'q"' }, text);
        await put({ gte: 'u!', lt: 'u"' }, text);
        const again = await open();
        await add(again, { step: 15 }, 'c');
        again.start();
        await empty(again);
        assert.deepEqual([ion.written.map(({ value }) => value), again.state.rejected], [['c'], 2]);
        assert.equal(unreadable.length, 2);
        for (const message of unreadable) assert.match(message, /cannot be read/);
      });
    }

    it('does not take an unreadable entry for a response of ION', async () => {
      ion.isDown = true;
      const outbox = await open();
      for (let run = 1; run <= 30; run++) await addOfKind(outbox, run, run);
      await close(outbox);
      await inStore(outboxes.folder, async (level) => {
        const keys = await level.keys({ gte: 'q!', lt: 'q"' }).all();
        for (const key of keys.slice(0, 15)) await level.put(key, Buffer.from('not an entry'));
      });
      const since = new Set<number | undefined>();
      const changed = ({ unreachableSince }: OutboxState) => since.add(unreachableSince);
      const listener = { changed, delivered() {}, rejected() {}, failed() {} };
      const again = await open({ listeners: new Map([['node', listener]]) });
      again.start();
      const known = () => [...since].filter((time) => time !== undefined);
      await until(() => again.state.rejected === 15 && known().length > 0);
      assert.equal(known().length, 1);
      ion.isDown = false;
      await empty(again);
    });

    it('sends nothing twice and loses nothing while the disk is full', async () => {
      const { batch } = ClassicLevel.prototype;
      const outbox = await open({ pauseMs: 1 });
      for (let value = 0; value < 20; value++) await addOfKind(outbox, value % 4, value);
      let tries = 0;
      ClassicLevel.prototype.batch = (() => {
        tries++;
        return Promise.reject(new Error('IO error: 000005.log: No space left on device'));
      }) as never;
      try {
        outbox.start();
        await until(() => tries > 3);
      } finally {
        ClassicLevel.prototype.batch = batch;
      }
      await empty(outbox);
      await close(outbox);
      const again = await open();
      again.start();
      await empty(again);
      for (const run of [0, 1, 2, 3]) {
        assert.deepEqual(valuesOf(String(run)), [run, run + 4, run + 8, run + 12, run + 16]);
      }
    });
  });

  it('repairs damage found when reading, and reports how much was lost', () => repairs());

  it('repairs damage found when it searches for files without an entry', () =>
    repairs({ file: fileOf('report.txt', 'content') }));

  const repairs = async ({ file }: { file?: AttachmentFile } = {}) => {
    const COUNT = 3000;
    const outbox = await open();
    const all = Array.from({ length: COUNT }, (_, value) =>
      outbox.add(
        'node',
        entryOfBothKinds((value % 50) + 1, `${value} ${'x'.repeat(100)}`, value),
        undefined,
      ),
    );
    await Promise.all(all);
    if (file)
      await add(outbox, { run: 1 }, 'file', { action: 'file', filename: file.filename, file });
    await close(outbox);
    await inStore(outboxes.folder, (level) => level.compactRange('a', 'z'));
    const entries = join(outboxes.folder, 'entries');
    for (const name of await readdir(entries)) {
      if (!name.endsWith('.ldb')) continue;
      const bytes = await readFile(join(entries, name));
      // More than a block, which cannot be decompressed.
      bytes.fill(0x55, 60_000, 66_000);
      await writeFile(join(entries, name), bytes);
    }
    const again = await open();
    again.start();
    await empty(again);
    const [missing = 0, ...more] = lost;
    assert.deepEqual(more, []);
    assert.ok(missing > 0 && missing < 500, `${missing} lost`);
    assert.equal(
      new Set(ion.written.map(({ value }) => value)).size,
      COUNT - missing + (file ? 1 : 0),
    );
  };

  it('closes while very many decisions are in progress', async () => {
    ion.fail = () => new IonError('ION_GRAPHQL', 'no');
    const outbox = await open();
    outbox.start();
    await Promise.all(
      Array.from({ length: 2000 }, (_, run) =>
        outbox.add('node', entryOfBothKinds(run, run, run), {}),
      ),
    );
    await until(() => outbox.state.rejected === 2000);
    ion.fail = () => outage();
    const decided = outbox.decide('retry');
    await until(() => outbox.state.rejected < 2000);
    await close(outbox);
    await decided;
    assert.ok(outbox.state.rejected > 0);
  });
});
