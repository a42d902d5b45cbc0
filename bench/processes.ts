import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isUp, prepareUserDir, startNodeRed } from '../tools/node-red.js';

export const run = promisify(execFile);

export interface ServerOptions {
  /** How many runs it holds. */
  runs?: number;
  /** Of an answer, in ms. */
  latency?: number;
  /** That a token lives. */
  tokenSeconds?: number;
  /** Of a token, in ms. */
  tokenLatency?: number;
}

export interface ServerStatistics {
  /** When tokens were asked for, in ms since 1970. */
  tokensAt: number[];
  requests: number;
  /** When fields were written, in ms since 1970. */
  writesAt: number[];
}

/** Starts the server of this folder and gives its URL to the work. */
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
 * Starts a Node-RED with a flow, and with the nodes of this folder, and gives it to the work.
 * @param flow or what makes it of the URL at which Node-RED will be
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
    // Read on to the end: a pipe that nobody reads would hold the process up.
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

/** What the node `bench-source` measures. */
export interface Measured {
  answered: number;
  seconds: number;
  /** In ms, at a steady pace only. */
  latencies: number[];
  /** In ms since 1970. */
  sentAt: number[];
}

/** Lets a `bench-source` measure what its messages go through. */
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
