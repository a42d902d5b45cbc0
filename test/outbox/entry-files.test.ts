import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { IonError } from '../../nodes/client/errors.js';
import type { Stored } from '../../nodes/outbox/store/entries.js';
import { EntryFiles, FILES } from '../../nodes/outbox/store/entry-files.js';
import { rejectedKey } from '../../nodes/outbox/store/keys.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { failure } from '../support/errors.js';

const { link, open } = fs;

/** As the file system throws it. */
const systemError = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

describe('outbox: the files of entries', () => {
  const temporary = useTemporaryFolder();
  let outbox: string;
  let files: EntryFiles;
  let count = 0;

  beforeEach(async () => {
    outbox = join(temporary.path, `outbox ${++count}`);
    await fs.mkdir(join(outbox, FILES), { recursive: true });
    files = new EntryFiles(outbox);
  });
  afterEach(() => {
    replaceSystem({ link, open });
  });

  function replaceSystem(functions: Partial<typeof fs>): void {
    Object.assign(fs, functions);
    syncBuiltinESMExports();
  }
  /** Lets the sync of one path fail. @returns the paths that were synced */
  function watchSyncs(failing?: string, code = 'EIO'): string[] {
    const synced: string[] = [];
    replaceSystem({
      open: async (path, ...more) => {
        const handle = await open(path, ...more);
        const sync = handle.sync.bind(handle);
        handle.sync = async () => {
          synced.push(String(path));
          if (path === failing) throw systemError(code);
          await sync();
        };
        return handle;
      },
    });
    return synced;
  }
  const names = async () => (await fs.readdir(join(outbox, FILES))).sort();
  const text = (sequence: number) => fs.readFile(files.pathOf(sequence), 'utf8');
  const put = (name: string, content = 'x') => fs.writeFile(join(outbox, FILES, name), content);
  const stored = (sequence: number, fileSize?: number) =>
    ({ sequence, entry: { fileSize } }) as Stored;
  const descriptors = async () => (await fs.readdir('/proc/self/fd')).length;

  it('are written chunk by chunk, for their owner only, and synced with their folder', async () => {
    const synced = watchSyncs();
    await files.write(7, chunks('ab', 'c', ''));
    assert.equal(await text(7), 'abc');
    assert.equal((await fs.stat(files.pathOf(7))).mode & 0o777, 0o600);
    assert.deepEqual(synced, [files.pathOf(7), join(outbox, FILES)]);
    assert.equal(await files.sizeOf(7), 3);
  });

  it('have no size if they are missing or folders', async () => {
    await fs.mkdir(files.pathOf(8));
    assert.equal(await files.sizeOf(8), undefined);
    assert.equal(await files.sizeOf(9), undefined);
  });

  it('are not there after a failure, which names the outbox', async () => {
    async function* broken() {
      yield Buffer.from('half');
      throw systemError('ENOSPC');
    }
    const before = await descriptors();
    const error = await failure(files.write(1, broken()), 'ION_OVERLOADED');
    assert.ok(error.message.includes(`The outbox in ${outbox} cannot be written`), error.message);
    assert.deepEqual(await names(), []);
    assert.equal(await descriptors(), before);
  });

  it('pass on the failure of their content', async () => {
    const reason = new IonError('ION_NOT_FOUND', 'The file is gone.');
    // biome-ignore lint/correctness/useYield: it fails before its first bytes.
    async function* gone(): AsyncGenerator<Uint8Array> {
      throw reason;
    }
    assert.equal(await failure(files.write(1, gone()), 'ION_NOT_FOUND'), reason);
  });

  it('never overwrite another one', async () => {
    await put('3', 'other');
    await failure(files.write(3, chunks('new')), 'ION_CONFIG');
    assert.notEqual(await text(3).catch(() => ''), 'new');
  });

  for (const code of ['EINVAL', 'EISDIR']) {
    it(`are kept where a folder cannot be synced: ${code}`, async () => {
      watchSyncs(join(outbox, FILES), code);
      await files.write(1, chunks('abc'));
      assert.equal(await text(1), 'abc');
    });
  }

  it('are not accepted if the disk fails to sync their folder', async () => {
    const before = await descriptors();
    watchSyncs(join(outbox, FILES), 'EIO');
    await failure(files.write(1, chunks('abc')), 'ION_OVERLOADED');
    assert.deepEqual(await names(), []);
    assert.equal(await descriptors(), before);
  });

  it('are shared without a copy', async () => {
    await put('1', 'abc');
    await files.share(1, 2);
    const [one, two] = await Promise.all([1, 2].map((each) => fs.stat(files.pathOf(each))));
    assert.equal(one?.ino, two?.ino);
  });

  for (const code of ['EPERM', 'EXDEV', 'ENOTSUP']) {
    it(`are copied and synced on a file system without hard links: ${code}`, async () => {
      const synced = watchSyncs();
      replaceSystem({ link: () => Promise.reject(systemError(code)) });
      await put('1', 'abc');
      await files.share(1, 2);
      await fs.rm(files.pathOf(1));
      assert.equal(await text(2), 'abc');
      assert.deepEqual(synced, [files.pathOf(2)]);
    });
  }

  it('are not copied over another one, nor after a failure of the disk', async () => {
    await put('1', 'abc');
    await put('2', 'other');
    replaceSystem({ link: () => Promise.reject(systemError('EPERM')) });
    await failure(files.share(1, 2), 'ION_CONFIG');
    assert.equal(await text(2), 'other');
    replaceSystem({ link: () => Promise.reject(systemError('EIO')) });
    await failure(files.share(1, 3), 'ION_OVERLOADED');
    assert.deepEqual(await names(), ['1', '2']);
  });

  it('may be missing when they are shared: the delivery reports it', async () => {
    await files.share(1, 2);
    assert.deepEqual(await names(), []);
  });

  it('are removed with their entry; an entry without a file removes none', async () => {
    await put('1');
    await put('2');
    await files.remove(stored(1));
    assert.deepEqual(await names(), ['1', '2']);
    await files.remove(stored(2, 1));
    assert.deepEqual(await names(), ['1']);
    await files.remove(stored(2, 1));
    await fs.mkdir(files.pathOf(5));
    await put('5/inner');
    await files.remove(stored(5, 1));
    assert.deepEqual(await names(), ['1', '5']);
  });

  it('without an entry are removed, and nothing else', async () => {
    const others = ['0', '01', '1.tmp', '12345678901234567', '3 (copy)', 'desktop.ini', 'x4'];
    for (const name of [...others, '1', '4', '20', '1234567890123456']) await put(name);
    await fs.mkdir(files.pathOf(6));
    async function* keys() {
      yield rejectedKey(4);
      yield rejectedKey(5);
    }
    await files.removeLost(keys);
    assert.deepEqual(await names(), [...others, '4', '6'].sort());
  });

  it('are no reason to read all keys if there are none', async () => {
    await put('desktop.ini');
    await fs.mkdir(files.pathOf(6));
    await files.removeLost(() => assert.fail('reads the keys'));
    assert.deepEqual(await names(), ['6', 'desktop.ini']);
  });
});
