import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Redactor, withoutSecrets } from '../../../nodes/client/auth/redaction.js';
import { showsPiece } from '../../../nodes/client/auth/secret-search.js';
import { IonError, quote, toIonError } from '../../../nodes/client/errors.js';
import { readResponse } from '../../../nodes/client/graphql/response.js';
import { everythingIn, thrown } from '../../support/errors.js';

const SECRET = 'p@ss w*rd!(x)~\'"\\5%';

describe('redaction', () => {
  const forms: [string, string][] = [
    ['as it is', SECRET],
    ['in a form body', new URLSearchParams({ s: SECRET }).toString().slice(2)],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in JSON', JSON.stringify(SECRET)],
  ];
  for (const [what, form] of forms) {
    it(`masks a secret ${what}`, () => {
      const error = withoutSecrets(new IonError('ION_AUTH', `before ${form} after`), [SECRET]);
      assert.match(error.message, /^before "?\*\*\*"? after$/);
    });
  }

  it('masks every text of an error, including its causes', () => {
    const socket = { headers: { authorization: SECRET } };
    const innermost = Object.assign(new Error(`connect ${SECRET}`), { code: 'ECONNRESET', socket });
    const cause = new TypeError(`fetch ${SECRET}`, { cause: innermost });
    const error = new IonError('ION_AUTH', `refused ${SECRET}`, {
      cause,
      traceId: SECRET,
      errors: [
        { message: SECRET, extensions: { debug: [{ headers: { [SECRET]: `Bearer ${SECRET}` } }] } },
      ],
    });
    const masked = withoutSecrets(error, [SECRET]);
    const all = everythingIn(masked);
    assert.ok(!all.includes(SECRET) && !all.includes('p@ss'), all);
    assert.equal(masked.message, 'refused ***');
    assert.match(String(masked.stack), /^IonError: refused \*\*\*\n\s+at /);
    const kept = masked.cause as Error & { cause: Error & { code: string } };
    assert.deepEqual([kept.name, kept.message], ['TypeError', 'fetch ***']);
    assert.deepEqual([kept.cause.message, kept.cause.code], ['connect ***', 'ECONNRESET']);
    assert.equal('socket' in kept.cause, false);
  });

  it('keeps everything else', () => {
    const error = new IonError('ION_SERVER', 'A test.', {
      status: 503,
      errors: [{ message: 'Down.', path: ['runs', 0], extensions: null }],
      data: { runs: { edges: [{ node: { title: 'A', steps: null, count: 2, isOpen: true } }] } },
      retryAfterMs: 1500,
      traceId: 'abc',
      transient: true,
      mayHaveRun: true,
    }).with({
      attempts: 4,
      pages: 2,
      results: { Torque: { written: { id: 5, value: 12.5 } }, Passed: { error: 'No.' } },
      parts: [new IonError('ION_GRAPHQL', 'No.', { status: 200, data: { id: 1 } })],
    });
    const masked = withoutSecrets(error, [SECRET]);
    const parts = (of: IonError) => of.parts?.map((part) => ({ ...part, message: part.message }));
    assert.deepEqual({ ...masked, parts: parts(masked) }, { ...error, parts: parts(error) });
    assert.equal(masked.stack, error.stack);
    assert.notEqual(masked, error);
  });

  describe('of every property', () => {
    const holding = (text: string): Record<string, unknown> => ({
      status: 418,
      errors: [{ message: text, path: [text], extensions: { [text]: text } }],
      data: { run: { title: text, [text]: 1, steps: [{ title: text }] } },
      retryAfterMs: 1234,
      traceId: text,
      transient: true,
      mayHaveRun: true,
      attempts: 3,
      pages: 7,
      results: { [text]: { error: { code: 'ION_GRAPHQL', message: text } }, Torque: [text] },
    });
    const filled = (text: string) =>
      Object.assign(
        new IonError('ION_GRAPHQL', `said ${text}`, { cause: new Error(text) }),
        holding(text),
        { parts: [Object.assign(new IonError('ION_SERVER', text), holding(text))] },
      );
    const all = (error: IonError): Record<string, unknown> => ({
      ...error,
      message: error.message,
      parts: error.parts?.map(all),
    });

    it('masks it, and loses nothing', () => {
      const masked = withoutSecrets(filled(SECRET), [SECRET]);
      assert.deepEqual(all(masked), all(filled('***')));
      assert.equal((masked.cause as Error).message, '***');
      assert.ok(!everythingIn(masked).includes('p@ss'), everythingIn(masked));
    });

    it('masks it in properties that the error does not know yet', () => {
      for (const name of [...Object.keys(new IonError('ION_AUTH', '')), 'another']) {
        if (['name', 'code', 'origin', 'errors', 'parts'].includes(name)) continue;
        for (const wrap of [(text: string) => text, (text: string) => [{ [text]: { text } }]]) {
          const error = Object.assign(new IonError('ION_AUTH', 'A test.'), {
            [name]: wrap(SECRET),
          });
          const masked = withoutSecrets(error, [SECRET]) as unknown as Record<string, unknown>;
          assert.deepEqual(masked[name], wrap('***'), name);
        }
      }
    });

    it('drops data that is large and contains one, and keeps the same data without it', () => {
      const data = (title: unknown) => ({ runs: [...Array(10_000).fill({ id: 1 }), { title }] });
      const kept = (title: unknown) =>
        withoutSecrets(new IonError('ION_GRAPHQL', '', { data: data(title) }), [SECRET]).data;
      for (const good of [
        'A',
        'A very long title without any secret',
        null,
        [null, 5],
        { note: '' },
      ]) {
        assert.deepEqual(kept(good), data(good));
      }
      assert.deepEqual(kept({ aVeryLongNameOfAField: 5 }), data({ aVeryLongNameOfAField: 5 }));
      for (const bad of [
        `a ${SECRET} b`,
        { [SECRET]: 1 },
        [[SECRET]],
        { note: { text: SECRET } },
      ]) {
        assert.equal(kept(bad), undefined);
      }
      let deep: unknown = 'A';
      for (let level = 0; level < 600; level++) deep = level % 2 ? [deep] : { deep };
      assert.equal(kept(deep), undefined);
    });

    it('drops large data that contains the shortest or the longest one, but not an ordinary word', () => {
      const data = (title: string) => ({ runs: [...Array(10_000).fill({ id: 1 }), { title }] });
      const secrets = ['ion', SECRET, 'pass'];
      const kept = (title: string) =>
        withoutSecrets(new IonError('ION_GRAPHQL', '', { data: data(title) }), secrets).data;
      assert.deepEqual(kept('a run in ion'), data('a run in ion'));
      assert.equal(kept('pass'), undefined);
      assert.equal(kept(SECRET), undefined);
    });

    it('keeps code and origin, by which flows decide, even if a secret is the same text', () => {
      const error = new IonError('ION_AUTH', 'A test.', { origin: 'service' });
      const masked = withoutSecrets(error, ['ION_AUTH', 'service', 'IonError']);
      assert.deepEqual(
        [masked.name, masked.code, masked.origin],
        ['IonError', 'ION_AUTH', 'service'],
      );
    });

    it('omits what is more than some levels deep in an error of ION', () => {
      const levels = (count: number): unknown =>
        count === 0 ? SECRET : count % 2 ? [levels(count - 1)] : { inner: levels(count - 1) };
      const kept = (count: number) => {
        const errors = [{ message: 'No.', extensions: levels(count) }];
        return JSON.stringify(
          withoutSecrets(new IonError('ION_GRAPHQL', '', { errors }), [SECRET]),
        );
      };
      assert.ok(kept(5).includes('***'), kept(5));
      for (const count of [20, 21]) assert.ok(!kept(count).includes('***'), kept(count));
    });

    it('masks causes of any kind, and keeps their codes', () => {
      const causeOf = (cause: unknown) =>
        withoutSecrets(new IonError('ION_AUTH', 'A test.', { cause }), [SECRET]).cause;
      assert.equal(causeOf(`said ${SECRET}`), 'said ***');
      for (const other of [undefined, 5, { text: SECRET }]) assert.equal(causeOf(other), undefined);
      const withCode = (code: unknown) =>
        causeOf(Object.assign(new Error('No.'), { code })) as { code?: unknown };
      assert.equal(withCode(7).code, 7);
      assert.equal('code' in withCode({ text: SECRET }), false);
      const bare = new Error(SECRET);
      delete bare.stack;
      assert.doesNotMatch(String((causeOf(bare) as Error).stack), /p@ss/);
      assert.equal('cause' in (causeOf(new Error('No.')) as Error), false);
      const stack = `Error: ${SECRET}\n    at here`;
      const known = causeOf(Object.assign(new Error(SECRET), { stack })) as Error;
      assert.equal(known.stack, 'Error: ***\n    at here');
      const error = Object.assign(new IonError('ION_AUTH', 'A test.'), { stack: undefined });
      assert.equal(withoutSecrets(error as unknown as IonError, [SECRET]).message, 'A test.');
    });
  });

  describe('a copy of an error with changes', () => {
    const error = Object.assign(
      new IonError('ION_SERVER', 'Down.', { cause: new Error('why'), status: 503, data: {} }),
      { attempts: 4, pages: 2, parts: [], results: {}, mayHaveRun: true, another: 1 },
    );

    it('has all other properties, and leaves the error unchanged', () => {
      const copy = error.with({
        message: 'Up.',
        code: 'ION_CLOSED',
        attempts: 5,
        status: undefined,
      });
      const changes = { code: 'ION_CLOSED', attempts: 5, status: undefined };
      assert.deepEqual({ ...copy }, { ...error, ...changes });
      assert.deepEqual([copy.message, copy.cause, copy.stack], ['Up.', error.cause, error.stack]);
      assert.deepEqual([error.message, error.code, error.attempts], ['Down.', 'ION_SERVER', 4]);
      assert.deepEqual(
        Object.keys(copy),
        Object.keys(new IonError('ION_AUTH', '')).concat('another'),
      );
    });

    it('has a message of at most the same length', () => {
      const { message } = error.with({ message: 'x'.repeat(5000) });
      assert.equal(message, `${'x'.repeat(1900)}…`);
    });
  });

  it('masks a secret at the end of a truncated quote', () => {
    for (let left = 0; left < SECRET.length; left++) {
      const text = `${'x'.repeat(200 - left)}${SECRET} and more`;
      const body = JSON.stringify({ errors: [{ message: text }] });
      const error = thrown(
        () => readResponse({ status: 200, headers: {}, text: body }, 'host', JSON.parse(body)),
        'ION_GRAPHQL',
      );
      const { message } = withoutSecrets(error, [SECRET]);
      assert.ok(!message.includes(SECRET.slice(0, 4)), message);
      assert.ok(message.endsWith('…'));
    }
  });

  describe('of a token', () => {
    const part = (seed: string, length: number) =>
      createHash('sha512').update(seed).digest('base64url').repeat(5).slice(0, length);
    const TOKEN = [part('header', 40), part('payload', 400), part('signature', 340)].join('.');
    const shows = (text: string) =>
      // Eleven characters of a token reveal nothing.
      Array.from({ length: TOKEN.length - 11 }, (_, at) => TOKEN.slice(at, at + 12)).some((piece) =>
        text.includes(piece),
      );
    const echoes: [string, string][] = [
      ['in its three parts', `header=${TOKEN.split('.').join(' payload=')}`],
      ['without its end', `Bearer ${TOKEN.slice(0, 160)}`],
      ['without its beginning', `...${TOKEN.slice(100)}`],
      ['in lines', TOKEN.replace(/.{60}/g, '$&\n')],
      ['in a URL', `?token=${encodeURIComponent(TOKEN)}&x=1`],
      ['twice, with a word between', `${TOKEN} and ${TOKEN}`],
      ['as a part of a longer word', `abc${TOKEN}xyz`],
    ];
    for (const [what, echo] of echoes) {
      it(`masks every piece ${what}`, () => {
        const error = new IonError('ION_AUTH', `before ${echo} after`, {
          errors: [{ message: echo, [echo]: [echo] }],
          cause: new Error(echo),
          traceId: echo,
        });
        const masked = withoutSecrets(error, ['another secret', TOKEN]);
        assert.ok(!shows(everythingIn(masked)), masked.message);
        assert.match(masked.message, /^before .*\*\*\*.* after$/s);
      });
    }

    it('masks it in the title of a web page, however it is padded', () => {
      for (let padding = 0; padding <= 1000; padding += 20) {
        const text = `<html><title>${' '.repeat(padding)}${TOKEN.slice(0, 160)}</title></html>`;
        const page = { status: 200, headers: {}, text };
        const error = thrown(() => readResponse(page, 'host', undefined), 'ION_RESPONSE');
        assert.ok(!shows(withoutSecrets(error, [TOKEN]).message), error.message);
      }
    });
  });

  describe('of an encoded secret', () => {
    const HIDDEN = 'Zq8-correct_horse+battery/staple';
    const bytes = Buffer.from(HIDDEN);
    const echoes: [string, string][] = [
      ['base64', bytes.toString('base64')],
      ['base64url', bytes.toString('base64url')],
      ['HTTP Basic', `Basic ${Buffer.from(`client-id:${HIDDEN}`).toString('base64')}`],
      ['HTTP Basic of another id', `Basic ${Buffer.from(`id:${HIDDEN}`).toString('base64')}`],
      ['base64 of a whole body', Buffer.from(`a=1&client_secret=${HIDDEN}&b`).toString('base64')],
      ['hex', bytes.toString('hex')],
      ['capital hex', bytes.toString('hex').toUpperCase()],
      ['HTML', 'Zq8-correct_horse+battery/staple'],
      ['small percent codes', encodeURIComponent(HIDDEN).toLowerCase().replace('zq8', 'Zq8')],
    ];
    for (const [what, echo] of echoes) {
      it(`masks it in ${what}`, () => {
        const { message } = withoutSecrets(new IonError('ION_AUTH', `said ${echo}.`), [HIDDEN]);
        const readable = [...message.matchAll(/[\w+/-]{12,}/g)].map(([word]) => word);
        for (const word of readable) {
          for (const encoding of ['base64', 'hex'] as const) {
            assert.ok(!Buffer.from(word, encoding).toString().includes('horse'), message);
          }
        }
        assert.ok(!message.includes('horse') && message.includes('***'), message);
      });
    }
  });

  describe('of a secret in several codes, one around the other', () => {
    const entities: Record<string, string> = { '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' };
    const html = (text: string) =>
      text.replaceAll('&', '&amp;').replace(/[<>"']/g, (sign) => `&${entities[sign]};`);
    const codes: [string, (text: string) => string][] = [
      ['of a URL', encodeURIComponent],
      [
        'of a URL, small',
        (text) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase()),
      ],
      ['of a form', (text) => new URLSearchParams({ a: text }).toString().slice(2)],
      ['of JSON', (text) => JSON.stringify(text).slice(1, -1)],
      ['of HTML', html],
    ];
    for (const hidden of ['a<b\'&"\\', 'p@ss w*rd! & "more" <than> enough\\']) {
      for (const [what, code] of codes) {
        it(`masks ${hidden} three times in the code ${what}`, () => {
          const { message } = withoutSecrets(
            new IonError('ION_AUTH', `said ${code(code(code(hidden)))}.`),
            [hidden],
          );
          assert.equal(message, 'said ***.');
        });
      }
    }

    it('masks all of a short one in base64, with any text before it', () => {
      const hidden = 'Zq8-horse+?>';
      for (const before of ['', 'a', 'ab', 'abc', 'abcd']) {
        for (const encoding of ['base64', 'base64url'] as const) {
          const echo = Buffer.from(`${before}${hidden}`).toString(encoding);
          const { message } = withoutSecrets(new IonError('ION_AUTH', echo), [hidden]);
          // The characters that it shares with the texts beside it.
          assert.match(message, /^.{0,6}\*\*\*.{0,3}$/, echo);
        }
      }
    });
  });

  describe('of a modified secret', () => {
    const HIDDEN = 'Zk7q-9XvPw2RtLm4-NbQ8yHs6';
    const hexOf = (character: string) => character.charCodeAt(0).toString(16);
    const each = (change: (character: string) => string) => HIDDEN.replace(/./g, change);
    const signs = (change: (character: string) => string) => HIDDEN.replace(/\W/g, change);
    const echoes: [string, string][] = [
      ['in capitals', HIDDEN.toUpperCase()],
      ['in small letters', HIDDEN.toLowerCase()],
      ['with its signs as decimal HTML entities', signs((it) => `&#${it.charCodeAt(0)};`)],
      ['with its signs as HTML entities', signs((it) => `&#x${hexOf(it)};`)],
      ['in HTML entities', each((it) => `&#X${hexOf(it).toUpperCase()};`)],
      ['in escapes of JSON', each((it) => `\\u00${hexOf(it)}`)],
      ['with its first letter escaped', `\\u005a${HIDDEN.slice(1)}`],
      ['in escapes of JavaScript', each((it) => `\\x${hexOf(it)}`)],
      ['in percent codes', each((it) => `%${hexOf(it)}`)],
      ['in percent codes, twice', each((it) => `%25${hexOf(it)}`)],
      ['with its small letters escaped', each((it) => (/[a-z]/.test(it) ? `%${hexOf(it)}` : it))],
    ];
    for (const [what, echo] of echoes) {
      it(`masks it ${what}`, () => {
        const { message } = withoutSecrets(new IonError('ION_AUTH', `said ${echo}.`), [HIDDEN]);
        assert.equal(message, 'said ***.');
      });
    }

    it('masks it in JSON inside JSON, with letters of other alphabets', () => {
      for (const hidden of ['Straße "Österreich" \\ 😀', 'ΣΑΣ ΣΟΦΟΣ ΣΑΣ', 'İstanbul İstanbul']) {
        const inner = JSON.stringify({ hidden });
        const texts = [JSON.stringify({ inner }), encodeURIComponent(hidden), hidden.toUpperCase()];
        for (const text of texts) {
          const { message } = withoutSecrets(new IonError('ION_AUTH', text), [hidden]);
          assert.ok(message.includes('***') && message.length < text.length, message);
          assert.ok(!/stra|österreich|istanbul|ΣΟΦ|%C3/i.test(message), message);
        }
      }
    });

    for (const hidden of ['ab  cd\tefgh ijkl mnop', 'abc  d']) {
      it(`masks ${JSON.stringify(hidden)} when a quote has collapsed its spaces`, () => {
        const error = new IonError('ION_AUTH', quote(`echo: ${hidden} end`));
        assert.equal(withoutSecrets(error, [hidden]).message, 'echo: *** end');
      });
    }
  });

  describe('of a truncated text', () => {
    const HIDDEN = 'Zk7q-9XvPw2RtLm4-NbQ8yHs6';
    const messageOf = (text: string) =>
      withoutSecrets(new IonError('ION_AUTH', text), [HIDDEN, 'pass-word']).message;

    it('masks the beginning and the end of a secret next to the cut', () => {
      for (let length = 4; length < HIDDEN.length; length++) {
        const beginning = HIDDEN.slice(0, length);
        const end = HIDDEN.slice(-length);
        for (const cut of ['…', '...']) {
          assert.equal(messageOf(`tail ${beginning}${cut}`), `tail ***${cut}`);
          assert.equal(messageOf(`${cut}${end} head`), `${cut}*** head`);
          assert.equal(messageOf(`a ${beginning}${cut}${end} b`), `a ***${cut}*** b`);
        }
      }
      assert.equal(messageOf('pass-…-word'), '***…***');
      assert.equal(messageOf(`TAIL ${HIDDEN.slice(0, 11).toUpperCase()}…`), 'TAIL ***…');
    });

    it('keeps ordinary words next to the cut', () => {
      assert.equal(messageOf('the run…and its step...done'), 'the run…and its step...done');
    });

    it('masks it at each place at which the client truncates a reason, a message or a cause', () => {
      for (const length of [200, 1000, 1900, 5000, 16_384]) {
        for (let left = 4; left < HIDDEN.length; left++) {
          const text = `${'x '.repeat(length).slice(0, length - left)}${HIDDEN} and more`;
          const cause = new Error(text);
          const shown = everythingIn(withoutSecrets(toIonError(cause), [HIDDEN]));
          assert.ok(!shown.includes('Zk7q'), `${length} ${left}`);
          const page = { status: 200, headers: {}, text: `<title>${' '.repeat(left)}${text}` };
          const error = thrown(() => readResponse(page, 'host', undefined), 'ION_RESPONSE');
          assert.ok(!withoutSecrets(error, [HIDDEN]).message.includes('Zk7q'));
        }
      }
    });

    it('truncates the texts of causes, however long they are', () => {
      const cause = new Error('x'.repeat(1_000_000));
      assert.ok(everythingIn(withoutSecrets(toIonError(cause), [HIDDEN])).length < 100_000);
    });
  });

  it('keeps the secrets of the last error alone in memory, and none after it was closed', () => {
    const redactor = new Redactor();
    const shownOf = (secrets: string[]) =>
      redactor.withoutSecrets(new IonError('ION_AUTH', secrets.join(' ')), secrets).message;
    assert.equal(shownOf(['client-secret', 'token-1']), '*** ***');
    assert.equal(shownOf(['client-secret', 'token-1', 'token-2']), '*** *** ***');
    assert.equal(shownOf(['client-secret', 'token-3']), '*** ***');
    assert.deepEqual(redactor.cachedSecrets, ['client-secret', 'token-3']);
    assert.equal(shownOf(['client-secret', 'token-3', 'token-4']), '*** *** ***');
    assert.equal(redactor.cachedSecrets.length, 3);
    assert.equal(redactor.textWithoutSecrets('a token-4 b', ['token-4']), 'a *** b');
    assert.equal(shownOf(['token-4', 'token-5', 'token-6', 'token-7']), '*** *** *** ***');
    assert.deepEqual(redactor.cachedSecrets, []);
    shownOf(['token-8']);
    redactor.close();
    assert.deepEqual(redactor.cachedSecrets, []);
    assert.equal(shownOf(['token-8']), '***');
    assert.deepEqual(redactor.cachedSecrets, []);
  });

  it('masks no more than the secret: of a code beside it, and of similar texts, nothing', () => {
    const maskOf = (text: string) =>
      withoutSecrets(new IonError('ION_AUTH', text), ['Zk7q-9XvPw2R']).message;
    assert.equal(maskOf('%5BZk7q-9XvPw2R%5D'), '%5B***%5D');
    assert.equal(maskOf('&#xFFFFFFFF;Zk7q-9XvPw2R'), '&#xFFFFFFFF;***');
    assert.equal(maskOf('Zk7q-9XvPw2 and k7q-9XvPw2R'), 'Zk7q-9XvPw2 and k7q-9XvPw2R');
    assert.equal(maskOf('a\\u0041 b%zz Zk7q-9XvPw2R'), 'a\\u0041 b%zz ***');
  });

  it('finds a piece of a token in a short text, such as a header', () => {
    const token = 'tok-abcdefghij-0123456789';
    const cases: [string, string, boolean][] = [
      ['trace', '', false],
      ['trace-short', 'short', true],
      ['trace', 'short', false],
      [token.slice(0, 12), token, true],
      [`x${token.slice(-12)}`, token, true],
      [token.slice(0, 11), token, false],
    ];
    for (const [text, secret, expected] of cases) {
      assert.equal(showsPiece(text, secret), expected, `${text} ${secret}`);
    }
  });

  it('leaves words unchanged that are too short for a secret', () => {
    const error = withoutSecrets(new IonError('ION_AUTH', 'the key is ion'), ['ion', '', 'i']);
    assert.equal(error.message, 'the key is ion');
  });

  it('masks the longer one of two secrets that overlap', () => {
    const error = withoutSecrets(new IonError('ION_AUTH', 'a tokentoken b'), [
      'token',
      'tokentoken',
    ]);
    assert.equal(error.message, 'a *** b');
  });

  it('terminates with circular causes and with deeply nested data', () => {
    const cause = new Error(SECRET);
    cause.cause = cause;
    let deep: object = { message: SECRET };
    for (let i = 0; i < 100; i++) deep = { deep };
    const error = new IonError('ION_AUTH', 'A test.', { cause, errors: [{ message: '', deep }] });
    assert.ok(!everythingIn(withoutSecrets(error, [SECRET])).includes('p@ss'));
  });

  it('leaves no secret in any text', () => {
    const secret = fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' });
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (hidden, before, after) => {
        // Text of the mask itself cannot be distinguished from a mask.
        fc.pre(!'***'.includes(hidden[0] ?? '') && !hidden.includes('…'));
        const text = `${before}${hidden}${after}`;
        const cause = new Error(text);
        const error = new IonError('ION_AUTH', text, { cause, errors: [{ message: text }] });
        const masked = withoutSecrets(error, [hidden]);
        for (const shown of [
          masked.message,
          masked.errors?.[0]?.message,
          (masked.cause as Error).message,
        ]) {
          assert.ok(!shown?.includes(hidden), `${hidden} in ${shown}`);
        }
      }),
    );
  });
});
