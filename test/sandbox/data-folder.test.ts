import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../sandbox/server.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { until } from '../support/until.js';

describe('the data folder of the sandbox', () => {
  const folder = useTemporaryFolder();
  let count = 0;
  let path: string;
  let running: Sandbox | undefined;
  beforeEach(() => {
    path = join(folder.path, `data-${count++}`);
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });

  const file = () => join(path, 'data.json.gz');
  const start = async (options = {}) => {
    await running?.close();
    running = await startSandbox({ port: 0, runs: 20, dataFolder: path, ...options });
    return running;
  };
  const store = async (sandbox: Sandbox, text: string) => {
    const { uploadUrl, s3Key, contentType } = sandbox.uploads.request('report.txt');
    const sent = { method: 'PUT', body: text, headers: { 'content-type': contentType } };
    assert.equal((await fetch(uploadUrl, sent)).status, 200);
    return s3Key;
  };

  it('keeps the key, the rows and the attached files over a restart', async () => {
    const first = await start();
    const { clientId, clientSecret } = first;
    const [field] = first.data.runStepFields.all().filter(({ type }) => type === 'NUMBER');
    assert.ok(field);
    first.data.runStepFields.update(field.id, { value: 325.5 });
    first.data.issues.delete(1);
    const { nextId } = first.data.issues;
    const key = await store(first, 'the content');
    const rows = structuredClone(first.data.runSteps.all());

    const second = await start();
    assert.deepEqual([second.clientId, second.clientSecret], [clientId, clientSecret]);
    assert.equal(second.data.runStepFields.get(field.id)?.value, 325.5);
    assert.deepEqual(second.data.runSteps.all(), rows);
    assert.equal(second.data.issues.get(1), undefined);
    assert.equal(second.data.issues.nextId, nextId);
    const url = second.uploads.downloadUrl(key);
    assert.equal(await (await fetch(String(url))).text(), 'the content');
  });

  it('takes another secret at a later start', async () => {
    await start();
    const { clientSecret } = await start({ clientSecret: 'another' });
    assert.equal(clientSecret, 'another');
    assert.equal((await start()).clientSecret, 'another');
  });

  it('loses at most the last second if the process is killed', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], {
      cwd: root,
      env: { ...process.env, PORT: '0', DATA: path, CLIENT_SECRET: 'kept', LIVE: 'false' },
    });
    const exit = once(child, 'exit');
    try {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const saved = async () => (await stat(file()).catch(() => undefined))?.mtimeMs ?? 0;
      await until(async () => output.includes('Ctrl-C') && (await saved()) > 0);
      const before = await saved();
      const url = /API URL +(\S+)/.exec(output)?.[1] ?? '';
      await rename(url, 'kept', 'Renamed run');
      const changedAt = performance.now();
      await until(async () => (await saved()) > before);
      assert.ok(performance.now() - changedAt < 5000);
    } finally {
      child.kill('SIGKILL');
      await exit;
    }
    // The remains of a write that the end of the process interrupted.
    await writeFile(`${file()}.new`, 'half');
    const { data, clientSecret } = await start();
    assert.equal(clientSecret, 'kept');
    assert.equal(data.runs.get(3)?.title, 'Renamed run');
  });

  for (const [what, damage] of [
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['holds something else', () => Buffer.from('{}')],
    ['is empty', () => Buffer.alloc(0)],
  ] as const) {
    it(`does not start, and leaves the file as it is, if the file ${what}`, async () => {
      await start();
      await running?.close();
      running = undefined;
      const damaged = damage(await readFile(file()));
      await writeFile(file(), damaged);
      await assert.rejects(start(), ({ message }: Error) => {
        assert.ok(message.startsWith(`${file()} is damaged`), message);
        assert.match(message, /Move it away to start with new data\.$/);
        return true;
      });
      assert.deepEqual(await readFile(file()), damaged);
    });
  }
});

/** Renames run 3, as a client does. */
async function rename(url: string, secret: string, title: string): Promise<void> {
  const granted = await fetch(`${url}/realms/api-keys/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'sandbox-key',
      client_secret: secret,
    }),
  });
  const { access_token: token } = (await granted.json()) as { access_token: string };
  const send = async (query: string, variables: object) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as {
      data: { run: { _etag: string } };
      errors?: unknown;
    };
    assert.equal(errors, undefined);
    return data;
  };
  const { run } = await send('query Run($id: ID!) { run(id: $id) { _etag } }', { id: 3 });
  const mutation = `mutation Rename($input: UpdateRunInput!) {
    updateRun(input: $input) { run { id } }
  }`;
  await send(mutation, { input: { id: 3, etag: run._etag, title } });
}
