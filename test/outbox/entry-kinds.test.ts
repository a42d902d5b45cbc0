import assert from 'node:assert/strict';
import { IonError } from '../../nodes/client/errors.js';
import type { DeliveryTry, EntryKind } from '../../nodes/outbox/entry-kind.js';
import { StepWrites } from '../../nodes/outbox/step-writes.js';
import type { Entry } from '../../nodes/outbox/store/entries.js';
import { FakeIon, outage, useOutbox, write } from '../support/outbox.js';

interface NoteEntry extends Entry {
  note: { topic: string; text: string };
  isRetried?: boolean;
}

/** A second kind, to be delivered in order of its topic. */
class Notes implements EntryKind<NoteEntry> {
  readonly name = 'note';
  readonly tries: { text: string; isRepeated: boolean; isRetried: boolean }[] = [];
  fail: (text: string) => IonError | undefined = () => undefined;

  isValid(entry: Entry): entry is NoteEntry {
    return typeof (entry as Partial<NoteEntry>).note?.text === 'string';
  }
  orderKey({ note }: NoteEntry) {
    return `note ${note.topic}`;
  }
  async findOrderKey(entry: NoteEntry) {
    return this.orderKey(entry);
  }
  unknownOrderKey() {
    return 'unknown';
  }
  async deliver({ note: { text }, isRetried = false }: NoteEntry, { isRepeated }: DeliveryTry) {
    this.tries.push({ text, isRepeated, isRetried });
    const error = this.fail(text);
    if (error) throw error;
    return { payload: text, name: 'CreateNote', attempts: 1, traceId: undefined };
  }
  restored(entry: NoteEntry) {
    return { ...entry, isRetried: true };
  }
  summary({ note: { topic } }: NoteEntry) {
    return { action: 'note', target: { topic } };
  }
}

describe('outbox: kinds of entries', () => {
  let ion: FakeIon;
  let notes: Notes;
  beforeEach(() => {
    ion = new FakeIon();
    notes = new Notes();
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners: new Map() }));
  const { close, empty } = outboxes;
  const open = () => outboxes.open({ kinds: [new StepWrites(ion), notes], pauseMs: 1 });
  const note = (topic: string, text: string) => ({ own: { kind: 'note', note: { topic, text } } });

  it('are delivered side by side, each in its own order', async () => {
    const outbox = await open();
    notes.fail = (text) => (notes.tries.length < 4 && text === 'a' ? outage() : undefined);
    await outbox.add('node', note('x', 'a'), {});
    await outbox.add('node', write({ run: 1 }, 5), {});
    await outbox.add('node', note('x', 'b'), {});
    outbox.start();
    await empty(outbox);
    assert.deepEqual(ion.written, [{ run: '1', value: 5 }]);
    assert.deepEqual(
      notes.tries.map(({ text }) => text),
      ['a', 'a', 'a', 'a', 'b'],
    );
  });

  it('learn whether an earlier try may have been executed', async () => {
    const before = await open();
    await before.add('node', note('x', 'inherited'), {});
    await close(before);
    const outbox = await open();
    await outbox.add('node', note('y', 'new'), {});
    notes.fail = (text) => (notes.tries.length < 5 && text === 'new' ? outage() : undefined);
    outbox.start();
    await empty(outbox);
    const repeated = (wanted: string) =>
      notes.tries.flatMap(({ text, isRepeated }) => (text === wanted ? [isRepeated] : []));
    assert.deepEqual(repeated('inherited'), [true]);
    const [first, ...others] = repeated('new');
    assert.equal(first, false);
    assert.ok(others.length > 0 && others.every((each) => each));
  });

  it('are listed as their kind shows them, and restored by it', async () => {
    notes.fail = () => new IonError('ION_GRAPHQL', 'no');
    const outbox = await open();
    outbox.start();
    await outbox.add('node', note('x', 'a'), {});
    await empty(outbox);
    const [rejected] = await outbox.rejected(1);
    assert.ok(rejected);
    assert.deepEqual(outbox.summaryOf(rejected), { action: 'note', target: { topic: 'x' } });
    notes.fail = () => undefined;
    await outbox.decide('retry');
    await empty(outbox);
    assert.deepEqual(
      notes.tries.map(({ isRetried }) => isRetried),
      [false, true],
    );
  });

  it('are set aside by a version that does not know them, and delivered by one that does', async () => {
    const outbox = await open();
    await outbox.add('node', note('x', 'a'), {});
    await close(outbox);
    const older = await outboxes.open();
    older.start();
    await empty(older);
    const [unreadable] = await older.rejected(1);
    assert.match(unreadable?.entry.error.message ?? '', /cannot be read/);
    assert.ok(unreadable && older.summaryOf(unreadable));
    await close(older);
    const newer = await open();
    newer.start();
    await newer.decide('retry');
    await empty(newer);
    assert.equal(notes.tries.length, 1);
  });
});
