import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { IonError, type IonErrorCode } from '../../nodes/client/errors.js';

import { fileOf } from '../../nodes/client/steps/attachment-file.js';
import type { Target } from '../../nodes/client/steps/target.js';
import type { OutboxListener } from '../../nodes/outbox/listeners.js';
import type { Outbox, OutboxOptions } from '../../nodes/outbox/outbox.js';
import type { NewStepWrite } from '../../nodes/outbox/step-writes.js';
import type { NewEntry } from '../../nodes/outbox/store/entries.js';

import { failure } from '../support/errors.js';
import { inputs } from '../support/length.js';
import {
  damage,
  describeKinds,
  entryOfBothKinds,
  FakeIon,
  fault,
  mutation,
  outage,
  useOutbox,
  valueIn,
  write,
} from '../support/outbox.js';
import { until } from '../support/until.js';

describe('outbox: delivery', () => {
  let ion: FakeIon;
  let heard: { delivered: unknown[]; rejected: [unknown, string][] };
  beforeEach(() => {
    ion = new FakeIon();
    heard = { delivered: [], rejected: [] };
  });
  const listener: OutboxListener = {
    delivered: (entry) => heard.delivered.push(valueIn(entry)),
    rejected: (entry, error) => heard.rejected.push([valueIn(entry), error.code]),
    failed: () => {},
    changed: () => {},
  };
  const outboxes = useOutbox(() => ({ writer: ion, listeners: new Map([['node', listener]]) }));
  const { open, close, empty } = outboxes;
  const add = (outbox: Outbox, target: Target, value: unknown, more?: Partial<NewStepWrite>) =>
    outbox.add('node', write(target, value, more), Buffer.from(String(value)));
  const valuesOf = (run: string) =>
    ion.written.filter((each) => each.run === run).map(({ value }) => value);

  describeKinds('of', (kind) => {
    /** Only a write to a step can name a step. */
    const add = (outbox: Outbox, target: Target, value: unknown, more?: Partial<NewStepWrite>) => {
      const { run, ...others } = target;
      const isOfKind = run !== undefined && !more && Object.keys(others).length === 0;
      const entry = isOfKind ? kind.entry(Number(run), value) : write(target, value, more);
      return outbox.add('node', entry, Buffer.from(String(value)));
    };

    it('delivers writes accepted before and after its start, and notifies the sender', async () => {
      const outbox = await open();
      await add(outbox, { run: 1, step: 11 }, 'a');
      outbox.start();
      await add(outbox, { run: 2, step: 21 }, 'b');
      await empty(outbox);
      assert.deepEqual(ion.written.map(({ value }) => value).sort(), ['a', 'b']);
      assert.deepEqual(heard.delivered.sort(), ['a', 'b']);
    });

    it('continues after a restart with undelivered writes', async () => {
      ion.isDown = true;
      const outbox = await open();
      outbox.start();
      for (let value = 0; value < 50; value++) await add(outbox, { run: value % 3 }, value);
      await close(outbox);
      ion.isDown = false;
      const again = await open();
      assert.equal(again.state.pending, 50);
      again.start();
      await empty(again);
      assert.equal(ion.written.length, 50);
      assert.deepEqual(
        valuesOf('0'),
        Array.from({ length: 17 }, (_, index) => index * 3),
      );
    });

    it('probes with one delivery at a time while ION is unreachable, and reports since when', async () => {
      ion.isDown = true;
      const begun = Date.now();
      const outbox = await open({ pauseMs: 20 });
      outbox.start();
      await Promise.all(
        Array.from({ length: 100 }, (_, value) => add(outbox, { run: value }, value)),
      );
      await until(() => outbox.state.unreachableSince !== undefined);
      assert.ok(Number(outbox.state.unreachableSince) >= begun);
      assert.equal(outbox.state.reason?.code, 'ION_NETWORK');
      await until(() => ion.atOnce === 0);
      ion.mostAtOnce = 0;
      const { calls } = ion;
      await until(() => ion.calls >= calls + 3);
      assert.equal(ion.mostAtOnce, 1);
      ion.before = () => new Promise(setImmediate);
      ion.isDown = false;
      await empty(outbox);
      assert.equal(outbox.state.unreachableSince, undefined);
      assert.equal(ion.written.length, 100);
      assert.ok(ion.mostAtOnce > 1, 'then it drains at full speed');
    });

    it('waits longer between probes, with jitter, and as long as a server asks', async () => {
      const pauses: number[] = [];
      const outbox = await open({
        pauseMs: 1,
        random: () => 0,
        onPause: (ms) => pauses.push(ms),
      });
      ion.isDownAt = () => pauses.length < 8;
      outbox.start();
      await add(outbox, { run: 1 }, 'a');
      await empty(outbox);
      assert.deepEqual(pauses, [0.5, 1, 2, 4, 8, 16, 32, 64]);
    });

    describe('a write that fails again and again while ION answers', () => {
      const bad = 666;
      /** Enough failures that it is shown. */
      const isShown = (outbox: Outbox) => until(() => outbox.state.failing.length > 0);
      beforeEach(() => {
        ion.fail = (value) => (value === bad ? fault() : undefined);
      });
      const open666 = async (more: Partial<OutboxOptions> = {}) => {
        const outbox = await open({ pauseMs: 1, ...more });
        outbox.start();
        for (const value of [1, bad, 2, 3]) await add(outbox, { run: 1 }, value);
        return outbox;
      };

      it('is shown automatically with its reason and attempts, and is not an outage', async () => {
        const outbox = await open666();
        await isShown(outbox);
        const { failing, unreachableSince, pending } = outbox.state;
        assert.deepEqual(valuesOf('1'), [1]);
        assert.equal(unreachableSince, undefined);
        assert.equal(pending, 3);
        assert.equal(failing.length, 1);
        assert.equal(valueIn(failing[0]?.stored.entry), bad);
        assert.equal(failing[0]?.error.code, 'ION_SERVER');
        assert.ok((failing[0]?.tries ?? 0) >= 3);
        await add(outbox, { run: 2 }, 'other');
        await until(() => valuesOf('2').length === 1);
        ion.fail = () => undefined;
        await empty(outbox);
        assert.deepEqual(valuesOf('1'), [1, bad, 2, 3]);
        assert.deepEqual(outbox.state.failing, []);
      });

      it('is skipped at once on request, and kept for a decision', async () => {
        // It is blocked for hours: without the skip nothing else would continue.
        const outbox = await open666({ pauseMs: 1e9 });
        while (outbox.state.failing.length === 0) {
          const { calls } = ion;
          await until(() => ion.atOnce === 0);
          await outbox.decide('retry', [2]);
          await until(() => ion.calls > calls || outbox.state.failing.length > 0);
        }
        await outbox.decide('skip', [2]);
        await empty(outbox);
        assert.deepEqual(valuesOf('1'), [1, 2, 3]);
        assert.deepEqual(heard.rejected, [[bad, 'ION_SERVER']]);
        assert.equal(outbox.state.rejected, 1);
        ion.fail = () => undefined;
        await outbox.decide('retry');
        await empty(outbox);
        assert.deepEqual(valuesOf('1'), [1, 2, 3, bad]);
      });

      it('is discarded at once on request, and its sender is notified', async () => {
        const outbox = await open666();
        await isShown(outbox);
        await outbox.decide('discard', [outbox.state.failing[0]?.stored.sequence ?? 0]);
        await empty(outbox);
        assert.deepEqual(valuesOf('1'), [1, 2, 3]);
        assert.deepEqual(heard.rejected, [[bad, 'ION_SERVER']]);
        assert.equal(outbox.state.rejected, 0);
        await close(outbox);
        const again = await open();
        assert.deepEqual([again.state.pending, again.state.rejected], [0, 0]);
      });

      it('is skipped during an attempt, without waiting for its result', async () => {
        const outbox = await open666();
        await isShown(outbox);
        const tries = new Set<() => void>();
        ion.before = () => new Promise((resolve) => tries.add(resolve));
        await until(() => tries.size > 0);
        ion.before = async () => {};
        await outbox.decide('skip', [2]);
        assert.deepEqual(heard.rejected, [[bad, 'ION_SERVER']]);
        await empty(outbox);
        assert.deepEqual(valuesOf('1'), [1, 2, 3]);
      });

      /** Until the failing write was tried, and the probe of ION is in progress. */
      const asking = async () => {
        let answer = () => {};
        const asked = new Promise<void>((resolve) => {
          ion.check = () => {
            resolve();
            return new Promise((_resolve, reject) => {
              answer = () => reject(outage());
            });
          };
        });
        await asked;
        return () => {
          ion.check = async () => {
            throw outage();
          };
          answer();
        };
      };

      it('is skipped at once even if ION becomes unreachable', async () => {
        let share = -0.99999;
        const outbox = await open666({ pauseMs: 60_000, random: () => share });
        await isShown(outbox);
        const goAway = await asking();
        const decided = outbox.decide('skip', [2]);
        // The next attempt of any write is a minute away.
        share = 1;
        ion.isDown = true;
        goAway();
        await decided;
        assert.notEqual(outbox.state.unreachableSince, undefined);
        assert.deepEqual(heard.rejected, [[bad, 'ION_SERVER']]);
        assert.equal(outbox.state.pending, 2);
      });

      it('does not delay the shutdown if somebody skips it at that moment', async () => {
        const outbox = await open666();
        await isShown(outbox);
        const goAway = await asking();
        const decided = outbox.decide('skip', [2]);
        await new Promise(setImmediate);
        const closed = close(outbox);
        goAway();
        await closed;
        await decided;
        const again = await open();
        assert.equal(again.state.pending + again.state.rejected, 3);
      });

      it('is not reported or shown once a newer value has replaced it', async () => {
        const outbox = await open({ pauseMs: 1 });
        outbox.start();
        await add(outbox, { step: 11 }, bad, { latestOnly: true });
        await isShown(outbox);
        const [first] = outbox.state.failing;
        ion.failLookUp = () => new IonError('ION_NOT_FOUND', 'gone');
        await add(outbox, { step: 11 }, 'newer', { latestOnly: true });
        await outbox.decide('skip', [first?.stored.sequence ?? 0]);
        await until(() => outbox.state.failing.length === 0);
        await empty(outbox);
        assert.deepEqual(heard.rejected, [['newer', 'ION_NOT_FOUND']]);
        assert.equal(outbox.state.rejected, 1);
      });

      it('is not rejected while others are rejected: a read-only database does that', async () => {
        ion.fail = (value) => (value === 'no' ? new IonError('ION_NOT_FOUND', 'no') : fault());
        const outbox = await open({ pauseMs: 1, rejectAfter: { tries: 3, ms: 0 } });
        outbox.start();
        await Promise.all([1, 2, 3].map((run) => add(outbox, { run }, run)));
        await until(() => outbox.state.failing.length === 3);
        for (let count = 1; count <= 30; count++) {
          await add(outbox, { run: 4 }, 'no');
          await until(() => heard.rejected.length === count);
        }
        assert.deepEqual(new Set(heard.rejected.map(([value]) => value)), new Set(['no']));
        ion.fail = () => undefined;
        await empty(outbox);
        assert.deepEqual(heard.delivered.sort(), [1, 2, 3]);
      });

      it('is rejected after a number of attempts and a time, with both in its reason', async () => {
        const outbox = await open666({ rejectAfter: { tries: 6, ms: 30 } });
        await empty(outbox);
        assert.deepEqual(valuesOf('1'), [1, 2, 3]);
        assert.deepEqual(heard.rejected, [[bad, 'ION_SERVER']]);
        const [rejected] = await outbox.rejected(1);
        assert.match(
          rejected?.entry.error.message ?? '',
          /^a fault .*The outbox stopped trying after \d+ attempts in 0 min/,
        );
      });

      it('is not rejected before the time is over, however many attempts there were', async () => {
        const outbox = await open666({ rejectAfter: { tries: 2, ms: 15 * 60_000 } });
        await until(() => (outbox.state.failing[0]?.tries ?? 0) > 5);
        assert.deepEqual(heard.rejected, []);
      });

      it('is not rejected while several fail and none succeeds: that is ION as a whole', async () => {
        ion.fail = () => fault();
        const outbox = await open({ pauseMs: 1, rejectAfter: { tries: 4, ms: 0 } });
        await Promise.all([1, 2, 3].map((run) => add(outbox, { run }, run)));
        outbox.start();
        await until(() => {
          const { failing } = outbox.state;
          return failing.length === 3 && failing.every(({ tries }) => tries > 8);
        });
        ion.fail = () => undefined;
        await empty(outbox);
        assert.deepEqual(heard.rejected, []);
      });

      for (const code of ['ION_RATE_LIMITED', 'ION_AUTH', 'ION_CONFIG'] as const) {
        it(`is never rejected for ${code}, which says nothing about it`, async () => {
          ion.fail = (value) => (value === bad ? new IonError(code, 'later') : undefined);
          const outbox = await open666({ rejectAfter: { tries: 1, ms: 0 } });
          await until(() => (outbox.state.failing[0]?.tries ?? 0) > 5);
          ion.fail = () => undefined;
          await empty(outbox);
          assert.deepEqual(valuesOf('1'), [1, bad, 2, 3]);
        });
      }

      it('is not rejected for an outage, however long', async () => {
        const outbox = await open666({ rejectAfter: { tries: 20, ms: 0 } });
        ion.isDown = true;
        await until(() => outbox.state.unreachableSince !== undefined);
        const { calls } = ion;
        await until(() => ion.calls > calls + 6);
        ion.isDown = false;
        ion.fail = () => undefined;
        await empty(outbox);
        assert.deepEqual(heard.rejected, []);
      });
    });

    it('lets other runs continue while one of them meets a fault', async () => {
      ion.fail = (value) => (value === 'bad' ? outage() : undefined);
      const outbox = await open({ pauseMs: 50 });
      outbox.start();
      await add(outbox, { run: 1 }, 'bad');
      await add(outbox, { run: 1 }, 'behind');
      for (let value = 0; value < 30; value++) await add(outbox, { run: 2 + (value % 3) }, value);
      await until(() => heard.delivered.length === 30);
      assert.deepEqual(valuesOf('1'), []);
      ion.fail = () => undefined;
      await empty(outbox);
      assert.deepEqual(valuesOf('1'), ['bad', 'behind']);
    });

    it('rejects writes that ION rejects permanently, continues behind them, and keeps them for a decision', async () => {
      const codes: IonErrorCode[] = [
        'ION_GRAPHQL',
        'ION_FORBIDDEN',
        'ION_NOT_FOUND',
        'ION_CONFLICT',
        'ION_VARIABLES',
      ];
      ion.fail = (value) =>
        codes.includes(value as IonErrorCode)
          ? new IonError(value as IonErrorCode, `no ${value}`)
          : undefined;
      const outbox = await open();
      outbox.start();
      for (const code of codes) await add(outbox, { run: 1 }, code);
      await add(outbox, { step: 'nobody' }, 'lost');
      await add(outbox, { run: 1 }, 'good');
      await empty(outbox);
      assert.deepEqual(heard.delivered, ['good']);
      assert.deepEqual(
        heard.rejected.map(([, code]) => code).sort(),
        ['ION_NOT_FOUND', ...codes].sort(),
      );
      assert.equal(outbox.state.rejected, 6);
      assert.equal(outbox.state.unreachableSince, undefined);
      const rejected = await outbox.rejected(100);
      assert.deepEqual(rejected[0]?.entry.error, {
        code: 'ION_GRAPHQL',
        message: 'no ION_GRAPHQL',
      });

      ion.fail = () => undefined;
      await outbox.decide('discard', [rejected[0]?.sequence ?? 0]);
      await outbox.decide('retry');
      await empty(outbox);
      await until(() => valuesOf('1').length === codes.length);
      assert.deepEqual(valuesOf('1').slice(1).sort(), codes.slice(1).sort());
      assert.equal(outbox.state.rejected, 1, 'the step that nobody knows');
      await outbox.decide('discard');
      assert.deepEqual(outbox.state.rejected, 0);
    });

    for (const code of [
      'ION_AUTH',
      'ION_RATE_LIMITED',
      'ION_TIMEOUT',
      'ION_SERVER',
      'ION_RESPONSE',
    ] as const) {
      it(`never rejects a write for ${code}`, async () => {
        ion.fail = () => new IonError(code, 'later');
        const outbox = await open({ pauseMs: 1 });
        outbox.start();
        await add(outbox, { run: 1 }, 'a');
        await until(() => ion.calls > 6);
        ion.fail = () => undefined;
        await empty(outbox);
        assert.deepEqual([heard.delivered, heard.rejected], [['a'], []]);
      });
    }

    it('sets aside unreadable entries, continues, and delivers them when they are readable again', async () => {
      const outbox = await open();
      await add(outbox, { run: 1 }, 'a');
      await add(outbox, { run: 1 }, 'b', { latestOnly: true });
      await add(outbox, { run: 1 }, 'c');
      await add(outbox, { step: 15 }, 'd');
      await add(outbox, { step: 15 }, 'e');
      await close(outbox);
      const readable = await damage(outboxes.folder, ['b', 'd']);

      const again = await open();
      again.start();
      await empty(again);
      assert.deepEqual([valuesOf('1'), again.state.rejected], [['a', 'c', 'e'], 2]);
      const told = (await again.rejected(10)).map(({ entry: { error } }) => error);
      assert.equal(told.length, 2);
      for (const { code, message } of told) {
        assert.equal(code, 'ION_CONFIG');
        assert.match(message, /cannot be read/);
      }
      await again.decide('retry');
      assert.equal(again.state.rejected, 2, 'it still cannot be read');
      // A newer value for the same target is not mistaken for it.
      await add(again, { run: 1 }, 'f', { latestOnly: true });
      await empty(again);
      await close(again);

      await readable();
      const later = await open();
      later.start();
      assert.match(String((await later.rejected(1))[0]?.entry.error.message), /for a while/);
      await later.decide('retry');
      await empty(later);
      assert.deepEqual(valuesOf('1'), ['a', 'c', 'e', 'f', 'b', 'd']);
      assert.equal(later.state.rejected, 0);
    });

    it('is not disturbed by a listener that throws', async () => {
      const failed: unknown[] = [];
      const throwing = () => {
        throw new Error('no wire');
      };
      const broken = {
        delivered: throwing,
        rejected: throwing,
        changed: throwing,
        failed: (thrown: unknown) => failed.push(thrown),
      };
      const outbox = await open({ listeners: new Map([['node', broken]]) });
      outbox.start();
      await add(outbox, { run: 1 }, 'a');
      await add(outbox, { run: 1 }, 'b');
      await empty(outbox);
      assert.deepEqual(valuesOf('1'), ['a', 'b']);
      assert.ok(failed.length > 0);
    });

    for (const [what, target] of [
      ['a write', { run: 1 }],
      ['the look-up of a write', { step: 11 }],
    ] as const) {
      it(`keeps ${what} pending that ION rejects while the outbox closes, because nobody would get the report`, async () => {
        let closing: Promise<void> | undefined;
        const outbox = await open();
        const reject = () => {
          closing ??= close(outbox);
          return new IonError('ION_GRAPHQL', 'no').with({ origin: 'operation' });
        };
        if ('run' in target) ion.fail = reject;
        else ion.failLookUp = reject;
        outbox.start();
        await add(outbox, target, 'a');
        await until(() => closing !== undefined);
        await closing;
        assert.deepEqual(heard.rejected, []);
        const again = await open();
        assert.deepEqual([again.state.pending, again.state.rejected], [1, 0]);
        again.start();
        await until(() => again.state.rejected === 1);
        assert.deepEqual(heard.rejected, [['a', 'ION_GRAPHQL']]);
      });
    }

    it('decides once if two people decide at the same time', async () => {
      ion.fail = () => new IonError('ION_GRAPHQL', 'no');
      const outbox = await open();
      outbox.start();
      for (const value of ['a', 'b', 'c']) await add(outbox, { run: 1 }, value);
      await until(() => outbox.state.rejected === 3);
      ion.fail = () => undefined;
      await Promise.all([outbox.decide('retry'), outbox.decide('retry'), outbox.decide('discard')]);
      await empty(outbox);
      assert.deepEqual([outbox.state.rejected, valuesOf('1')], [0, ['a', 'b', 'c']]);
    });
  });

  it('keeps the order within a run, however its steps were named, with mutations, and processes runs in parallel', async () => {
    const outbox = await open();
    outbox.start();
    ion.before = () => new Promise(setImmediate);
    const entries: ((run: number, value: number) => NewEntry)[] = [
      (run, value) => write({ run, step: 'A' }, value),
      (run, value) => write({ step: run * 10 + 3 }, value),
      mutation,
      (run, value) => write({ field: run * 10 + 4 }, value),
    ];
    const adding: Promise<void>[] = [];
    for (let value = 0; value < 600; value++) {
      const entry = entries[value % entries.length] as (typeof entries)[number];
      adding.push(outbox.add('node', entry(1 + ((value * 7) % 20), value), {}));
    }
    await Promise.all(adding);
    await empty(outbox);
    assert.equal(ion.written.length, 600);
    for (let run = 1; run <= 20; run++) {
      const found = valuesOf(String(run));
      assert.equal(found.length, 30);
      assert.deepEqual(
        found,
        found.toSorted((a, b) => Number(a) - Number(b)),
        `run ${run}`,
      );
    }
    assert.ok(ion.mostAtOnce > 1 && ion.mostAtOnce <= 20, `${ion.mostAtOnce} at once`);
  });

  it('delivers for as many order keys at once as its requests can hold', async () => {
    const outbox = await open({ concurrency: 3, requestSize: () => 4 });
    ion.before = () => until(() => ion.mostAtOnce >= 24);
    outbox.start();
    await Promise.all(Array.from({ length: 60 }, (_, run) => add(outbox, { run }, run)));
    await empty(outbox);
    assert.equal(ion.mostAtOnce, 24);
  });

  it('keeps order and completeness through any temporary failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            run: fc.integer({ min: 1, max: 4 }),
            named: fc.integer({ min: 0, max: 3 }),
            restart: fc.boolean(),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        // Outcomes of the calls, one after the other; later calls succeed.
        fc.array(
          fc.record({
            is: fc.constantFrom('well', 'faulty', 'down'),
            calls: fc.integer({ min: 1, max: 12 }),
          }),
          { maxLength: 12 },
        ),
        async (writes, times) => {
          ion = new FakeIon();
          const states = times.flatMap(({ is, calls }) => Array<string>(calls).fill(is));
          ion.isDownAt = (call) => states[call] === 'down';
          ion.fail = (_value, call) => (states[call] === 'faulty' ? fault() : undefined);
          // After five faults in a row the others would no longer wait for it.
          const faults = new Map<string, number>();
          ion.failLookUp = (target, call) => {
            const what = JSON.stringify(target);
            const count = faults.get(what) ?? 0;
            if (states[call] !== 'faulty' || count === 4) return undefined;
            faults.set(what, count + 1);
            return fault();
          };
          await rm(outboxes.folder, { recursive: true });
          let outbox = await open({ pauseMs: 0 });
          outbox.start();
          for (const [value, { run, named, restart }] of writes.entries()) {
            const target = [{ run }, { step: run * 10 }, { field: run * 10 }][named];
            const entry = target ? write(target, value) : mutation(run, value);
            await outbox.add('node', entry, {});
            if (!restart || value % 5) continue;
            await close(outbox);
            outbox = await open({ pauseMs: 0 });
            outbox.start();
          }
          await empty(outbox);
          await close(outbox);
          for (let run = 1; run <= 4; run++) {
            const expected = writes.flatMap((each, value) => (each.run === run ? [value] : []));
            // At least once: if a restart hides a response, a value may be written twice in a row.
            const found = valuesOf(String(run)).filter(
              (value, index, all) => value !== all[index - 1],
            );
            assert.deepEqual(found, expected);
          }
        },
      ),
      { numRuns: inputs(100) },
    );
  });

  it('lets the others continue if the run of one write cannot be looked up', async () => {
    ion.failLookUp = ({ step }) => (step === 15 ? fault() : undefined);
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    await add(outbox, { step: 15 }, 'sick');
    await add(outbox, { step: 11 }, 'same run');
    await add(outbox, { step: 21 }, 'other run');
    await add(outbox, { run: 3 }, 'third run');
    await until(() => heard.delivered.length === 3);
    assert.equal(outbox.state.pending, 1);
    ion.failLookUp = () => undefined;
    await empty(outbox);
    assert.equal(heard.delivered.at(-1), 'sick');
  });

  it('delivers writes at once whose runs were found before a look-up that fails', async () => {
    ion.failLookUp = ({ step }) => (step === 25 ? fault() : undefined);
    const outbox = await open({ pauseMs: 1e6 });
    await add(outbox, { step: 11 }, 'found');
    await add(outbox, { step: 25 }, 'sick');
    await add(outbox, { step: 31 }, 'behind it');
    outbox.start();
    await until(() => heard.delivered.length === 1);
    assert.deepEqual([heard.delivered, outbox.state.pending], [['found'], 2]);
  });

  it('keeps the order if a run cannot be looked up at the end of an outage', async () => {
    ion.isDown = true;
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    await add(outbox, { run: 1 }, 'first');
    await add(outbox, { step: 15 }, 'second');
    await until(() => ion.lookUps > 6);
    let faults = 1;
    ion.failLookUp = () => (faults-- > 0 ? fault() : undefined);
    let failures = 5;
    ion.fail = (value) => (value === 'first' && failures-- > 0 ? fault() : undefined);
    ion.isDown = false;
    await empty(outbox);
    assert.deepEqual(valuesOf('1'), ['first', 'second']);
  });

  it('discards unreadable entries, and frees the space of their files', async () => {
    const outbox = await open();
    const file = fileOf('report.txt', 'x'.repeat(1000));
    await add(outbox, { run: 1 }, 'a', { action: 'file', filename: 'report.txt', file });
    await close(outbox);
    await damage(outboxes.folder, ['a']);
    const again = await open({ limits: { entries: 10, bytes: 1900 } });
    again.start();
    await until(() => again.state.rejected === 1);
    const more = fileOf('more.txt', 'x'.repeat(1000));
    const addMore = () =>
      add(again, { run: 1 }, 'b', { action: 'file', filename: 'more.txt', file: more });
    await failure(addMore(), 'ION_OVERLOADED');
    await again.decide('discard');
    assert.deepEqual([again.state.pending, again.state.rejected], [0, 0]);
    assert.deepEqual(await readdir(join(outboxes.folder, 'files')), []);
    await addMore();
    await empty(again);
  });

  it('retries if at least one of several fields may still be written', async () => {
    const parts = [new IonError('ION_VARIABLES', 'wrong'), outage()];
    const partly = new IonError('ION_VARIABLES', 'both').with({ parts });
    ion.fail = (_value, call) => (call < 4 ? partly : undefined);
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    await add(outbox, { run: 1 }, { a: 1, b: 2 });
    await empty(outbox);
    assert.equal(heard.delivered.length, 1);
  });

  it('delivers only the latest value of a field if configured', async () => {
    ion.isDown = true;
    const outbox = await open();
    outbox.start();
    for (let value = 1; value <= 20; value++) {
      await add(outbox, { step: 11, field: 'Torque' }, value, { latestOnly: true });
      await add(outbox, { step: 11, field: 'Gap' }, -value, { latestOnly: true });
    }
    assert.equal(outbox.state.pending, 2);
    ion.isDown = false;
    await empty(outbox);
    // A write in progress when a newer one arrived may have been delivered before it.
    assert.equal(
      valuesOf('1')
        .filter((value) => Number(value) > 0)
        .at(-1),
      20,
    );
    assert.equal(
      valuesOf('1')
        .filter((value) => Number(value) < 0)
        .at(-1),
      -20,
    );
    assert.ok(ion.written.length <= 4, `${ion.written.length} were written`);
  });

  it('does not attach a file twice, whatever response is lost', async () => {
    ion.fail = (filename, call) => (filename === 'report.csv' && call < 6 ? outage() : undefined);
    const outbox = await open({ pauseMs: 1 });
    outbox.start();
    const file = fileOf('report.csv', 'a;b');
    const attach = { action: 'file', filename: 'report.csv', file } as const;
    await outbox.add('node', write({ run: 1, step: 'A' }, undefined, attach), Buffer.from('x'));
    await empty(outbox);
    assert.deepEqual(ion.written, [{ run: '1', value: 'a;b' }]);
    // The next file of the same name is a different one.
    await outbox.add('node', write({ run: 1, step: 'A' }, undefined, attach), Buffer.from('x'));
    await empty(outbox);
    assert.equal(ion.written.length, 2);
    assert.equal(ion.attachments.get('report.csv')?.length, 2);
  });

  it('does not attach a file twice after a restart without a response', async () => {
    ion.fail = () => outage();
    const outbox = await open();
    outbox.start();
    const attach = { action: 'file', filename: 'a', file: fileOf('a', 'content') } as const;
    await outbox.add('node', write({ step: 11 }, undefined, attach), Buffer.from('x'));
    await until(() => ion.written.length === 1);
    await close(outbox);
    ion.fail = () => undefined;
    const again = await open();
    again.start();
    await empty(again);
    assert.equal(ion.written.length, 1);
  });

  it('keeps many thousand entries on disk, not in memory', async () => {
    ion.isDown = true;
    const outbox = await open();
    outbox.start();
    const fill = async (count: number) => {
      for (let begin = 0; begin < count; begin += 500) {
        await Promise.all(
          Array.from({ length: 500 }, (_, index) =>
            outbox.add('node', entryOfBothKinds(index % 97, 'x'.repeat(200), index), {}),
          ),
        );
      }
    };
    await fill(2000);
    global.gc?.();
    const before = process.memoryUsage().heapUsed;
    await fill(30_000);
    global.gc?.();
    const grown = (process.memoryUsage().heapUsed - before) / 1024 / 1024;
    assert.equal(outbox.state.pending, 32_000);
    // With their messages they would need more than 30 MB.
    if (global.gc) assert.ok(grown < 5, `${grown.toFixed(1)} MB more`);
  });

  it('shows the target of a rejected write, without the sources of missing parts', async () => {
    ion.fail = () => new IonError('ION_NOT_FOUND', 'No field is given.');
    const outbox = await open();
    outbox.start();
    await add(outbox, { step: 11, missing: { field: 'msg.field does not exist' } }, 'a');
    await empty(outbox);
    const [rejected] = await outbox.rejected(1);
    assert.deepEqual(rejected && outbox.summaryOf(rejected).target, { step: 11 });
  });
});
