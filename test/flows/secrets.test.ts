import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../sandbox/server.js';
import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { selfSigned } from '../support/certificates.js';

describe('a real Node-RED whose libraries log as much as they can', () => {
  const folder = useTemporaryFolder();
  let sandbox: Sandbox;
  let nodeRed: RunningNodeRed;

  before(async () => {
    const certificate = await selfSigned({ ip: '127.0.0.1' });
    sandbox = await startSandbox({ port: 0, runs: 5, tls: certificate });
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const { clientId, clientSecret } = sandbox;
    const place = { z: 'flow', x: 0, y: 0 };
    await prepareUserDir(
      userDir,
      [
        { id: 'flow', type: 'tab', label: 'test' },
        { id: 'tls', type: 'tls-config', cert: '', key: '', ca: '', verifyservercert: true },
        sandboxConfig(sandbox, { tls: 'tls', retries: 1 }),
        { id: 'in', type: 'http in', url: '/ask', method: 'get', wires: [['node']], ...place },
        { ...graphqlNode, wires: [['out']], ...place },
        { id: 'catch', type: 'catch', scope: null, wires: [['failed', 'shown']], ...place },
        {
          id: 'failed',
          type: 'change',
          rules: [
            {
              t: 'set',
              p: 'payload',
              pt: 'msg',
              to: '{ "code": error.code, "error": error, "ion": ion }',
              tot: 'jsonata',
            },
          ],
          wires: [['out']],
          ...place,
        },
        { id: 'out', type: 'http response', wires: [], ...place },
        { id: 'shown', type: 'debug', active: true, console: true, complete: 'true', ...place },
      ],
      { config: { clientId, clientSecret }, tls: { cadata: certificate.cert } },
    );
    nodeRed = await RunningNodeRed.start(userDir, {
      env: {
        DEBUG: '*',
        NODE_DEBUG: 'undici,http,https,http2,net,tls,stream',
        NODE_OPTIONS: `--require ${join(root, 'test/support/inside-node-red.cjs')}`,
      },
    });
  });
  after(async () => {
    await nodeRed?.stop();
    await sandbox?.close();
  });

  it('shows no client secret and no access token, whatever fails', async () => {
    const { control, clientId, clientSecret } = sandbox;
    const bodies: string[] = [];
    const ask = async (code?: string) => {
      const text = await (await fetch(`${nodeRed.url}/ask`)).text();
      bodies.push(text);
      assert.equal(JSON.parse(text).code, code);
    };
    // Servers repeat their requests.
    const location = `https://login.example.com/?${clientSecret}`;
    const errors = [{ message: `Not with ${clientSecret}.` }];
    const error = { error: 'invalid_client', error_description: clientSecret };
    await ask();
    control.fault({ target: 'api', kind: 'reset', times: 2 });
    await ask('ION_NETWORK');
    control.fault({ target: 'api', kind: 'half', times: 2 });
    await ask('ION_NETWORK');
    control.fault({ target: 'api', kind: 'redirect', location, times: 2 });
    await ask('ION_RESPONSE');
    control.fault({ target: 'api', kind: 'graphql', errors });
    await ask('ION_GRAPHQL');
    control.fault({ target: 'api', kind: 'body', body: `You sent ${clientSecret}`, times: 2 });
    await ask('ION_RESPONSE');
    control.revokeTokens();
    control.fault({
      target: 'token',
      kind: 'status',
      status: 401,
      contentType: 'application/json',
      body: JSON.stringify(error),
    });
    await ask('ION_AUTH');
    assert.ok(bodies.some((body) => body.includes('***')));
    const { environment, apiUrl, authUrl } = sandboxConfig(sandbox);
    const response = await fetch(`${nodeRed.url}/ion-config/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: 'config',
        config: { environment, apiUrl, authUrl, tls: 'tls' },
        credentials: { clientId, clientSecret },
      }),
    });
    // The connection test works.
    const tested = await response.text();
    assert.match(tested, /"me":/);
    // Checks that the libraries do log: undici its requests, Node its sockets, Express its routes.
    await nodeRed.until(() => /UNDICI.*POST/.test(nodeRed.log));
    for (const proof of [/UNDICI/, /NET \d+/, /TLS \d+/, /express:/]) {
      assert.match(nodeRed.log, proof);
    }
    const basic = Buffer.from(clientSecret).toString('base64').slice(0, -3);
    for (const text of [nodeRed.log, tested, ...bodies]) {
      assert.ok(!text.includes(clientSecret), 'the client secret shows');
      assert.ok(!text.includes(encodeURIComponent(clientSecret)), 'the client secret shows');
      assert.ok(!text.includes(basic), 'the client secret shows, in base64');
      assert.doesNotMatch(text, /eyJ[\w-]{8,}\.[\w-]+/, 'an access token shows');
    }
  });

  it('connects only to the auth server and the API', () => {
    const tried = [...nodeRed.log.matchAll(/^\[connect\] (\S+)/gm)].map(([, host]) => host);
    const meant = [sandbox.url, sandbox.authUrl].map((url) => new URL(url).host);
    assert.deepEqual([...new Set(tried)].sort(), [...new Set(meant)].sort());
  });
});
