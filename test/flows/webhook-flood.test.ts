import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Pool } from 'undici';
import { eventsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { prepareUserDir } from '../../tools/node-red.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { byLength } from '../support/length.js';
import { LoadControl, loadSettings } from '../support/load.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

const DELIVERIES = byLength({ usual: 10_000, brief: 3000 });
const SLOW = 1200;
/** Their bodies exceed the memory for all bodies. */
const LARGE = 40;
const SECRET = 'example-secret';

describe('a flooded webhook', () => {
  const context = useSandbox({ runs: 5 });
  const folder = useTemporaryFolder();
  let nodeRed: RunningNodeRed;
  let pool: Pool;
  const slow: Socket[] = [];
  after(async () => {
    for (const socket of slow) socket.destroy();
    await pool?.close();
    await nodeRed?.stop();
  });

  it(`gives ${DELIVERIES} deliveries at once the right responses, and lets no forged one in`, async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    const place = { z: 'flow', x: 0, y: 0 };
    const { clientId, clientSecret } = context.sandbox;
    const flow = [
      { id: 'flow', type: 'tab', label: 'test' },
      sandboxConfig(context.sandbox),
      { ...eventsNode, id: 'hook', via: 'webhook', path: '/hook', wires: [['count']], ...place },
      {
        id: 'count',
        type: 'function',
        func: `const told = context.get('reported') ?? { events: 0, forged: 0, sum: 0 };
          context.set('reported', told); global.set('reported', told);
          told.events++; told.sum += msg.ion.eventId; if (msg.payload.forged) told.forged++;`,
        wires: [],
        ...place,
      },
      { id: 'in', type: 'http in', url: '/told', method: 'get', wires: [['take']], ...place },
      {
        id: 'take',
        type: 'function',
        func: `msg.payload = global.get('reported') ?? { events: 0 }; return msg;`,
        wires: [['out']],
        ...place,
      },
      { id: 'out', type: 'http response', wires: [], ...place },
    ];
    const credentials = { config: { clientId, clientSecret }, hook: { secret: SECRET } };
    await prepareUserDir(userDir, flow, credentials);
    nodeRed = await RunningNodeRed.start(userDir, { settings: loadSettings });
    const told = async () =>
      (await (await fetch(`${nodeRed.url}/told`)).json()) as {
        events: number;
        forged: number;
        sum: number;
      };
    const load = new LoadControl(nodeRed);
    const heap = async () => (await load.heap()) / 1024 / 1024;

    // A sender that never ends a request must not block others: a few large bodies, and many
    // small ones, all with a plausible signature.
    const part = Buffer.alloc(1024 * 1024 - 1, ' ');
    const head = `POST /hook HTTP/1.1\r\nHost: x\r\nX-ION-Signature: ${'a'.repeat(64)}\r\n`;
    const send = (from: Buffer) => {
      const socket = connect(Number(new URL(nodeRed.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.write(`${head}Content-Length: ${1024 * 1024}\r\n\r\n`);
      socket.write(from);
      slow.push(socket);
    };
    for (let index = 0; index < SLOW; index++) send(part.subarray(0, 1));

    pool = new Pool(nodeRed.url, { connections: 200 });
    const answers: Record<number, number> = {};
    const post = async (body: string, signature: string): Promise<number> => {
      const { statusCode, body: answer } = await pool.request({
        method: 'POST',
        path: '/hook',
        headers: { 'content-type': 'application/json', 'x-ion-signature': signature },
        body,
      });
      await answer.dump();
      answers[statusCode] = (answers[statusCode] ?? 0) + 1;
      return statusCode;
    };
    const signed = (body: string, secret: string) =>
      createHmac('sha256', secret).update(body).digest('hex');
    const deliver = async (eventId: number): Promise<void> => {
      const forged = eventId % 2 === 1;
      const body = JSON.stringify({
        event_id: eventId,
        resource: 'run_steps',
        action: 'update',
        forged,
        row_data: { id: eventId, title: 'x'.repeat(500) },
      });
      const signature = signed(body, forged ? 'a guess' : SECRET);
      // Like ION: again, until the expected code arrives.
      for (;;) {
        const status = await post(body, signature);
        if (status === (forged ? 401 : 200)) return;
        assert.equal(status, 503);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    await deliver(0);
    const before = await heap();
    for (let index = 0; index < LARGE; index++) send(part);
    await Promise.all(Array.from({ length: DELIVERIES }, (_, index) => deliver(index + 1)));
    const valid = DELIVERIES / 2;
    await until(async () => (await told()).events >= valid + 1);
    const all = await told();
    assert.deepEqual([all.events, all.forged], [valid + 1, 0]);
    // Each of them once: the even numbers.
    assert.equal(all.sum, valid * (valid + 1));
    // And none again.
    await deliver(2);
    assert.equal((await told()).events, valid + 1);
    const grown = (await heap()) - before;
    console.log(`      answers: ${JSON.stringify(answers)}; ${grown.toFixed(1)} MB more`);
    assert.ok(grown < 15, `${grown.toFixed(1)} MB more`);
    // Slow senders get a response, too.
    await until(() => slow.every((socket) => socket.bytesRead > 0));
    assert.ok(nodeRed.isRunning);
  });
});
