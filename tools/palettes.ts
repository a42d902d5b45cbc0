import { execFile } from 'node:child_process';
import { access, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './package.js';

const run = promisify(execFile);
const folder = join(root, 'test', 'palettes');

export const palettes = [
  '@flowfuse/node-red-dashboard',
  'node-red-contrib-modbus',
  'node-red-contrib-opcua',
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

/**
 * Installs the palettes of other people that the examples use, once for all tests. They lie in a
 * folder of their own, because Node-RED would load them into every test and into `npm start`.
 */
async function installPalettes(): Promise<void> {
  const isInstalled = await access(join(paletteModules, '.package-lock.json')).then(
    () => true,
    () => false,
  );
  if (isInstalled) return;
  // Their scripts would build drivers for serial ports.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', args, { cwd: folder });
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
