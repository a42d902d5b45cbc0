import { execFile } from 'node:child_process';
import { access, mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { root } from './package.js';

const run = promisify(execFile);
const folder = join(root, 'test', 'palettes');

export const palettes = [
  '@flowfuse/node-red-dashboard',
  'node-red-contrib-modbus',
  'node-red-contrib-opcua',
  'node-red-node-serialport',
] as const;

export type Palette = (typeof palettes)[number];

/** The folder into which npm installs the palettes. */
export const paletteModules = join(folder, 'node_modules');

/** Time limit for a slow registry, in ms. */
const INSTALLATION_TIMEOUT_MS = 600_000;

/** Installs the palettes before the tests of a `describe`. */
export function usePalettes(): void {
  before(function () {
    this.timeout(INSTALLATION_TIMEOUT_MS);
    return installPalettes();
  });
}

/** A link to the number of the process that installs, which is made in one step. */
const lock = join(folder, '.installing');
const LOCK_PAUSE_MS = 200;

/**
 * Installs the palettes of other people that the examples use, once for all tests. They lie in a
 * folder of their own, because Node-RED would load them into every test and into `npm start`.
 */
async function installPalettes(): Promise<void> {
  while (!(await areInstalled())) {
    if (await takesLock()) await install();
    else await sleep(LOCK_PAUSE_MS);
  }
}

function areInstalled(): Promise<boolean> {
  return access(join(paletteModules, '.package-lock.json')).then(
    () => true,
    () => false,
  );
}

async function install(): Promise<void> {
  // The driver for serial ports has its binaries in the package, so that no script needs to compile it.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  try {
    await run('npm', args, { cwd: folder });
  } finally {
    await rm(lock, { force: true });
  }
}

/** Whether this process may install; another one that ended in between does not block it. */
async function takesLock(): Promise<boolean> {
  try {
    await symlink(String(process.pid), lock);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    const holder = await readlink(lock).catch(() => undefined);
    if (holder !== undefined && !isRunning(Number(holder))) await rm(lock, { force: true });
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Adds a palette to the Node-RED of a user folder. */
export async function addPalette(userDir: string, palette: Palette): Promise<void> {
  const link = join(userDir, 'node_modules', palette);
  await mkdir(dirname(link), { recursive: true });
  await symlink(join(paletteModules, palette), link, 'dir');
}

/** An environment with another home directory, for a palette that keeps certificates there. */
export function homeIn(folder: string): Record<string, string> {
  return { HOME: folder, XDG_CONFIG_HOME: join(folder, '.config') };
}
