import '../../support/no-proxy.js';
import assert from 'node:assert/strict';
import { proxiesFor, proxyUrl } from '../../../nodes/client/http/proxies.js';
import { everythingIn, thrown } from '../../support/errors.js';

describe('proxies', () => {
  const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];
  afterEach(() => {
    for (const name of names) delete process.env[name];
  });

  const understood: [string, string][] = [
    ['proxy.corp:3128', 'http://proxy.corp:3128/'],
    ['proxy', 'http://proxy/'],
    ['localhost:3128', 'http://localhost:3128/'],
    ['10.1.2.3:8080', 'http://10.1.2.3:8080/'],
    ['10.1.2.3', 'http://10.1.2.3/'],
    ['[fd00::1]:3128', 'http://[fd00::1]:3128/'],
    ['user:pass@proxy.corp:3128', 'http://user:pass@proxy.corp:3128/'],
    ['plant%204:p%40ss%2F%25@proxy:3128', 'http://plant%204:p%40ss%2F%25@proxy:3128/'],
    ['http://proxy.corp:3128', 'http://proxy.corp:3128/'],
    ['HTTP://Proxy.Corp:3128/', 'http://proxy.corp:3128/'],
    ['https://proxy.corp', 'https://proxy.corp/'],
    ['//proxy.corp:3128', 'http://proxy.corp:3128/'],
    [' http://proxy.corp:3128\n', 'http://proxy.corp:3128/'],
    ['\tproxy.corp:3128 ', 'http://proxy.corp:3128/'],
    ['proxy_1.corp:3128', 'http://proxy_1.corp:3128/'],
  ];
  for (const [text, url] of understood) {
    it(`are parsed from ${JSON.stringify(text)}`, () => {
      assert.equal(proxyUrl('It', text).href, url);
      for (const name of names) {
        process.env[name] = text;
        const { http, https } = proxiesFor(undefined) ?? {};
        assert.equal(name.toLowerCase() === 'http_proxy' ? http : https, url);
        delete process.env[name];
      }
      assert.deepEqual(proxiesFor({ url: text, except: ['a', 'b'] }), {
        http: url,
        https: url,
        except: 'a,b',
      });
    });
  }

  const refused = [
    'socks5://user:LEAKEDSECRET@proxy.corp:1080',
    'socks://proxy.corp',
    'ftp://proxy.corp',
    'ws://proxy.corp',
    'file:///etc/proxy.pac',
    'http://proxy.corp/proxy.pac',
    'http://',
    ':3128',
    '3128',
    'proxy corp:3128',
    'proxy.corp:99999',
    'proxy.corp:port',
    'http=proxy.corp:80;https=LEAKEDSECRET:81',
    'http=proxy.corp',
    '"http://user:LEAKEDSECRET@proxy.corp:3128"',
    'user:LEAKEDSECRET/x@proxy.corp:3128',
    'user:LEAKEDSECRET#x@proxy.corp:3128',
    'user:LEAKEDSECRET%zz@proxy.corp:3128',
    'http://user:LEAKED\nSECRET@proxy.corp',
    'http://user:LEAKEDSECRET@proxy example',
  ];
  for (const text of refused) {
    it(`are not ${JSON.stringify(text)}, and the error names the variable, not the value`, () => {
      for (const name of names) {
        process.env[name] = text;
        const error = thrown(() => proxiesFor(undefined), 'ION_CONFIG');
        assert.match(error.message, new RegExp(`^The environment variable ${name} `));
        assert.doesNotMatch(everythingIn(error), /LEAKED|SECRET/);
        delete process.env[name];
      }
      const error = thrown(() => proxiesFor({ url: text, except: [] }), 'ION_CONFIG');
      assert.match(error.message, /^The URL of the proxy configuration /);
      assert.doesNotMatch(everythingIn(error), /LEAKED|SECRET/);
    });
  }

  it('of another kind are distinguished from invalid ones', () => {
    const says = (text: string) => thrown(() => proxyUrl('It', text), 'ION_CONFIG').message;
    assert.match(says('socks5://proxy.corp'), /neither http nor https/);
    assert.match(says('http://'), /is not the URL of a proxy/);
  });

  it('are none if variables are empty or blank', () => {
    assert.equal(proxiesFor(undefined), undefined);
    for (const name of names) process.env[name] = ' ';
    assert.equal(proxiesFor(undefined), undefined);
  });

  it('are taken from lower-case variables first', () => {
    Object.assign(process.env, { https_proxy: 'small:1', HTTPS_PROXY: 'LARGE:2' });
    // On Windows both are the same variable.
    if (process.platform === 'win32') return;
    assert.equal(proxiesFor(undefined)?.https, 'http://small:1/');
  });
});
