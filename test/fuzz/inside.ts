// Runs inside the Node-RED process under test: measures how long the event loop is blocked, sends nodes
// the messages that only a flow can create, and observes their outcomes. It does not catch unhandled
// errors: they end the process, as in a factory.
import { openSync, readSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Node, NodeAPI } from 'node-red';
import { unclear } from './clear.js';
import { hostileMessage } from './hostile-values.js';
import { Random } from './values.js';

const SAMPLE_MS = 5;
const MAX_MESSAGE_MS = 30_000;
const MAX_CAUGHT_MS = 1000;

/** Work of the process between two samples, in ms. */
export interface Gap {
  wall: number;
  cpu: number;
}

export interface MessageReport {
  /** Number of completions of the message, with or without an error. */
  ended: number;
  sent: number;
  caught: number;
  error?: { code: string; message: string };
}

export interface CaseReport {
  longest: Gap;
  /** The longest delay measured by Node.js itself, in ms. */
  loopDelay: number;
  /** Unclear errors of nodes of this package since the case began. */
  unclear: string[];
}

export interface Injection {
  node: string;
  msg: Record<string, unknown>;
  /** Makes the message hostile, if there is one. */
  seeds?: (string | number)[];
  /** Changes the text of the query, so that no cache knows it. */
  salt?: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** CPU time of this thread in ms: time of other processes and threads would count as a stop, too. */
const cpuTime = ((): (() => number) => {
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r');
    const buffer = Buffer.alloc(64);
    return () => {
      const length = readSync(file, buffer, 0, buffer.length, 0);
      return Number.parseInt(buffer.toString('latin1', 0, length), 10) / 1e6;
    };
  } catch {
    return () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
  }
})();

const delays = monitorEventLoopDelay({ resolution: SAMPLE_MS });
delays.enable();
let longest: Gap = { wall: 0, cpu: 0 };
let sampledAt = performance.now();
let sampledCpu = cpuTime();
let samples = 0;
setInterval(() => {
  const now = performance.now();
  const cpu = cpuTime();
  const gap = { wall: now - sampledAt, cpu: cpu - sampledCpu };
  // On a busy machine other processes take the processor: only this thread's own work counts as a stop.
  if (Math.min(gap.wall, gap.cpu) > Math.min(longest.wall, longest.cpu)) longest = gap;
  sampledAt = now;
  sampledCpu = cpu;
  samples++;
}, SAMPLE_MS).unref();

/** So that all work until now is in the last sample. */
async function sampled(): Promise<void> {
  const until = samples + 2;
  while (samples < until) await sleep(SAMPLE_MS / 2);
}

let unclearErrors: string[] = [];
let starts = 0;
/** Messages in progress, by identity. */
const open = new Map<object, MessageReport>();
let current: { node: string; report: MessageReport } | undefined;

async function inject(
  RED: NodeAPI,
  { node: id, msg: right, seeds, salt }: Injection,
): Promise<MessageReport & { gap: Gap }> {
  const node = RED.nodes.getNode(id) as (Node & { receive(msg: object): void }) | null;
  if (!node) throw new Error(`no node ${id}`);
  const msg = seeds ? hostileMessage(new Random(...seeds), right).value : right;
  const report: MessageReport = { ended: 0, sent: 0, caught: 0 };
  if (salt && typeof msg.question === 'string') msg.question += `\n#${salt}`;
  // Creating the message is not the node's work.
  await sampled();
  reset();
  open.set(msg, report);
  current = { node: id, report };
  node.receive(msg);
  const begun = performance.now();
  while (report.ended === 0 && performance.now() - begun < MAX_MESSAGE_MS)
    await nextTurnOrPause(begun);
  // A second completion, or a second message of a Catch node, would follow directly after the first.
  const ended = performance.now();
  const isTold = () => !report.error || report.caught > 0;
  while (!isTold() && performance.now() - ended < MAX_CAUGHT_MS) await sleep(5);
  await sleep(5);
  open.delete(msg);
  current = undefined;
  await sampled();
  return { ...report, gap: longest };
}

async function nextTurnOrPause(begun: number): Promise<void> {
  if (performance.now() - begun < 5) await nextTurn();
  else await sleep(2);
}

function reset(): void {
  longest = { wall: 0, cpu: 0 };
  delays.reset();
}

async function heap(): Promise<number> {
  collectGarbage();
  // Objects with finalizers are freed in the second collection.
  await nextTurn();
  await sleep(20);
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function handle(RED: NodeAPI, path: string, body: unknown): Promise<unknown> {
  switch (path) {
    case '/begin':
      await sampled();
      reset();
      unclearErrors = [];
      return {};
    case '/end': {
      await sampled();
      return {
        longest,
        loopDelay: delays.max / 1e6,
        unclear: unclearErrors,
      } satisfies CaseReport;
    }
    case '/inject':
      return inject(RED, body as Injection);
    case '/starts':
      return starts;
    case '/heap':
      return heap();
    default:
      throw new Error(`no ${path}`);
  }
}

async function answer(
  RED: NodeAPI,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  try {
    const result = await handle(RED, request.url ?? '', text === '' ? undefined : JSON.parse(text));
    response.end(JSON.stringify(result));
  } catch (thrown) {
    response.statusCode = 500;
    response.end(String(thrown));
  }
}

/** A hostile URL may name any host; nothing leaves this machine. */
function stayOnThisMachine(): void {
  const { connect } = Socket.prototype;
  const isHere = (host: unknown) =>
    typeof host !== 'string' || host === 'localhost' || host === '::1' || /^127\.\d/.test(host);
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    const [options] = [args[0]].flat() as { host?: unknown; port?: unknown }[];
    if (typeof options === 'object' && options && !isHere(options.host)) {
      options.host = '127.0.0.1';
      options.port = 1;
    }
    return (connect as (...args: unknown[]) => Socket).apply(this, args);
  } as typeof connect;
}

interface Completion {
  msg: object;
  error?: { code: string; message: string };
  node: { id: string };
}

interface Hooks {
  add(name: string, hook: (event: never) => void): void;
}

/** As Node-RED loads a set of nodes. */
export default function register(RED: NodeAPI): void {
  stayOnThisMachine();
  RED.events.on('flows:started', () => {
    starts++;
  });
  const { hooks } = RED as unknown as { hooks: Hooks };
  hooks.add('onComplete.fuzz', ({ msg, error, node: { id } }: Completion) => {
    const report = open.get(msg);
    // The nodes after it complete the same message.
    if (!report || id !== current?.node) return;
    report.ended++;
    if (error) report.error = { code: String(error.code), message: String(error.message) };
  });

  RED.nodes.registerType('fuzz-sent', function (this: Node, config: never) {
    RED.nodes.createNode(this, config);
    this.on('input', (_msg, _send, done) => {
      if (current) current.report.sent++;
      done();
    });
  });
  RED.nodes.registerType('fuzz-caught', function (this: Node, config: never) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, _send, done) => {
      const { code, message, source } = (
        msg as unknown as {
          error: { code?: string; message: string; source: { id: string; type: string } };
        }
      ).error;
      if (current && source.id === current.node) current.report.caught++;
      const reason = unclear({ code, message });
      if (source.type.startsWith('ion-') && reason) unclearErrors.push(`${source.id}: ${reason}`);
      done();
    });
  });
  const server = createServer((request, response) => void answer(RED, request, response));
  server.listen(Number(process.env.FUZZ_CONTROL_PORT), '127.0.0.1');
  server.unref();
}
