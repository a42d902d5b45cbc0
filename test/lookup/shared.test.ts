import assert from 'node:assert/strict';
import type { WorkQuery } from '../../nodes/client/work/work.js';
import { failure } from '../support/errors.js';
import {
  failures,
  found,
  HOUR_MS,
  nothing,
  queryOf,
  useLookups,
  workOf,
} from '../support/lookups.js';
import { until } from '../support/until.js';

describe('look-ups: equal ones share an answer', () => {
  const ion = useLookups();
  const { find, open, mutated } = ion;
  let now: number;
  const openAt = () => {
    now = 0;
    return open({ now: () => now });
  };
  /** Holds the tries until the function is called that it returns. */
  const hold = (): (() => void) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    ion.finder.before = () => held;
    return () => {
      ion.finder.before = () => Promise.resolve();
      release();
    };
  };

  it('while they are under way', async () => {
    const lookups = openAt();
    const all = await Promise.all(Array.from({ length: 10 }, () => find(lookups, 1)));
    assert.equal(ion.finder.queries.length, 1);
    for (const { answer, source } of all) {
      assert.deepEqual([answer, source], [found(workOf(1)), 'ion']);
    }
  });

  it('within a second', async () => {
    const lookups = openAt();
    const first = await find(lookups, 1);
    for (const time of [1, 500, 999]) {
      now = time;
      assert.deepEqual(await find(lookups, 1), { ...first, attempts: 0 });
    }
    assert.equal(ion.finder.queries.length, 1);
    now = 1000;
    const { readAt, attempts } = await find(lookups, 1);
    assert.equal(ion.finder.queries.length, 2);
    assert.equal(attempts, 1);
    assert.ok(readAt >= first.readAt);
  });

  it('with the time of the answer and its trace', async () => {
    const lookups = openAt();
    const before = Date.now();
    const { readAt, traceId } = await find(lookups, 1);
    assert.ok(Date.parse(readAt) >= before && Date.parse(readAt) <= Date.now());
    assert.equal(traceId, 'trace');
  });

  for (const more of [
    { by: 'barcode' },
    { part: 'EX-2' },
    { step: 'Torque' },
    { fields: false },
    { value: '1 ' },
  ] satisfies Partial<WorkQuery>[]) {
    it(`but not those that differ: ${JSON.stringify(more)}`, async () => {
      const lookups = openAt();
      ion.finder.answer = ({ value }) => found(workOf(Number(value.trim())));
      await find(lookups, queryOf('1'));
      await find(lookups, queryOf('1', more));
      assert.equal(ion.finder.queries.length, 2);
    });
  }

  it('but not a failure that is over', async () => {
    const lookups = openAt();
    ion.finder.fail = () => failures.service(500);
    const results = [find(lookups, 1), find(lookups, 1)];
    for (const result of results) await failure(result, 'ION_SERVER');
    assert.equal(ion.finder.queries.length, 1);
    ion.finder.fail = () => undefined;
    assert.equal((await find(lookups, 1)).source, 'ion');
  });

  it('although the flow of one caller is stopped', async () => {
    const lookups = openAt();
    const release = hold();
    const stopping = new AbortController();
    const options = { rememberMs: HOUR_MS, signal: stopping.signal };
    const first = lookups.find(queryOf('1'), options);
    const second = find(lookups, 1);
    stopping.abort();
    await failure(first, 'ION_CLOSED');
    release();
    assert.equal((await second).source, 'ion');
    assert.equal(ion.finder.queries.length, 1);
    await failure(lookups.find(queryOf('1'), options), 'ION_CLOSED');
  });

  it('end their requests when nobody waits for them, and a later one begins again', async () => {
    const lookups = openAt();
    const release = hold();
    const stopping = new AbortController();
    const first = lookups.find(queryOf('1'), { rememberMs: 0, signal: stopping.signal });
    stopping.abort();
    await failure(first, 'ION_CLOSED');
    const second = find(lookups, 1);
    release();
    assert.equal((await second).source, 'ion');
    assert.equal(ion.finder.abandoned, 1);
    assert.equal(ion.finder.queries.length, 2);
  });

  it('all report how far the request is', async () => {
    const lookups = openAt();
    const release = hold();
    const states: string[] = [];
    const signal = new AbortController().signal;
    const ask = (name: string) =>
      lookups.find(queryOf('1'), {
        rememberMs: 0,
        signal,
        onState: (state) => states.push(`${name} ${state}`),
      });
    ion.finder.pause = async () => {};
    let tries = 0;
    ion.finder.fail = () => (tries++ === 0 ? failures.network() : undefined);
    const both = [ask('one'), ask('other')];
    release();
    await Promise.all(both);
    assert.deepEqual(states.sort(), [
      'one retrying',
      'one running',
      'other retrying',
      'other running',
    ]);
  });

  it('end with ION_CLOSED when the config node closes, also later ones', async () => {
    const lookups = openAt();
    hold();
    const running = find(lookups, 1);
    await ion.close(lookups);
    await failure(running, 'ION_CLOSED');
    await failure(find(lookups, 1), 'ION_CLOSED');
    assert.equal(ion.finder.abandoned, 1);
    assert.equal(ion.outcomeListeners.size, 0);
  });

  describe('unless a mutation of the same client may have changed it', () => {
    for (const [part, id] of [
      ['unit', '11'],
      ['run', '12'],
      ['step', '13'],
      ['location', '14'],
      ['field', '15'],
    ] as const) {
      it(`that names the ID of its ${part}, as text or as a number`, async () => {
        const lookups = openAt();
        await find(lookups, 1);
        mutated({ input: { id } });
        await find(lookups, 1);
        mutated({ inputs: [{ id: Number(id) }] });
        await find(lookups, 1);
        assert.equal(ion.finder.queries.length, 3);
      });
    }

    it('that names an ID in its document', async () => {
      const lookups = openAt();
      await find(lookups, 1);
      mutated({}, 'mutation { updateRunStep(input: { id: 13, status: COMPLETE }) { id } }');
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 2);
    });

    it('but one that names others changes nothing', async () => {
      const lookups = openAt();
      await find(lookups, 1);
      mutated({ input: { id: '23', status: 'COMPLETE' }, more: [1, '1', null, true] });
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 1);
    });

    for (const [what, variables] of [
      ['deep', JSON.parse(`${'{"a":'.repeat(60)}1${'}'.repeat(60)}`)],
      ['many', { ids: Array.from({ length: 10_001 }, (_, index) => `x${index}`) }],
    ] as const) {
      it(`one with too ${what} values counts for every answer`, async () => {
        const lookups = openAt();
        await find(lookups, 1);
        mutated(variables);
        await find(lookups, 1);
        assert.equal(ion.finder.queries.length, 2);
      });
    }

    it('so that what it made is found at once after nothing was found', async () => {
      const lookups = openAt();
      ion.finder.answer = () => nothing;
      assert.equal((await find(lookups, 1)).answer.found, 'none');
      assert.equal((await find(lookups, 1)).answer.found, 'none');
      assert.equal(ion.finder.queries.length, 1);
      mutated({ input: { title: 'New run' } });
      ion.finder.answer = () => found(workOf(1));
      assert.equal((await find(lookups, 1)).answer.found, 'one');
    });

    it('also a look-up that began before the mutation and ends after it', async () => {
      const lookups = openAt();
      const release = hold();
      const early = find(lookups, 1);
      mutated({ input: { id: '13' } });
      let finished = 0;
      ion.finder.answer = () => found(workOf(1, finished++ === 0 ? 'IN_PROGRESS' : 'COMPLETE'));
      const late = find(lookups, 1);
      release();
      const statusOf = async (result: typeof late) => {
        const { answer } = await result;
        return answer.found === 'one' && answer.work.step.status;
      };
      assert.equal(await statusOf(early), 'IN_PROGRESS');
      assert.equal(await statusOf(late), 'COMPLETE');
      assert.equal(await statusOf(find(lookups, 1)), 'COMPLETE');
      assert.equal(ion.finder.queries.length, 2);
    });

    it('so that an answer from before the mutation does not serve for a second', async () => {
      const lookups = openAt();
      const release = hold();
      const early = find(lookups, 1);
      mutated({ input: { id: '13' } });
      release();
      await early;
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 2);
    });

    it('also a look-up that was trying again while a probe found out that ION answers', async () => {
      const lookups = openAt();
      let tries = 0;
      ion.finder.fail = () => (++tries === 1 ? failures.network() : undefined);
      let tryAgain = () => {};
      ion.finder.pause = () =>
        new Promise((resolve) => {
          tryAgain = resolve;
        });
      const early = find(lookups, queryOf('1'), 0);
      await until(() => tries === 2);
      await until(() => ion.finder.atOnce === 1);
      const release = hold();
      tryAgain();
      mutated({ input: { id: '13' } });
      release();
      await early;
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 3);
    });

    it('one that names thousands of IDs, or thousands that name one', async () => {
      const lookups = openAt();
      const idsFrom = (from: number) => Array.from({ length: 6000 }, (_, index) => from + index);
      await find(lookups, 1);
      mutated({ ids: idsFrom(100_000) });
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 1);
      for (const id of idsFrom(200_000)) mutated({ id });
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 2, 'as too many to be compared');
    });

    it('but not a look-up under way whose answer it does not concern', async () => {
      const lookups = openAt();
      const release = hold();
      const early = find(lookups, 1);
      for (let id = 100; id < 110; id++) mutated({ id });
      const late = find(lookups, 1);
      release();
      assert.deepEqual(await late, await early);
      await find(lookups, 1);
      assert.equal(ion.finder.queries.length, 1);
    });
  });

  it('a thousand different ones are all asked, each once', async () => {
    const lookups = openAt();
    const values = Array.from({ length: 1000 }, (_, index) => index + 1);
    await Promise.all(values.flatMap((value) => [find(lookups, value), find(lookups, value)]));
    assert.equal(ion.finder.queries.length, 1000);
    await until(() => ion.finder.atOnce === 0);
  });
});
