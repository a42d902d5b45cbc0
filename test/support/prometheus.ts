import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithParent } from '../../tools/child-processes.js';
import { findTool, prometheus, promtool } from '../../tools/find-tool.js';
import { freePort } from '../../tools/node-red.js';
import { until } from './until.js';

export interface Prometheus {
  /** The `data` of a response of its HTTP API. */
  read(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a separate Prometheus. The test is skipped if it is not installed. */
export async function startPrometheus(
  test: Mocha.Context,
  folder: string,
  configFile: string,
): Promise<Prometheus> {
  const command = findTool(test, prometheus);
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  endWithParent(child);
  const ended = once(child, 'exit');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${log}`);
    return fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return {
    async read(path) {
      const response = await fetch(`http://${address}/api/v1/${path}`);
      return ((await response.json()) as { data: unknown }).data;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The output of promtool, which prints nothing for metrics without a problem, and its exit code. */
export async function runPromtool(
  test: Mocha.Context,
  args: readonly string[],
  input = '',
): Promise<{ output: string; code: number }> {
  const child = spawn(findTool(test, promtool), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { output, code: Number(code) };
}
