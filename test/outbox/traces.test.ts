import assert from 'node:assert/strict';
import { IonError } from '../../nodes/client/errors.js';
import { newTraceContext } from '../../nodes/client/http/trace-context.js';
import type { NewEntry } from '../../nodes/outbox/store/entries.js';
import { FakeIon, inStore, mutation, useOutbox, write } from '../support/outbox.js';
import { until } from '../support/until.js';

/** Remembers the trace of each request. */
class TracingIon extends FakeIon {
  readonly traces: unknown[] = [];

  override write(...given: Parameters<FakeIon['write']>): ReturnType<FakeIon['write']> {
    const [, , options] = given;
    // That of a mutation is noted below.
    if ('mayGoTo' in options) this.traces.push((options as { trace?: unknown }).trace);
    return super.write(...given);
  }

  override request(...given: Parameters<FakeIon['request']>): ReturnType<FakeIon['request']> {
    this.traces.push(given[1].trace);
    return super.request(...given);
  }
}

describe('outbox: the trace of a write', () => {
  let ion: TracingIon;
  beforeEach(() => {
    ion = new TracingIon();
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners: new Map() }));
  const { open, close, empty } = outboxes;
  const trace = newTraceContext();
  const kinds = {
    'ion-step': (more: object): NewEntry => write({ run: 1 }, 'a', more),
    'ion-graphql': (more: object): NewEntry => mutation(1, 'a', more),
  };

  for (const [kind, entry] of Object.entries(kinds)) {
    it(`of ${kind} goes with each try, in a later process and after a rejection too`, async () => {
      const first = await open();
      await first.add('node', entry({ trace }), {});
      await close(first);
      const refusal = new IonError('ION_GRAPHQL', 'The step is complete.', { origin: 'operation' });
      ion.fail = (_, call) => (call === 1 ? refusal : undefined);
      const second = await open();
      second.start();
      await until(() => second.state.rejected === 1);
      await second.decide('retry');
      await empty(second);
      assert.deepEqual(ion.traces, [trace, trace]);
    });

    it(`of ${kind} is ignored if the disk holds something else, and so is a missing one`, async () => {
      const others = [
        undefined,
        null,
        5,
        'text',
        {},
        { traceparent: 5 },
        { traceparent: `${trace.traceparent}\r\nx-injected: 1` },
        { ...trace, tracestate: 'a\nb' },
        { ...trace, another: 'header' },
      ];
      const before = await open();
      for (const _ of others) await before.add('node', entry({ trace }), {});
      await close(before);
      await inStore(outboxes.folder, async (level) => {
        const left = [...others];
        for await (const [key, value] of level.iterator({ gte: 'q!', lt: 'q"' })) {
          const { trace: _, ...rest } = JSON.parse(String(value));
          const other = left.shift();
          const row = other === undefined ? rest : { ...rest, trace: other };
          await level.put(key, Buffer.from(JSON.stringify(row)));
        }
      });
      const outbox = await open();
      outbox.start();
      await empty(outbox);
      assert.equal(outbox.state.rejected, 0);
      const without = others.slice(0, -2).map(() => undefined);
      assert.deepEqual(ion.traces, [...without, trace, trace]);
    });
  }
});
