import assert from 'node:assert/strict';
import { setImmediate as tick } from 'node:timers/promises';
import { Refresher } from '../../nodes/lookup/refresher.js';
import {
  failures,
  found,
  HOUR_MS,
  type OpenOptions,
  queryOf,
  useLookups,
  workOf,
} from '../support/lookups.js';
import { until } from '../support/until.js';

describe('look-ups: events of steps', () => {
  const ion = useLookups();
  const { find, close } = ion;
  const open = (options: OpenOptions = {}) => ion.open({ refreshPauseMs: 1, ...options });
  const down = () => {
    ion.finder.fail = () => failures.network();
  };
  const up = () => {
    ion.finder.fail = () => undefined;
  };
  /** Look-ups that remember units 1 to 3, with nobody asking. */
  const known = async (options: OpenOptions = {}) => {
    const lookups = open(options);
    for (const value of [1, 2, 3]) await find(lookups, value);
    // The answers are on the disk, so that their IDs are known.
    await close(lookups);
    const later = open(options);
    for (const value of [1, 2, 3]) await find(later, value);
    ion.finder.queries.length = 0;
    return later;
  };

  for (const [what, resource, id] of [
    ['its step', 'RUN_STEPS', '13'],
    ['its step, as a number', 'RUN_STEPS', 13],
    ['its run', 'RUNS', '12'],
  ] as const) {
    it(`a remembered answer is read again for ${what}`, async () => {
      const lookups = await known();
      ion.finder.answer = () => found(workOf(1, 'COMPLETE'));
      lookups.changed(resource, id);
      await until(() => ion.finder.queries.length === 1 && ion.finder.atOnce === 0);
      assert.deepEqual(ion.finder.queries, [queryOf('1')]);
      await close(lookups);
      const later = open();
      down();
      assert.deepEqual((await find(later, 1)).answer, found(workOf(1, 'COMPLETE')));
    });
  }

  for (const [what, resource, id] of [
    ['another step', 'RUN_STEPS', '99'],
    ['a step with the ID of the run', 'RUN_STEPS', '12'],
    ['a run with the ID of the step', 'RUNS', '13'],
    ['another resource', 'PARTS', '13'],
    ['a property of objects', 'constructor', '13'],
    ['no ID', 'RUN_STEPS', undefined],
    ['an object as ID', 'RUN_STEPS', { id: '13' }],
    ['a list as ID', 'RUN_STEPS', ['13']],
  ] as const) {
    it(`nothing is read again for ${what}`, async () => {
      const lookups = await known();
      lookups.changed(resource, id);
      lookups.changed('RUN_STEPS', '23');
      await until(() => ion.finder.queries.length > 0);
      await tick();
      assert.deepEqual(ion.finder.values, ['2']);
    });
  }

  it('the next look-up asks ION, although it answered the same within a second', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), 0);
    lookups.changed('RUN_STEPS', '13');
    await find(lookups, queryOf('1'), 0);
    assert.equal(ion.finder.queries.length, 2);
  });

  it('find the answers that an earlier process left, before anybody looks something up', async () => {
    await close(await known());
    const later = open();
    later.changed('RUN_STEPS', '23');
    await until(() => ion.finder.queries.length > 0);
    assert.deepEqual(ion.finder.values, ['2']);
  });

  it('find an answer that came while the memory is being opened', async () => {
    const lookups = open();
    await find(lookups, 1);
    lookups.changed('RUN_STEPS', '13');
    await until(() => ion.finder.queries.length === 2);
    assert.deepEqual(ion.finder.values, ['1', '1']);
  });

  it('an answer that is gone by then is forgotten', async () => {
    const lookups = await known();
    ion.finder.answer = () => ({ found: 'none', reason: 'Nothing.', candidates: [] });
    lookups.changed('RUN_STEPS', '13');
    await until(() => ion.finder.queries.length === 1 && ion.finder.atOnce === 0);
    await close(lookups);
    const later = open();
    down();
    await assert.rejects(find(later, 1), { code: 'ION_NETWORK' });
  });

  it('an answer stays if ION refuses to give it again', async () => {
    const lookups = await known();
    ion.finder.fail = () => failures.service(500);
    lookups.changed('RUN_STEPS', '13');
    await until(() => ion.finder.queries.length === 1 && ion.finder.atOnce === 0);
    await close(lookups);
    const later = open();
    down();
    assert.equal((await find(later, 1)).source, 'remembered');
  });

  it('are handled after an outage', async () => {
    const lookups = await known({ firstPauseMs: 1 });
    down();
    lookups.changed('RUN_STEPS', '13');
    await until(() => ion.finder.queries.length >= 3);
    lookups.changed('RUN_STEPS', '23');
    await tick();
    assert.deepEqual(new Set(ion.finder.values), new Set(['1']));
    ion.finder.answer = ({ value }) => found(workOf(Number(value), 'COMPLETE'));
    up();
    await until(() => ion.finder.values.includes('2') && ion.finder.atOnce === 0);
    await close(lookups);
    const later = open();
    down();
    for (const value of [1, 2]) {
      assert.deepEqual((await find(later, value)).answer, found(workOf(value, 'COMPLETE')));
    }
  });

  it('are handled after an outage that begins while they are handled', async () => {
    const lookups = await known({ firstPauseMs: 1 });
    down();
    lookups.changed('RUN_STEPS', '13');
    await until(() => ion.finder.queries.length > 0);
    // From now on ION is asked for what was scanned last.
    await until(async () => (await find(lookups, 3)).source === 'remembered');
    await until(() => ion.finder.values.at(-1) === '3');
    ion.finder.queries.length = 0;
    up();
    await until(() => ion.finder.values.includes('1'));
    await close(lookups);
  });

  it('many cost no request if nothing is remembered', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), 0);
    for (let id = 0; id < 10_000; id++) lookups.changed('RUN_STEPS', id);
    await close(lookups);
    lookups.changed('RUN_STEPS', '13');
    assert.equal(ion.finder.queries.length, 1);
  });

  it('answers of the node with the longest memory keep their time', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), HOUR_MS);
    lookups.changed('RUN_STEPS', '13');
    await until(() => ion.finder.queries.length === 2 && ion.finder.atOnce === 0);
    await close(lookups);
    await ion.onDisk(async (level) => {
      for await (const value of level.values()) {
        assert.match(String(value), new RegExp(`"keepMs":${HOUR_MS},`));
      }
    });
  });

  describe('reading again', () => {
    let read: string[];
    let release: (() => void)[];
    let isPaused: boolean;
    let refresher: Refresher;

    beforeEach(() => {
      read = [];
      release = [];
      isPaused = false;
      refresher = new Refresher({
        read: (key) => {
          read.push(key);
          return new Promise((resolve) => release.push(resolve));
        },
        usedAt: (key) => (key === 'unknown' ? undefined : Number(key)),
        isPaused: () => isPaused,
        pauseMs: 1,
      });
    });
    const releaseAll = () => {
      for (const each of release.splice(0)) each();
    };
    afterEach(async () => {
      const closing = refresher.close();
      releaseAll();
      await closing;
    });

    it('begins with the answers that were used last, four at a time', async () => {
      refresher.add(['1', '5', 'unknown', '3', '2', '4', '6']);
      assert.deepEqual(read, ['6', '5', '4', '3']);
      refresher.add(['7']);
      await tick();
      assert.equal(read.length, 4);
      releaseAll();
      await until(() => read.length > 4);
      assert.deepEqual(read.slice(4), ['7', '2', '1', 'unknown']);
    });

    it('reads an answer once for many events, and once more for those that come later', async () => {
      for (let event = 0; event < 100; event++) refresher.add(['1']);
      assert.deepEqual(read, ['1']);
      for (let event = 0; event < 100; event++) refresher.add(['1']);
      releaseAll();
      await until(() => read.length > 1);
      releaseAll();
      refresher.add(['2']);
      await until(() => read.includes('2'));
      assert.deepEqual(read, ['1', '1', '2']);
    });

    it('waits until an outage is over', async () => {
      isPaused = true;
      refresher.add(['1']);
      await tick();
      assert.deepEqual(read, []);
      isPaused = false;
      refresher.resume();
      assert.deepEqual(read, ['1']);
    });

    it('drops the rest when it closes', async () => {
      refresher.add(['1', '2', '3', '4', '5']);
      const closing = refresher.close();
      releaseAll();
      await closing;
      assert.equal(read.length, 4);
    });
  });
});
