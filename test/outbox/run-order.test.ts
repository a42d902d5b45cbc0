import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { IonError } from '../../nodes/client/errors.js';
import type { StepRequestOptions } from '../../nodes/client/steps/step-writer.js';
import type { Target } from '../../nodes/client/steps/target.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import { inputs } from '../support/length.js';
import { FakeIon, fault, mutation, outage, useOutbox, valueIn, write } from '../support/outbox.js';
import { until } from '../support/until.js';

const RUNS = ['1', '2', '3'];
/** The ways to name a run; the serial numbers of all units are numbers. */
const WAYS: ((run: string) => Target)[] = [
  (run) => ({ run: Number(run), step: 'A' }),
  (run) => ({ run: `00${run}`, step: 'A' }),
  (run) => ({ run: `Title ${run}`, step: 'A' }),
  (run) => ({ run: `70${run}`, step: 'A' }),
  (run) => ({ run: Number(`70${run}`), step: 'A' }),
  (run) => ({ step: Number(run) * 10 }),
];

/** Finds runs by their names as well, and remembers them, as `StepWriter` does. */
class IonWithNames extends FakeIon {
  readonly runs = new Map<string, string>();
  readonly #known = new Map<string, string>();
  /** Turns of the event loop that a look-up takes, by what is looked up. */
  delay: (name: string) => number = () => 0;

  constructor() {
    super();
    for (const run of RUNS) {
      for (const name of [run, `Title ${run}`, `70${run}`]) this.runs.set(name, run);
    }
  }

  /** As after a restart, or after the time for which names are trusted. */
  forget(): void {
    this.#known.clear();
  }

  override knownRun({ run }: Target): string | undefined {
    return this.#known.get(nameOf(run));
  }

  override async runOf(target: Target): Promise<string> {
    const name = nameOf(target.run ?? target.step);
    for (let turns = this.delay(name); turns > 0; turns--) await nextTurn();
    if (target.run === undefined) return super.runOf(target);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    await super.runOf({ run: name });
    const found = this.runs.get(name);
    if (found === undefined) {
      throw new IonError('ION_NOT_FOUND', 'no such run', { reason: { key: 'unknownRun' } });
    }
    this.#known.set(name, found);
    return found;
  }

  override async write(target: Target, value: unknown, options: StepRequestOptions) {
    if (this.isDown) throw outage();
    const run = await this.runOf(target);
    if (target.run !== undefined && options.mayGoTo?.(run) === false) {
      throw new IonError('ION_NOT_FOUND', 'another run');
    }
    return super.write({ run }, value, options);
  }
}

function nameOf(reference: unknown): string {
  return String(reference).replace(/^0+/, '');
}

describe('outbox: writes that name their run by its ID, its title or a serial number', () => {
  let ion: IonWithNames;
  let rejected: unknown[];
  const listeners = new Map<string, OutboxListener>();
  listeners.set('node', {
    delivered() {},
    rejected: (entry, { message }) => void rejected.push([valueIn(entry), message]),
    failed: (thrown) => assert.fail(String(thrown)),
    changed() {},
  });
  const outboxes = useOutbox(() => ({ writer: ion, listeners, pauseMs: 1 }));
  const { open, close, empty } = outboxes;
  beforeEach(() => {
    ion = new IonWithNames();
    rejected = [];
  });
  const start = async () => {
    const outbox = await open();
    outbox.start();
    return outbox;
  };
  const valuesOf = (run: string) =>
    ion.written.filter((each) => each.run === run).map(({ value }) => value);

  const commands = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('add' as const),
          // Accepted at the same time.
          writes: fc.array(fc.record({ way: fc.nat(WAYS.length), run: fc.constantFrom(...RUNS) }), {
            minLength: 1,
            maxLength: 6,
          }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom('restart', 'outage', 'return', 'forget', 'settle'),
        }),
      },
    ),
    { minLength: 3, maxLength: 25 },
  );

  it('are delivered in the order in which they were accepted, over outages and restarts', async () => {
    const delays = fc.array(fc.nat(5), { minLength: 5, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(commands, delays, async (all, turns) => {
        ion = new IonWithNames();
        let calls = 0;
        ion.delay = () => turns[calls++ % turns.length] ?? 0;
        let outbox = await start();
        const accepted = new Map<string, number[]>(RUNS.map((run) => [run, []]));
        let count = 0;
        const added: Promise<void>[] = [];
        for (const command of all) {
          if (command.do === 'add') {
            for (const { way, run } of command.writes) {
              const value = count++;
              accepted.get(run)?.push(value);
              const target = WAYS[way]?.(run);
              // With the ID of the run as its order key.
              const entry = target ? write(target, value) : mutation(Number(run), value);
              added.push(outbox.add('node', entry, {}));
            }
          } else if (command.do === 'restart') {
            await Promise.all(added);
            await close(outbox);
            ion.forget();
            outbox = await start();
          } else if (command.do === 'settle') {
            await until(
              () => outbox.state.pending === 0 || outbox.state.unreachableSince !== undefined,
            );
          } else if (command.do === 'forget') ion.forget();
          else ion.isDown = command.do === 'outage';
        }
        await Promise.all(added);
        ion.isDown = false;
        await empty(outbox);
        await close(outbox);
        for (const [run, values] of accepted) assert.deepEqual(valuesOf(run), values, `run ${run}`);
        assert.deepEqual(rejected, []);
      }),
      { numRuns: inputs(200) },
    );
  });

  it('wait for an earlier one whose number may be a title, until ION says which run it is', async () => {
    const outbox = await open();
    ion.isDown = true;
    outbox.start();
    await outbox.add('node', write({ run: 701, step: 'A' }, 'by number'), {});
    await outbox.add('node', write({ run: 1, step: 'A' }, 'by ID'), {});
    await outbox.add('node', mutation(1, 'by key'), {});
    await until(() => outbox.state.unreachableSince !== undefined);
    ion.isDown = false;
    await empty(outbox);
    assert.deepEqual(valuesOf('1'), ['by number', 'by ID', 'by key']);
  });

  it('stay before later ones if an outage ends between the look-ups of their numbers', async () => {
    let interrupted = 0;
    ion.failLookUp = ({ run }) => (run === '701' && interrupted++ === 0 ? outage() : undefined);
    let tries = 0;
    // In a queue of its own, it would be overtaken during these failures.
    ion.fail = (value) => (value === 'by number' && tries++ < 8 ? fault() : undefined);
    const outbox = await open();
    await outbox.add('node', write({ run: 'Title 2', step: 'A' }, 'other'), {});
    await outbox.add('node', write({ run: 701, step: 'A' }, 'by number'), {});
    await outbox.add('node', mutation(1, 'by key'), {});
    outbox.start();
    await empty(outbox);
    assert.deepEqual([valuesOf('1'), valuesOf('2')], [['by number', 'by key'], ['other']]);
    assert.notEqual(interrupted, 0);
  });

  it('are rejected if no run has the title any more, and do not keep others waiting', async () => {
    const outbox = await open();
    await outbox.add('node', write({ run: 'Title 4', step: 'A' }, 'gone'), {});
    await outbox.add('node', write({ run: '9999', step: 'A' }, 'never'), {});
    await outbox.add('node', write({ run: 'Title 1', step: 'A' }, 'a'), {});
    await outbox.add('node', write({ run: 2, step: 'A' }, 'b'), {});
    outbox.start();
    await empty(outbox);
    assert.deepEqual([valuesOf('1'), valuesOf('2')], [['a'], ['b']]);
    assert.deepEqual(rejected, [
      ['gone', 'no such run'],
      ['never', 'no such run'],
    ]);
    ion.runs.set('Title 4', '3');
    await outbox.decide('retry');
    await until(() => outbox.state.rejected === 1);
    await empty(outbox);
    assert.deepEqual(valuesOf('3'), ['gone']);
  });

  it('reach no other run if the title was given to it after they were accepted', async () => {
    const before = await open();
    await ion.runOf({ run: 'Title 1' });
    await before.add('node', write({ run: 'Title 1', step: 'A' }, 'for run 1'), {});
    await close(before);
    ion.forget();
    ion.runs.set('Title 1', '2');
    const outbox = await start();
    await empty(outbox);
    assert.deepEqual(rejected, [['for run 1', 'another run']]);
    assert.deepEqual(ion.written, []);
    await outbox.decide('retry');
    await until(() => ion.written.length === 1);
    assert.deepEqual(ion.written, [{ run: '2', value: 'for run 1' }]);
  });

  it('with an ID do not wait long for an earlier one whose run cannot be looked up', async () => {
    const failing = new IonError('ION_SERVER', 'a fault', { status: 500 });
    ion.failLookUp = ({ run }) => (run === '2' ? failing : undefined);
    const outbox = await open();
    for (const value of [1, 2, 3])
      await outbox.add('node', write({ run: 2, step: 'A' }, value), {});
    await outbox.add('node', write({ run: 1, step: 'A' }, 'other'), {});
    outbox.start();
    await until(() => ion.written.length === 1);
    assert.deepEqual(valuesOf('1'), ['other']);
    ion.failLookUp = () => undefined;
    await empty(outbox);
    assert.deepEqual(valuesOf('2'), [1, 2, 3]);
  });
});
