import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { IonError } from '../../nodes/client/errors.js';
import { OutboxHolder } from '../../nodes/config/outbox-holder.js';
import { failure } from '../support/errors.js';
import { FakeIon, mutation, write } from '../support/outbox.js';
import { until } from '../support/until.js';

const API = 'https://api.buildwithion.com/graphql';
const NAME_OF_API = 'https_api.buildwithion.com_graphql';

describe('outbox: its folder', () => {
  let top: string;
  let userDir: string;
  let elsewhere: string;
  let ion: FakeIon;
  const opened = new Set<OutboxHolder>();
  const warnings: string[] = [];
  const errors: string[] = [];
  const events = new EventEmitter();

  beforeEach(async () => {
    top = await mkdtemp(join(tmpdir(), 'ion-outbox-test-'));
    userDir = join(top, 'user');
    elsewhere = join(top, 'elsewhere');
    await mkdir(userDir);
    await mkdir(elsewhere);
    ion = new FakeIon();
  });
  afterEach(async () => {
    await Promise.all([...opened].map((outbox) => outbox.close(false)));
    opened.clear();
    warnings.length = 0;
    errors.length = 0;
    await rm(top, { recursive: true });
  });

  const onError = (error: Error) => errors.push(error.message);
  const configOutbox = (
    id: unknown = 'a1b2c3d4e5f60718',
    endpoint = API,
    limits = () => ({ entries: 100, bytes: 1e6 }),
  ) => {
    const RED = { settings: { userDir }, events, _: (key: string) => key.split('.').at(-1) };
    const node = { id, warn: (text: string) => warnings.push(text), error: onError };
    const outbox = new OutboxHolder(RED as unknown as NodeAPI, node as unknown as Node, {
      client: () => ({ endpoint }) as never,
      batches: () => ({ size: 1 }) as never,
      writer: () => ion as never,
      concurrency: () => 1,
      queueLimit: () => 1000,
      limits,
    });
    opened.add(outbox);
    return outbox;
  };
  const close = async (outbox: OutboxHolder) => {
    opened.delete(outbox);
    await outbox.close(false);
  };
  /** Folders of outboxes, relative to the user folder. */
  const made = async () => {
    const all = await readdir(top, { recursive: true, withFileTypes: true });
    const databases = all.filter(({ name }) => name === 'entries');
    return databases.map(({ parentPath }) => parentPath.slice(userDir.length + 1)).sort();
  };
  /** Folder of the usual outbox. */
  const usual = (...parts: string[]) =>
    join(userDir, 'ion-outbox', 'a1b2c3d4e5f60718', NAME_OF_API, ...parts);
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  const file = (text: string) => ({
    size: text.length,
    async *read() {
      yield Buffer.from(text);
    },
  });
  const attach = (text: string) =>
    write({ run: 1 }, undefined, { action: 'file', filename: 'a.txt', file: file(text) });

  it('is not opened with impossible limits, which is not a start-up error', async () => {
    const outbox = configOutbox();
    await outbox.open();
    await close(outbox);
    const broken = configOutbox(undefined, API, () => {
      throw new IonError('ION_CONFIG', 'no limits');
    });
    events.emit('flows:started');
    await assert.rejects(broken.open(), /no limits/);
    await assert.rejects(broken.openIfPresent(), /no limits/);
    assert.deepEqual(errors, []);
  });

  describe('its name', () => {
    for (const id of ['a1b2c3d4e5f60718', 'abc-def', 'ion-demo-config', '3f2a1b.c4d5e6', 'a_b']) {
      it(`is the ID, as before: ${id}`, async () => {
        await configOutbox(id).open();
        assert.deepEqual(await made(), [join('ion-outbox', id, NAME_OF_API)]);
      });
    }

    for (const [endpoint, name] of [
      [
        'https://staging-api.buildwithion.com/graphql',
        'https_staging-api.buildwithion.com_graphql',
      ],
      ['http://127.0.0.1:4000/graphql', 'http_127.0.0.1_4000_graphql'],
      ['http://localhost:4000/ion/v1/graphql', 'http_localhost_4000_ion_v1_graphql'],
      ['https://api.example.com/', 'https_api.example.com_'],
    ] as const) {
      it(`is that of the API, as before: ${endpoint}`, async () => {
        await configOutbox('config', endpoint).open();
        assert.deepEqual(await made(), [join('ion-outbox', 'config', name)]);
      });
    }

    for (const id of [
      ...[
        '../../x',
        '..',
        '.',
        '',
        '/',
        '/etc',
        'a/b',
        'a\\b',
        'a\0b',
        '..\\..\\x',
        'a/../../../b',
      ],
      ...[
        'con',
        'NUL',
        'aux.txt',
        'Com1',
        'lpt9.a.b',
        'a.',
        'a ',
        ' a',
        'a..',
        '.hidden',
        '~',
        'a:b',
      ],
      ...['ä', '\ud800', '%2e%2e', 'x'.repeat(5000), '/'.repeat(300), 17],
    ]) {
      it(`is a single folder below ion-outbox: ${JSON.stringify(id).slice(0, 30)}`, async () => {
        await configOutbox(id).open();
        const [place = '', ...more] = await made();
        assert.deepEqual(more, []);
        const [folder, name = '', endpoint] = place.split(sep);
        assert.equal(folder, 'ion-outbox');
        assert.equal(endpoint, NAME_OF_API);
        assert.match(name, /^[\w-][\w.~-]*[\w-]$/);
        assert.doesNotMatch(name, /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        assert.ok(name.length <= 200);
        assert.deepEqual(await readdir(top), ['elsewhere', 'user']);
      });
    }

    it('differs for different IDs, however similar', async () => {
      const long = 'x'.repeat(300);
      const ids = ['..', '.', '', '/', '//', 'a/b', 'a_b', 'a\\b', 'a b', '\ud800', '\ud801'];
      ids.push(`${long}1`, `${long}2`, 'con', 'con_', '../a', '.._a');
      for (const id of ids) await configOutbox(id).open();
      assert.equal((await made()).length, ids.length);
    });

    it('differs for different APIs, so that no write goes to the wrong one', async () => {
      const endpoints = ['https://h/a/b', 'https://h/a_b', 'https://h/a%2Fb', 'https://h/a/b/'];
      endpoints.push('https://h/a//b', 'https://h/a?b', 'https://h:8443/a', 'https://h/8443/a');
      endpoints.push('http://[::1]:4000/graphql', 'http://[1::]:4000/graphql', 'https://h_8443/a');
      for (const endpoint of endpoints) await configOutbox('config', endpoint).open();
      assert.equal((await made()).length, endpoints.length);
    });
  });

  it('is found again, with its pending writes', async () => {
    ion.isDown = true;
    const first = configOutbox('../../x');
    const opened = await first.open();
    await opened.add('node', write({ run: 1 }, 5), undefined);
    await opened.add('node', mutation(1, 6), undefined);
    await close(first);
    const found = await configOutbox('../../x').openIfPresent();
    assert.equal(found?.state.pending, 2);
    assert.equal(await configOutbox('../../y').openIfPresent(), undefined);
  });

  for (const [what, id, endpoint, old] of [
    ['another endpoint', 'config', 'https://h/a_b', ['config', 'https_h_a_b']],
    ['another id', 'my config', API, ['my config', NAME_OF_API]],
  ] as const) {
    it(`is reported together with the one that version 1.0.0 used for ${what}`, async () => {
      await mkdir(join(userDir, 'ion-outbox', ...old), { recursive: true });
      configOutbox(id, endpoint);
      events.emit('flows:started');
      await until(() => warnings.length > 0);
      assert.deepEqual(warnings, ['outboxOld']);
    });
  }

  it('is accessible to its owner only, also if it was open to others', async () => {
    const folders = [join(userDir, 'ion-outbox'), dirname(usual()), usual()];
    folders.push(usual('files'), usual('entries'));
    for (const folder of folders) {
      await mkdir(folder);
      await chmod(folder, 0o777);
    }
    await configOutbox().open();
    assert.deepEqual(await Promise.all(folders.map(modeOf)), Array(5).fill(0o700));
  });

  it('works on file systems without modes', async () => {
    await mkdir(usual(), { recursive: true });
    await chmod(usual(), 0o755);
    const promises: { chmod: unknown } = await import('node:fs/promises').then((fs) => fs.default);
    const real = promises.chmod;
    const { syncBuiltinESMExports } = await import('node:module');
    let asked = 0;
    promises.chmod = async () => {
      asked++;
      throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' });
    };
    syncBuiltinESMExports();
    try {
      await configOutbox().open();
    } finally {
      promises.chmod = real;
      syncBuiltinESMExports();
    }
    assert.ok(asked > 0);
    assert.equal(await modeOf(usual()), 0o755);
  });

  describe('with a link in its place', () => {
    beforeEach(async () => {
      await writeFile(join(elsewhere, '7'), 'precious');
      await mkdir(join(elsewhere, 'files'));
      await writeFile(join(elsewhere, 'files', '7'), 'precious');
      await chmod(elsewhere, 0o755);
    });

    for (const [what, parts] of [
      ['the folder of the config node', ['..']],
      ['the folder of the API', ['.']],
      ['files', ['files']],
      ['entries', ['entries']],
    ] as const) {
      it(`rejects it, and changes nothing there: ${what}`, async () => {
        const place = usual(...parts);
        await mkdir(dirname(place), { recursive: true });
        await symlink(elsewhere, place, 'dir');
        const error = await failure(configOutbox().open(), 'ION_CONFIG');
        assert.match(error.message, /cannot be stored in .*, because that is a symbolic link/);
        assert.ok(error.message.includes(place));
        assert.deepEqual((await readdir(elsewhere)).sort(), ['7', 'files']);
        assert.deepEqual(await readdir(join(elsewhere, 'files')), ['7']);
        assert.equal(await modeOf(elsewhere), 0o755);
      });
    }

    it('rejects a dangling link, and creates nothing there', async () => {
      await mkdir(usual(), { recursive: true });
      await symlink(join(elsewhere, 'new'), usual('files'), 'dir');
      await failure(configOutbox().open(), 'ION_CONFIG');
      assert.deepEqual((await readdir(elsewhere)).sort(), ['7', 'files']);
    });

    it('rejects a link among the files of the database', async () => {
      await mkdir(usual('entries'), { recursive: true });
      await symlink(join(elsewhere, '7'), usual('entries', 'LOG'));
      await failure(configOutbox().open(), 'ION_CONFIG');
      assert.equal(await readFile(join(elsewhere, '7'), 'utf8'), 'precious');
    });

    it('accepts the user folder and ion-outbox as links made by an administrator', async () => {
      const disk = join(top, 'disk');
      await mkdir(disk);
      await symlink(disk, join(userDir, 'ion-outbox'), 'dir');
      const real = userDir;
      userDir = join(top, 'linked');
      await symlink(real, userDir, 'dir');
      await configOutbox().open();
      assert.deepEqual(await readdir(disk), ['a1b2c3d4e5f60718']);
    });
  });

  for (const parts of [['..'], ['.'], ['files'], ['entries']]) {
    it(`reports a file in its place: ${parts}`, async () => {
      const place = usual(...parts);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, 'mine');
      const error: IonError = await failure(configOutbox().open(), 'ION_CONFIG');
      assert.match(error.message, /not a folder/);
      assert.equal(await readFile(place, 'utf8'), 'mine');
    });
  }

  it('opens next to foreign files, and leaves them alone', async () => {
    await mkdir(usual('files', '@eaDir'), { recursive: true });
    await writeFile(usual('files', '@eaDir', 'index'), 'of a NAS');
    await writeFile(usual('files', '.DS_Store'), 'of a Mac');
    await writeFile(usual('files', '007'), 'of an agent');
    await writeFile(usual('files', '12.bak'), 'of a person');
    await mkdir(usual('files', '8'));
    await writeFile(join(elsewhere, 'target'), 'precious');
    await symlink(join(elsewhere, 'target'), usual('files', '9'));
    // Left by a process that ended before its entry was stored.
    await writeFile(usual('files', '10'), 'lost');
    const outbox = configOutbox();
    await outbox.open();
    const left = ['007', '12.bak', '8', '9', '.DS_Store', '@eaDir'];
    assert.deepEqual((await readdir(usual('files'))).sort(), left.sort());
    assert.equal(await readFile(join(elsewhere, 'target'), 'utf8'), 'precious');
  });

  it('attaches only its own files, not the target of a link in their place', async () => {
    ion.isDown = true;
    const outbox = await configOutbox().open();
    await outbox.add('node', attach('mine'), undefined);
    await writeFile(join(elsewhere, 'secret'), 'secret');
    await unlink(usual('files', '1'));
    await symlink(join(elsewhere, 'secret'), usual('files', '1'));
    ion.isDown = false;
    await until(() => outbox.state.rejected === 1 || ion.written.length > 0);
    assert.deepEqual(ion.written, []);
    const [refused] = await outbox.rejected(1);
    assert.match(String(refused?.entry.error.message), /cannot be read/);
    await outbox.decide('discard');
    assert.equal(outbox.state.rejected, 0);
    assert.ok((await lstat(usual('files', '1'))).isSymbolicLink());
    assert.equal(await readFile(join(elsewhere, 'secret'), 'utf8'), 'secret');
  });
});
