import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { WebSocket } from 'undici';
import { freePort } from '../../sandbox/demo/node-red.js';
import { root, useTemporaryFolder } from '../support/package.js';
import { until } from '../support/until.js';

describe('npm start', () => {
  let start: ChildProcess;
  let port: number;
  let output = '';
  const folder = useTemporaryFolder();
  const hasEnded = () => start.exitCode !== null || start.signalCode !== null;

  before(async () => {
    port = await freePort();
    start = spawn('npm', ['start'], {
      cwd: root,
      // A group of its own, so that a signal reaches all of it, as Ctrl-C does.
      detached: true,
      env: { ...process.env, PORT: String(port), TMPDIR: folder.path },
    });
    start.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until(() => output.includes('Started flows') || hasEnded());
    assert.ok(!hasEnded(), output);
  });

  after(() => {
    if (!hasEnded()) process.kill(-(start.pid as number), 'SIGKILL');
  });

  it('prints where to look', () => {
    assert.ok(output.includes(`http://127.0.0.1:${port}`));
  });

  it('shows runs, counts by status, changed steps both ways, and no errors by itself', async () => {
    const comms = new WebSocket(`ws://127.0.0.1:${port}/comms`);
    await once(comms, 'open');
    comms.send(JSON.stringify({ subscribe: 'debug' }));
    const seen = new Map<string, string>();
    const ways = new Set<string>();
    while (!seen.has('runs') || !seen.has('runs by status') || ways.size < 2) {
      const [{ data }] = (await once(comms, 'message')) as [{ data: string }];
      for (const { topic, data: debug } of [JSON.parse(data)].flat()) {
        if (topic !== 'debug') continue;
        seen.set(debug.name, debug.msg);
        if (debug.name === 'events') ways.add(JSON.parse(debug.msg).ion.via);
      }
    }
    comms.close();
    assert.match(String(seen.get('runs')), /"status":"IN_PROGRESS"/);
    assert.match(String(seen.get('runs by status')), /"COMPLETE":\d+/);
    assert.ok(!seen.has('errors'));
  });

  it('ends with Ctrl-C and leaves nothing behind', async () => {
    process.kill(-(start.pid as number), 'SIGINT');
    // All who hold its output have ended, not npm alone.
    await once(start, 'close');
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
    const left = readdirSync(folder.path).filter((name) => name.startsWith('node-red-ion'));
    assert.deepEqual(left, []);
  });
});
