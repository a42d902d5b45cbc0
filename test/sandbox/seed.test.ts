import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../support/until.js';
import { requestToken, start } from './client.js';

describe('sandbox: the choice of the data', () => {
  const values = async (seed?: number) => {
    const sandbox = await start({ runs: 12, ...(seed !== undefined && { seed }) });
    try {
      const fields = sandbox.data.runStepFields.all();
      return fields.map(({ value, type }) => (type === 'DATETIME' ? null : value));
    } finally {
      await sandbox.close();
    }
  };

  it('gives the same data for the same number, and other data for another', async () => {
    const [byDefault, zero, seven, sevenAgain] = [
      await values(),
      await values(0),
      await values(7),
      await values(7),
    ];
    assert.deepEqual(zero, byDefault);
    assert.deepEqual(sevenAgain, seven);
    assert.notDeepEqual(seven, byDefault);
    assert.equal(seven.length, byDefault.length);
  });

  it('is made with environment variables, as are the key and the number of runs', async () => {
    const run = (more: NodeJS.ProcessEnv) => {
      const env = { ...process.env, PORT: '0', LIVE: 'false', ...more };
      const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], { env });
      let text = '';
      const add = (chunk: Buffer) => {
        text += chunk;
      };
      child.stdout.on('data', add);
      child.stderr.on('data', add);
      return { child, exit: once(child, 'exit'), text: () => text };
    };
    const key = { CLIENT_ID: 'example-id', CLIENT_SECRET: 'example-secret' };
    const { child, exit, text } = run({ ...key, RUNS: '12', SEED: '7' });
    await until(() => text().includes('Ctrl-C'));
    const url = /^ {2}API URL +(\S+)$/m.exec(text())?.[1] ?? '';
    const token = await requestToken(url, key.CLIENT_ID, key.CLIENT_SECRET);
    const { access_token: authorization } = (await token.json()) as { access_token: string };
    const query =
      '{ runs { pageInfo { totalCount } } runStepFields { edges { node { value type } } } }';
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query }),
    });
    const { data } = await response.json();
    assert.equal(data.runs.pageInfo.totalCount, 12);
    const found = data.runStepFields.edges.map(({ node }: { node: Record<string, unknown> }) =>
      node.type === 'DATETIME' ? null : node.value,
    );
    assert.deepEqual(found, await values(7));
    child.kill('SIGTERM');
    await exit;
    const refused = run({ RUNS: 'many' });
    assert.deepEqual(await refused.exit, [1, null]);
    assert.match(refused.text(), /RUNS must be a whole number, not "many"/);
  });
});
