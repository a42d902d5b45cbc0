import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type BodyResult, WebhookBodies } from '../../nodes/events/request-body.js';
import { nothingUnhandled } from '../support/hostile.js';
import { closeAfterEach, httpServer, type TestServer } from '../support/servers.js';
import { until } from '../support/until.js';

const MEBIBYTE = 1024 * 1024;

describe('webhook bodies', () => {
  nothingUnhandled();
  const opened = closeAfterEach();
  let bodies: WebhookBodies;
  let server: TestServer;
  let requests: IncomingMessage[];
  /** Outcomes of the requests, in the order in which they ended. */
  let ended: [string | undefined, BodyResult][];

  const begin = async (limits: { bytes: number; count: number }) => {
    bodies = new WebhookBodies(limits);
    requests = [];
    ended = [];
    const listener = async (request: IncomingMessage) => {
      requests.push(request);
      ended.push([request.url, await bodies.read(request)]);
    };
    server = opened(await httpServer((request) => void listener(request)));
  };
  /** A request of which only a part of the body arrives, until the test sends more. */
  const send = async (name: string, part: string | Uint8Array, length = MEBIBYTE) => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    opened({ close: () => socket.destroy() });
    const { count } = bodies.unfinished;
    const { length: over } = ended;
    socket.write(`POST /${name} HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`);
    await until(() => bodies.unfinished.count > count || ended.length > over);
    socket.write(part);
    return socket;
  };
  const statusOf = (name: string) => {
    const [, result] = ended.find(([url]) => url === `/${name}`) ?? [];
    return result && 'status' in result ? result.status : undefined;
  };
  const isRead = (name: string, text: string) =>
    ended.some(([url, result]) => url === `/${name}` && result?.toString() === text);

  it('end the oldest unfinished one when there are too many, never the newest', async () => {
    await begin({ bytes: MEBIBYTE, count: 3 });
    for (const name of ['a', 'b', 'c', 'd']) await send(name, 'x');
    await until(() => ended.length > 0);
    assert.deepEqual(ended, [['/a', { status: 503 }]]);
    await send('quick', '{"whole":true}', 14);
    await until(() => isRead('quick', '{"whole":true}'));
    assert.equal(statusOf('b'), 503);
    assert.deepEqual(bodies.unfinished.count, 2);
  });

  it('end the oldest unfinished one when they take too much memory', async () => {
    await begin({ bytes: MEBIBYTE, count: 100 });
    const half = Buffer.alloc(MEBIBYTE / 2 - 1, 'x');
    await send('a', half);
    await until(() => bodies.unfinished.bytes >= half.length);
    await send('b', half);
    await send('c', half);
    await until(() => ended.length > 0);
    assert.deepEqual(ended[0], ['/a', { status: 503 }]);
    const whole = 'y'.repeat(MEBIBYTE);
    await send('whole', whole);
    await until(() => isRead('whole', whole));
    assert.ok(bodies.unfinished.bytes <= MEBIBYTE);
  });

  it('release their memory, however each one ends', async () => {
    await begin({ bytes: MEBIBYTE, count: 100 });
    const part = Buffer.alloc(1000, 'x');
    const endings: [string, (socket: Socket) => void][] = [
      ['broken off', (socket) => socket.destroy()],
      ['reset', (socket) => socket.resetAndDestroy()],
      ['complete', (socket) => socket.write(Buffer.alloc(1000, 'y'))],
      ['failed', () => void requests.at(-1)?.emit('error', new Error('in transit'))],
      ['failed twice', () => void requests.at(-1)?.destroy(new Error('in transit'))],
    ];
    for (const [name, end] of endings) {
      const over = ended.length;
      const socket = await send(name.replace(' ', '-'), part, 2000);
      await until(() => bodies.unfinished.bytes >= part.length);
      end(socket);
      await until(() => ended.length > over);
      assert.deepEqual(bodies.unfinished, { bytes: 0, count: 0 }, name);
    }
  });

  it('reject one that becomes too large without a length', async () => {
    await begin({ bytes: 32 * MEBIBYTE, count: 100 });
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    opened({ close: () => socket.destroy() });
    socket.write('POST /chunked HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = Buffer.alloc(MEBIBYTE / 4);
    const write = () => {
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      socket.write('\r\n');
    };
    for (let count = 0; count < 5; count++) write();
    await until(() => ended.length > 0);
    assert.equal(statusOf('chunked'), 413);
    assert.deepEqual(bodies.unfinished, { bytes: 0, count: 0 });
  });

  it('take about the memory of their bytes, also in chunks of one byte', async () => {
    await begin({ bytes: 32 * MEBIBYTE, count: 100 });
    const socket = connect(server.port, '127.0.0.1');
    opened({ close: () => socket.destroy() });
    socket.write('POST /dripping HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    const size = MEBIBYTE / 4;
    socket.write('1\r\nx\r\n'.repeat(size));
    socket.write('0\r\n\r\n');
    let most = 0;
    await until(() => {
      most = Math.max(most, bodies.unfinished.bytes);
      return ended.length > 0;
    });
    assert.ok(isRead('dripping', 'x'.repeat(size)));
    assert.ok(most <= 2 * size, `${most} bytes`);
  });
});
