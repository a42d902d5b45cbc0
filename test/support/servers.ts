import './no-proxy.js';
import { randomInt } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

/** Between the ports of `freePort` and those that systems give to connections. */
const FIRST_UNUSED_PORT = 32_000;
const FIRST_EPHEMERAL_PORT = 32_768;

export interface TestServer {
  url: string;
  port: number;
  /** Number of connections so far. */
  readonly connections: number;
  /** Ends at once, also with open connections. */
  close(): Promise<void>;
}

/** An HTTP server on a free port of this machine; HTTPS with a certificate. */
export function httpServer(listener: RequestListener, tls?: ServerOptions): Promise<TestServer> {
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  return listening(server, tls ? 'https' : 'http');
}

/** A server with the test's own protocol, not necessarily HTTP. */
export function tcpServer(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return listening(createTcpServer(onConnection), 'http');
}

/**
 * A port on which nobody listens, also while other tests run beside this one: `freePort` gives no
 * such port, nor does the system.
 */
export async function unusedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_UNUSED_PORT, FIRST_EPHEMERAL_PORT);
    const server = await listening(createTcpServer(), 'http', port).catch(() => undefined);
    if (!server) continue;
    await server.close();
    return port;
  }
}

async function listening(
  server: Server | ReturnType<typeof createTcpServer>,
  scheme: 'http' | 'https',
  port = 0,
): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    // A client that disconnects is not a failure of the test.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: ownPort } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${ownPort}`,
    port: ownPort,
    get connections() {
      return connections;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Closes after each test the resources that the test passes to the function, the newest first. */
export function closeAfterEach(): <T extends { close(): unknown }>(thing: T) => T {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (let thing = open.pop(); thing; thing = open.pop()) await thing.close();
  });
  return (thing) => {
    open.push(thing);
    return thing;
  };
}
