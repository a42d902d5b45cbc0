import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transport } from '../../../nodes/client/http/transport.js';
import { useTemporaryFolder } from '../../../tools/package.js';
import { type Certificate, certificate } from '../../support/certificates.js';
import { everythingIn, failure, thrown } from '../../support/errors.js';
import { closeAfterEach, httpServer } from '../../support/servers.js';

const HERE = { ip: '127.0.0.1' };

describe('TLS configuration', () => {
  const closing = closeAfterEach();
  const folder = useTemporaryFolder();
  let ca: Certificate;
  let otherCa: Certificate;
  let stranger: Certificate;
  before(async () => {
    [ca, otherCa, stranger] = await Promise.all([
      certificate(HERE),
      certificate(HERE),
      certificate(HERE),
    ]);
  });

  const secure = async (identity: Certificate) =>
    closing(await httpServer((_request, response) => response.end('{}'), identity));
  const signed = async (by: Certificate) => secure(await certificate(HERE, { ca: by }));
  const transport = (tls: object) =>
    closing(new Transport({ timeoutMs: 10_000, connections: 2, tls }));
  const post = (through: Transport, url: string) =>
    through.post({
      peer: 'api',
      url: new URL(url),
      headers: {},
      body: '',
      signal: new AbortController().signal,
    });

  it('adds its CA to those that Node.js trusts', async () => {
    const extra = join(folder.path, 'extra.pem');
    await writeFile(extra, otherCa.cert);
    const servers = await Promise.all([signed(ca), signed(otherCa), secure(stranger)]);
    const urls = servers.map(({ url }) => url);
    const script = `
      const { Transport } = require('./nodes/client/http/transport.ts');
      const [tls, urls] = ${JSON.stringify([{ ca: ca.cert }, urls])};
      const through = new Transport({ timeoutMs: 10000, connections: 2, tls });
      const { signal } = new AbortController();
      const ask = (peer, url) =>
        through.post({ peer, url: new URL(url), headers: {}, body: '', signal });
      (async () => {
        for (const peer of ['api', 'auth', 'storage']) {
          const asked = urls.map((url) => ask(peer, url).then(({ status }) => status, ({ code }) => code));
          console.log(peer, ...(await Promise.all(asked)));
        }
        await through.close();
      })();`;
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: extra },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    await once(child, 'close');
    assert.deepEqual(output.trim().split('\n'), [
      'api 200 200 ION_NETWORK',
      'auth 200 200 ION_NETWORK',
      'storage ION_NETWORK 200 ION_NETWORK',
    ]);
  });

  const lines = (text: string) => text.replaceAll('\n', '\r\n');
  const forms: [string, () => unknown][] = [
    ['a text', () => ca.cert],
    ['a Buffer', () => Buffer.from(ca.cert)],
    ['one of several in a text', () => `# Plant\n${otherCa.cert}\n# Line 4\n${ca.cert}`],
    ['one of a list', () => [Buffer.from(otherCa.cert), ca.cert]],
    ['a text with the line ends and the mark of Windows', () => lines(`\ufeff${ca.cert}`)],
    ['a Buffer with the mark of Windows', () => Buffer.from(`\ufeff${ca.cert}`)],
    ['DER', () => new X509Certificate(ca.cert).raw],
  ];
  for (const [what, given] of forms) {
    it(`accepts a CA as ${what}`, async () => {
      const server = await signed(ca);
      assert.equal((await post(transport({ ca: given() }), server.url)).status, 200);
      const strange = await secure(stranger);
      await failure(post(transport({ ca: given() }), strange.url), 'ION_NETWORK');
    });
  }

  it('rejects a CA without a certificate', () => {
    for (const given of ['not a certificate', ca.key, [Buffer.from([0x30, 0x03])], ' ']) {
      const error = thrown(() => transport({ ca: given }), 'ION_CONFIG');
      assert.match(
        error.message,
        /TLS configuration .*: the CA certificate is not a list of certificates in PEM format/,
      );
      assert.ok(!everythingIn(error).includes(ca.key.split('\n')[1] as string));
    }
  });

  it('rejects a certificate and a key that do not match', () => {
    for (const tls of [
      { key: ca.key, cert: otherCa.cert },
      { key: 'not a key', cert: ca.cert },
      { key: ca.key, cert: 'not a certificate' },
    ]) {
      const error = thrown(() => transport(tls), 'ION_CONFIG');
      assert.match(error.message, /TLS configuration .* cannot be used/);
      assert.ok(!everythingIn(error).includes(ca.key.split('\n')[1] as string));
    }
  });
});
