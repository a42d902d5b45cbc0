import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { Transport, type TransportOptions } from '../../../nodes/client/http/transport.js';
import { deafServer } from '../../support/deaf-server.js';
import { failure } from '../../support/errors.js';
import { startProxy } from '../../support/proxy.js';
import { closeAfterEach, httpServer, unusedPort } from '../../support/servers.js';

const NAME = 'ion.example.test';

describe('connections to a host with several addresses', () => {
  const closing = closeAfterEach();
  const { lookup } = dns;
  /** Emits `opened` with the number of sockets of the test so far. */
  const events = new EventEmitter();
  let sockets: Socket[] = [];
  const opened = (message: unknown) => {
    sockets.push((message as { socket: Socket }).socket);
    events.emit('opened', sockets.length);
  };

  beforeEach(() => {
    sockets = [];
    subscribe('net.client.socket', opened);
  });
  afterEach(() => {
    unsubscribe('net.client.socket', opened);
    dns.lookup = lookup;
  });

  /** Resolves the name to these addresses. */
  const resolveTo = (...addresses: string[]) => {
    sockets = [];
    dns.lookup = ((_name: string, _options: object, callback: (...result: unknown[]) => void) => {
      const found = addresses.map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));
      process.nextTick(callback, null, found);
    }) as unknown as typeof dns.lookup;
  };
  const openedAtLeast = async (count: number) => {
    while (sockets.length < count) await once(events, 'opened');
  };
  const transport = (options: Partial<TransportOptions> = {}) =>
    closing(new Transport({ timeoutMs: 20_000, connections: 2, ...options }));
  const post = (through: Transport, port: number, scheme = 'http') =>
    through.post({
      peer: 'api',
      url: new URL(`${scheme}://${NAME}:${port}/`),
      headers: {},
      body: '',
      signal: new AbortController().signal,
    });
  const answering = async () =>
    closing(
      await httpServer((request, response) => request.resume().on('end', () => response.end())),
    );

  it('wait for the first address while others are tried as well', async () => {
    const slow = closing(await deafServer('127.0.0.1'));
    closing(await deafServer('127.0.0.2', slow.port));
    for (const addresses of [
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '127.0.0.1'],
    ]) {
      resolveTo(...addresses);
      const response = post(transport(), slow.port);
      await openedAtLeast(2);
      slow.wake();
      assert.equal((await response).status, 200);
      assert.equal(sockets.filter((socket) => !socket.destroyed).length, 1);
    }
  });

  it('wait for the only address', async () => {
    const slow = closing(await deafServer('127.0.0.1'));
    resolveTo('127.0.0.1');
    const response = post(transport(), slow.port);
    await openedAtLeast(1);
    slow.wake();
    assert.equal((await response).status, 200);
    assert.equal(sockets.length, 1);
  });

  it('use the next address while the first ones do not answer', async () => {
    const server = await answering();
    for (const host of ['127.0.0.2', '127.0.0.3']) closing(await deafServer(host, server.port));
    resolveTo('127.0.0.2', '127.0.0.3', '127.0.0.1');
    assert.equal((await post(transport(), server.port)).status, 200);
    assert.equal(server.connections, 1);
  });

  it('use the next address immediately after a refusal', async () => {
    const server = await answering();
    resolveTo('127.0.0.2', '::1', '127.0.0.1');
    assert.equal((await post(transport(), server.port)).status, 200);
  });

  it('are refused if all addresses refuse', async () => {
    const port = await unusedPort();
    resolveTo('127.0.0.2', '127.0.0.1');
    const error = await failure(post(transport(), port), 'ION_NETWORK');
    assert.match(error.message, /was refused/);
    assert.deepEqual([error.transient, error.mayHaveRun], [true, false]);
  });

  it('end in time if no address answers', async () => {
    const dead = closing(await deafServer('127.0.0.1'));
    closing(await deafServer('127.0.0.2', dead.port));
    resolveTo('127.0.0.1', '127.0.0.2');
    const error = await failure(post(transport({ timeoutMs: 1000 }), dead.port), 'ION_TIMEOUT');
    assert.match(error.message, /cannot be reached: no connection in time/);
    assert.deepEqual([error.transient, error.mayHaveRun], [true, false]);
    assert.ok(sockets.every((socket) => socket.destroyed));
  });

  it('are aborted when the transport closes', async () => {
    const dead = closing(await deafServer('127.0.0.1'));
    resolveTo('127.0.0.1');
    const through = transport();
    const result = failure(post(through, dead.port), 'ION_CLOSED');
    await openedAtLeast(1);
    await through.close();
    await result;
    assert.ok(sockets.every((socket) => socket.destroyed));
  });

  it('are made the same way to a proxy', async () => {
    const target = await answering();
    const proxy = closing(await startProxy());
    closing(await deafServer('127.0.0.2', proxy.port));
    resolveTo('127.0.0.2', '127.0.0.1');
    const url = `http://proxy.example.test:${proxy.port}`;
    const through = transport({ proxy: { url, except: [] } });
    // The server behind it does not use TLS; the test only checks that the proxy was used.
    await failure(post(through, target.port, 'https'), 'ION_NETWORK');
    assert.deepEqual(proxy.targets, [`${NAME}:${target.port}`]);
  });
});
