import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { endWithParent } from '../../tools/child-processes.js';
import { root } from '../../tools/package.js';

const script = join(__dirname, 'store-process.ts');

export interface Outcome {
  isOpen?: boolean;
  file?: string;
  code?: string;
  message?: string;
}

/** A separate process that uses the store of an outbox (store-process.ts). */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly outcome: Promise<Outcome>;

  constructor(folder: string, work: 'open' | 'file', env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', script, folder, work], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    endWithParent(this.#child);
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.outcome = once(lines, 'line').then(([line]) => JSON.parse(String(line)));
  }

  /** Closes its resources, and waits until it has ended. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}

/** Another process has an outbox open. */
export async function holdStore(folder: string): Promise<StoreProcess> {
  const holder = new StoreProcess(folder, 'open');
  const { isOpen, message } = await holder.outcome;
  if (!isOpen) throw new Error(message);
  return holder;
}

/** Builds the library that makes calls of the C library fail (disk-faults.c). */
export async function compileDiskFaults(folder: string): Promise<string> {
  const library = join(folder, 'disk-faults.so');
  const source = join(__dirname, 'disk-faults.c');
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  return library;
}
