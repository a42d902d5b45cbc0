import assert from 'node:assert/strict';
import { createPrivateKey, createSign, generateKeyPairSync } from 'node:crypto';
import { requestToken, start, type TestSandbox } from './client.js';

const ME = JSON.stringify({ query: '{ me { name organization { domain } } }' });

describe('sandbox: tokens', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  after(() => sandbox.close());

  const me = async (authorization?: string) => {
    const response = await sandbox.post(ME, authorization === undefined ? {} : { authorization });
    const body = (await response.json()) as { errors?: { message: string }[]; data?: unknown };
    return { status: response.status, body, message: body.errors?.[0]?.message };
  };

  it('exchanges the API key for a JWT with the stated lifetime', async () => {
    const response = await requestToken(sandbox.authUrl, sandbox.clientId, sandbox.clientSecret, {
      audience: 'https://anything.example.test',
    });
    assert.equal(response.status, 200);
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body.expires_in, 300);
    assert.equal(body.token_type, 'Bearer');
    const claims = JSON.parse(
      Buffer.from(String(body.access_token).split('.')[1] ?? '', 'base64url').toString(),
    );
    assert.equal(claims.exp - claims.iat, 300);
    assert.equal(claims.aud, sandbox.url);
  });

  it('changes the lifetime of new tokens at run time', async () => {
    sandbox.control.set({ tokenLifetime: 7 });
    const response = await requestToken(sandbox.authUrl, sandbox.clientId, sandbox.clientSecret);
    sandbox.control.set({ tokenLifetime: 300 });
    assert.equal(((await response.json()) as { expires_in: number }).expires_in, 7);
  });

  for (const [why, id, secret] of [
    ['an unknown key', 'nobody', undefined],
    ['a wrong secret', undefined, 'wrong'],
  ] as const) {
    it(`rejects ${why} like Keycloak`, async () => {
      const response = await requestToken(
        sandbox.authUrl,
        id ?? sandbox.clientId,
        secret ?? sandbox.clientSecret,
      );
      assert.equal(response.status, 401);
      assert.deepEqual(await response.json(), {
        error: 'invalid_client',
        error_description: 'Invalid client or Invalid client credentials',
      });
    });
  }

  it('rejects a disabled key until it is enabled again', async () => {
    const status = async () =>
      (await requestToken(sandbox.authUrl, sandbox.clientId, sandbox.clientSecret)).status;
    sandbox.control.set({ keyEnabled: false });
    assert.equal(await status(), 401);
    sandbox.control.set({ keyEnabled: true });
    assert.equal(await status(), 200);
  });

  it('publishes its endpoints', async () => {
    const realm = `${sandbox.authUrl}/realms/api-keys`;
    const response = await fetch(`${realm}/.well-known/openid-configuration`);
    const metadata = (await response.json()) as Record<string, unknown>;
    assert.equal(metadata.issuer, realm);
    assert.equal(metadata.token_endpoint, `${realm}/protocol/openid-connect/token`);
    const keys = await fetch(String(metadata.jwks_uri));
    assert.equal(((await keys.json()) as { keys: unknown[] }).keys.length, 1);
  });

  for (const scheme of ['', 'Bearer ', 'Token ']) {
    it(`accepts "Authorization: ${scheme}<token>"`, async () => {
      const { status, body } = await me(scheme + (await sandbox.token()));
      assert.equal(status, 200);
      assert.deepEqual(body.data, {
        me: { name: 'Sandbox Service Account', organization: { domain: 'example.test' } },
      });
    });
  }

  for (const [authScheme, accepted] of [
    ['raw', ''],
    ['bearer', 'Bearer '],
  ] as const) {
    it(`accepts tokens only as "${accepted}<token>" with the setting "${authScheme}"`, async () => {
      const token = await sandbox.token();
      sandbox.control.set({ authScheme });
      try {
        for (const scheme of ['', 'Bearer ', 'Token ']) {
          const { status, message } = await me(scheme + token);
          if (scheme === accepted) assert.equal(status, 200);
          else assert.equal(message, 'Unable to parse authentication token');
        }
      } finally {
        sandbox.control.set({ authScheme: 'both' });
      }
    });
  }

  for (const [tokenPath, ...statuses] of [
    ['both', 200, 200],
    ['new', 200, 404],
    ['old', 404, 200],
  ] as const) {
    it(`issues tokens at these paths with the setting "${tokenPath}"`, async () => {
      sandbox.control.set({ tokenPath });
      try {
        for (const server of [sandbox.authUrl, sandbox.foreignAuthUrl]) {
          const answers = [server, `${server}/auth`].map(async (base) => {
            const { clientId, clientSecret } = sandbox;
            return (await requestToken(base, clientId, clientSecret)).status;
          });
          assert.deepEqual(await Promise.all(answers), statuses);
        }
      } finally {
        sandbox.control.set({ tokenPath: 'both' });
      }
    });
  }

  it('asks for a missing token', async () => {
    const { status, body } = await me();
    assert.equal(status, 401);
    assert.deepEqual(body, { errors: [{ message: 'Please provide proper credentials' }] });
  });

  it('does not parse a garbled or truncated token', async () => {
    const token = await sandbox.token();
    for (const bad of ['abc', 'Bearer a.b.c', token.slice(0, -20), `${token}x.y`]) {
      const { status, message } = await me(bad);
      assert.equal(status, 401);
      assert.equal(message, 'Unable to parse authentication token');
    }
  });

  it('does not know the key of another environment', async () => {
    const { status, message } = await me(await sandbox.token(sandbox.foreignAuthUrl));
    assert.equal(status, 401);
    assert.equal(message, 'Unable to find appropriate RSA key');
  });

  it('verifies the signature, not only the name of the key', async () => {
    const [head, payload] = (await sandbox.token()).split('.');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const signature = createSign('RSA-SHA256').update(`${head}.${payload}`).sign(key, 'base64url');
    const { status, message } = await me(`${head}.${payload}.${signature}`);
    assert.equal(status, 401);
    assert.equal(message, 'Unable to parse authentication token');
  });

  it('rejects an expired token', async () => {
    const token = await sandbox.token();
    const now = Date.now;
    try {
      // The API's clock moves ahead, with the same effect as waiting.
      Date.now = () => now() + 302_000;
      assert.equal((await me(token)).message, 'Token is expired.');
      Date.now = () => now() + 298_000;
      assert.equal((await me(token)).status, 200);
    } finally {
      Date.now = now;
    }
  });

  it('rejects every token issued before a revocation, and none after it', async () => {
    const before = await sandbox.token();
    assert.equal((await sandbox.http('POST', 'tokens/revoke')).status, 204);
    const { status, message } = await me(before);
    assert.equal(status, 401);
    assert.equal(message, 'Token has been revoked.');
    assert.equal((await me(await sandbox.token())).status, 200);
  });

  it('rejects the token of another sandbox', async () => {
    const other = await start({ runs: 1 });
    try {
      const { message } = await me(await other.token());
      assert.equal(message, 'Unable to find appropriate RSA key');
    } finally {
      await other.close();
    }
  });

  it('creates API keys that work at the token endpoint until they are disabled', async () => {
    const { createApiKey } = await sandbox.ask(
      'mutation { createApiKey { apikey { clientId clientSecret enabled _etag } } }',
    );
    const { clientId, clientSecret, _etag } = createApiKey.apikey;
    assert.equal((await requestToken(sandbox.authUrl, clientId, clientSecret)).status, 200);
    const listed = await sandbox.ask('{ apiKeys { edges { node { clientId clientSecret } } } }');
    assert.deepEqual(listed.apiKeys.edges.at(-1).node, { clientId, clientSecret: null });
    const { updateApiKey } = await sandbox.ask(
      'mutation ($input: APIKeyInput!) { updateApiKey(input: $input) { apikey { enabled _etag } } }',
      { input: { clientId, _etag, enabled: false } },
    );
    assert.equal(updateApiKey.apikey.enabled, false);
    assert.equal((await requestToken(sandbox.authUrl, clientId, clientSecret)).status, 401);
    const enabled = await sandbox.ask(
      'mutation ($input: APIKeyInput!) { updateApiKey(input: $input) { apikey { clientSecret _etag } } }',
      {
        input: {
          clientId,
          _etag: updateApiKey.apikey._etag,
          enabled: true,
          regenerateSecret: true,
        },
      },
    );
    const renewed = enabled.updateApiKey.apikey;
    assert.equal((await requestToken(sandbox.authUrl, clientId, clientSecret)).status, 401);
    assert.equal((await requestToken(sandbox.authUrl, clientId, renewed.clientSecret)).status, 200);
    await sandbox.ask(
      'mutation ($input: APIKeyInput!) { deleteApiKey(input: $input) { apikey { id } } }',
      { input: { clientId, _etag: renewed._etag } },
    );
    assert.equal((await requestToken(sandbox.authUrl, clientId, renewed.clientSecret)).status, 401);
  });
});
