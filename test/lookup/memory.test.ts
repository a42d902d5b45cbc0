import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { IonError } from '../../nodes/client/errors.js';
import type { Work } from '../../nodes/client/work/work.js';
import { AnswerStore } from '../../nodes/lookup/answer-store.js';
import type { Lookups } from '../../nodes/lookup/lookups.js';
import { queryKey } from '../../nodes/lookup/query-key.js';
import { encodeAnswer } from '../../nodes/lookup/stored-answer.js';
import type { LockWait } from '../../nodes/storage/open-level.js';
import { failure } from '../support/errors.js';
import {
  failures,
  found,
  HOUR_MS,
  nothing,
  type OpenOptions,
  queryOf,
  useLookups,
  workOf,
} from '../support/lookups.js';
import { until } from '../support/until.js';

describe('look-ups: the memory on disk', () => {
  const ion = useLookups();
  const { find, close, onDisk } = ion;
  let seconds = 0;
  /** ION is asked for every scan. */
  const now = () => 1000 * ++seconds;
  const open = (options: OpenOptions = {}) => ion.open({ now, ...options });
  const reopen = async (lookups: Lookups, options: OpenOptions = {}) => {
    await close(lookups);
    return open(options);
  };
  const down = () => {
    ion.finder.fail = () => failures.network();
  };
  const up = () => {
    ion.finder.fail = () => undefined;
  };
  const remember = async (lookups: Lookups, values: readonly number[]) => {
    for (const value of values) {
      await find(lookups, value);
      // Each has its own age.
      const then = Date.now();
      await until(() => Date.now() > then);
    }
  };
  /** The units that a later process remembers. */
  const remembered = async (lookups: Lookups, values: readonly number[]) => {
    down();
    const results = await Promise.allSettled(values.map((value) => find(lookups, value)));
    up();
    const sources = results.map((each) => each.status === 'fulfilled' && each.value.source);
    return values.filter((_value, at) => sources[at] === 'remembered');
  };
  const keyOf = (value: number) => queryKey(queryOf(String(value)));

  it('is made only when something is remembered', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), 0);
    lookups.changed('RUN_STEPS', '13');
    await close(lookups);
    assert.deepEqual(await readdir(ion.within), []);
  });

  it('keeps all of an answer', async () => {
    const lookups = open();
    const work: Work = {
      ...workOf(1),
      unit: null,
      fields: {
        ...workOf(1).fields,
        Länge: {
          id: 7,
          type: 'SELECT',
          unit: null,
          required: false,
          options: ['a', 'b'],
          value: { nested: [1, 'x', null] },
          valid: true,
          validations: [{ name: 'Less than', value: 5, result: 'PASS' }],
        },
        ...JSON.parse('{"__proto__":{"id":8,"type":null,"unit":null,"required":null}}'),
      },
    };
    ion.finder.answer = () => found(work);
    const first = await find(lookups, 1);
    const later = await reopen(lookups);
    down();
    const { answer, readAt } = await find(later, 1);
    assert.equal(readAt, first.readAt);
    assert.ok(answer.found === 'one');
    const { fields = {}, ...rest } = answer.work;
    assert.deepEqual(rest, { unit: null, run: work.run, step: work.step });
    assert.deepEqual(Object.keys(fields), ['Torque', 'Länge', '__proto__']);
    assert.deepEqual(fields.Länge, work.fields?.Länge);
    assert.equal(Object.getPrototypeOf(fields), Object.prototype);
  });

  it('keeps answers without fields as well', async () => {
    const lookups = open();
    const { fields: _fields, ...work } = workOf(1);
    ion.finder.answer = () => found(work);
    await find(lookups, 1);
    const later = await reopen(lookups);
    down();
    assert.deepEqual((await find(later, 1)).answer, found(work));
  });

  it('holds the newest answers up to a number', async () => {
    const limits = { answers: 3, bytes: 1e6 };
    const lookups = open({ limits });
    await remember(lookups, [1, 2, 3, 4]);
    assert.deepEqual(await remembered(await reopen(lookups), [1, 2, 3, 4]), [2, 3, 4]);
  });

  it('holds the newest answers up to a size', async () => {
    const one = Buffer.byteLength(JSON.stringify([queryOf('1'), workOf(1)])) + 200;
    const lookups = open({ limits: { answers: 100, bytes: 3 * one } });
    await remember(lookups, [1, 2, 3, 4, 5]);
    const kept = await remembered(await reopen(lookups), [1, 2, 3, 4, 5]);
    assert.ok(kept.length === 3 || kept.length === 2, String(kept));
    assert.equal(kept.at(-1), 5);
  });

  it('removes the oldest when an earlier process left more', async () => {
    const lookups = open();
    await remember(lookups, [1, 2, 3, 4, 5, 6, 7]);
    const later = await reopen(lookups, { limits: { answers: 2, bytes: 1e6 } });
    assert.deepEqual(await remembered(later, [1, 2, 3, 4, 5, 6, 7]), [6, 7]);
    await close(later);
    await onDisk(async (level) => {
      assert.equal((await level.keys().all()).length, 2);
    });
  });

  it('counts an answer that is replaced once, as the newest', async () => {
    const lookups = open({ limits: { answers: 2, bytes: 1e6 } });
    await remember(lookups, [1, 2, 1, 1, 1]);
    await remember(lookups, [3]);
    assert.deepEqual(await remembered(await reopen(lookups), [1, 2, 3]), [1, 3]);
  });

  it('holds no answer of more than a mebibyte, and not the older one either', async () => {
    const lookups = open();
    await remember(lookups, [1, 2]);
    const large = workOf(1);
    const [torque] = Object.values(large.fields ?? {});
    if (torque) torque.value = 'x'.repeat(1024 * 1024);
    ion.finder.answer = () => found(large);
    assert.deepEqual((await find(lookups, 1)).answer, found(large));
    assert.deepEqual(await remembered(await reopen(lookups), [1, 2]), [2]);
  });

  it('removes what no node wants to remember any more', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), 1);
    await find(lookups, queryOf('2'), HOUR_MS);
    const later = await reopen(lookups);
    await find(later, 3);
    await close(later);
    await onDisk(async (level) => {
      assert.deepEqual((await level.keys().all()).sort(), [keyOf(2), keyOf(3)].sort());
    });
  });

  it('keeps an answer as long as the most patient node wants it', async () => {
    const lookups = open();
    await find(lookups, queryOf('1'), HOUR_MS);
    await find(lookups, queryOf('1'), 1);
    await close(lookups);
    await onDisk(async (level) => {
      assert.match(String(await level.get(keyOf(1))), new RegExp(`"keepMs":${HOUR_MS},`));
    });
  });

  describe('with damaged or foreign content', () => {
    const facts = { readAt: Date.now(), keepMs: HOUR_MS, step: '13', run: '12' };
    const line = (changes: object = {}) => JSON.stringify({ version: 1, ...facts, ...changes });
    const body = (changes: object = {}) =>
      JSON.stringify({ query: queryOf('1'), work: workOf(1), ...changes });
    const work = (changes: object) => body({ work: { ...workOf(1), ...changes } });

    it('serves an answer in the form of this version', async () => {
      await remember(await filled(`${line()}\n${body()}`), []);
      assert.deepEqual(await remembered(open(), [1]), [1]);
    });

    const filled = async (content: string | Buffer, key = keyOf(1)) => {
      const lookups = open();
      await remember(lookups, [1, 2]);
      await close(lookups);
      await onDisk((level) => level.put(key, Buffer.from(content)));
      return lookups;
    };

    for (const [what, content] of [
      ['nothing', ''],
      ['no JSON', 'x\ny'],
      ['one line', line()],
      ['no object', `5\n${body()}`],
      ['a list', `[]\n${body()}`],
      ['another version', `${line({ version: 2 })}\n${body()}`],
      ['no time', `${line({ readAt: null })}\n${body()}`],
      ['a time that is no number', `${line({ readAt: '5' })}\n${body()}`],
      ['a time before 1970', `${line({ readAt: -5 })}\n${body()}`],
      ['a time in two days', `${line({ readAt: Date.now() + 2 * 24 * HOUR_MS })}\n${body()}`],
      ['no duration', `${line({ keepMs: null })}\n${body()}`],
      ['an ID that is no text', `${line({ step: 13 })}\n${body()}`],
      ['a run that is no text', `${line({ run: {} })}\n${body()}`],
      ['half an answer', `${line()}\n${body().slice(0, 100)}`],
      ['no query', `${line()}\n${body({ query: null })}`],
      ['another query', `${line()}\n${body({ query: queryOf('2') })}`],
      ['an unknown way', `${line()}\n${body({ query: queryOf('1', { by: 'x' as never }) })}`],
      ['a value that is no text', `${line()}\n${body({ query: { ...queryOf('1'), value: 1 } })}`],
      ['no switch', `${line()}\n${body({ query: { ...queryOf('1'), fields: 1 } })}`],
      ['no work', `${line()}\n${body({ work: [] })}`],
      ['no unit', `${line()}\n${work({ unit: undefined })}`],
      ['a unit without an ID', `${line()}\n${work({ unit: {} })}`],
      ['no run', `${line()}\n${work({ run: null })}`],
      ['a step without an ID', `${line()}\n${work({ step: { id: {} } })}`],
      ['an ID without an end', `${line()}\n${work({ step: { id: 'x'.repeat(1000) } })}`],
      ['fields that are a list', `${line()}\n${work({ fields: [] })}`],
      ['a field that is no object', `${line()}\n${work({ fields: { Torque: 5 } })}`],
      ['endless nesting', `${line()}\n${work({ more: 0 }).replace('0}', `${'['.repeat(5000)}`)}`],
      [
        'a deep value',
        `${line()}\n${work({ fields: { a: { id: 1, value: JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`) } } })}`,
      ],
      ['more than a mebibyte', `${line()}\n${body()}${' '.repeat(1024 * 1024)}`],
      ['a line without an end', `${line()}${' '.repeat(3000)}\n${body()}`],
    ] as const) {
      it(`forgets it: ${what}`, async () => {
        await filled(content);
        const later = open();
        assert.deepEqual(await remembered(later, [1, 2]), [2]);
        await close(later);
        await onDisk(async (level) => {
          assert.deepEqual(await level.keys().all(), [keyOf(2)]);
        });
        assert.deepEqual(ion.failed, []);
      });
    }

    it('forgets entries of others', async () => {
      await filled(`${line()}\n${body()}`, 'm');
      const later = open();
      assert.deepEqual(await remembered(later, [1, 2]), [1, 2]);
      await close(later);
      await onDisk(async (level) => {
        assert.deepEqual((await level.keys().all()).sort(), [keyOf(1), keyOf(2)].sort());
      });
    });

    it('takes only members that it knows, with the right type', async () => {
      const step = { id: 13, title: { x: 1 }, status: 5, position: 'first', availableToWork: 1 };
      await filled(
        `${line()}\n${work({
          ...{ extra: 1, run: { id: 12, title: [], extra: 1 } },
          step: { ...step, location: { id: null, name: 'x' } },
          fields: {
            A: { id: 1, options: 'a', required: 'yes', extra: 1 },
            B: { id: 2, validations: [7, null, { name: 5, value: '5', result: {}, extra: 1 }] },
          },
        })}`,
      );
      const later = open();
      down();
      const { answer } = await find(later, 1);
      const unknown = {
        ...{ type: null, unit: null, required: null },
        ...{ options: null, value: null, valid: null },
      };
      assert.deepEqual(answer, {
        found: 'one',
        work: {
          unit: workOf(1).unit,
          run: { id: 12, title: null, status: null },
          step: {
            ...{ id: 13, title: null, status: null, position: null },
            ...{ availableToWork: null, batched: null, location: null },
          },
          fields: {
            A: { ...unknown, id: 1, validations: [] },
            B: { ...unknown, id: 2, validations: [{ name: null, value: null, result: null }] },
          },
        },
      });
    });

    it('serves answers of a version that did not read the limits of fields', async () => {
      const { fields = {} } = workOf(1);
      const stored = JSON.parse(
        JSON.stringify(fields, (key, each) => (key === 'validations' ? undefined : each)),
      );
      assert.equal('validations' in stored.Torque, false);
      await filled(`${line()}\n${work({ fields: stored })}`);
      const later = open();
      down();
      const { answer, source } = await find(later, 1);
      assert.equal(source, 'remembered');
      assert.deepEqual(answer, found(workOf(1)));
    });

    it('repairs the files of the database', async () => {
      const lookups = open();
      await remember(lookups, [1, 2, 3]);
      await close(lookups);
      const database = join(ion.folder, 'answers');
      await writeFile(join(database, 'CURRENT'), 'nonsense');
      const later = open();
      await find(later, 1);
      await find(later, 4);
      assert.deepEqual(await remembered(await reopen(later), [4]), [4]);
    });
  });

  describe('that does not work', () => {
    /** Look-ups work, and the log has one warning. */
    const worksWithout = async (lookups: Lookups, code: IonError['code'], text: RegExp) => {
      for (const value of [1, 2, 3]) assert.equal((await find(lookups, value)).source, 'ion');
      await until(() => ion.failed.length > 0);
      down();
      await failure(find(lookups, 1), 'ION_NETWORK');
      up();
      assert.equal((await find(lookups, 4)).source, 'ion');
      await close(lookups);
      assert.deepEqual(
        ion.failed.map((error) => error.code),
        [code],
      );
      assert.match(ion.failed[0]?.message ?? '', text);
    };

    it('without classic-level', async () => {
      const needs = () => new IonError('ION_CONFIG', 'needs the package classic-level');
      const memory = {
        open: () => Promise.reject(needs()),
        isPresent: async () => false,
        onFailure: (error: IonError) => ion.failed.push(error),
        restMs: 0,
      };
      await worksWithout(open({ memory }), 'ION_CONFIG', /classic-level/);
    });

    it('while another process uses it, and takes it over after that', async () => {
      const { folder, within } = ion;
      const other = await AnswerStore.open({ folder, within });
      await worksWithout(open(), 'ION_OVERLOADED', /^The memory of look-ups in .* another process/);
      await other.close();
      const later = open();
      await find(later, 5);
      assert.deepEqual(await remembered(later, [5]), [5]);
    });

    it('while another process uses it, tries it again after a while', async () => {
      const { folder, within } = ion;
      const other = await AnswerStore.open({ folder, within });
      const memory = {
        open: (wait: object) =>
          AnswerStore.open({
            folder,
            within,
            wait: { signal: new AbortController().signal, ...wait },
          }),
        isPresent: async () => true,
        onFailure: (error: IonError) => ion.failed.push(error),
        ...{ maxWaitMs: 1, restMs: 1 },
      };
      const lookups = open({ memory });
      await find(lookups, 1);
      await until(() => ion.failed.length > 0);
      await other.close();
      let value = 2;
      await until(async () => {
        await find(lookups, ++value);
        return (await remembered(lookups, [value])).length > 0;
      });
      assert.equal(ion.failed.length, 1);
    });

    it('with a link in the place of its folder, which is not followed', async () => {
      const elsewhere = join(ion.within, 'elsewhere');
      await mkdir(elsewhere);
      await mkdir(dirname(ion.folder));
      await symlink(elsewhere, ion.folder, 'dir');
      await worksWithout(open(), 'ION_CONFIG', /because that is a symbolic link/);
      assert.deepEqual(await readdir(elsewhere), []);
    });

    it('with a link among its files, which is not followed', async () => {
      const precious = join(ion.within, 'precious');
      await writeFile(precious, '');
      await mkdir(join(ion.folder, 'answers'), { recursive: true });
      await symlink(precious, join(ion.folder, 'answers', 'LOG'));
      await worksWithout(open(), 'ION_CONFIG', /because that is a symbolic link/);
    });

    it('with a file in the place of its folder', async () => {
      await mkdir(dirname(ion.folder));
      await writeFile(ion.folder, 'mine');
      await worksWithout(open(), 'ION_CONFIG', /because that is not a folder/);
    });

    it('with a full disk: no older answer serves in the place of one that was not stored', async () => {
      const lookups = open();
      await remember(lookups, [1, 2, 3]);
      assert.deepEqual(await remembered(lookups, [1, 2, 3]), [1, 2, 3]);
      await until(async () => (await find(lookups, 2)).source === 'ion');
      const { batch } = ClassicLevel.prototype;
      const full = Object.assign(new Error('IO error: /x: No space left on device'), {
        code: 'LEVEL_IO_ERROR',
      });
      ClassicLevel.prototype.batch = (() => Promise.reject(full)) as never;
      try {
        assert.equal((await find(lookups, 1)).source, 'ion');
        await until(() => ion.failed.length > 0);
        assert.equal((await find(lookups, 2)).source, 'ion');
        assert.deepEqual(await remembered(lookups, [1, 2]), []);
      } finally {
        ClassicLevel.prototype.batch = batch;
      }
      assert.deepEqual(await remembered(lookups, [1, 2, 3]), [3]);
      // The database has been opened again, with all that was on the disk.
      assert.deepEqual(await remembered(lookups, [1, 2, 3]), [3]);
      assert.deepEqual(
        ion.failed.map(({ code }) => code),
        ['ION_OVERLOADED'],
      );
      assert.match(ion.failed[0]?.message ?? '', /because the disk is full/);
    });
  });

  describe('never serves an older answer in the place of one that was not stored', () => {
    /** Every write fails until the function is called that it returns. */
    const fill = () => {
      const { batch } = ClassicLevel.prototype;
      const full = Object.assign(new Error('IO error: /x: No space left on device'), {
        code: 'LEVEL_IO_ERROR',
      });
      let failed = 0;
      ClassicLevel.prototype.batch = (() => {
        failed++;
        return Promise.reject(full);
      }) as never;
      return {
        free() {
          ClassicLevel.prototype.batch = batch;
        },
        failed: (count: number) => until(() => failed >= count),
      };
    };
    const memory = (more: object = {}) => {
      const { folder, within } = ion;
      return {
        open: (wait: LockWait) => AnswerStore.open({ folder, within, wait }),
        isPresent: () => AnswerStore.isIn({ folder, within }),
        onFailure: (error: IonError) => ion.failed.push(error),
        ...{ maxWaitMs: 1, restMs: 0 },
        ...more,
      };
    };

    for (const [what, answer] of [
      ['another one', found(workOf(1, 'COMPLETE'))],
      ['nothing', nothing],
    ] as const) {
      for (const restMs of [0, 60_000]) {
        it(`after a full disk has space again: ${what}, with a rest of ${restMs} ms`, async () => {
          const lookups = open({ memory: memory({ restMs }) });
          await remember(lookups, [1, 2, 3]);
          await until(async () => (await remembered(lookups, [1, 2, 3])).length === 3);
          await until(async () => (await find(lookups, 1)).source === 'ion');
          const disk = fill();
          try {
            ion.finder.answer = () => answer;
            await find(lookups, 1);
            await disk.failed(1);
            await find(lookups, 2);
            if (restMs === 0) await disk.failed(2);
          } finally {
            disk.free();
          }
          const later = await reopen(lookups);
          assert.deepEqual(await remembered(later, [1, 2, 3]), [3]);
        });
      }
    }

    it('while it is open again after a full disk', async () => {
      const lookups = open({ memory: memory() });
      await remember(lookups, [1, 2]);
      await until(async () => (await remembered(lookups, [1, 2])).length === 2);
      await until(async () => (await find(lookups, 1)).source === 'ion');
      const disk = fill();
      try {
        await find(lookups, 1);
        await disk.failed(1);
      } finally {
        disk.free();
      }
      await until(async () => (await remembered(lookups, [2])).length === 1);
      assert.deepEqual(await remembered(lookups, [1, 2]), [2]);
    });

    it('that a node read which remembers nothing', async () => {
      const first = open();
      await remember(first, [1, 2]);
      const lookups = await reopen(first);
      ion.finder.answer = () => found(workOf(1, 'COMPLETE'));
      await find(lookups, queryOf('1'), 0);
      ion.finder.answer = () => nothing;
      await find(lookups, queryOf('2'), 0);
      const later = await reopen(lookups);
      down();
      const { answer } = await find(later, 1);
      assert.equal(answer.found === 'one' && answer.work.step.status, 'COMPLETE');
      await failure(find(later, 2), 'ION_NETWORK');
    });

    it('that came while another process had the memory', async () => {
      const first = open();
      await remember(first, [1, 2]);
      await close(first);
      const { folder, within } = ion;
      const other = await AnswerStore.open({ folder, within });
      const lookups = open({ memory: memory() });
      await find(lookups, 1);
      await until(() => ion.failed.length > 0);
      await other.close();
      await until(async () => (await remembered(lookups, [2])).length > 0);
      assert.deepEqual(await remembered(lookups, [1, 2]), [2]);
    });
  });

  it('deletes only its own files', async () => {
    const lookups = open();
    await remember(lookups, [1]);
    await close(lookups);
    await writeFile(join(ion.folder, 'mine'), '');
    await AnswerStore.delete(ion);
    assert.deepEqual(await readdir(ion.folder), ['mine']);
    await AnswerStore.delete(ion);
    await AnswerStore.delete({ within: ion.within, folder: join(ion.within, 'nothing', 'there') });
  });

  it('refuses an answer larger than it reads', () => {
    const large = { query: queryOf('x'.repeat(2 ** 20)), work: workOf(1), readAt: 1 };
    const facts = { readAt: 1, keepMs: 1, step: '', run: '' };
    assert.equal(encodeAnswer(large, facts), undefined);
  });
});
