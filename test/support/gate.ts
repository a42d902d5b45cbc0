import { connect, type Socket } from 'node:net';
import { type TestServer, tcpServer } from './servers.js';

export interface Gate extends TestServer {
  shut(): void;
  open(): void;
}

/** A connection to a server that can be closed: then nothing gets through, and requests in progress break. */
export async function gate(url: string): Promise<Gate> {
  const { port } = new URL(url);
  const open = new Set<Socket>();
  let isShut = false;
  const server = await tcpServer((socket) => {
    if (isShut) {
      socket.destroy();
      return;
    }
    const behind = connect(Number(port), '127.0.0.1');
    open.add(socket);
    const end = () => {
      open.delete(socket);
      socket.destroy();
      behind.destroy();
    };
    for (const side of [socket, behind]) side.on('error', end).on('close', end);
    socket.pipe(behind).pipe(socket);
  });
  return Object.assign(server, {
    shut() {
      isShut = true;
      for (const socket of open) socket.destroy();
    },
    open() {
      isShut = false;
    },
  });
}
