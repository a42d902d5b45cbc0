import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Peer } from '../../../nodes/client/http/certificate-problem.js';
import {
  MAX_RESPONSE_BYTES,
  Transport,
  type TransportOptions,
} from '../../../nodes/client/http/transport.js';
import { version } from '../../../package.json';
import {
  type Certificate,
  type CertificateOptions,
  certificate as madeCertificate,
  selfSigned,
} from '../../support/certificates.js';
import { everythingIn, failure, thrown } from '../../support/errors.js';
import { startProxy } from '../../support/proxy.js';
import { useSandbox } from '../../support/sandbox.js';
import { closeAfterEach, httpServer, tcpServer, unusedPort } from '../../support/servers.js';

const MiB = 1024 * 1024;
const PEERS: Peer[] = ['api', 'auth', 'storage'];
const USER_AGENT = `node-red-ion/${version}`;
const ANSWER = '{"data":{"text":"Größe 5 µm ✓"}}';

describe('transport', () => {
  const closing = closeAfterEach();

  const transport = (options: Partial<TransportOptions> = {}) =>
    closing(new Transport({ timeoutMs: 10_000, connections: 2, ...options }));

  const post = (through: Transport, url: string, signal = new AbortController().signal) =>
    through.post({
      peer: 'api',
      url: new URL(url),
      headers: { 'content-type': 'application/json' },
      body: '{"question":"Größe?"}',
      signal,
    });

  /** A server that gives the same response to every request. */
  const answering = async (body: string | Buffer, headers: Record<string, string> = {}) =>
    closing(await httpServer((_request, response) => response.writeHead(200, headers).end(body)));

  describe('exchange', () => {
    it('posts the body unchanged and returns status, headers and text', async () => {
      let received: { request: IncomingMessage; body: string } | undefined;
      const server = closing(
        await httpServer(async (request, response) => {
          let body = '';
          for await (const chunk of request.setEncoding('utf8')) body += chunk;
          received = { request, body };
          response.writeHead(418, { 'x-b3-trace-id': 'abc' }).end(ANSWER);
        }),
      );
      const response = await post(transport(), `${server.url}/ion/graphql?x=1`);
      assert.equal(response.status, 418);
      assert.equal(response.headers['x-b3-trace-id'], 'abc');
      assert.equal(response.text, ANSWER);
      assert.equal(received?.body, '{"question":"Größe?"}');
      assert.equal(received.request.method, 'POST');
      assert.equal(received.request.url, '/ion/graphql?x=1');
      assert.equal(received.request.headers['content-type'], 'application/json');
      assert.equal(received.request.headers['accept-encoding'], 'gzip, br');
    });

    it('sends its name and version to every host', async () => {
      const seen: (string | undefined)[] = [];
      const server = closing(
        await httpServer((request, response) => {
          seen.push(request.headers['user-agent']);
          request.resume().on('end', () => response.end());
        }),
      );
      const through = transport();
      const url = new URL(server.url);
      const { signal } = new AbortController();
      // As the OAuth library sets it.
      const headers = { 'user-agent': 'oauth4webapi/v3' };
      for (const peer of PEERS) {
        await through.post({ peer, url, headers, body: '', signal });
      }
      async function* body() {
        yield Buffer.from('x');
      }
      await through.put({ url, headers: {}, size: 1, body: body(), signal });
      await through.head(url, signal);
      assert.deepEqual(seen, Array(5).fill(USER_AGENT));
    });

    it('keeps its connection for the next request', async () => {
      const server = await answering(ANSWER);
      const through = transport({ connections: 1 });
      for (let i = 0; i < 5; i++) await post(through, server.url);
      assert.equal(server.connections, 1);
    });

    it('opens no more connections than allowed', async () => {
      const server = await answering(ANSWER);
      const through = transport({ connections: 2 });
      await Promise.all(Array.from({ length: 20 }, () => post(through, server.url)));
      assert.equal(server.connections, 2);
    });

    it('does not follow a redirect', async () => {
      let strayed = 0;
      const elsewhere = closing(await httpServer((_request, response) => response.end(++strayed)));
      const server = closing(
        await httpServer((_request, response) =>
          response.writeHead(307, { location: elsewhere.url }).end(),
        ),
      );
      const response = await post(transport(), server.url);
      assert.equal(response.status, 307);
      assert.equal(response.headers.location, elsewhere.url);
      assert.equal(strayed, 0);
    });

    it('leaves at most one listener on a long-lived signal', async () => {
      const server = await answering(ANSWER);
      const { signal } = new AbortController();
      await post(transport(), server.url, signal);
      await failure(
        post(transport(), `http://127.0.0.1:${await unusedPort()}`, signal),
        'ION_NETWORK',
      );
      assert.ok(getEventListeners(signal, 'abort').length <= 1);
    });
  });

  describe('encodings', () => {
    const understood: [string, Buffer][] = [
      ['gzip', gzipSync(ANSWER)],
      ['x-gzip', gzipSync(ANSWER)],
      ['GZIP', gzipSync(ANSWER)],
      ['br', brotliCompressSync(ANSWER)],
      ['identity', Buffer.from(ANSWER)],
    ];
    for (const [encoding, body] of understood) {
      it(`reads ${encoding}`, async () => {
        const server = await answering(body, { 'content-encoding': encoding });
        assert.equal((await post(transport(), server.url)).text, ANSWER);
      });
    }

    const refused: [string, string, Buffer, RegExp][] = [
      ['one that was not asked for', 'deflate', deflateSync(ANSWER), /not requested \("deflate"\)/],
      ['two at once', 'gzip, br', brotliCompressSync(gzipSync(ANSWER)), /not requested/],
      ['broken gzip', 'gzip', Buffer.from('not gzip at all'), /compressed response .* is broken/],
      [
        'gzip cut short',
        'gzip',
        gzipSync(ANSWER).subarray(0, 20),
        /compressed response .* is broken/,
      ],
      ['broken brotli', 'br', Buffer.from('not brotli at all'), /compressed response .* is broken/],
      [
        'text that is not UTF-8',
        'identity',
        Buffer.from('{"a":"\xe4"}', 'latin1'),
        /not valid UTF-8/,
      ],
      [
        'compressed text that is not UTF-8',
        'gzip',
        gzipSync(Buffer.from([0xff])),
        /not valid UTF-8/,
      ],
    ];
    for (const [what, encoding, body, message] of refused) {
      it(`rejects ${what}`, async () => {
        const server = await answering(body, { 'content-encoding': encoding });
        const error = await failure(post(transport(), server.url), 'ION_RESPONSE');
        assert.match(error.message, message);
        assert.equal(error.transient, true);
        assert.equal(error.mayHaveRun, true);
      });
    }

    it('reads an empty response with any encoding', async () => {
      const server = await answering('', { 'content-encoding': 'gzip' });
      assert.equal((await post(transport(), server.url)).text, '');
    });
  });

  describe('server faults', () => {
    const ion = useSandbox({ runs: 20 });
    const fail = (code: Parameters<typeof failure>[1], options: Partial<TransportOptions> = {}) =>
      failure(post(transport(options), `${ion.sandbox.url}/graphql`), code);

    it('reads up to 64 MiB by default', () => assert.equal(MAX_RESPONSE_BYTES, 64 * MiB));

    it('reads a response as large as the limit', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'big', bytes: MiB });
      const response = await post(
        transport({ maxResponseBytes: MiB }),
        `${ion.sandbox.url}/graphql`,
      );
      assert.equal(response.text.length, MiB);
    });

    it('rejects a response over the limit', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'big', bytes: 2 * MiB + 1 });
      const error = await fail('ION_RESPONSE', { maxResponseBytes: 2 * MiB });
      assert.match(error.message, /larger than 2 MiB/);
      assert.equal(error.transient, false);
    });

    it('rejects a small response that would unpack to more than the limit', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'gzip-bomb', bytes: 8 * MiB });
      const error = await fail('ION_RESPONSE', { maxResponseBytes: 2 * MiB });
      assert.match(error.message, /larger than 2 MiB/);
    });

    it('reports a reset before the response as ION_NETWORK', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'reset' });
      const error = await fail('ION_NETWORK');
      assert.match(error.message, /broke before the response was complete/);
      assert.equal(error.transient, true);
      assert.equal(error.mayHaveRun, true);
    });

    it('reports a response that ends halfway as ION_NETWORK', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'half' });
      const error = await fail('ION_NETWORK');
      assert.match(error.message, /broke before the response was complete/);
      assert.equal(error.transient, true);
      assert.equal(error.mayHaveRun, true);
    });

    it('times out on a server that does not answer', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'hang' });
      const error = await fail('ION_TIMEOUT', { timeoutMs: 100 });
      assert.match(error.message, /no complete response within 0.1 s/);
      assert.equal(error.transient, true);
      assert.equal(error.mayHaveRun, true);
    });

    it('times out on a response that only drips, however steadily', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'drip', ms: 5 });
      await fail('ION_TIMEOUT', { timeoutMs: 150 });
    });

    it('continues after each of them', async () => {
      const { control } = ion.sandbox;
      const through = transport({ timeoutMs: 200 });
      const url = `${ion.sandbox.url}/graphql`;
      control.fault(
        { target: 'api', kind: 'reset' },
        { target: 'api', kind: 'half' },
        { target: 'api', kind: 'hang' },
      );
      await failure(post(through, url), 'ION_NETWORK');
      await failure(post(through, url), 'ION_NETWORK');
      await failure(post(through, url), 'ION_TIMEOUT');
      assert.equal((await post(through, url)).status, 401);
    });
  });

  describe('network', () => {
    it('knows that a refused connection delivered nothing', async () => {
      const port = await unusedPort();
      const error = await failure(post(transport(), `http://127.0.0.1:${port}`), 'ION_NETWORK');
      assert.match(error.message, new RegExp(`connection to 127\\.0\\.0\\.1:${port} was refused`));
      assert.equal(error.transient, true);
      assert.equal(error.mayHaveRun, false);
    });

    it('names a host that DNS does not know', async () => {
      // A label of more than 63 letters exists nowhere, so that no name server is needed.
      const host = `${'x'.repeat(64)}.invalid`;
      const error = await failure(post(transport(), `https://${host}/graphql`), 'ION_NETWORK');
      assert.match(error.message, /The name x+\.invalid cannot be found \(DNS\)/);
      assert.equal(error.mayHaveRun, false);
    });

    it('knows that an unreachable network received nothing', async () => {
      // No connection can lead to the broadcast address.
      const error = await failure(post(transport(), 'http://255.255.255.255/'), 'ION_NETWORK');
      assert.equal(error.transient, true);
      assert.equal(error.mayHaveRun, false);
    });

    it('reports a server that does not speak HTTP as ION_NETWORK', async () => {
      const server = closing(await tcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
      await failure(post(transport(), server.url), 'ION_NETWORK');
    });

    it('aborts when the signal aborts', async () => {
      const requests = new EventEmitter();
      const server = closing(
        await tcpServer((socket) => socket.on('data', () => requests.emit('request'))),
      );
      const controller = new AbortController();
      const result = failure(post(transport(), server.url, controller.signal), 'ION_CLOSED');
      await once(requests, 'request');
      controller.abort();
      assert.equal((await result).mayHaveRun, true);
    });

    for (const scheme of ['http', 'https'] as const) {
      it(`ends in time with a server that only accepts the connection (${scheme})`, async () => {
        const server = closing(await tcpServer((socket) => socket.resume()));
        const url = server.url.replace('http', scheme);
        const through = transport({ timeoutMs: 300 });
        const error = await failure(post(through, url), 'ION_TIMEOUT');
        assert.equal(error.mayHaveRun, scheme === 'http');
      });

      it(`aborts at once with a server that only accepts the connection (${scheme})`, async () => {
        const connections = new EventEmitter();
        const server = closing(
          await tcpServer((socket) => {
            socket.resume();
            connections.emit('connection');
          }),
        );
        const controller = new AbortController();
        const url = server.url.replace('http', scheme);
        const result = failure(post(transport(), url, controller.signal), 'ION_CLOSED');
        await once(connections, 'connection');
        controller.abort();
        await result;
      });
    }

    it('reports a server without TLS, and knows that it received nothing', async () => {
      const server = await answering(ANSWER);
      const url = server.url.replace('http', 'https');
      const error = await failure(post(transport(), url), 'ION_NETWORK');
      assert.match(error.message, /does not respond like an https server/);
      assert.deepEqual([error.transient, error.mayHaveRun], [false, false]);
    });

    it('knows that a connection that broke in its handshake carried nothing', async () => {
      const server = closing(
        await tcpServer((socket) => socket.once('data', () => socket.destroy())),
      );
      const url = server.url.replace('http', 'https');
      const error = await failure(post(transport(), url), 'ION_NETWORK');
      assert.match(error.message, /could not be established/);
      assert.deepEqual([error.transient, error.mayHaveRun], [true, false]);
    });

    it('sends nothing when the signal has aborted', async () => {
      const server = await answering(ANSWER);
      const error = await failure(post(transport(), server.url, AbortSignal.abort()), 'ION_CLOSED');
      assert.equal(error.mayHaveRun, false);
      assert.equal(server.connections, 0);
    });

    it('aborts requests in progress when it closes, and their connections', async () => {
      let closed: Promise<unknown> | undefined;
      const requests = new EventEmitter();
      const server = closing(
        await tcpServer((socket) => {
          closed = once(socket, 'close');
          socket.on('data', () => requests.emit('request'));
        }),
      );
      const through = transport();
      const result = failure(post(through, server.url), 'ION_CLOSED');
      await once(requests, 'request');
      await through.close();
      await result;
      await closed;
      await failure(post(through, server.url), 'ION_CLOSED');
    });
  });

  describe('TLS', () => {
    let certificate: Certificate;
    let other: Certificate;
    before(async () => {
      [certificate, other] = await Promise.all([
        selfSigned({ ip: '127.0.0.1' }),
        selfSigned({ name: 'ion.example' }),
      ]);
    });
    const secure = async (options: object = {}) =>
      closing(
        await httpServer((_request, response) => response.end(ANSWER), {
          ...certificate,
          ...options,
        }),
      );

    it('rejects a certificate that no known CA has signed', async () => {
      const server = await secure();
      const error = await failure(post(transport(), server.url), 'ION_NETWORK');
      assert.match(error.message, /certificate of 127\.0\.0\.1:\d+ is not trusted \(\w+\).*TLS/);
      assert.equal(error.transient, false);
      assert.equal(error.mayHaveRun, false);
    });

    /** The transport's error for a server, per kind of request. */
    const refusals = async (url: string, tls?: TransportOptions['tls']) => {
      const through = transport({ tls });
      const { signal } = new AbortController();
      const asked = (peer: Peer) =>
        through.post({ peer, url: new URL(url), headers: {}, body: '', signal });
      return Promise.all(
        PEERS.map(async (peer) => {
          const error = await failure(asked(peer), 'ION_NETWORK');
          assert.deepEqual([error.transient, error.mayHaveRun], [false, false]);
          return error.message;
        }),
      );
    };

    const DAY_MS = 86_400_000;
    const daysFromNow = (days: number) => new Date(Date.now() + days * DAY_MS);
    const outOfTime: [string, CertificateOptions, RegExp][] = [
      ['not valid yet', { from: daysFromNow(10), until: daysFromNow(20) }, /CERT_NOT_YET_VALID/],
      ['expired', { from: daysFromNow(-20), until: daysFromNow(-10) }, /CERT_HAS_EXPIRED/],
    ];
    for (const [what, options, code] of outOfTime) {
      it(`includes this machine's time in the error about a certificate that is ${what}`, async () => {
        const own = await madeCertificate({ ip: '127.0.0.1' }, options);
        const server = await secure(own);
        const hour = new Date().toISOString().slice(0, 13);
        // Only a client that trusts the CA checks the validity period.
        const messages = await refusals(server.url, { ca: own.cert });
        for (const message of messages.slice(0, 2)) {
          assert.match(message, code);
          assert.match(message, /not valid yet|has expired/);
          assert.ok(message.includes(`the clock of this machine (${hour}`), message);
          assert.doesNotMatch(message, /TLS configuration|CA certificate/);
        }
      });
    }

    it('names the host of a certificate for another host, with advice', async () => {
      const server = await secure(other);
      const [api, auth] = await refusals(server.url, { ca: other.cert });
      for (const message of [api, auth]) {
        assert.match(String(message), /is for another host .*127\.0\.0\.1 is not in/);
        assert.doesNotMatch(String(message), /CA certificate|trusted/);
      }
      assert.match(String(api), /server name in its TLS configuration/);
      assert.doesNotMatch(String(auth), /TLS configuration/);
      const named = transport({ tls: { ca: other.cert, servername: 'api.example' } });
      const error = await failure(post(named, server.url), 'ION_NETWORK');
      assert.match(error.message, /api\.example\. is not in .*ion\.example/);
    });

    it('says that a server requires a client certificate', async () => {
      const server = await secure({ requestCert: true, rejectUnauthorized: true, ca: other.cert });
      const through = transport({ tls: { ca: certificate.cert, maxVersion: 'TLSv1.2' } });
      const error = await failure(post(through, server.url), 'ION_NETWORK');
      assert.match(error.message, /client certificate.* TLS configuration/);
      assert.deepEqual([error.transient, error.mayHaveRun], [false, false]);
    });

    it('accepts it with its CA', async () => {
      const server = await secure();
      const through = transport({ tls: { ca: certificate.cert } });
      assert.equal((await post(through, server.url)).text, ANSWER);
    });

    it('rejects the certificate of another CA', async () => {
      const server = await secure();
      await failure(post(transport({ tls: { ca: other.cert } }), server.url), 'ION_NETWORK');
    });

    it('rejects the certificate of another host, also with its CA', async () => {
      const server = await secure(other);
      const through = transport({ tls: { ca: other.cert } });
      const error = await failure(post(through, server.url), 'ION_NETWORK');
      assert.match(error.message, /ERR_TLS_CERT_ALTNAME_INVALID/);
    });

    it('accepts any certificate only if verification is turned off', async () => {
      const server = await secure(other);
      const through = transport({ tls: { rejectUnauthorized: false } });
      assert.equal((await post(through, server.url)).text, ANSWER);
    });

    it('sends its certificate to a server that asks for one', async () => {
      const server = await secure({ requestCert: true, rejectUnauthorized: true, ca: other.cert });
      const tls = { ca: certificate.cert };
      await failure(post(transport({ tls }), server.url), 'ION_NETWORK');
      const through = transport({ tls: { ...tls, ...other } });
      assert.equal((await post(through, server.url)).text, ANSWER);
    });

    /** Data that a server learns about a client: the requested name and its certificate. */
    const learned = async () => {
      const seen: { name: string | false | null; hasCertificate: boolean }[] = [];
      const server = createTlsServer(
        { ...certificate, requestCert: true, rejectUnauthorized: false },
        (socket) => {
          const hasCertificate = Object.keys(socket.getPeerCertificate()).length > 0;
          seen.push({ name: socket.servername, hasCertificate });
          socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        },
      );
      server.on('tlsClientError', () => seen.push({ name: null, hasCertificate: false }));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      closing({ close: () => server.close() });
      const { port } = server.address() as AddressInfo;
      return { seen, url: `https://127.0.0.1:${port}` };
    };

    it('hides certificate and server name from the storage host', async () => {
      const server = await learned();
      const tls = { ...other, ca: certificate.cert, servername: 'ion.example' };
      const through = transport({ tls: { ...tls, rejectUnauthorized: false } });
      const { signal } = new AbortController();
      await post(through, server.url);
      assert.deepEqual(server.seen.splice(0), [{ name: 'ion.example', hasCertificate: true }]);
      const url = new URL(server.url);
      async function* body() {
        yield Buffer.from('x');
      }
      const upload = { url, headers: {}, size: 1, body: body(), signal };
      await failure(through.put(upload), 'ION_NETWORK');
      await failure(through.head(url, signal), 'ION_NETWORK');
      for (const { name, hasCertificate } of server.seen) {
        assert.notEqual(name, 'ion.example');
        assert.equal(hasCertificate, false);
      }
    });

    it('hides the server name from the auth server, which gets the certificate', async () => {
      const server = await learned();
      const tls = { ...other, ca: certificate.cert, servername: 'ion.example' };
      const through = transport({ tls });
      const { signal } = new AbortController();
      await through.post({ peer: 'auth', url: new URL(server.url), headers: {}, body: '', signal });
      assert.deepEqual(server.seen, [{ name: false, hasCertificate: true }]);
    });
  });

  describe('proxy', () => {
    let certificate: Certificate;
    before(async () => {
      certificate = await selfSigned({ name: 'ion.example.test' });
    });
    const secure = async (identity = certificate) =>
      closing(await httpServer((_request, response) => response.end(ANSWER), identity));
    const names = [
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'NO_PROXY',
      'http_proxy',
      'https_proxy',
      'no_proxy',
    ];
    /** The same server by a name that only the proxy knows. */
    const behindProxy = ({ url }: { url: string }) => url.replace('127.0.0.1', 'ion.example.test');
    afterEach(() => {
      for (const name of names) delete process.env[name];
    });

    it('tunnels http and https through the configured proxy', async () => {
      const proxy = closing(await startProxy());
      const [plain, tls] = [await answering(ANSWER), await secure()];
      const through = transport({
        proxy: { url: proxy.url, except: [] },
        tls: { ca: certificate.cert },
      });
      assert.equal((await post(through, behindProxy(plain))).text, ANSWER);
      assert.equal((await post(through, behindProxy(tls))).text, ANSWER);
      const targets = [plain, tls].map(({ port }) => `ion.example.test:${port}`);
      assert.deepEqual(proxy.targets, targets);
      assert.deepEqual(
        proxy.agents,
        targets.map(() => USER_AGENT),
      );
    });

    it('verifies the certificate behind the proxy', async () => {
      const proxy = closing(await startProxy());
      const server = await secure();
      const through = transport({ proxy: { url: proxy.url, except: [] } });
      await failure(post(through, behindProxy(server)), 'ION_NETWORK');
      assert.equal(proxy.targets.length, 1);
    });

    describe('with https', () => {
      const UNUSED = 'https://ion.example.test/';
      const trusting = (url: string, ...ca: string[]) =>
        transport({ proxy: { url, except: [] }, tls: { ca, servername: 'ion.example.test' } });
      const refusal = async (url: string, ...ca: string[]) => {
        const error = await failure(post(trusting(url, ...ca), UNUSED), 'ION_NETWORK');
        assert.deepEqual([error.transient, error.mayHaveRun], [false, false]);
        return error.message;
      };

      it('trusts the CA of the TLS configuration, for each host behind the proxy', async () => {
        const identity = await selfSigned({ ip: '127.0.0.1' });
        const proxy = closing(await startProxy(undefined, identity));
        const [plain, tls] = [await answering(ANSWER), await secure()];
        const through = trusting(proxy.url, certificate.cert, identity.cert);
        assert.equal((await post(through, behindProxy(tls))).text, ANSWER);
        const { signal } = new AbortController();
        assert.equal((await through.head(new URL(behindProxy(plain)), signal)).status, 200);
      });

      it('sends it no certificate', async () => {
        const identity = await selfSigned({ ip: '127.0.0.1' });
        const shown: boolean[] = [];
        const asking = { ...identity, requestCert: true, rejectUnauthorized: false };
        const server = createTlsServer(asking, (socket) => {
          shown.push(Object.keys(socket.getPeerCertificate()).length > 0);
          socket.on('error', () => {}).end('HTTP/1.1 403 Forbidden\r\n\r\n');
        });
        await once(server.listen(0, '127.0.0.1'), 'listening');
        closing({ close: () => server.close() });
        const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const tls = { ...certificate, ca: identity.cert };
        const through = transport({ proxy: { url, except: [] }, tls });
        await failure(post(through, UNUSED), 'ION_NETWORK');
        assert.deepEqual(shown, [false]);
      });

      it("says that a rejected certificate is the proxy's", async () => {
        const identity = await selfSigned({ ip: '127.0.0.1' });
        const old = await madeCertificate(
          { ip: '127.0.0.1' },
          { from: new Date('2020-01-01'), until: new Date('2021-01-01') },
        );
        const foreign = await selfSigned({ name: 'proxy.example.test' });
        const [proxy, expired, misnamed] = [
          closing(await startProxy(undefined, identity)),
          closing(await startProxy(undefined, old)),
          closing(await startProxy(undefined, foreign)),
        ];
        const unknown = await refusal(proxy.url);
        assert.ok(
          unknown.includes(`certificate of the proxy 127.0.0.1:${proxy.port} is not trusted`),
        );
        assert.match(await refusal(expired.url, old.cert), /the proxy 127.*has expired.*clock/);
        const message = await refusal(misnamed.url, foreign.cert);
        assert.match(message, /of the proxy 127\S+ is for another host.*URL of the proxy/);
      });

      it('says that a proxy with an https URL speaks http only', async () => {
        const proxy = closing(await startProxy());
        const message = await refusal(proxy.url.replace('http', 'https'));
        assert.match(message, /The proxy 127\S+ does not respond like an https server.*http:\/\//);
      });
    });

    it('connects directly to the exceptions', async () => {
      const proxy = closing(await startProxy());
      const through = transport({
        proxy: { url: proxy.url, except: ['example.com', 'ion.example.invalid'] },
      });
      await failure(post(through, 'http://ion.example.invalid/'), 'ION_NETWORK');
      assert.deepEqual(proxy.targets, []);
    });

    it('sends user and password to the proxy, with any characters', async () => {
      const proxy = closing(await startProxy({ user: 'plant 4', password: 'p@ss:w/rd%' }));
      const server = await answering(ANSWER);
      const url = `http://plant%204:p%40ss%3Aw%2Frd%25@127.0.0.1:${proxy.port}`;
      const through = transport({ proxy: { url, except: [] } });
      assert.equal((await post(through, behindProxy(server))).text, ANSWER);
    });

    it('reports a refusal by the proxy, without its password', async () => {
      const proxy = closing(await startProxy({ user: 'user', password: 'right' }));
      const server = await answering(ANSWER);
      const url = `http://user:S3CRET@127.0.0.1:${proxy.port}`;
      const error = await failure(
        post(transport({ proxy: { url, except: [] } }), behindProxy(server)),
        'ION_NETWORK',
      );
      assert.match(error.message, /proxy.*407/i);
      assert.equal(error.mayHaveRun, false);
      assert.doesNotMatch(everythingIn(error), /S3CRET/);
      assert.equal(server.connections, 0);
    });

    it('ignores the body of a refusal by the proxy', async () => {
      const proxy = await httpServer((_request, response) => {
        response.writeHead(407).end(Buffer.alloc(600_000, 0xff));
      });
      closing(proxy);
      const unused = 'http://ion.example.test/';
      const through = transport({ proxy: { url: proxy.url, except: [] }, connections: 1 });
      const rejections: unknown[] = [];
      const listeners = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      process.on('unhandledRejection', (reason) => rejections.push(reason));
      try {
        // The connection is free for another one when the body has been read.
        for (let sent = 0; sent < 3; sent++) await failure(post(through, unused), 'ION_NETWORK');
      } finally {
        process.removeAllListeners('unhandledRejection');
        for (const listener of listeners) process.on('unhandledRejection', listener);
      }
      assert.deepEqual(rejections, []);
    });

    it('names a proxy that DNS does not know', async () => {
      const host = `${'x'.repeat(64)}.invalid`;
      const through = transport({ proxy: { url: host, except: [] } });
      const error = await failure(post(through, 'https://ion.example.test/'), 'ION_NETWORK');
      assert.match(error.message, /The name x+\.invalid cannot be found .* URL of the proxy/);
    });

    it('reports a proxy that cannot be reached', async () => {
      const server = await answering(ANSWER);
      const url = `http://127.0.0.1:${await unusedPort()}`;
      const error = await failure(
        post(transport({ proxy: { url, except: [] } }), behindProxy(server)),
        'ION_NETWORK',
      );
      assert.equal(error.mayHaveRun, false);
      assert.equal(server.connections, 0);
    });

    it('rejects an invalid proxy URL, without its password', () => {
      for (const url of ['socks5://proxy.example', 'http://user:S3CRET@proxy example']) {
        const error = thrown(() => transport({ proxy: { url, except: [] } }), 'ION_CONFIG');
        assert.match(error.message, /proxy/);
        assert.doesNotMatch(everythingIn(error), /S3CRET/);
        process.env.HTTPS_PROXY = url;
        assert.match(thrown(() => transport(), 'ION_CONFIG').message, /HTTPS_PROXY/);
      }
    });

    for (const [name, scheme] of [
      ['HTTPS_PROXY', 'https'],
      ['https_proxy', 'https'],
      ['HTTP_PROXY', 'http'],
      ['http_proxy', 'http'],
    ] as const) {
      it(`takes the proxy for ${scheme} from ${name}, also without a scheme`, async () => {
        const proxy = closing(await startProxy({ user: 'user', password: 'p@ss' }));
        const named = await selfSigned({ name: 'ion.example.test' });
        const server = scheme === 'https' ? await secure(named) : await answering(ANSWER);
        const address = `user:p%40ss@127.0.0.1:${proxy.port}`;
        const url = `${scheme}://ion.example.test:${server.port}`;
        for (const value of [`http://${address}`, ` ${address}\n`]) {
          process.env[name] = value;
          const through = transport({ tls: { ca: named.cert } });
          assert.equal((await post(through, url)).text, ANSWER);
          assert.deepEqual(proxy.targets.splice(0), [`ion.example.test:${server.port}`]);
        }
      });
    }

    it('is never used for this machine, with any settings', async () => {
      const proxy = closing(await startProxy());
      const server = await answering(ANSWER);
      Object.assign(process.env, { HTTP_PROXY: proxy.url, NO_PROXY: 'example.com' });
      const set = { proxy: { url: proxy.url, except: ['example.com'] } };
      for (const options of [{}, set]) {
        for (const host of ['127.0.0.1', 'localhost', '127.0.0.2', '0177.0.0.1', 'LOCALHOST']) {
          // Not every machine listens there; the test only checks who is asked.
          await post(transport(options), `http://${host}:${server.port}`).catch(() => {});
        }
      }
      assert.ok(server.connections > 0);
      assert.deepEqual(proxy.targets, []);
    });

    for (const name of ['NO_PROXY', 'no_proxy']) {
      it(`takes exceptions from ${name}`, async () => {
        const proxy = closing(await startProxy());
        Object.assign(process.env, {
          HTTP_PROXY: proxy.url.replace('http://', ''),
          [name]: 'example.com,example.invalid',
        });
        await failure(post(transport(), 'http://ion.example.invalid/'), 'ION_NETWORK');
        assert.deepEqual(proxy.targets, []);
      });
    }

    for (const scheme of ['http', 'https'] as const) {
      it(`ends in time behind a proxy that does not answer (${scheme})`, async () => {
        const silent = closing(await tcpServer((socket) => socket.resume()));
        const through = transport({ timeoutMs: 300, proxy: { url: silent.url, except: [] } });
        await failure(post(through, `${scheme}://ion.example.test/`), 'ION_TIMEOUT');
      });
    }

    it('prefers the configured proxy to the environment, including exceptions', async () => {
      const [proxy, ignored] = [closing(await startProxy()), closing(await startProxy())];
      const server = await answering(ANSWER);
      Object.assign(process.env, { HTTP_PROXY: ignored.url, NO_PROXY: 'ion.example.test' });
      const through = transport({ proxy: { url: proxy.url, except: [] } });
      assert.equal((await post(through, behindProxy(server))).text, ANSWER);
      assert.equal(proxy.targets.length, 1);
      assert.deepEqual(ignored.targets, []);
    });
  });
});
