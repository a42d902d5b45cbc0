import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Certificate } from './certificates.js';

export interface TestProxy {
  /** Without user and password. */
  url: string;
  port: number;
  /** The targets of all requests, as `host:port`. */
  targets: string[];
  /** The `user-agent` of each of them. */
  agents: (string | undefined)[];
  close(): Promise<void>;
}

/** Names that exist only in tests resolve to this machine. */
function reachable(hostname: string): string {
  return hostname.endsWith('.test') ? '127.0.0.1' : hostname;
}

/**
 * An HTTP proxy that tunnels https (CONNECT) and forwards http, for everybody or for one user.
 * @param identity makes it an https proxy
 */
export async function startProxy(
  login?: { user: string; password: string },
  identity?: Certificate,
): Promise<TestProxy> {
  const wanted =
    login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const sockets = new Set<Socket>();
  const targets: string[] = [];
  const agents: (string | undefined)[] = [];
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const listener: RequestListener = (request, response) => {
    const url = new URL(String(request.url));
    targets.push(url.host);
    agents.push(request.headers['user-agent']);
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      response.writeHead(407).end();
      return;
    }
    const { method, headers } = request;
    const options = { method, headers, agent: false, hostname: reachable(url.hostname) };
    const forwarded = httpRequest(url, options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('socket', keep);
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  };
  const server = identity ? createHttpsServer(identity, listener) : createServer(listener);
  server.on('connection', keep);
  server.on('connect', (request, client: Socket) => {
    targets.push(String(request.url));
    agents.push(request.headers['user-agent']);
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), reachable(hostname), () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.pipe(client);
      client.pipe(target);
    });
    keep(target);
    target.once('close', () => client.destroy());
    client.once('close', () => target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${identity ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    targets,
    agents,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
