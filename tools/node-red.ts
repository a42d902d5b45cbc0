import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { endWithParent } from './child-processes.js';

const require = createRequire(__filename);

/** Below the ports that systems give to connections, which could take it before it is used. */
const FIRST_PORT = 20_000;
const PORTS_OF_A_PROCESS = 400;
const SHARES = 30;

/** Processes that run side by side rarely have the same share, so that none takes another's port. */
const firstPort = FIRST_PORT + (process.pid % SHARES) * PORTS_OF_A_PROCESS;
let portsTried = randomInt(PORTS_OF_A_PROCESS);

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + (portsTried++ % PORTS_OF_A_PROCESS);
    const server = createServer().listen(port, '127.0.0.1');
    // If it is taken, the next one may be free.
    const isFree = await once(server, 'listening').catch(() => false);
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

const root = join(__dirname, '..');
const STOP_AFTER_MS = 20_000;

/**
 * Fills a user folder: this package as it is built here, a flow, and the credentials of its nodes
 * by their ids.
 */
export async function prepareUserDir(
  userDir: string,
  flow: object[],
  credentials: object,
): Promise<void> {
  const modules = join(userDir, 'node_modules', '@ion-nodes');
  await mkdir(modules, { recursive: true });
  await symlink(root, join(modules, 'node-red-ion'), 'dir');
  await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow));
  await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify(credentials), { mode: 0o600 });
}

export interface NodeRedOptions {
  /** Holds the flow, its credentials and the packages that Node-RED loads. */
  userDir: string;
  port: number;
  /** Environment variables for the flow, such as the API key. */
  env?: Record<string, string>;
  /** More settings, which override those of a Node-RED that listens on loopback only. */
  settings?: object;
  /** Whether requests of foreign web pages are refused (guard.cjs); false by default. */
  isGuarded?: boolean;
  /** `inherit` shows Node-RED's log, `pipe` leaves it to the caller. */
  output: 'inherit' | 'pipe';
}

export interface NodeRed {
  process: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Whether a Node-RED that wrote this log can be reached and runs its flows: either may come first,
 * because it reads its editor's texts and its flows at the same time.
 */
export function isUp(log: string): boolean {
  return log.includes('Server now running') && log.includes('Started flows');
}

/** Starts a real Node-RED as a process of its own. */
export async function startNodeRed(options: NodeRedOptions): Promise<NodeRed> {
  const { userDir, port, env, output, isGuarded = false } = options;
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: false,
    telemetry: { enabled: false },
    editorTheme: { tours: false, projects: { enabled: false } },
    externalModules: { autoInstall: false, palette: { allowInstall: false } },
    ...options.settings,
  };
  const file = join(userDir, 'settings.js');
  const guard = isGuarded ? `require(${JSON.stringify(join(__dirname, 'guard.cjs'))});\n` : '';
  await writeFile(file, `${guard}module.exports = ${JSON.stringify(settings, null, 2)};\n`);
  const script = join(dirname(require.resolve('node-red/package.json')), 'red.js');
  const child = spawn(process.execPath, [script, '--userDir', userDir], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  endWithParent(child);
  const ended = once(child, 'exit');
  return {
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_AFTER_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
