import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { OUTBOX } from '../../nodes/outbox/store/outbox-folder.js';
import { storeError } from '../../nodes/storage/store-error.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { compileDiskFaults, type Outcome, StoreProcess } from '../support/store-processes.js';

const { errno } = constants;
const IN_USE = /in use by another process/;

describe('outbox: a disk with problems or missing features', () => {
  const folder = useTemporaryFolder();
  let library: string;
  let count = 0;

  before(async () => {
    library = await compileDiskFaults(folder.path);
  });

  const outcome = async (work: 'open' | 'file', faults: Record<string, string | number>) => {
    const env = Object.entries({ ...faults, LD_PRELOAD: library });
    const place = join(folder.path, `outbox ${++count}`);
    await mkdir(place);
    const store = new StoreProcess(
      place,
      work,
      Object.fromEntries(env.map(([name, value]) => [name, String(value)])),
    );
    const result = await store.outcome;
    await store.end();
    return result;
  };
  const refuses = ({ code, message = '' }: Outcome, expected: string, text: RegExp) => {
    assert.equal(code, expected, message);
    assert.match(message, text);
    assert.doesNotMatch(message, IN_USE);
  };

  it('opens without failures', async () => {
    assert.deepEqual(await outcome('open', {}), { isOpen: true });
    assert.deepEqual(await outcome('file', {}), { file: 'abc' });
  });

  for (const name of ['ENOLCK', 'ENOTSUP', 'ENOSYS', 'EINVAL'] as const) {
    it(`reports a file system without locks: ${name}`, async () => {
      const result = await outcome('open', { FAIL_LOCK: errno[name] });
      refuses(result, 'ION_CONFIG', /its file system does not support locks .*local disk/);
    });
  }

  for (const [name, more] of [
    ['EAGAIN', /has ended\.$/],
    ['EACCES', /Or the system does not allow locks: .*Permission denied/],
  ] as const) {
    it(`reports that another process holds the lock: ${name}`, async () => {
      const { code, message = '' } = await outcome('open', { FAIL_LOCK: errno[name] });
      assert.equal(code, 'ION_OVERLOADED');
      assert.match(message, IN_USE);
      assert.match(message, more);
    });
  }

  for (const name of ['EINVAL', 'ENOTSUP', 'EPERM'] as const) {
    it(`keeps files if a file system cannot sync the folder of files: ${name}`, async () => {
      const result = await outcome('file', { FAIL_FOLDER_SYNC: `${errno[name]} /files` });
      assert.deepEqual(result, { file: 'abc' });
    });

    it(`makes a file pending again if a file system has no hard links: ${name}`, async () => {
      assert.deepEqual(await outcome('file', { FAIL_LINK: errno[name] }), { file: 'abc' });
    });
  }

  for (const name of ['EINVAL', 'ENOTSUP'] as const) {
    it(`reports that LevelDB cannot sync its folder: ${name}`, async () => {
      const result = await outcome('open', { FAIL_FOLDER_SYNC: errno[name] });
      refuses(result, 'ION_CONFIG', /its file system cannot sync folders, .*local disk/);
    });
  }

  it('reports a read-only disk', async () => {
    const result = await outcome('open', { FAIL_OPEN: `${errno.EROFS} /LOCK` });
    refuses(result, 'ION_CONFIG', /cannot be written: its disk is read-only/);
  });

  for (const name of ['EACCES', 'EPERM'] as const) {
    it(`reports that Node-RED may not write there: ${name}`, async () => {
      const result = await outcome('open', { FAIL_OPEN: `${errno[name]} /LOCK` });
      refuses(result, 'ION_CONFIG', /the user that Node-RED runs as does not have permission/);
    });
  }

  for (const name of ['ENOSPC', 'EDQUOT'] as const) {
    it(`reports a full disk before the outbox is open: ${name}`, async () => {
      const result = await outcome('open', { FAIL_OPEN: `${errno[name]} /LOCK` });
      refuses(result, 'ION_OVERLOADED', /because the disk is full/);
    });
  }

  for (const [fault, name] of [
    ['FAIL_LOCK', 'EIO'],
    ['FAIL_LOCK', 'ESTALE'],
    ['FAIL_OPEN', 'EMFILE'],
    ['FAIL_OPEN', 'EBUSY'],
    ['FAIL_OPEN', 'EIO'],
    ['FAIL_FOLDER_SYNC', 'EIO'],
  ] as const) {
    it(`reports temporary problems: ${fault}, ${name}`, async () => {
      const path = fault === 'FAIL_OPEN' ? ' /LOCK' : '';
      const result = await outcome('open', { [fault]: `${errno[name]}${path}` });
      refuses(result, 'ION_OVERLOADED', /cannot be used for now: .*Send it again later/);
    });
  }

  it('reports a real failure to sync the folder of files', async () => {
    const result = await outcome('file', { FAIL_FOLDER_SYNC: `${errno.EIO} /files` });
    refuses(result, 'ION_OVERLOADED', /cannot be used for now: EIO/);
  });

  it('does not read a reason from the name of a folder', () => {
    const place = '/data/no space left/quota: permission denied';
    const thrown = Object.assign(new Error(`IO error: ${place}/entries/LOCK: Input/output error`), {
      code: 'LEVEL_IO_ERROR',
    });
    const { code, message } = storeError({ folder: place, owner: OUTBOX }, thrown);
    assert.equal(code, 'ION_OVERLOADED');
    assert.doesNotMatch(message, /disk is full|Node-RED runs as/);
  });

  it('translates Windows errors into plain text', () => {
    const text = 'There is not enough space on the disk.';
    const thrown = Object.assign(new Error(`IO error: C:\\x\\000003.log: ${text}\r\n`), {
      code: 'LEVEL_IO_ERROR',
    });
    assert.match(
      storeError({ folder: 'C:\\x', owner: OUTBOX }, thrown).message,
      /because the disk is full/,
    );
  });

  describe('with a binary of classic-level that does not fit', () => {
    const broken = async (name: string, prepare: (binary: string) => Promise<void>) => {
      const prebuilds = join(folder.path, name);
      const place = join(prebuilds, 'prebuilds', `${process.platform}-${process.arch}`);
      await mkdir(place, { recursive: true });
      await prepare(join(place, 'classic-level.node'));
      const store = new StoreProcess(join(folder.path, `${name} outbox`), 'open', {
        CLASSIC_LEVEL_PREBUILD: prebuilds,
      });
      const result = await store.outcome;
      await store.end();
      return result;
    };
    const machine = `${process.platform} ${process.arch}, (glibc [\\d.]+|musl), Node.js ${process.version}`;

    for (const [what, reason, prepare] of [
      ['none for this machine', 'No native build was found', async () => {}],
      [
        'one of another machine',
        '(invalid ELF header|file too short|Exec format error)',
        (binary: string) => writeFile(binary, 'x'.repeat(5000)),
      ],
      ['half of one', 'file too short', (binary: string) => writeFile(binary, '\x7fELF')],
    ] as const) {
      it(`names the package, machine and command: ${what}`, async () => {
        const { code, message = '' } = await broken(what, prepare);
        assert.equal(code, 'ION_CONFIG', message);
        const text = `needs the package classic-level .*does not load on this machine \\(${machine}\\): .*${reason}.*npm rebuild classic-level`;
        assert.match(message, new RegExp(text));
      });
    }
  });
});
