import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const require = createRequire(__filename);
const root = join(__dirname, '..', '..');
const STOP_AFTER_MS = 20_000;

export interface NodeRedOptions {
  port: number;
  /** A flow file; without it the flow is empty. */
  flow?: string;
  /** Environment variables for the flow, such as the API key. */
  env: Record<string, string>;
}

export interface NodeRed {
  process: ChildProcess;
  /** Ends Node-RED and removes its user folder. */
  stop(): Promise<void>;
}

/** Starts Node-RED in a user folder of its own, with this package in it. */
export async function startNodeRed({ port, flow, env }: NodeRedOptions): Promise<NodeRed> {
  const userDir = await mkdtemp(join(tmpdir(), 'node-red-ion-'));
  const modules = join(userDir, 'node_modules', '@ion-nodes');
  await mkdir(modules, { recursive: true });
  await symlink(root, join(modules, 'node-red-ion'), 'dir');
  await writeFile(join(userDir, 'settings.js'), settings(port));
  if (flow) {
    await copyFile(flow, join(userDir, 'flows.json'));
    await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify(credentials), { mode: 0o600 });
  }
  const nodeRed = join(dirname(require.resolve('node-red/package.json')), 'red.js');
  const child = spawn(process.execPath, [nodeRed, '--userDir', userDir], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'exit');
  return {
    process: child,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_AFTER_MS);
        await ended;
        clearTimeout(timer);
      }
      await rm(userDir, { recursive: true, force: true });
    },
  };
}

/** The key comes from the environment, as on a real machine, so that no file holds it. */
const credentials = {
  'ion-demo-config': {
    clientId: '${ION_CLIENT_ID}',
    clientSecret: '${ION_CLIENT_SECRET}',
  },
};

function settings(port: number): string {
  return `module.exports = ${JSON.stringify(
    {
      uiHost: '127.0.0.1',
      uiPort: port,
      flowFile: 'flows.json',
      credentialSecret: false,
      telemetry: { enabled: false },
      editorTheme: { tours: false, projects: { enabled: false } },
      externalModules: { autoInstall: false, palette: { allowInstall: false } },
    },
    null,
    2,
  )};\n`;
}
