import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../support/package.js';

const run = promisify(execFile);
const script = (name: string, args: string[] = [], env = {}) =>
  run(process.execPath, [join(root, 'scripts', name), ...args], {
    env: { ...process.env, ...env },
  });

describe('a release', () => {
  let version: string;
  before(async () => {
    ({ version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  });

  it('has notes, which the changelog holds under its version', async () => {
    const { stdout } = await script('release-notes.mjs', [`v${version}`]);
    assert.match(stdout, /^### /);
    assert.doesNotMatch(stdout, /^## /m);
  });

  it('is refused where its tag is not that of the package', async () => {
    await assert.rejects(script('release-notes.mjs', ['v0.0.1']), /The tag is v0\.0\.1/);
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

    it('is asked for by the form of its page', async () => {
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

    it('fails where the page or its answer is another one', async () => {
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
