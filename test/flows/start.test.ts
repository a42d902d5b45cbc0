import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { freePort, isUp } from '../../sandbox/demo/node-red.js';
import { openComms } from '../support/comms.js';
import { root, useTemporaryFolder } from '../support/package.js';
import { until } from '../support/until.js';

describe('npm start', () => {
  let start: ChildProcess;
  let port: number;
  let output = '';
  /** The last message of each debug node, and of both ways in which changes come. */
  const seen = new Map<string, string>();
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
    for (const stream of [start.stdout, start.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await until(() => isUp(output) || hasEnded());
    assert.ok(!hasEnded(), output);
  });

  afterEach(function () {
    // What it waits for does not end by itself: what came instead tells why.
    if (this.currentTest?.isFailed()) console.log(output, seen);
  });

  after(() => {
    if (!hasEnded()) process.kill(-(start.pid as number), 'SIGKILL');
  });

  it('prints where to look', () => {
    // Not the line in which Node-RED itself says it.
    assert.match(output, new RegExp(`demo flow: +http://127.0.0.1:${port}`));
  });

  it('shows runs, counts by status, changed steps both ways, and no errors by itself', async () => {
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

  it('ends with Ctrl-C and leaves nothing behind', async () => {
    process.kill(-(start.pid as number), 'SIGINT');
    // All who hold its output have ended, not npm alone.
    await once(start, 'close');
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
    const left = readdirSync(folder.path).filter((name) => name.startsWith('node-red-ion'));
    assert.deepEqual(left, []);
  });
});
