import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, prepareUserDir, startNodeRed } from '../sandbox/demo/node-red.js';

/** Starts the server of this folder and gives its URL to the work. */
export async function withServer<Result>(
  options: { runs: number; latency: number },
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  const args = ['--import', 'tsx', join(__dirname, 'server.ts')];
  const child = spawn(process.execPath, [...args, `${options.runs}`, `${options.latency}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = await once(child.stdout, 'data');
  try {
    return await work(String(url).trim());
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

export interface BenchNodeRed {
  url: string;
  /** Largest resident memory so far, in bytes. */
  peakMemory(): Promise<number>;
}

/** Starts a Node-RED with a flow and gives it to the work. */
export async function withNodeRed<Result>(
  flow: object[],
  credentials: object,
  work: (nodeRed: BenchNodeRed) => Promise<Result>,
): Promise<Result> {
  const userDir = await mkdtemp(join(tmpdir(), 'node-red-ion-bench-'));
  await prepareUserDir(userDir, flow, credentials);
  const port = await freePort();
  const nodeRed = await startNodeRed({ userDir, port, output: 'pipe' });
  let log = '';
  for await (const text of nodeRed.process.stdout ?? []) {
    log += text;
    if (log.includes('Started flows')) break;
  }
  try {
    return await work({
      url: `http://127.0.0.1:${port}`,
      async peakMemory() {
        const status = await readFile(`/proc/${nodeRed.process.pid}/status`, 'utf8');
        return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
      },
    });
  } finally {
    await nodeRed.stop();
    await rm(userDir, { recursive: true, force: true });
  }
}
