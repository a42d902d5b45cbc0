import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { openComms } from '../../tools/comms.js';
import { freePort, isUp } from '../../tools/node-red.js';
import { root, useTemporaryFolder } from '../../tools/package.js';
import { until } from '../support/until.js';

describe('npm start', () => {
  let start: ChildProcess;
  let port: number;
  let output = '';
  /** The last message of each debug node, and of both event sources. */
  const seen = new Map<string, string>();
  const folder = useTemporaryFolder();
  const hasEnded = () => start.exitCode !== null || start.signalCode !== null;

  before(async () => {
    port = await freePort();
    start = spawn('npm', ['start'], {
      cwd: root,
      // A separate process group, so that a signal reaches all of it, like Ctrl-C.
      detached: true,
      env: { ...process.env, PORT: String(port), TMPDIR: folder.path },
    });
    for (const stream of [start.stdout, start.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await until(() => isUp(output) || hasEnded());
    assert.ok(!hasEnded(), output);
  });

  afterEach(function () {
    // The awaited output may never come: the actual output says why.
    if (this.currentTest?.isFailed()) console.log(output, seen);
  });

  after(() => {
    if (!hasEnded()) process.kill(-(start.pid as number), 'SIGKILL');
  });

  const FOREIGN = ['http://pages.example', 'https://127.0.0.1:PORT', 'http://127.0.0.1:1', 'null'];
  const foreignOrigins = () => FOREIGN.map((origin) => origin.replace('PORT', String(port)));
  const ownOrigins = () =>
    ['127.0.0.1', 'localhost', '[::1]'].map((name) => `http://${name}:${port}`);
  type Headers = Record<string, string | string[]>;
  /** A request with any headers, which no browser and no fetch allows a page. */
  const send = (path: string, { method = 'GET', body = '', headers = {} as Headers } = {}) =>
    new Promise<number>((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port, path, method, headers, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      call.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode ?? 0);
      });
      call.on('error', reject);
      call.end(body);
    });
  const flows = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/flows`);
    return JSON.stringify(await response.json());
  };
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const socket = { ...upgrade, 'sec-websocket-key': Buffer.alloc(16).toString('base64') };

  it('prints where to look', () => {
    // Not the line in which Node-RED itself says it.
    assert.match(output, new RegExp(`demo flow: +http://127.0.0.1:${port}`));
  });

  it('shows runs, counts by status, changed steps from both sources, and no errors, without user action', async () => {
    const comms = await openComms(`http://127.0.0.1:${port}`, ['debug'], (events) => {
      for (const { topic, data } of events) {
        if (topic !== 'debug') continue;
        const { name, msg } = data as { name: string; msg: string };
        seen.set(name, msg);
        if (name === 'events') seen.set(`events by ${JSON.parse(msg).ion.via}`, msg);
      }
    });
    const wanted = ['runs', 'runs by status', 'events by poll', 'events by webhook'];
    await until(() => {
      assert.equal(comms.readyState, comms.OPEN, 'Node-RED ended the connection');
      return wanted.every((name) => seen.has(name));
    });
    comms.close();
    assert.match(String(seen.get('runs')), /"status":"IN_PROGRESS"/);
    assert.match(String(seen.get('runs by status')), /"COMPLETE":\d+/);
    assert.ok(!seen.has('errors'));
  });

  it('lets no page of another origin deploy flows', async () => {
    const before = await flows();
    for (const origin of foreignOrigins()) {
      for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
        const response = await fetch(`http://127.0.0.1:${port}/flows`, {
          method: 'POST',
          body: type.endsWith('urlencoded') ? 'flows=' : '[]',
          headers: { origin, 'content-type': type },
        });
        assert.equal(response.status, 403, `${origin}, ${type}`);
        assert.equal(response.headers.get('access-control-allow-origin'), null);
      }
    }
    assert.equal(await flows(), before);
  });

  it('lets no page of another origin read anything, or ask whether it may', async () => {
    for (const origin of foreignOrigins()) {
      for (const path of ['/', '/flows', '/settings', '/nowhere', '/ion-config/x/schema']) {
        assert.equal(await send(path, { headers: { origin } }), 403, `${origin}, ${path}`);
      }
      const preflight = { origin, 'access-control-request-method': 'POST' };
      assert.equal(await send('/flows', { method: 'OPTIONS', headers: preflight }), 403);
      assert.equal(await send('/', { headers: { origin, expect: '100-continue' } }), 403);
    }
  });

  it('is no other host, whatever name a page binds to its address', async () => {
    const hosts = ['rebound.example', `rebound.example:${port}`, '127.0.0.1', '127.0.0.1:1'];
    hosts.push(`127.0.0.1.example:${port}`, `localhost.:${port}`, `0.0.0.0:${port}`);
    for (const host of hosts) {
      assert.equal(await send('/', { headers: { host } }), 403, host);
      assert.equal(await send('/comms', { headers: { ...socket, host } }), 403, host);
      const origin = `http://${host}`;
      assert.equal(await send('/flows', { headers: { host, origin } }), 403, host);
    }
  });

  it('opens its WebSocket to no page of another origin', async () => {
    for (const origin of foreignOrigins()) {
      assert.equal(await send('/comms', { headers: { ...socket, origin } }), 403, origin);
    }
    const [own = ''] = ownOrigins();
    assert.equal(await send('/comms', { headers: { ...socket, origin: own } }), 101);
    assert.equal(await send('/comms', { headers: socket }), 101);
  });

  it('cannot be embedded in a page of another origin, but may be linked to', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const from = (mode: string, dest: string) => ({
        headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
      });
      assert.equal(await send('/flows', from('no-cors', 'image')), 403);
      assert.equal(await send('/flows', from('no-cors', 'script')), 403);
      assert.equal(await send('/', from('navigate', 'iframe')), 403);
      assert.equal(await send('/', from('navigate', 'document')), 200);
    }
  });

  it('works from its own pages, and for programs that send no origin', async () => {
    for (const origin of ownOrigins()) {
      const host = new URL(origin).host;
      assert.equal(await send('/settings', { headers: { host, origin } }), 200, origin);
      assert.equal(await send('/', { headers: { host } }), 200, host);
    }
    const response = await fetch(`http://127.0.0.1:${port}/flows`, {
      method: 'POST',
      body: await flows(),
      headers: {
        origin: `http://127.0.0.1:${port}`,
        'content-type': 'application/json',
        'node-red-deployment-type': 'nodes',
      },
    });
    assert.equal(response.status, 204);
  });

  it('ends with Ctrl-C and leaves nothing behind', async () => {
    process.kill(-(start.pid as number), 'SIGINT');
    // All processes that hold its output have ended, not only npm.
    await once(start, 'close');
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
    const left = readdirSync(folder.path).filter((name) => name.startsWith('node-red-ion'));
    assert.deepEqual(left, []);
  });
});
