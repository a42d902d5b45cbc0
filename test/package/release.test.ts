import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { root } from '../../tools/package.js';

const run = promisify(execFile);
const script = (name: string, args: string[] = [], env = {}) =>
  run(process.execPath, [join(root, 'scripts', name), ...args], {
    env: { ...process.env, ...env },
  });

/** The parts of a GitHub Actions workflow that the tests use. */
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

interface Job {
  needs?: string | string[];
  permissions?: Record<string, string>;
  steps: Step[];
}

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

describe('a release', () => {
  let version: string;
  before(async () => {
    ({ version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  });

  it('has notes, which the changelog contains under its version', async () => {
    const { stdout } = await script('release-notes.mjs', [`v${version}`]);
    assert.match(stdout, /^### /);
    assert.doesNotMatch(stdout, /^## /m);
  });

  it("is rejected if its tag is not the package's version", async () => {
    await assert.rejects(script('release-notes.mjs', ['v0.0.1']), /The tag is v0\.0\.1/);
  });

  describe('and its workflows', () => {
    const folder = join(root, '.github', 'workflows');
    const texts = new Map<string, string>();
    const workflows = new Map<string, Workflow>();
    let release: Workflow;
    before(async () => {
      for (const name of await readdir(folder)) {
        const text = await readFile(join(folder, name), 'utf8');
        texts.set(name, text);
        workflows.set(name, load(text) as Workflow);
      }
      release = workflows.get('release.yml') ?? assert.fail();
    });
    const jobs = () =>
      [...workflows].flatMap(([file, { permissions, jobs }]) =>
        Object.entries(jobs).map(([name, job]) => ({
          name: `${file}, ${name}`,
          steps: job.steps,
          mayWrite: Object.values(job.permissions ?? permissions).includes('write'),
        })),
      );
    const needsOf = (name: string) => [release.jobs[name]?.needs ?? []].flat();
    const commandsOf = (steps: Step[]) => steps.flatMap(({ run }) => run ?? []).join('\n');

    it('pin actions to commits, which nobody can move, and name their versions', () => {
      for (const [name, text] of texts) {
        const lines = text.split('\n').filter((line) => line.includes('uses:'));
        assert.ok(lines.length > 0, name);
        for (const line of lines) {
          assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name);
        }
      }
    });

    it('have read-only permissions, except jobs that declare which ones they write', () => {
      for (const [name, { permissions }] of workflows) {
        assert.deepEqual(permissions, { contents: 'read' }, name);
      }
      const rights = Object.entries(release.jobs).flatMap(([name, { permissions }]) =>
        permissions ? [[name, permissions]] : [],
      );
      assert.deepEqual(rights, [
        ['publish', { 'id-token': 'write' }],
        ['github', { contents: 'write' }],
      ]);
    });

    it('run no code of the repository or of its dependencies in jobs with write permissions', () => {
      const writing = jobs().filter(({ mayWrite }) => mayWrite);
      assert.equal(writing.length, 2);
      for (const { name, steps } of writing) {
        const actions = steps.flatMap(({ uses }) => uses?.split('@')[0] ?? []);
        const known = ['actions/download-artifact', 'actions/setup-node'];
        assert.deepEqual(
          actions.filter((action) => !known.includes(action)),
          [],
          name,
        );
        const commands = commandsOf(steps);
        assert.doesNotMatch(commands, /npm (ci|i|install|run|exec|pack|test|rebuild)\b|npx/, name);
        assert.doesNotMatch(commands, /\b(node|sh|bash|source|eval)\s|\.ci|scripts\//, name);
        for (const command of commands.split(/\|\||&&|;|\n/)) {
          if (command.includes('npm publish')) assert.match(command, /--ignore-scripts/, name);
        }
      }
    });

    it('leave no token in the checkout', () => {
      const checkouts = jobs().flatMap(({ steps }) =>
        steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')),
      );
      assert.ok(checkouts.length >= 4);
      for (const checkout of checkouts) assert.equal(checkout.with?.['persist-credentials'], false);
    });

    it('publish the file that was packed after the tests, with its provenance', () => {
      assert.deepEqual(needsOf('pack'), ['test']);
      assert.deepEqual(needsOf('publish'), ['pack']);
      assert.deepEqual(needsOf('github'), ['publish']);
      assert.deepEqual(needsOf('flow-library'), ['publish']);
      const filesOf = (name: string, action: string) =>
        release.jobs[name]?.steps.find(({ uses }) =>
          uses?.startsWith(`actions/${action}-artifact@`),
        )?.with;
      const { name, path } = filesOf('pack', 'upload') ?? {};
      for (const job of ['publish', 'github']) {
        assert.deepEqual(filesOf(job, 'download'), { name, path });
      }
      assert.match(
        commandsOf(release.jobs.publish?.steps ?? []),
        new RegExp(
          `npm publish --ignore-scripts --provenance --access public \\./${path}/\\*.tgz$`,
        ),
      );
    });

    it('can be run again after a failure halfway', async () => {
      const { name } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
      const publish = commandsOf(release.jobs.publish?.steps ?? []);
      assert.ok(
        publish.startsWith(`npm view "${name}@\${GITHUB_REF_NAME#v}" version || npm publish`),
      );
      const github = commandsOf(release.jobs.github?.steps ?? []);
      assert.match(github, /^gh release view "\$GITHUB_REF_NAME" \|\| gh release create/);
      const upload = release.jobs.pack?.steps.find(({ uses }) => uses?.includes('upload-artifact'));
      assert.equal(upload?.with?.overwrite, true);
    });
  });

  describe('in the flow library', () => {
    const withLibrary = async (answer: RequestListener) => {
      const server = createServer(answer).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      try {
        return await script('refresh-flow-library.mjs', [], {
          FLOW_LIBRARY: `http://127.0.0.1:${port}`,
        });
      } finally {
        server.close();
      }
    };
    const form =
      '<form><input type="hidden" id="add-node-csrf" name="_csrf" value="of-today"></form>';

    it('is requested through the form on its page', async () => {
      let posted: unknown;
      await withLibrary(async (request, response) => {
        if (request.method === 'GET') {
          response.setHeader('set-cookie', 'session=abc; Path=/; HttpOnly');
          response.end(form);
          return;
        }
        let body = '';
        for await (const chunk of request) body += chunk;
        posted = [
          request.url,
          request.headers.cookie,
          Object.fromEntries(new URLSearchParams(body)),
        ];
        response.end();
      });
      assert.deepEqual(posted, [
        '/add/node',
        'session=abc',
        { module: '@ion-nodes/node-red-ion', _csrf: 'of-today' },
      ]);
    });

    it('fails if the page or its response has changed', async () => {
      await assert.rejects(
        withLibrary((_request, response) => response.end('<p>Moved</p>')),
        /without the expected form/,
      );
      await assert.rejects(
        withLibrary(({ method }, response) => {
          response.statusCode = method === 'POST' ? 400 : 200;
          response.end(form);
        }),
        /HTTP 400/,
      );
    });
  });
});
