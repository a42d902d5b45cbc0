// npm start: the sandbox, and a Node-RED with a demo flow that reads from it.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../sandbox/server.js';
import { prepareUserDir, startNodeRed } from '../tools/node-red.js';

const root = join(__dirname, '..');
const port = Number(process.env.PORT || 1880);

async function main(): Promise<void> {
  // Registered first, so that an early signal leaves nothing behind.
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  buildIfNeeded();
  const sandbox = await startSandboxOnAnyPort();
  const userDir = await createUserDir();
  const nodeRed = await startNodeRed({
    userDir,
    port,
    isGuarded: true,
    output: 'inherit',
    env: {
      ION_API_URL: sandbox.url,
      ION_AUTH_URL: sandbox.authUrl,
      ION_CLIENT_ID: sandbox.clientId,
      ION_CLIENT_SECRET: sandbox.clientSecret,
      // The address of the demo flow for the sandbox's webhooks, and the secret that signs them.
      ION_DEMO_URL: `http://127.0.0.1:${port}`,
      ION_WEBHOOK_SECRET: randomBytes(32).toString('hex'),
    },
  });
  console.log(`
  Node-RED with the demo flow:  http://127.0.0.1:${port}
  ION sandbox:                  ${sandbox.url}/graphql
  End both with Ctrl-C.
`);
  const outcome = await Promise.race([
    interrupted.then(() => 'interrupted'),
    once(nodeRed.process, 'exit').then(([code]) => code),
  ]);
  await nodeRed.stop();
  await sandbox.close();
  await rm(userDir, { recursive: true, force: true });
  if (outcome !== 'interrupted') process.exitCode = Number(outcome ?? 1);
}

/** A Node-RED user folder with the demo flow and this package in it. */
async function createUserDir(): Promise<string> {
  const userDir = await mkdtemp(join(tmpdir(), 'node-red-ion-'));
  const flow = JSON.parse(await readFile(join(__dirname, 'flow.json'), 'utf8'));
  // The key comes from the environment, as on a real machine, so that no file holds it.
  const key = { clientId: '${ION_CLIENT_ID}', clientSecret: '${ION_CLIENT_SECRET}' };
  await prepareUserDir(userDir, flow, {
    'ion-demo-config': key,
    'ion-demo-events-webhook': { secret: '${ION_WEBHOOK_SECRET}' },
  });
  return userDir;
}

function buildIfNeeded(): void {
  const built = join(root, 'dist', 'ion-config.js');
  if (existsSync(built) && newest(join(root, 'nodes')) <= statSync(built).mtimeMs) return;
  console.log('Building …');
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

async function startSandboxOnAnyPort(): Promise<Sandbox> {
  try {
    return await startSandbox({ live: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return startSandbox({ live: true, port: 0 });
  }
}

void main();
