import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const root = join(__dirname, '..');

export interface Packed {
  /** Path of the tarball. */
  tarball: string;
  /** The files in it, with their sizes in bytes. */
  files: { path: string; size: number }[];
}

/** A folder for the tests of a `describe`, which is removed after them. */
export function useTemporaryFolder(): { readonly path: string } {
  let path = '';
  before(async function () {
    path = await mkdtemp(join(tmpdir(), 'node-red-ion-test-'));
    // After all other hooks, whose order is that of their definition: a Node-RED that one of them
    // stops still writes its contexts, and would restore removed files.
    this.test?.parent?.afterAll(() => rm(path, { recursive: true, force: true }));
  });
  return {
    get path() {
      return path;
    },
  };
}

/** Packs the package as npm publishes it. */
export async function pack(folder: string): Promise<Packed> {
  // Without scripts: the test uses the existing build, and a build would disturb other tests. npm 10
  // runs `prepare` nevertheless, here with a shell that does nothing.
  const noScripts = ['--ignore-scripts', '--script-shell=/usr/bin/true'];
  const args = ['pack', '--json', ...noScripts, '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root });
  const output = JSON.parse(stdout);
  // npm 10 prints an array, later versions print an object by package name.
  const [info] = Object.values(output) as {
    filename: string;
    files: { path: string; size: number }[];
  }[];
  if (!info) throw new Error('npm pack answered nothing');
  return { tarball: join(folder, info.filename), files: info.files };
}

/**
 * Installs a tarball into an empty Node-RED user folder, like a user.
 * @param more options of npm
 */
export async function install(userDir: string, tarball: string, ...more: string[]): Promise<void> {
  const options = ['--no-audit', '--no-fund', '--prefer-offline', ...more];
  await run('npm', ['install', ...options, tarball], { cwd: userDir });
}
