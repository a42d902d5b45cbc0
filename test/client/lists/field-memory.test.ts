import assert from 'node:assert/strict';
import { MAX_KEPT_LENGTH } from '../../../nodes/client/lists/compared-value.js';
import { FieldMemory, MAX_OBJECTS } from '../../../nodes/client/lists/field-memory.js';

describe('the memory of watched fields', () => {
  const remember = (paths: string[], row: Record<string, unknown>) => {
    const memory = new FieldMemory(paths);
    memory.remember('1', row);
    return memory;
  };
  /** The changes after a restart: the memory went through a context store. */
  const restored = (memory: FieldMemory, paths: string[]) =>
    new FieldMemory(paths, JSON.parse(JSON.stringify(memory.texts())));

  it('knows nothing of an object that it has not seen, or that it has forgotten', () => {
    const memory = remember(['status'], { status: 'TODO' });
    assert.equal(memory.changes('2', { status: 'TODO' }), undefined);
    memory.forget('1');
    assert.equal(memory.changes('1', { status: 'TODO' }), undefined);
  });

  it('takes minus zero as zero, as JSON stores it', () => {
    assert.equal(remember(['value'], { value: -0 }).changes('1', { value: -0 })?.isChanged, false);
  });

  it('gives the earlier values of those fields that changed, by path', () => {
    const paths = ['status', 'assignee.name', 'title'];
    const memory = remember(paths, { status: 'TODO', assignee: null, title: 'A', other: 1 });
    const row = { status: 'IN_PROGRESS', assignee: { name: 'Ann' }, title: 'A', other: 2 };
    const expected = { isChanged: true, previous: { status: 'TODO', 'assignee.name': null } };
    assert.deepEqual(memory.changes('1', row), expected);
    assert.deepEqual(restored(memory, paths).changes('1', row), expected);
    memory.remember('1', row);
    assert.deepEqual(memory.changes('1', { ...row, other: 3 }), { isChanged: false, previous: {} });
  });

  it('compares objects by their content, whatever the order of their properties', () => {
    const memory = remember(['value'], { value: { a: 1, b: [1, { c: 2 }] } });
    assert.equal(memory.changes('1', { value: { b: [1, { c: 2 }], a: 1 } })?.isChanged, false);
    assert.equal(memory.changes('1', { value: { a: 1, b: [1, { c: 3 }] } })?.isChanged, true);
    assert.equal(memory.changes('1', { value: { a: 1, b: [{ c: 2 }, 1] } })?.isChanged, true);
  });

  it('compares the values of a list of parts in any order', () => {
    const steps = (...statuses: string[]) => ({ steps: statuses.map((status) => ({ status })) });
    const memory = remember(['steps.status'], steps('TODO', 'COMPLETE'));
    assert.equal(memory.changes('1', steps('COMPLETE', 'TODO'))?.isChanged, false);
    assert.deepEqual(memory.changes('1', steps('COMPLETE', 'COMPLETE')), {
      isChanged: true,
      previous: { 'steps.status': ['COMPLETE', 'TODO'] },
    });
    assert.equal(memory.changes('1', steps('TODO', 'COMPLETE', 'TODO'))?.isChanged, true);
  });

  it('distinguishes null, an empty text, 0 and false', () => {
    const values = [null, '', 0, false, '0', 'null', [], {}, [null]];
    for (const before of values) {
      const memory = restored(remember(['value'], { value: before }), ['value']);
      const same = values.filter((value) => memory.changes('1', { value })?.isChanged === false);
      assert.deepEqual(same, [before]);
    }
  });

  it('compares long values, but does not keep them', () => {
    const long = 'x'.repeat(MAX_KEPT_LENGTH);
    const memory = remember(['notes', 'status'], { notes: long, status: 'TODO' });
    assert.ok(memory.texts().join('').length < 100);
    assert.equal(memory.changes('1', { notes: long, status: 'TODO' })?.isChanged, false);
    assert.deepEqual(memory.changes('1', { notes: `${long}y`, status: 'HOLD' }), {
      isChanged: true,
      previous: { status: 'TODO' },
    });
  });

  it('counts a value that is too large to be compared as changed', () => {
    for (const value of ['x'.repeat(1_000_000), Array(30_000).fill(1)]) {
      const memory = remember(['value'], { value });
      assert.deepEqual(memory.changes('1', { value }), { isChanged: true, previous: {} });
    }
    const parts = { parts: Array(30_000).fill({ id: 1 }) };
    assert.equal(remember(['parts.id'], parts).changes('1', parts)?.isChanged, true);
  });

  it('forgets the oldest objects first, also after a restart', () => {
    let memory = new FieldMemory(['status']);
    for (let id = 0; id < MAX_OBJECTS; id++) memory.remember(`${id}`, { status: 'TODO' });
    memory.remember('0', { status: 'HOLD' });
    memory = restored(memory, ['status']);
    memory.remember('new', { status: 'TODO' });
    assert.equal(memory.has('1'), false);
    assert.deepEqual(memory.changes('0', { status: 'TODO' })?.previous, { status: 'HOLD' });
    assert.equal(memory.has('2'), true);
    assert.equal(memory.texts().length, MAX_OBJECTS);
  });

  it('keeps at most 10,000,000 characters', () => {
    const memory = new FieldMemory(['a', 'b']);
    const row = { a: 'a'.repeat(400), b: 'b'.repeat(400) };
    for (let id = 0; id < 20_000; id++) memory.remember(`${id}`, row);
    assert.equal(memory.has('0'), false);
    assert.equal(memory.has('19999'), true);
    assert.ok(memory.texts().join('').length <= 10_000_000);
  });

  it('treats IDs with any characters, and a path of any name', () => {
    const memory = new FieldMemory(['__proto__', 'constructor']);
    const row = JSON.parse('{"__proto__":"a","constructor":"b"}');
    for (const key of ['__proto__', 'two\nlines', '', '[]']) memory.remember(key, row);
    const after = restored(memory, ['__proto__', 'constructor']);
    for (const key of ['__proto__', 'two\nlines', '', '[]']) {
      assert.equal(after.changes(key, row)?.isChanged, false, key);
      const { previous } = after.changes(key, {}) ?? {};
      assert.deepEqual(Object.entries(previous ?? {}), [
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ]);
    }
  });

  it('ignores damaged entries of a context store', () => {
    const entries = [
      null,
      5,
      {},
      '',
      'x',
      '1\n',
      '1\n{}',
      '1\n[]',
      '1\n[["TODO"],["TODO"]]',
      '\n[',
    ];
    for (const entry of entries) {
      const memory = new FieldMemory(['status'], [entry]);
      assert.equal(memory.changes('1', { status: 'TODO' }), undefined);
      assert.equal(memory.has(''), false);
    }
  });
});
