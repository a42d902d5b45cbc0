import assert from 'node:assert/strict';
import {
  AuthSchemes,
  authorization,
  otherScheme,
} from '../../../nodes/client/auth/auth-schemes.js';
import { failure } from '../../support/errors.js';

describe('the form of the authorization header', () => {
  const { signal } = new AbortController();

  it('is the chosen one; the automatic one begins with the bare token', () => {
    const chosen = (['raw', 'bearer', 'auto'] as const).map((setting) => {
      const { current, isAutomatic } = new AuthSchemes(setting);
      return [authorization(current, 'token'), isAutomatic];
    });
    assert.deepEqual(chosen, [
      ['token', false],
      ['Bearer token', false],
      ['token', true],
    ]);
    assert.deepEqual((['raw', 'bearer'] as const).map(otherScheme), ['bearer', 'raw']);
  });

  it('changes to the other one only if a request with that one worked', async () => {
    for (const works of [true, false]) {
      const schemes = new AuthSchemes('auto');
      const result = await schemes.try(
        'bearer',
        async () => 'response',
        () => works,
      );
      assert.equal(result, 'response');
      assert.equal(schemes.current, works ? 'bearer' : 'raw');
      assert.equal(schemes.isTrying, false);
    }
  });

  it('lets other requests wait for the one that tries it', async () => {
    const schemes = new AuthSchemes('auto');
    let respond: (result: string) => void = () => {};
    const trial = schemes.try(
      'bearer',
      () => new Promise<string>((resolve) => (respond = resolve)),
      () => true,
    );
    assert.equal(schemes.isTrying, true);
    const waiting = schemes.trialEnded(signal);
    const closing = new AbortController();
    const closed = failure(schemes.trialEnded(closing.signal), 'ION_CLOSED');
    closing.abort();
    await closed;
    respond('yes');
    assert.equal(await waiting, true);
    await trial;
    assert.equal(await schemes.trialEnded(signal), true);
  });

  it('lets no request wait for more than a second', async () => {
    const schemes = new AuthSchemes('auto');
    let fail: (error: Error) => void = () => {};
    const trial = schemes.try(
      'bearer',
      () => new Promise<string>((_, reject) => (fail = reject)),
      () => true,
    );
    assert.equal(await schemes.trialEnded(signal), false);
    // A later trial is not ended by the end of this one.
    const later = schemes.try('bearer', () => new Promise<string>(() => {}), Boolean);
    fail(new Error('A test.'));
    await assert.rejects(trial, /A test/);
    assert.deepEqual([schemes.isTrying, schemes.current], [true, 'raw']);
    void later;
  });
});
