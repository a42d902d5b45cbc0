import { spawnSync } from 'node:child_process';

/** A program outside npm that a test needs. */
export interface Tool {
  name: string;
  /** Commands to try; the first that responds is used. */
  commands: string[];
  /** Arguments with which it responds without doing anything. */
  probe: string[];
  /** Its exit code then; 0 by default. */
  exitCode?: number;
  install: string;
}

export const pythonWithRequests: Tool = {
  name: 'Python with the requests library',
  commands: ['/usr/bin/python3', 'python3'],
  probe: ['-c', 'import requests'],
  install: 'apt-get install -y python3-requests',
};

export const chromium: Tool = {
  name: 'Chromium',
  commands: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  probe: ['--version'],
  install: 'apt-get install -y chromium',
};

export const mosquitto: Tool = {
  name: 'Mosquitto',
  commands: ['/usr/sbin/mosquitto', 'mosquitto'],
  probe: ['-h'],
  exitCode: 3,
  install: 'apt-get install -y mosquitto',
};

export const prometheus: Tool = {
  name: 'Prometheus',
  commands: ['/usr/bin/prometheus', 'prometheus'],
  probe: ['--version'],
  install: 'apt-get install -y prometheus',
};

/** Checks metrics, rules and settings of Prometheus. */
export const promtool: Tool = { ...prometheus, commands: ['/usr/bin/promtool', 'promtool'] };

/** Reads barcodes in pictures. */
export const zbar: Tool = {
  name: 'ZBar',
  commands: ['/usr/bin/zbarimg', 'zbarimg'],
  probe: ['--version'],
  install: 'apt-get install -y zbar-tools',
};

/** Makes pseudo terminals. */
export const socat: Tool = {
  name: 'socat',
  commands: ['/usr/bin/socat', 'socat'],
  probe: ['-V'],
  install: 'apt-get install -y socat',
};

/**
 * The command of a tool. If it is missing, the test is skipped with installation advice,
 * but fails in CI, which must not skip a test.
 */
export function findTool(test: Mocha.Context, tool: Tool): string {
  for (const command of tool.commands) {
    const { status } = spawnSync(command, tool.probe, { stdio: 'ignore' });
    if (status === (tool.exitCode ?? 0)) return command;
  }
  const text = `${tool.name} is missing. On Debian: ${tool.install}`;
  if (process.env.CI === 'true') throw new Error(text);
  console.log(`      ${text}`);
  return test.skip();
}
