import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { Agent, request } from 'undici';
import type { FlowNode } from '../../tools/flow-nodes.js';
import { freePort, type NodeRed, prepareUserDir, startNodeRed } from '../../tools/node-red.js';
import { baseFlow, credentials } from './flow.js';
import type { CaseReport, Gap, Injection, MessageReport } from './inside.js';

const KNOWN_BESIDE = /^(user-.*|nodes)$/;
const KNOWN_IN_USER_DIR =
  /^(\.?flows(_cred)?\.json.*|settings\.js|\.config.*|\.npmrc|package(-lock)?\.json|node_modules|lib|context|ion-(?:outbox|lookup)|\..*)$/;
const MAX_LOG = 20_000;
const MAX_START_MS = 60_000;
const MAX_DEPLOY_MS = 30_000;
/** A process that does not respond for this long counts as permanently blocked. */
const MAX_SILENCE_MS = 45_000;

/** The process has ended, or no longer responds. */
export class TargetLost extends Error {}

/** The response to a raw request; without a status if the connection ended earlier. */
export interface RawAnswer {
  status: number | undefined;
  body: string;
}

export interface RawRequest {
  bytes: Buffer;
  /** Sends only this many bytes, then breaks off. */
  breakOffAt?: number;
  /** Sends it in two pieces with a pause between them. */
  pauseMs?: number;
  timeoutMs?: number;
}

/** A real Node-RED process, with a channel for the tests. */
export class Target {
  readonly url: string;
  readonly port: number;
  readonly #userDir: string;
  readonly #nodeRed: NodeRed;
  readonly #control: string;
  readonly #ionUrl: string;
  readonly #agent = new Agent({
    connections: 4,
    headersTimeout: MAX_SILENCE_MS,
    bodyTimeout: MAX_SILENCE_MS,
  });
  #log = '';
  #rounds = 0;
  #extra: FlowNode[] = [];

  static async start(folder: string, ionUrl: string): Promise<Target> {
    const userDir = await mkdtemp(join(folder, 'user-'));
    const nodesDir = join(folder, 'nodes');
    await mkdir(nodesDir, { recursive: true });
    await bundleInside(nodesDir);
    await prepareUserDir(userDir, baseFlow(ionUrl, 0), credentials);
    const [port, controlPort] = [await freePort(), await freePort()];
    const nodeRed = await startNodeRed({
      userDir,
      port,
      env: { FUZZ_CONTROL_PORT: String(controlPort) },
      settings: { nodesDir, logging: { console: { level: 'warn' } } },
      output: 'pipe',
    });
    const target = new Target(nodeRed, port, controlPort, ionUrl, userDir);
    await target.#untilStarted(1, MAX_START_MS);
    return target;
  }

  private constructor(
    nodeRed: NodeRed,
    port: number,
    controlPort: number,
    ionUrl: string,
    userDir: string,
  ) {
    this.#userDir = userDir;
    this.#nodeRed = nodeRed;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#control = `http://127.0.0.1:${controlPort}`;
    this.#ionUrl = ionUrl;
    for (const stream of [nodeRed.process.stdout, nodeRed.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text.slice(-MAX_LOG)).slice(-MAX_LOG);
      });
    }
  }

  /** The end of its output. */
  get log(): string {
    return this.#log
      .split('\n')
      .slice(-40)
      .map((line) => line.slice(0, 500))
      .join('\n');
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#nodeRed.process;
    return exitCode === null && signalCode === null;
  }

  async begin(): Promise<void> {
    await this.#ask('/begin');
  }

  end(): Promise<CaseReport> {
    return this.#ask('/end') as Promise<CaseReport>;
  }

  /** Passes a message to a node, and waits until it has ended. */
  inject(injection: Injection): Promise<MessageReport & { gap: Gap }> {
    return this.#ask('/inject', injection) as Promise<MessageReport & { gap: Gap }>;
  }

  /** Bytes in use after garbage collection: the minimum of several readings. */
  async heap(): Promise<number> {
    const readings: number[] = [];
    for (let count = 0; count < 4; count++) {
      readings.push((await this.#ask('/heap')) as number);
      await sleep(300);
    }
    return Math.min(...readings);
  }

  /**
   * Deploys the usual flow with additional nodes.
   * @param json the nodes as text, if JSON.stringify cannot write them
   * @returns the status of Node-RED's response
   */
  async deploy(
    type: 'full' | 'nodes',
    extra: FlowNode[] = this.#extra,
    json = '',
  ): Promise<number> {
    this.#extra = extra;
    const nodes = [...baseFlow(this.#ionUrl, ++this.#rounds), ...extra];
    const text = JSON.stringify(nodes);
    const starts = (await this.#ask('/starts')) as number;
    const { statusCode, body } = await this.#lostIfGone(
      request(`${this.url}/flows`, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'node-red-api-version': 'v2',
          'node-red-deployment-type': type,
        },
        body: `{"flows":${json ? `${text.slice(0, -1)},${json}]` : text}}`,
      }),
    );
    await body.dump();
    if (statusCode < 300) await this.#untilStarted(starts + 1, MAX_DEPLOY_MS);
    return statusCode;
  }

  /** Sends raw bytes, because no HTTP client would send some of them. */
  async raw({ bytes, breakOffAt, pauseMs, timeoutMs = 20_000 }: RawRequest): Promise<RawAnswer> {
    const socket = connect(this.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
    if (breakOffAt !== undefined) {
      socket.write(bytes.subarray(0, breakOffAt));
      await Promise.race([closed, sleep(30)]);
      socket.destroy();
      await closed;
      return { status: undefined, body: '' };
    }
    if (pauseMs === undefined) {
      socket.write(bytes);
    } else {
      const half = Math.floor(bytes.length / 2);
      socket.write(bytes.subarray(0, half));
      await Promise.race([closed, sleep(pauseMs)]);
      socket.write(bytes.subarray(half));
    }
    const timer = new AbortController();
    const isClosed = await Promise.race([
      closed,
      sleep(timeoutMs, false, { signal: timer.signal }).catch(() => false),
    ]);
    timer.abort();
    socket.destroy();
    if (!this.isRunning) throw new TargetLost('the process ended');
    if (!isClosed) throw new Error(`no answer within ${timeoutMs} ms`);
    const text = Buffer.concat(chunks).toString('latin1');
    const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
    const head = text.indexOf('\r\n\r\n');
    const body = Buffer.from(head < 0 ? '' : text.slice(head + 4), 'latin1').toString();
    return { status: status === undefined ? undefined : Number(status), body };
  }

  /** A file that the package wrote outside its own folder; it is removed. */
  async strayFiles(): Promise<string | undefined> {
    for (const [folder, known] of [
      [dirname(this.#userDir), KNOWN_BESIDE],
      [this.#userDir, KNOWN_IN_USER_DIR],
    ] as const) {
      for (const name of await readdir(folder)) {
        if (known.test(name)) continue;
        await rm(join(folder, name), { recursive: true, force: true });
        return `"${name}" was written to ${folder === this.#userDir ? 'the user folder' : 'its parent'}`;
      }
    }
    return undefined;
  }

  async stop(): Promise<void> {
    await this.#nodeRed.stop();
    await this.#agent.destroy();
  }

  /** For a process that no longer responds. */
  async kill(): Promise<void> {
    if (this.isRunning) {
      const ended = once(this.#nodeRed.process, 'exit');
      this.#nodeRed.process.kill('SIGKILL');
      await ended;
    }
    await this.#agent.destroy();
  }

  async #untilStarted(count: number, longestMs: number): Promise<void> {
    const begun = performance.now();
    for (;;) {
      const starts = await this.#ask('/starts').catch((thrown: unknown) => {
        // It has not started yet.
        if (!this.isRunning || performance.now() - begun > longestMs) throw thrown;
        return -1;
      });
      if ((starts as number) >= count) return;
      if (performance.now() - begun > longestMs) throw new TargetLost('the flows did not start');
      await sleep(5);
    }
  }

  async #ask(path: string, body?: object): Promise<unknown> {
    const { statusCode, body: answer } = await this.#lostIfGone(
      request(this.#control + path, {
        dispatcher: this.#agent,
        method: 'POST',
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
    const text = await this.#lostIfGone(answer.text());
    if (statusCode !== 200) throw new Error(`${path}: ${text}`);
    return JSON.parse(text);
  }

  async #lostIfGone<Value>(promise: Promise<Value>): Promise<Value> {
    try {
      return await promise;
    } catch (thrown) {
      // The connection breaks before the exit is known.
      if (this.isRunning) await Promise.race([once(this.#nodeRed.process, 'exit'), sleep(1000)]);
      throw new TargetLost(this.isRunning ? `no answer: ${String(thrown)}` : 'the process ended');
    }
  }
}

/** As Node-RED loads nodes: one file of JavaScript next to one of HTML. */
async function bundleInside(folder: string): Promise<void> {
  await build({
    entryPoints: [join(__dirname, 'inside.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    outfile: join(folder, 'fuzz.js'),
    footer: { js: 'module.exports = module.exports.default;' },
    logLevel: 'error',
  });
  const types = ['fuzz-sent', 'fuzz-caught'];
  const scripts = types.map(
    (type) => `RED.nodes.registerType('${type}', { category: 'test', inputs: 1, defaults: {} });`,
  );
  await writeFile(
    join(folder, 'fuzz.html'),
    `<script type="text/javascript">${scripts.join('\n')}</script>\n`,
  );
}
