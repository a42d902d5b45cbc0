import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { endWithParent } from '../../tools/child-processes.js';
import { findTool, socat } from '../../tools/find-tool.js';
import { until } from './until.js';

/** A barcode scanner at a serial port, which is a pseudo terminal. */
export class SerialScanner {
  /** Path of the port. */
  readonly port: string;
  readonly #process: ChildProcess;

  /** In a test that is skipped if socat is not installed. */
  static async start(test: Mocha.Context, folder: string): Promise<SerialScanner> {
    const command = findTool(test, socat);
    const port = join(folder, 'scanner');
    // One direction only, so that it does not end when Node-RED closes the port.
    const child = spawn(command, ['-u', '-', `pty,raw,echo=0,link=${port}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    endWithParent(child);
    await until(() =>
      access(port).then(
        () => true,
        () => false,
      ),
    );
    return new SerialScanner(port, child);
  }

  private constructor(port: string, child: ChildProcess) {
    this.port = port;
    this.#process = child;
  }

  /** Sends a code with the suffix of most scanners. */
  scan(code: string): void {
    this.#process.stdin?.write(`${code}\r`);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }
}
