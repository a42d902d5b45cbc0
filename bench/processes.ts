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
  /** Additional latency for each row of a page, in ms. */
  rowLatency?: number;
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
  /** When its flows had started, in ms since 1970. */
  upAt: number;
  /** Largest resident memory so far, in bytes. */
  peakMemory(): Promise<number>;
  /** Resident memory now, in bytes. */
  memory(): Promise<number>;
}

/** A user folder of Node-RED, which is removed when the callback ends. */
export async function withUserDir<Result>(
  work: (userDir: string) => Promise<Result>,
): Promise<Result> {
  const userDir = await mkdtemp(join(tmpdir(), 'node-red-ion-bench-'));
  try {
    return await work(userDir);
  } finally {
    await rm(userDir, { recursive: true, force: true });
  }
}

/**
 * Starts a Node-RED with a flow and the nodes in this folder, and passes it to the callback.
 * @param flow the flow, or a function that creates it from the URL of Node-RED
 */
export function withNodeRed<Result>(
  flow: object[] | ((url: string) => object[]),
  credentials: object,
  work: (nodeRed: BenchNodeRed) => Promise<Result>,
  env: Record<string, string> = {},
): Promise<Result> {
  return withUserDir(async (userDir) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await prepareUserDir(userDir, typeof flow === 'function' ? flow(url) : flow, credentials);
    return withNodeRedIn(userDir, work, { port, env });
  });
}

/** Starts a Node-RED with a user folder and the nodes in this folder, and passes it to the callback. */
export async function withNodeRedIn<Result>(
  userDir: string,
  work: (nodeRed: BenchNodeRed) => Promise<Result>,
  { port, env = {} }: { port?: number; env?: Record<string, string> } = {},
): Promise<Result> {
  const freeOrGiven = port ?? (await freePort());
  const settings = { nodesDir: join(__dirname, 'nodes') };
  const nodeRed = await startNodeRed({ userDir, port: freeOrGiven, settings, env, output: 'pipe' });
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
  const memory = async (name: 'VmHWM' | 'VmRSS') => {
    const status = await readFile(`/proc/${nodeRed.process.pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  };
  try {
    return await work({
      url: `http://127.0.0.1:${freeOrGiven}`,
      upAt: Date.now(),
      peakMemory: () => memory('VmHWM'),
      memory: () => memory('VmRSS'),
    });
  } finally {
    await nodeRed.stop();
  }
}

/** Measurements of the node `bench-source`. */
export interface Measured {
  answered: number;
  seconds: number;
  /** User and system time of the process while these messages were answered, in µs. */
  cpuMicros: number;
  /** In ms, only at a steady rate or with values. */
  latencies: number[];
  /** Numbers of look-ups, by where their answers come from: `ion`, `remembered`. */
  origins?: Record<string, number>;
  /** In ms since 1970. */
  sentAt: number[];
}

/** Used heap of Node-RED after a garbage collection, in bytes. */
export async function heapOf(nodeRed: BenchNodeRed): Promise<number> {
  const response = await fetch(`${nodeRed.url}/bench-heap`);
  return ((await response.json()) as { heapUsed: number }).heapUsed;
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
