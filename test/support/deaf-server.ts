import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface DeafServer {
  port: number;
  /** From now on it accepts connections, including earlier attempts, and speaks HTTP. */
  wake(): void;
  close(): Promise<void>;
}

const LISTEN = `
  const { createServer } = require('node:http');
  const { parentPort, workerData: { host, port, woken } } = require('node:worker_threads');
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"data":{}}'));
  });
  server.listen({ host, port, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    // Later, so that the message leaves; nothing is accepted while the thread sleeps.
    setImmediate(() => Atomics.wait(woken, 0, 0));
  });`;

/** Its network drops new connections, because the queue for them is full. */
export async function deafServer(host: string, wantedPort = 0): Promise<DeafServer> {
  const woken = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(LISTEN, { eval: true, workerData: { host, port: wantedPort, woken } });
  const [port] = (await once(worker, 'message')) as [number];
  // Linux accepts one more than the backlog; all others get no response.
  const fillers: Socket[] = [];
  for (let i = 0; i < 2; i++) {
    const socket = connect(port, host);
    socket.on('error', () => {});
    fillers.push(socket);
    await once(socket, 'connect');
  }
  const wake = () => {
    Atomics.store(woken, 0, 1);
    Atomics.notify(woken, 0);
  };
  return {
    port,
    wake,
    async close() {
      wake();
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}
