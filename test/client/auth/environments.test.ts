import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type EndpointSettings,
  type EnvironmentName,
  environments,
  resolveEndpoints,
} from '../../../nodes/client/auth/environments.js';
import { everythingIn, thrown } from '../../support/errors.js';

const REALM = '/realms/api-keys/protocol/openid-connect/token';

const custom = (settings: Partial<EndpointSettings>) =>
  resolveEndpoints({
    environment: 'custom',
    apiUrl: 'https://api.example.com',
    authUrl: 'https://auth.example.com',
    ...settings,
  });

describe('environments', () => {
  // As published in the ION manual, page "Access Tokens".
  const published: [EnvironmentName, string, string, string][] = [
    [
      'production',
      'https://api.buildwithion.com',
      'https://auth.buildwithion.com',
      'https://app.firstresonance.io',
    ],
    [
      'staging',
      'https://staging-api.buildwithion.com',
      'https://staging-auth.buildwithion.com',
      'https://staging.firstresonance.io',
    ],
    [
      'gov-production',
      'https://api-production-gov.buildwithion.com',
      'https://auth-production-gov.buildwithion.com',
      'https://app.ion-gov.com',
    ],
    [
      'gov-staging',
      'https://api-staging-gov.buildwithion.com',
      'https://auth-staging-gov.buildwithion.com',
      'https://staging.ion-gov.com',
    ],
    [
      'aus-production',
      'https://api-production-aus.buildwithion.com',
      'https://auth-production-aus.buildwithion.com',
      'https://app.ion-aus.com',
    ],
    [
      'aus-staging',
      'https://api-staging-aus.buildwithion.com',
      'https://auth-staging-aus.buildwithion.com',
      'https://staging.ion-aus.com',
    ],
  ];

  for (const [environment, api, auth, app] of published) {
    it(`${environment} leads to ${new URL(api).host}`, () => {
      const { graphqlUrl, tokenUrl, audience } = resolveEndpoints({ environment });
      assert.equal(graphqlUrl.href, `${api}/graphql`);
      assert.equal(tokenUrl.href, auth + REALM);
      assert.equal(audience, api);
      assert.equal(environments[environment as keyof typeof environments].appUrl, app);
    });
  }

  it('are all published ones and no others', () => {
    assert.deepEqual(
      Object.keys(environments),
      published.map(([name]) => name),
    );
  });

  it('ignore URLs that were entered for a custom one', () => {
    const { graphqlUrl, tokenUrl } = resolveEndpoints({
      environment: 'production',
      apiUrl: 'https://elsewhere.example',
      authUrl: 'https://elsewhere.example',
    });
    assert.equal(graphqlUrl.host, 'api.buildwithion.com');
    assert.equal(tokenUrl.host, 'auth.buildwithion.com');
  });

  it('are rejected if unknown', () => {
    const environment = 'mars-production' as EnvironmentName;
    const error = thrown(() => resolveEndpoints({ environment }), 'ION_CONFIG');
    assert.match(error.message, /^The environment "mars-production" is not known\./);
    for (const odd of ['constructor', 5]) {
      const settings = { environment: odd as EnvironmentName, apiUrl: 'https://a.example' };
      const { message } = thrown(() => resolveEndpoints(settings), 'ION_CONFIG');
      assert.match(message, odd === 5 ? /^The environment is not known/ : /"constructor"/);
    }
  });

  describe('custom API URL', () => {
    const cases: [string, string, string][] = [
      ['https://api.example.com', 'https://api.example.com/graphql', 'https://api.example.com'],
      [
        'https://api.example.com/graphql',
        'https://api.example.com/graphql',
        'https://api.example.com',
      ],
      [
        'https://api.example.com/graphql/',
        'https://api.example.com/graphql',
        'https://api.example.com',
      ],
      ['https://api.example.com///', 'https://api.example.com/graphql', 'https://api.example.com'],
      ['api.example.com', 'https://api.example.com/graphql', 'https://api.example.com'],
      [
        'api.example.com:8443/graphql',
        'https://api.example.com:8443/graphql',
        'https://api.example.com:8443',
      ],
      ['  https://API.example.com ', 'https://api.example.com/graphql', 'https://api.example.com'],
      [
        'https://gateway.example/ion/',
        'https://gateway.example/ion/graphql',
        'https://gateway.example/ion',
      ],
      [
        'https://gateway.example/ion/graphql',
        'https://gateway.example/ion/graphql',
        'https://gateway.example/ion',
      ],
      ['api.ion-gov.com', 'https://api.ion-gov.com/graphql', 'https://api.ion-gov.com'],
      ['http://localhost:4000', 'http://localhost:4000/graphql', 'http://localhost:4000'],
      ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/graphql', 'http://127.0.0.1:4000'],
      ['http://127.1.2.3', 'http://127.1.2.3/graphql', 'http://127.1.2.3'],
      ['http://[::1]:4000', 'http://[::1]:4000/graphql', 'http://[::1]:4000'],
    ];
    for (const [apiUrl, graphqlUrl, audience] of cases) {
      it(`"${apiUrl}" becomes ${graphqlUrl}`, () => {
        const endpoints = custom({ apiUrl });
        assert.equal(endpoints.graphqlUrl.href, graphqlUrl);
        assert.equal(endpoints.audience, audience);
      });
    }
  });

  describe('custom auth URL', () => {
    const cases: [string, string][] = [
      ['https://auth.example.com', `https://auth.example.com${REALM}`],
      ['https://auth.example.com//', `https://auth.example.com${REALM}`],
      ['auth.ion-gov.com', `https://auth.ion-gov.com${REALM}`],
      ['auth.example.com:8443', `https://auth.example.com:8443${REALM}`],
      // Keycloak before version 17, and ION before March 2024.
      ['https://auth.example.com/auth', `https://auth.example.com/auth${REALM}`],
      [
        `https://auth.example.com/auth${REALM}`,
        'https://auth.example.com/auth/realms/api-keys/protocol/openid-connect/token',
      ],
      ['https://auth.example.com/realms/api-keys/', `https://auth.example.com${REALM}`],
      ['https://login.example/oauth/token', 'https://login.example/oauth/token'],
      ['https://login.example/oauth/token/', 'https://login.example/oauth/token'],
      ['login.example/oauth/token', 'https://login.example/oauth/token'],
    ];
    for (const [authUrl, tokenUrl] of cases) {
      it(`"${authUrl}" becomes ${tokenUrl}`, () => {
        assert.equal(custom({ authUrl }).tokenUrl.href, tokenUrl);
      });
    }
  });

  it('send another audience if one is entered', () => {
    assert.equal(custom({ audience: ' https://ion.example ' }).audience, 'https://ion.example');
    assert.equal(custom({ audience: '   ' }).audience, 'https://api.example.com');
    const { message } = thrown(() => custom({ audience: 'a\nb' }), 'ION_CONFIG');
    assert.match(message, /^The audience .* line break/);
  });

  it('allow plain http to another host only if configured', () => {
    for (const which of ['apiUrl', 'authUrl'] as const) {
      const error = thrown(() => custom({ [which]: 'http://ion.plant.example' }), 'ION_CONFIG');
      assert.match(error.message, /ion\.plant\.example.*unencrypted/);
      const allowed = custom({ [which]: 'http://ion.plant.example', allowHttp: true });
      const url = which === 'apiUrl' ? allowed.graphqlUrl : allowed.tokenUrl;
      assert.equal(url.origin, 'http://ion.plant.example');
    }
  });

  describe('with two slashes in a path', () => {
    // Each of these leads a careless program to "other.example".
    const paths = [
      '//other.example',
      '/\\other.example',
      '/.//other.example',
      '/x/..//other.example',
    ];
    for (const path of [...paths, '/a//b', `/${'/'.repeat(1500)}x`]) {
      for (const host of ['http://localhost', 'https://good.example']) {
        it(`are refused: ${`${host}${path}`.slice(0, 50)}`, () => {
          for (const name of ['apiUrl', 'authUrl']) {
            const { message } = thrown(() => custom({ [name]: host + path }), 'ION_CONFIG');
            assert.match(message, /has "\/\/" in its path|plain URL|starts with/);
          }
        });
      }
    }

    it('are accepted if these are its end', () => {
      const { graphqlUrl, tokenUrl } = custom({
        apiUrl: 'https://api.example.com/ion//',
        authUrl: 'https://auth.example.com//',
      });
      assert.equal(graphqlUrl.href, 'https://api.example.com/ion/graphql');
      assert.equal(tokenUrl.href, `https://auth.example.com${REALM}`);
    });
  });

  it('keep the entered host, whatever the path', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), (path) => {
        const settings = { apiUrl: `https://good.example/${path}`, authUrl: 'good.example' };
        try {
          const { graphqlUrl, tokenUrl, audience } = custom(settings);
          assert.equal(graphqlUrl.host, 'good.example');
          assert.equal(tokenUrl.host, 'good.example');
          assert.ok(audience.startsWith('https://good.example'));
        } catch (refused) {
          assert.equal((refused as { code?: string }).code, 'ION_CONFIG', String(refused));
        }
      }),
    );
  });

  it('are rejected if they are too long for a URL', () => {
    const error = thrown(
      () => custom({ apiUrl: `https://a.example/${'x'.repeat(5000)}` }),
      'ION_CONFIG',
    );
    assert.ok(error.message.length < 500);
  });

  describe('rejected URL', () => {
    const cases: [string, string | undefined, RegExp][] = [
      ['nothing', undefined, /The (API|auth) URL is empty/],
      ['an empty text', '', /is empty/],
      ['blanks', '   ', /is empty/],
      ['garbage', 'not a url', / "not a url" is not a valid URL/],
      ['a number', 5 as unknown as string, /The (API|auth) URL is not a valid URL/],
      ['a host that is too long', `https://${'a.'.repeat(126)}com`, /is not a valid URL/],
      [
        'a user and blanks',
        'https://me@api b.example',
        / "https:\/\/\*\*\*@api b\.example" is not/,
      ],
      ['a user without a scheme', 'me@api b.example', / "\*\*\*@api b\.example" is not/],
      ['a query and blanks', 'https://a b.example/?x', / "https:\/\/a b\.example\/" is not/],
      ['no host', 'https://', /not a valid URL/],
      ['a port that is none', 'https://api.example.com:port', /not a valid URL/],
      ['a query', 'https://api.example.com/?tenant=1', /plain URL/],
      ['a fragment', 'https://api.example.com/#top', /plain URL/],
      ['user and password', 'https://user:pass@api.example.com', /plain URL/],
      ['a user', 'https://user@api.example.com', /plain URL/],
      ['ftp', 'ftp://api.example.com', /starts with "ftp:"/],
      ['a file', 'file:///etc/hosts', /starts with "file:"/],
      ['a web socket', 'wss://api.example.com', /starts with "wss:"/],
      [
        'http to a host that only begins like this machine',
        'http://127.0.0.1.evil.example',
        /http/,
      ],
      ['http to a host named after this machine', 'http://localhost.evil.example', /plain http/],
    ];
    for (const which of ['apiUrl', 'authUrl'] as const) {
      for (const [what, url, message] of cases) {
        it(`${what} as ${which}`, () => {
          assert.match(thrown(() => custom({ [which]: url }), 'ION_CONFIG').message, message);
        });
      }
    }
  });

  describe('do not reveal a secret in a mistyped URL', () => {
    const cases = [
      'https://key:S3CRET@api.example.com',
      'key:S3CRET@api.example.com',
      'https://key:S3CRET@api example.com',
      'key:S3CRET@api example.com',
      'https://key:S3/S3CRET@api.example.com',
      'https://key:S3@S3CRET@api example.com',
      'https://api.example.com/?client_secret=S3CRET',
      'https://api example.com/?client_secret=S3CRET',
      'https://api example.com/#S3CRET',
      'ftp://key:S3CRET@api.example.com',
      'http://key:S3CRET@api.example.com',
    ];
    for (const apiUrl of cases) {
      it(apiUrl, () => {
        const error = thrown(() => custom({ apiUrl }), 'ION_CONFIG');
        assert.doesNotMatch(everythingIn(error), /S3CRET/);
      });
    }
  });
});
