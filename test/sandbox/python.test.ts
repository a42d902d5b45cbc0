import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTool, pythonWithRequests } from '../../tools/find-tool.js';
import { useSandbox } from '../support/sandbox.js';

const run = promisify(execFile);

describe('sandbox: a Python script after the ION manual', () => {
  const context = useSandbox();

  it('gets a token and reads runs', async function () {
    const python = findTool(this, pythonWithRequests);
    const { url, authUrl, clientId, clientSecret } = context.sandbox;
    const { stdout } = await run(python, [join(__dirname, 'read_runs.py')], {
      env: {
        ...process.env,
        ION_API_URL: url,
        ION_AUTH_URL: authUrl,
        ION_CLIENT_ID: clientId,
        ION_CLIENT_SECRET: clientSecret,
      },
    });
    const { data } = JSON.parse(stdout) as {
      data: { runs: { edges: { node: { id: number; title: string; steps: object[] } }[] } };
    };
    assert.equal(data.runs.edges.length, 10);
    assert.ok(data.runs.edges.every(({ node }) => node.id && node.title && node.steps.length > 0));
  });
});
