import assert from 'node:assert/strict';
import {
  referenceIn,
  referenceInUrl,
  variableOf,
} from '../../../nodes/client/support/references.js';

describe('references to environment variables', () => {
  it('are recognized if they are the whole text', () => {
    for (const text of ['${ION_SECRET}', '$(ION_SECRET)', ' ${ION_SECRET}\n']) {
      assert.equal(variableOf(text), 'ION_SECRET', text);
    }
    assert.equal(variableOf('${$parent.SECRET}'), '$parent.SECRET');
    assert.equal(variableOf('${Gerät-1.x}'), 'Gerät-1.x');
  });

  it('are not recognized in secrets that merely look similar', () => {
    const secrets = ['a${B}c', '${B}c', 'a${B}', '$B', '${}', '${9a!}', '$(a b)', '${A}${B}', 5];
    for (const secret of secrets) assert.equal(variableOf(secret), undefined, String(secret));
  });

  it('are found in URLs, in any notation', () => {
    const urls = {
      'https://${HOST}/graphql': '${HOST}',
      'https://api.example.com/${TENANT}': '${TENANT}',
      '${HOST}/graphql': '${HOST}',
      'https://${A}.${B}': '${A}',
      'https://$(HOST)/graphql': '$(HOST)',
      'https://{{HOST}}/graphql': '{{HOST}}',
      'https://$HOST:443/graphql': '$HOST',
      $HOST: '$HOST',
    };
    for (const [url, reference] of Object.entries(urls)) {
      assert.equal(referenceInUrl(url), reference, url);
    }
  });

  it('are not found in URLs without them', () => {
    const password = 'http://line4:pa$$(w{{0}}rd@proxy.example.com:3128';
    for (const url of ['https://api.example.com/$metadata', password, '', undefined, {}]) {
      assert.equal(referenceInUrl(url), undefined, String(url));
    }
    assert.equal(referenceIn('https://$HOST'), undefined);
  });
});
