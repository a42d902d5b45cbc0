import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { AuditFile } from '../../nodes/config/audit/audit-file.js';
import { AuditLog } from '../../nodes/config/audit/audit-log.js';
import { canonicalJson } from '../../nodes/config/audit/canonical-json.js';
import { useTemporaryFolder } from '../../tools/package.js';

describe('the file of the log of writes', () => {
  const folder = useTemporaryFolder();
  let count = 0;
  let own: string;
  let path: string;
  beforeEach(() => {
    own = join(folder.path, String(++count));
    path = join(own, 'ion-audit', 'node.jsonl');
  });
  const lines = async () => (await readFile(path, 'utf8')).split('\n');

  it('holds a line when `append` returns, after those of an earlier process', async () => {
    new AuditFile(path).append(['a', 'b']);
    assert.deepEqual(await lines(), ['a', 'b', '']);
    const again = new AuditFile(path);
    again.append(['c']);
    again.append(['d']);
    assert.deepEqual(await lines(), ['a', 'b', 'c', 'd', '']);
  });

  it('begins a new line after one that was cut off', async () => {
    await mkdir(join(own, 'ion-audit'), { recursive: true });
    await writeFile(path, 'a\nhalf a li');
    new AuditFile(path).append(['b']);
    assert.deepEqual(await lines(), ['a', 'half a li', 'b', '']);
  });

  it('makes room at its limit, and keeps five files', async () => {
    const file = new AuditFile(path, 100);
    for (let index = 10; index < 40; index++) file.append([String(index).repeat(20)]);
    const files = (await readdir(join(own, 'ion-audit'))).sort();
    assert.deepEqual(files, [
      'node.1.jsonl',
      'node.2.jsonl',
      'node.3.jsonl',
      'node.4.jsonl',
      'node.jsonl',
    ]);
    const texts = await Promise.all(
      ['node.4', 'node.3', 'node.2', 'node.1', 'node'].map((name) =>
        readFile(join(own, 'ion-audit', `${name}.jsonl`), 'utf8'),
      ),
    );
    for (const text of texts) assert.ok(text.length <= 100);
    const kept = texts
      .join('')
      .split('\n')
      .filter(Boolean)
      .map((line) => Number(line.slice(0, 2)));
    assert.deepEqual(
      kept,
      Array.from({ length: 10 }, (_, index) => 30 + index),
    );
  });

  it('continues, and loses no line, if files cannot be renamed', async () => {
    const beside = (name: string) => join(own, 'ion-audit', name);
    const file = new AuditFile(path, 30);
    const append = (letter: string) => file.append([letter.repeat(25)]);
    assert.equal(append('a'), undefined);
    await writeFile(beside('node.3.jsonl'), 'old\n');
    await mkdir(join(beside('node.4.jsonl'), 'in the way'), { recursive: true });
    for (const letter of ['b', 'c', 'd']) assert.notEqual(append(letter), undefined);
    const texts = ['node.3', 'node.0', 'node'].map((name) =>
      readFile(beside(`${name}.jsonl`), 'utf8'),
    );
    const text = (...letters: string[]) => letters.map((each) => `${each.repeat(25)}\n`).join('');
    assert.deepEqual(await Promise.all(texts), ['old\n', text('a'), text('b', 'c', 'd')]);
    await rm(beside('node.4.jsonl'), { recursive: true });
    assert.equal(append('e'), undefined);
    assert.deepEqual(await lines(), ['e'.repeat(25), '']);
  });

  it('keeps the file of a process that ended while it made room', async () => {
    const file = new AuditFile(path, 30);
    file.append(['a'.repeat(25)]);
    await writeFile(join(own, 'ion-audit', 'node.0.jsonl'), 'left\n');
    file.append(['b'.repeat(25)]);
    const texts = ['node.2', 'node.1', 'node'].map((name) =>
      readFile(join(own, 'ion-audit', `${name}.jsonl`), 'utf8'),
    );
    assert.deepEqual(await Promise.all(texts), [
      'left\n',
      `${'a'.repeat(25)}\n`,
      `${'b'.repeat(25)}\n`,
    ]);
  });

  it('is found again if somebody removes its folder', async () => {
    const file = new AuditFile(path);
    file.append(['a']);
    await rm(own, { recursive: true });
    file.append(['b']);
    assert.deepEqual((await lines()).filter(Boolean), ['b']);
  });

  it('does not follow a link in its place', async () => {
    await mkdir(join(own, 'ion-audit'), { recursive: true });
    const other = join(own, 'other');
    await appendFile(other, 'kept');
    await symlink(other, path);
    assert.throws(() => new AuditFile(path).append(['a']), { code: 'ELOOP' });
    assert.equal(await readFile(other, 'utf8'), 'kept');
  });
});

describe('the log of writes', () => {
  const operation = parseOperation('mutation Act($key: ID!) { act(key: $key) { key } }');

  it('reports an error of the disk once, and continues when it has passed', () => {
    const written: string[] = [];
    const failures: unknown[] = [];
    let isFull = true;
    let problem: unknown;
    const log = new AuditLog({
      append(lines) {
        if (isFull) throw new Error('no space left on device');
        written.push(...lines);
        return problem;
      },
      onFailure: (failure) => failures.push(failure),
      placeOf: () => ({}),
    });
    const send = (key: string) => {
      const variables = { key };
      const request = log.begin({ operation, variables, origin: undefined }, undefined, undefined);
      request.sending(variables);
    };
    send('a');
    send('b');
    assert.deepEqual(failures, ['notWritten']);
    isFull = false;
    send('c');
    isFull = true;
    send('d');
    assert.deepEqual([written.length, failures.length], [1, 2]);
    isFull = false;
    problem = new Error('not permitted');
    send('e');
    send('f');
    assert.deepEqual([written.length, failures.slice(2)], [3, ['notRenamed']]);
  });

  it('digests variables whatever the order of their properties', () => {
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: 'ü"' }], a: 1e21, e: undefined, at: new Date(0) }),
      '{"a":1e+21,"at":"1970-01-01T00:00:00.000Z","b":[1,{"c":"ü\\"","d":null}]}',
    );
    assert.equal(canonicalJson({ a: 1, b: 2 }), canonicalJson({ b: 2, a: 1 }));
  });
});
