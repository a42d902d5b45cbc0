import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { RunningExample } from '../../tools/example.js';
import { freePort, isUp } from '../../tools/node-red.js';
import { pack, root, useTemporaryFolder } from '../../tools/package.js';
import { RunningNodeRed } from '../../tools/running-node-red.js';
import { until } from '../support/until.js';

const run = promisify(execFile);

describe('the commands of the README, as printed there', function () {
  this.timeout(300_000);
  const folder = useTemporaryFolder();
  let readme: string;
  let registry: Server | undefined;
  let start: ChildProcess | undefined;
  let nodeRed: RunningNodeRed | undefined;
  before(async () => {
    readme = await readFile(join(root, 'README.md'), 'utf8');
  });
  afterEach(async () => {
    if (start?.pid && start.exitCode === null && start.signalCode === null) {
      const ended = once(start, 'exit');
      process.kill(-start.pid, 'SIGKILL');
      await ended;
    }
    await nodeRed?.stop();
    registry?.close();
  });

  /** Lines of the first code block below a heading. */
  const commands = (heading: string): string[] => {
    const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
    const block = section.match(/^```\w*\n([\s\S]*?)^```$/m)?.[1] ?? '';
    const lines = block.split('\n').filter((line) => line !== '');
    assert.ok(lines.length > 0, `no commands below "${heading}"`);
    return lines;
  };

  const cloneAs = async (name: string): Promise<string> => {
    const clone = join(folder.path, name);
    const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
    for (const file of stdout.trim().split('\n')) {
      await mkdir(dirname(join(clone, file)), { recursive: true });
      await copyFile(join(root, file), join(clone, file));
    }
    return clone;
  };

  /** Starts a command and waits for its first output that shows that it is ready. */
  const startInShell = async (
    command: string,
    options: { cwd: string; env: NodeJS.ProcessEnv },
    isReady: (output: string) => boolean,
  ) => {
    const started = spawn('sh', ['-c', command], { ...options, detached: true });
    start = started;
    let output = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await until(() => isReady(output) || started.exitCode !== null);
    assert.equal(started.exitCode, null, output);
    return {
      output,
      async end() {
        const ended = once(started, 'exit');
        process.kill(-(started.pid as number), 'SIGINT');
        await ended;
      },
    };
  };
  const isStarted = (output: string) => output.includes('Ctrl-C');

  it('show runs from a fresh clone', async () => {
    const clone = await cloneAs('clone');
    const port = await freePort();
    const env = { ...shell(), PORT: String(port) };
    const [install = '', ...others] = commands('Try it in two commands');
    assert.deepEqual([install, ...others], ['npm ci', 'npm start']);
    await run('sh', ['-c', install], { cwd: clone, env });
    const started = await startInShell('npm start', { cwd: clone, env }, isUp);
    assert.ok(started.output.includes(`http://127.0.0.1:${port}`), started.output);
    await started.end();
  });

  it('start the sandbox alone, with the values for the dialog', async () => {
    const clone = await cloneAs('alone');
    await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
    const section = readme.split('\n## Try it in two commands\n')[1]?.split('\n## ')[0] ?? '';
    const [, command = ''] = /`(PORT=4510 npm run sandbox)`/.exec(section) ?? [];
    const port = await freePort();
    const printed = command.replace('4510', String(port));
    const sandbox = await startInShell(printed, { cwd: clone, env: shell() }, isStarted);
    assert.match(sandbox.output, new RegExp(`^ *API URL +http://127\\.0\\.0\\.1:${port}$`, 'm'));
    const [, environment = ''] = /environment "(.+)"/.exec(sandbox.output) ?? [];
    assert.ok(section.includes(`_${environment}_`), environment);
    await sandbox.end();
  });

  it('keep what the sandbox holds over an outage, in which another value is recorded', async () => {
    const clone = await cloneAs('walk');
    await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
    const [command = '', ...others] = commands('An outage in five minutes');
    assert.deepEqual(others, []);
    const env = { ...shell(), PORT: String(await freePort()) };
    const startSandbox = async () => {
      const { output, end } = await startInShell(command, { cwd: clone, env }, isStarted);
      const printed = (label: string) =>
        new RegExp(`^ *${label} +(\\S+)$`, 'm').exec(output)?.[1] ?? '';
      return {
        values: {
          url: printed('API URL'),
          authUrl: printed('Auth URL'),
          clientId: printed('Client ID'),
          clientSecret: printed('Client secret'),
        },
        end,
      };
    };
    const record = (example: RunningExample, value: string) =>
      fetch(`${example.nodeRed.url}/inject/${example.prefix}later`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ __user_inject_props__: [{ p: 'payload', v: value, vt: 'num' }] }),
      });

    const first = await startSandbox();
    const sandbox = first.values;
    const example = await RunningExample.start('10-record-values.json', {
      folder: folder.path,
      sandbox,
    });
    nodeRed = example.nodeRed;
    const { events } = nodeRed;
    const untilShown = (text: string) =>
      example.nodeRed.until(() => {
        const last = events.findLast(({ topic }) => topic === `status/${example.prefix}outbox`);
        return String(last?.data.text).includes(text);
      });
    const delivered = () =>
      events
        .filter(({ topic, data }) => topic === 'debug' && data.id === `${example.prefix}delivered`)
        .map(({ data }) => String(data.msg));
    await record(example, '325.5');
    await example.nodeRed.until(() => delivered().length === 1);
    await untilShown('all delivered');
    await first.end();
    await record(example, '330');
    await untilShown('1 pending · ION unreachable since');
    const second = await startSandbox();
    assert.deepEqual(second.values, sandbox);
    await example.nodeRed.until(() => delivered().length === 2);
    await untilShown('all delivered');
    assert.match(delivered()[1] ?? '', /"value":330/);
    await second.end();
  });

  it('install all nodes into an empty user folder', async () => {
    const userDir = join(folder.path, 'user');
    await mkdir(userDir);
    registry = await registryWith(await pack(folder.path));
    const { port } = registry.address() as AddressInfo;
    await writeFile(join(userDir, '.npmrc'), `@ion-nodes:registry=http://127.0.0.1:${port}/\n`);
    for (const command of commands('Install')) {
      await run('sh', ['-c', command], { cwd: userDir, env: shell() });
    }
    nodeRed = await RunningNodeRed.start(userDir);
    assert.deepEqual(await nodeRed.ownTypes(), {
      types: ['ion-config', 'ion-events', 'ion-graphql', 'ion-lookup', 'ion-runs', 'ion-step'],
      areEnabled: true,
    });
  });
});

/** A user's shell environment, without the variables that npm sets for scripts. */
function shell(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD)/.test(name));
  return { ...Object.fromEntries(own), npm_config_prefer_offline: 'true' };
}

/** A registry that knows only this package, as it would be published. */
async function registryWith({ tarball }: { tarball: string }): Promise<Server> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { name, version } = manifest;
  const server = createServer(async ({ url = '', headers: { host } }, response) => {
    if (url.endsWith('.tgz')) {
      response.end(await readFile(tarball));
      return;
    }
    const dist = { tarball: `http://${host}/package.tgz` };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { ...manifest, dist } },
      }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
