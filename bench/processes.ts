import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isUp, prepareUserDir, startNodeRed } from '../tools/node-red.js';

export const run = promisify(execFile);

export interface ServerOptions {
  /** Number of runs. */
  runs?: number;
  /** Latency of a response in ms. */
  latency?: number;
  /** Lifetime of a token in seconds. */
  tokenSeconds?: number;
  /** Latency of a token response in ms. */
  tokenLatency?: number;
}

export interface ServerStatistics {
  /** Times of token requests, in ms since 1970. */
  tokensAt: number[];
  requests: number;
  /** Times of field writes, in ms since 1970. */
  writesAt: number[];
}

/** Starts the server in this folder and passes its URL to the callback. */
export async function withServer<Result>(
  options: ServerOptions,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  const args = ['--import', 'tsx', join(__dirname, 'server.ts'), JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = await once(child.stdout, 'data');
  try {
    return await work(String(url).trim());
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

export async function serverStatistics(url: string): Promise<ServerStatistics> {
  return (await (await fetch(`${url}/statistics`)).json()) as ServerStatistics;
}

export interface BenchNodeRed {
  url: string;
  /** Largest resident memory so far, in bytes. */
  peakMemory(): Promise<number>;
}

/**
 * Starts a Node-RED with a flow and the nodes in this folder, and passes it to the callback.
 * @param flow the flow, or a function that creates it from the URL of Node-RED
 */
export async function withNodeRed<Result>(
  flow: object[] | ((url: string) => object[]),
  credentials: object,
  work: (nodeRed: BenchNodeRed) => Promise<Result>,
  env: Record<string, string> = {},
): Promise<Result> {
  const userDir = await mkdtemp(join(tmpdir(), 'node-red-ion-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await prepareUserDir(userDir, typeof flow === 'function' ? flow(url) : flow, credentials);
  const settings = { nodesDir: join(__dirname, 'nodes') };
  const nodeRed = await startNodeRed({ userDir, port, settings, env, output: 'pipe' });
  let log = '';
  const { stdout, stderr } = nodeRed.process;
  stderr?.pipe(process.stderr);
  await new Promise<void>((resolve, reject) => {
    // Read to the end: an unread pipe would block the process.
    stdout?.on('data', (text) => {
      log += text;
      if (isUp(log)) resolve();
    });
    nodeRed.process.once('exit', () => reject(new Error(log)));
  });
  try {
    return await work({
      url,
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

/** Measurements of the node `bench-source`. */
export interface Measured {
  answered: number;
  seconds: number;
  /** In ms, only at a steady rate. */
  latencies: number[];
  /** In ms since 1970. */
  sentAt: number[];
}

/** Starts a measurement of a `bench-source`. */
export async function measure(
  nodeRed: BenchNodeRed,
  source: string,
  options: object,
): Promise<Measured> {
  const response = await fetch(`${nodeRed.url}/bench/${source}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(options),
  });
  const result = (await response.json()) as Measured & { error?: string };
  if (result.error) throw new Error(result.error);
  return result;
}
