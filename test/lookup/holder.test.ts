import assert from 'node:assert/strict';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { IonClient } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import { LookupHolder } from '../../nodes/config/lookup-holder.js';
import { addScanCases } from '../../sandbox/data/scan-cases.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { failure, thrown } from '../support/errors.js';
import { type Gate, gate } from '../support/gate.js';
import { HOUR_MS, queryOf } from '../support/lookups.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

describe('look-ups of a config node', () => {
  const ion = useSandbox({ runs: 3 });
  const folder = useTemporaryFolder();
  const warnings: string[] = [];
  const opened = new Set<LookupHolder>();
  const { signal } = new AbortController();
  let way: Gate;
  let userDir: string;
  let count = 0;

  before(() => void addScanCases(ion.sandbox.data));
  beforeEach(async () => {
    userDir = join(folder.path, `user-${++count}`);
    await mkdir(userDir);
    warnings.length = 0;
    way = await gate(ion.sandbox.url);
  });
  afterEach(async () => {
    await Promise.all([...opened].map((holder) => holder.close(false)));
    opened.clear();
    await way.close();
  });

  const client = (path = '') =>
    ion.client({ apiUrl: `${way.url}${path}`, authUrl: ion.sandbox.authUrl, retries: 0 });
  const hold = (makeClient = client, { id = 'config', hasFolder = true } = {}) => {
    const translated = (key: string, { reason }: { reason: string }) =>
      `${key.split('.').at(-1)}: ${reason}`;
    const RED = { settings: hasFolder ? { userDir } : {}, _: translated };
    const node = { id, warn: (text: string) => warnings.push(text) };
    const made: IonClient[] = [];
    const once = () => {
      made[0] ??= makeClient();
      return made[0];
    };
    const holder = new LookupHolder(RED as unknown as NodeAPI, node as unknown as Node, once);
    opened.add(holder);
    return holder;
  };
  const close = async (holder: LookupHolder, isRemoved = false) => {
    opened.delete(holder);
    await holder.close(isRemoved);
  };
  const find = (holder: LookupHolder, serial = 'SCAN-READY', rememberMs = HOUR_MS) =>
    holder.lookups.find(queryOf(serial), { rememberMs, signal });
  /** Folders with a memory, below the user folder. */
  const memories = async () => {
    const all = await readdir(userDir, { recursive: true });
    return all.filter((path) => path.endsWith('answers')).sort();
  };
  const endpoint = (path = '/graphql') =>
    `http_127.0.0.1_${new URL(way.url).port}${path.replaceAll('/', '_')}`;
  /** The source of the answer while ION is out of reach. */
  const offline = async (holder: LookupHolder) => {
    way.shut();
    const source = await find(holder).then(
      (result) => result.source,
      ({ code }) => code,
    );
    way.open();
    return source;
  };

  it('are remembered for the next process, in a private folder for the node and the API', async () => {
    const holder = hold();
    assert.equal((await find(holder)).source, 'ion');
    await close(holder);
    const place = join('ion-lookup', 'config', endpoint());
    assert.deepEqual(await memories(), [join(place, 'answers')]);
    for (const each of ['ion-lookup', join('ion-lookup', 'config'), place]) {
      assert.equal((await stat(join(userDir, each))).mode & 0o777, 0o700);
    }
    assert.equal(await offline(hold()), 'remembered');
    assert.deepEqual(warnings, []);
  });

  it('of another config node or another API are not mixed with them', async () => {
    await find(hold());
    await find(hold(client, { id: '../x' }));
    await until(async () => (await memories()).length === 2);
    const [unsafe = ''] = (await memories()).map((path) => String(path.split('/')[1])).sort();
    assert.doesNotMatch(unsafe, /^\.\./);
    const other = hold(() => client('/other'));
    await close(hold());
    assert.equal(await offline(other), 'ION_NETWORK');
  });

  it('make nothing without a look-up that is remembered', async () => {
    const holder = hold();
    await find(holder, 'SCAN-READY', 0);
    holder.lookups.changed('RUN_STEPS', '1');
    await close(holder);
    await close(hold(), true);
    assert.deepEqual(await readdir(userDir), []);
  });

  it('of two Node-REDs on one user folder: the second works without memory, and warns once', async () => {
    const first = hold();
    await find(first);
    await until(async () => (await memories()).length > 0);
    const second = hold();
    for (const serial of ['SCAN-READY', 'SCAN-STARTED', 'SCAN-BATCH-1']) {
      assert.equal((await find(second, serial)).source, 'ion');
    }
    await until(() => warnings.length > 0);
    assert.match(
      warnings.join('\n'),
      /^lookupsNotRemembered: The memory of look-ups in .* is in use by another process/,
    );
    assert.equal((await find(second, 'SCAN-REBUILT')).source, 'ion');
    assert.equal(warnings.length, 1);
  });

  it('close at once although another process uses their memory', async () => {
    const first = hold();
    await find(first);
    await until(async () => (await memories()).length > 0);
    const second = hold();
    await find(second);
    const began = performance.now();
    await close(second);
    assert.ok(performance.now() - began < 4000, 'it waited for the other process');
    assert.deepEqual(warnings, []);
  });

  it('work without a user folder, with one warning', async () => {
    const holder = hold(client, { hasFolder: false });
    await find(holder);
    await find(holder, 'SCAN-STARTED');
    await until(() => warnings.length > 0);
    assert.deepEqual(warnings, [
      'lookupsNotRemembered: Node-RED has no user folder to keep the memory in.',
    ]);
    await close(holder, true);
    assert.equal(warnings.length, 1);
  });

  it('are not there with settings that cannot work, which is reported by the config node', async () => {
    const broken = hold(() => {
      throw new IonError('ION_CONFIG', 'no API key');
    });
    thrown(() => broken.lookups, 'ION_CONFIG');
    await close(broken, true);
    assert.deepEqual(warnings, []);
  });

  it('end with ION_CLOSED', async () => {
    const holder = hold();
    const { lookups } = holder;
    await close(holder);
    thrown(() => holder.lookups, 'ION_CLOSED');
    await failure(lookups.find(queryOf('x'), { rememberMs: 0, signal }), 'ION_CLOSED');
  });

  describe('whose node is deleted', () => {
    it('are deleted from the disk, also if they were not used since the start', async () => {
      const holder = hold();
      await find(holder);
      await find(hold(client, { id: 'other' }));
      await close(holder, true);
      assert.deepEqual(await memories(), [join('ion-lookup', 'other', endpoint(), 'answers')]);
      assert.deepEqual(await readdir(join(userDir, 'ion-lookup')), ['other']);
      await close(hold(client, { id: 'other' }), false);
      for (const each of opened) await each.close(false);
      await close(hold(client, { id: 'other' }), true);
      assert.deepEqual(await readdir(join(userDir, 'ion-lookup')), []);
      assert.deepEqual(warnings, []);
    });

    it('leave the files of others alone', async () => {
      const holder = hold();
      await find(holder);
      await until(async () => (await memories()).length > 0);
      const place = join(userDir, 'ion-lookup', 'config', endpoint());
      await writeFile(join(place, 'mine'), '');
      await close(holder, true);
      assert.deepEqual(await readdir(place), ['mine']);
      assert.deepEqual(warnings, []);
    });

    it('are not searched behind a link', async () => {
      const elsewhere = join(folder.path, `elsewhere-${count}`);
      await mkdir(join(elsewhere, 'answers'), { recursive: true });
      await writeFile(join(elsewhere, 'answers', '000001.log'), 'precious');
      await mkdir(join(userDir, 'ion-lookup', 'config'), { recursive: true });
      await symlink(elsewhere, join(userDir, 'ion-lookup', 'config', endpoint()), 'dir');
      await close(hold(), true);
      assert.match(warnings.join('\n'), /^lookupsNotDeleted: .* symbolic link/);
      assert.deepEqual(await readdir(join(elsewhere, 'answers')), ['000001.log']);
    });
  });
});
