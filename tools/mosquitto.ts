import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endWithParent } from './child-processes.js';
import { findTool, mosquitto } from './find-tool.js';
import { freePort } from './node-red.js';

export interface Broker {
  port: number;
  /** `mqtt://127.0.0.1:<port>` */
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a separate Mosquitto. In a test that is skipped if it is not installed.
 * @param settings additional lines of its configuration
 * @param port of a broker that was stopped and restarts; a free one by default
 */
export function startBroker(
  test: Mocha.Context,
  folder: string,
  settings: readonly string[] = [],
  port?: number,
): Promise<Broker> {
  return launchBroker(findTool(test, mosquitto), folder, settings, port);
}

/** The same, with a known command. */
export async function launchBroker(
  command: string,
  folder: string,
  settings: readonly string[] = [],
  port?: number,
): Promise<Broker> {
  port ??= await freePort();
  const file = join(folder, `mosquitto-${port}.conf`);
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false'];
  await writeFile(file, [...lines, ...settings, ''].join('\n'));
  const broker = spawn(command, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  endWithParent(broker);
  const ended = once(broker, 'exit');
  let log = '';
  const running = new Promise<void>((resolve, reject) => {
    broker.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (log.includes('running')) return;
      log += text;
      if (log.includes('running')) resolve();
    });
    void ended.then(() => reject(new Error(`Mosquitto ended: ${log}`)));
  });
  await running;
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    async stop() {
      broker.kill('SIGTERM');
      await ended;
    },
  };
}
