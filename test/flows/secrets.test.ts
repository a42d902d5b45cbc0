import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareUserDir } from '../../sandbox/demo/node-red.js';
import { type Sandbox, startSandbox } from '../../sandbox/server.js';
import { selfSigned } from '../support/certificates.js';
import { graphqlNode, sandboxConfig } from '../support/flow-node.js';
import { RunningNodeRed } from '../support/node-red.js';
import { useTemporaryFolder } from '../support/package.js';

describe('a real Node-RED whose libraries log all they can', function () {
  this.timeout(60_000);
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
        { id: 'catch', type: 'catch', scope: null, wires: [['out', 'shown']], ...place },
        { id: 'out', type: 'http response', wires: [], ...place },
        { id: 'shown', type: 'debug', active: true, console: true, complete: 'true', ...place },
      ],
      { config: { clientId, clientSecret }, tls: { cadata: certificate.cert } },
    );
    nodeRed = await RunningNodeRed.start(userDir, {
      env: { DEBUG: '*', NODE_DEBUG: 'undici,http,https,http2,net,tls,stream' },
    });
  });
  after(async () => {
    await nodeRed?.stop();
    await sandbox?.close();
  });

  it('shows no client secret and no access token, whatever fails', async () => {
    const { control, clientId, clientSecret } = sandbox;
    const ask = async () => (await fetch(`${nodeRed.url}/ask`)).text();
    await ask();
    control.fault({ target: 'api', kind: 'reset', times: 2 });
    await ask();
    control.fault({ target: 'api', kind: 'half', times: 2 });
    await ask();
    control.fault({ target: 'api', kind: 'redirect', location: 'https://login.example.com/' });
    await ask();
    control.revokeTokens();
    control.fault({ target: 'token', kind: 'reset', times: 2 });
    await ask();
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
    assert.match(await response.text(), /"me":/);
    // That the libraries do log: undici its requests, Node its sockets, Express its routes.
    await nodeRed.until(() => /UNDICI.*POST/.test(nodeRed.log));
    for (const proof of [/UNDICI/, /NET \d+/, /TLS \d+/, /express:/]) {
      assert.match(nodeRed.log, proof);
    }
    assert.ok(!nodeRed.log.includes(clientSecret), 'the client secret shows');
    assert.ok(!nodeRed.log.includes(encodeURIComponent(clientSecret)), 'the client secret shows');
    const basic = Buffer.from(clientSecret).toString('base64').slice(0, -3);
    assert.ok(!nodeRed.log.includes(basic), 'the client secret shows, in base64');
    assert.doesNotMatch(nodeRed.log, /eyJ[\w-]{8,}\.[\w-]+/, 'an access token shows');
  });
});
