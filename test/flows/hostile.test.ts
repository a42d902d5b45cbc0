import assert from 'node:assert/strict';
import { runsNode } from '../../tools/flow-nodes.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { registeredHook } from '../fuzz/flow.js';
import { MAX_STOP_MS } from '../fuzz/fuzz.js';
import { FuzzIon, type Reply } from '../fuzz/ion.js';
import { Target } from '../fuzz/target.js';
import { byLength } from '../support/length.js';
import { until } from '../support/until.js';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const listOf = (text: string, count: number) => `[${Array(count).fill(text).join(',')}]`;
const wide = (count: number) => {
  const properties = Array.from({ length: count }, (_, index) => `"k${index}":0`);
  return `{${properties.join(',')}}`;
};
const json = (body: string): Reply => ({ headers: { 'content-type': 'application/json' }, body });

/** Responses of a server that is not ION, or no longer ION. */
const answers: [string, string][] = [
  ['data nested 20,000 levels deep', `{"data":{"me":${nested(20_000)}}}`],
  [
    'errors nested 20,000 levels deep',
    `{"errors":[{"message":"No","extensions":${nested(20_000)}}]}`,
  ],
  [
    'partial data nested 20,000 levels deep',
    `{"data":{"me":${nested(20_000)}},"errors":[{"message":"No"}]}`,
  ],
  ['a message nested 20,000 levels deep', `{"errors":[{"message":${nested(20_000)}}]}`],
  [
    'data nested deeply behind a long text',
    `{"data":{"a":"${'x'.repeat(300_000)}","me":${nested(20_000)}}}`,
  ],
  ['an object of a million properties', `{"data":{"me":${wide(1_000_000)}}}`],
  ['objects of many properties', `{"data":{"me":${listOf(wide(15_000), 10)}}}`],
  ['millions of empty lists', `{"data":{"me":${listOf('[]', 5_000_000)}}}`],
  ['300,000 rows', `{"data":{"me":${listOf('{"id":1}', 300_000)}}}`],
  ['a text of 20 MB', `{"data":{"me":"${'é'.repeat(10_000_000)}"}}`],
  ['100,000 errors', `{"errors":${listOf('{"message":"Nothing works… "}', 100_000)}}`],
  ['errors of many properties', `{"errors":${listOf(wide(15_000), 10)}}`],
  ['an error of 20 MB', `{"errors":[{"message":"${'é…'.repeat(5_000_000)}"}]}`],
  ['half a JSON of 20 MB', `{"data":{"me":"${'x'.repeat(20_000_000)}`],
  ['20 MB of space', ' '.repeat(20_000_000)],
  ['a web page of beginnings of titles', '<title'.repeat(3_000_000)],
];

/** A query of 74 KB in which a thousand fields have those of all fragments. */
function fragments(): string {
  const fields = Array.from({ length: 990 }, (_, n) => `a${n} { ...F200 }`);
  const texts = Array.from(
    { length: 200 },
    (_, n) => `fragment F${n + 1} on Query { ...F${n} ${'id '.repeat(90)} }`,
  );
  return `{ ${fields.join(' ')} } fragment F0 on Query { id } ${texts.join(' ')}`;
}

const object = (count: number) => JSON.parse(wide(count)) as object;
const escaped = () => ({ variables: { a: '\u0001'.repeat(6_000_000) } });

describe('hostile input to a real Node-RED', function () {
  // Some take half a minute on an idle machine, and several times that beside other tests.
  this.timeout(400_000);
  const folder = useTemporaryFolder();
  let ion: FuzzIon;
  let target: Target;
  const stops: { ms: number; what: string }[] = [];

  before(async () => {
    ion = await FuzzIon.start();
    target = await Target.start(folder.path, ion.url);
    // Modules that are loaded on first use must not count in any case.
    for (const node of ['good-query', 'graphql-all', 'step-field']) await works(node);
    await admin('good/run', { query: '{ me { id } }' });
  });
  after(async () => {
    await target?.stop();
    await ion?.close();
    for (const { ms, what } of stops.sort((a, b) => b.ms - a.ms).slice(0, 3)) {
      console.log(`    longest stops: ${ms.toFixed(0)} ms, ${what}`);
    }
  });
  beforeEach(() => target.begin());
  afterEach(async function () {
    ion.answerBy();
    const { loopDelay, longest, unclear } = await target.end();
    assert.deepEqual(unclear, []);
    // On a machine with other work, a delay is a stop only if this process worked.
    const stop = Math.min(loopDelay, longest.cpu);
    stops.push({ ms: stop, what: String(this.currentTest?.title) });
    assert.ok(
      stop < MAX_STOP_MS,
      `stopped for ${loopDelay} ms, ${longest.cpu} ms of them CPU time`,
    );
    await works('good-query');
  });

  const RIGHT = {
    question: '{ runs { edges { node { id } } } }',
    run: 1,
    step: 1,
    field: 'Torque',
  };
  const send = (node: string, msg: object = {}) =>
    target.inject({ node, msg: { ...RIGHT, ...msg } });
  const works = async (node: string) => {
    const { error, ended } = await send(node, { payload: 1 });
    assert.deepEqual([error?.message, ended], [undefined, 1]);
  };
  const admin = async (path: string, body?: object) => {
    const response = await fetch(`${target.url}/ion-config/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      ...(JSON.parse(text) as { code?: string; message?: string }),
    };
  };
  const test = (config: object) =>
    admin('test', {
      id: 'new',
      config: { environment: 'custom', apiUrl: ion.url, authUrl: ion.url, ...config },
      credentials: { clientId: 'client', clientSecret: 'client-secret' },
    });
  const answering = (text: string) => (kind: string) => (kind === 'api' ? json(text) : undefined);

  describe('by a response with', () => {
    for (const [what, text] of byLength({ usual: answers, brief: answers.slice(0, 8) })) {
      const isDeep = /nested.*deep/.test(what);

      it(`${what} ends in a response or a clear error, for a message and in the dialogs`, async () => {
        ion.answerBy(answering(text));
        const url = `${ion.url}/hostile`;
        const message = await send('graphql-one', { question: '{ me { id } }' });
        assert.equal(message.ended, 1);
        const tested = await test({ apiUrl: url, authUrl: url });
        const run = await admin('hostile/run', { query: '{ me { id } }' });
        const schema = await admin('hostile/schema');
        const codes = [message.error?.code, tested.code, run.code, schema.code];
        if (isDeep && text.startsWith('{"data"')) {
          assert.deepEqual(codes, Array(4).fill('ION_RESPONSE'));
        }
        for (const code of codes) assert.match(String(code), /^(ION_\w+|undefined)$/);
      });

      it(`${what} does no harm to a poll`, async () => {
        ion.answerBy(answering(text), 'polled');
        // A deploy makes the node poll at once, however often it failed before.
        await target.deploy('full');
        // A token, a response, and the requests after it was processed.
        await until(() => ion.requests > 2);
      });
    }

    it('a row nested 20,000 levels deep does no harm to a poll', async () => {
      const deep = (right: unknown) =>
        JSON.stringify(right).replaceAll(/"(title|status)":"[^"]*"/g, `"$1":${nested(20_000)}`);
      ion.answerBy((kind, right) => (kind === 'api' ? json(deep(right)) : undefined), 'polled');
      await target.deploy('full');
      await until(() => ion.requests > 2);
    });

    const numbers = listOf('1', 1_800_000);
    const long = `"${'x'.repeat(20_000_000)}"`;
    const objects = listOf(wide(15_000), 40);
    for (const [what, column, value] of [
      ['a very long etag', '_etag', long],
      ['an etag of many objects', '_etag', objects],
      ['a name of many numbers', 'name', numbers],
      ['a very long title', 'title', long],
      ['a type of many numbers', 'type', numbers],
      ['a very long type', 'type', long],
      ['a status of many objects', 'status', objects],
      ['an option of many numbers', 'options', `[${numbers}]`],
      ['many options', 'options', listOf('"option"', 1_800_000)],
      ['an unknown column of many objects', '_etag', `"e","value":${objects}`],
      ['a very long property name', '_etag', `"e","value":{${long}:1}`],
      ['an id of many numbers', 'id', numbers],
      ['a very long id', 'id', long],
    ] as const) {
      // Only the first step or field has it, so that the response is not rejected for its length.
      const changed = (right: unknown) => {
        const text = JSON.stringify(right);
        const list = text.search(/"(fields|steps|edges)":/);
        const at = Math.max(0, text.indexOf(`"${column}":`, Math.max(0, list)));
        const begin = text.slice(0, at);
        const rest = text.slice(at);
        return (
          begin + rest.replace(/^"\w+":("[^"]*"|\d+|null|\[[^\]]*\])/, () => `"${column}":${value}`)
        );
      };

      it(`a row with ${what} ends in a response or a clear error, for a message`, async () => {
        for (const node of ['step-field', 'step-status', 'runs-changed']) {
          ion.answerBy((kind, right) => (kind === 'api' ? json(changed(right)) : undefined));
          const { error } = await send(node, {
            payload: 1,
            step: 'Assemble',
            filters: {},
            limit: 0,
          });
          if (error) assert.match(error.code, /^ION_\w+$/);
          if (error) assert.doesNotMatch(error.message, /undefined/);
        }
      });

      // A poll requests no other column.
      if (!['_etag', 'title', 'status', 'id'].includes(column)) continue;
      it(`a row with ${what} does no harm to a poll`, async () => {
        ion.answerBy(
          (kind, right) => (kind === 'api' ? json(changed(right)) : undefined),
          'polled',
        );
        await target.deploy('full');
        await until(() => ion.requests > 2);
      });
    }

    it('19,000 parts with long etags end in a response or a clear error', async () => {
      const part = (id: number) =>
        `{"id":${id},"_updated":"2026-01-01","_etag":"${'x'.repeat(2900)}"}`;
      const parts = Array.from({ length: 19_000 }, (_, id) => part(id)).join(',');
      const row = `{"id":1,"_updated":"2026-01-01T00:00:00Z","_etag":"a","steps":[${parts}]}`;
      const text = `{"data":{"runs":{"edges":[{"node":${row}}],"pageInfo":{"hasNextPage":false}}}}`;
      ion.answerBy(answering(text));
      const { ended } = await send('runs-changed', { filters: {}, limit: 0 });
      assert.ok(ended <= 1);
    });

    for (const depth of [20_000, 200_000]) {
      it(`a token nested ${depth} levels deep ends in a clear error`, async () => {
        const url = `${ion.url}/hostile`;
        ion.answerBy((kind) =>
          kind === 'token'
            ? json(`{"access_token":"a","token_type":"Bearer","extra":${nested(depth)}}`)
            : undefined,
        );
        assert.equal((await test({ apiUrl: url, authUrl: url })).code, 'ION_RESPONSE');
      });
    }
  });

  describe('by a list', () => {
    let id = 0;
    /** Newer than any checkpoint that an earlier test left behind. */
    const NEW = '2100-01-01T00:00:00Z';
    /** Another page with the same number of rows, with a new cursor each time. */
    const page = (rows: number, hasNextPage = true, updated = '2026-01-01T00:00:00Z') => {
      const edges = Array.from(
        { length: rows },
        () => `{"node":{"id":${id++},"title":"T","_updated":"${updated}","_etag":"e"}}`,
      );
      const list = `{"edges":[${edges.join(',')}],"pageInfo":{"hasNextPage":${hasNextPage},"endCursor":"c${id}"}}`;
      return json(`{"data":{"runs":${list},"runSteps":${list}}}`);
    };
    const pagesOf = (rows: number) => (kind: string) =>
      kind === 'api' ? page(rows, true, NEW) : undefined;

    for (const node of ['graphql-all', 'graphql-stream', 'runs-array', 'runs-changed']) {
      for (const [what, rows] of [
        ['of 50,000 rows', 50_000],
        ['without rows', 0],
      ] as const) {
        // Collected rows are more work for the garbage collector than for this package.
        const isCollected = node === 'graphql-all' || node === 'runs-array';
        if (rows > 0 && isCollected) continue;
        it(`of pages ${what} without an end ends in a clear error (${node})`, async () => {
          ion.answerBy(pagesOf(rows));
          const { error, ended } = await send(node, { filters: {}, limit: 0, payload: 1 });
          assert.deepEqual([ended, error?.code], [1, 'ION_RESPONSE']);
        });
      }
    }

    it('of pages without an end ends in a poll that fails', async () => {
      const status: number[] = [];
      ion.answerBy((kind) => {
        if (kind !== 'api') return undefined;
        status.push(ion.requests);
        return page(90_000);
      }, 'polled');
      await target.deploy('full');
      await until(() => status.length > 4);
    });

    it('of 20,000 rows becomes as many messages, with pauses', async () => {
      const large = { ...runsNode, id: 'runs-large', config: 'hostile', mode: 'each' };
      const place = { z: 'flow', x: 0, y: 0, wires: [['sent']] };
      await target.deploy('nodes', [{ ...large, pageSize: 20_000, ...place }]);
      ion.answerBy((kind) => (kind === 'api' ? page(20_000, false) : undefined));
      const payload = Array.from({ length: 300 }, (_, index) => ({ index }));
      const { ended, sent, error } = await send('runs-large', { filters: {}, limit: 0, payload });
      assert.deepEqual([ended, error?.message], [1, undefined]);
      // The polling node sends messages as well.
      assert.ok(sent >= 20_000, `${sent} messages were sent`);
      await target.deploy('nodes', []);
    });
  });

  it('by 60,000 receivers of a webhook ends in one that is registered', async () => {
    const receiver = {
      id: 1,
      _etag: 'a',
      name: 'Node-RED ion-events (hook-registered)',
      webhookUri: 'https://elsewhere.example.com/',
      subscriptions: [],
    };
    const edges = Array.from({ length: 60_000 }, (_, id) => ({ node: { ...receiver, id } }));
    const text = JSON.stringify({ data: { webhookReceivers: { edges } } });
    ion.answerBy((kind, right) =>
      kind === 'api' && JSON.stringify(right).includes('webhookReceivers') ? json(text) : undefined,
    );
    await target.deploy('full', [registeredHook(0)]);
    await until(() => ion.requests > 2);
    await target.deploy('full', []);
  });

  describe('by a webhook', () => {
    for (const path of ['/hook/open', '/hook/read']) {
      for (const [what, body] of [
        ['deep', `{"data":${nested(20_000)}}`],
        ['of 1 MiB of brackets', '['.repeat(1024 * 1024)],
        ['wide', wide(70_000)],
      ] as const) {
        it(`${what}, unsigned, is rejected (${path})`, async () => {
          // The flow has a Catch node for all failures, as many flows do.
          const headers = { 'content-type': 'application/json' };
          const response = await fetch(target.url + path, { method: 'POST', headers, body });
          assert.equal(response.status, 400);
        });
      }
    }
  });

  describe('by a message', () => {
    const zeros = `${'0'.repeat(1_000_000)}x`;
    for (const name of ['run', 'step', 'field']) {
      for (const node of ['step-field', 'outbox-field', 'step-status', 'step-file']) {
        if (name === 'field' && !node.endsWith('field')) continue;
        it(`with a ${name} of a million zeros is rejected (${node})`, async () => {
          const filename = 'a.txt';
          const { error } = await send(node, { [name]: zeros, payload: 'x', filename });
          assert.equal(error?.code, 'ION_VARIABLES');
        });
      }
    }

    for (const [what, msg, nodes] of [
      ['an object of 290,000 properties', { payload: object(290_000) }, ['outbox-field']],
      ['variables of 100,000 properties', { variables: object(100_000) }, ['graphql-one']],
      ['variables that have to be escaped', escaped(), ['graphql-one']],
      ['filters of 100,000 properties', { filters: object(100_000) }, ['runs-array']],
    ] as const) {
      for (const node of nodes) {
        it(`with ${what} is rejected (${node})`, async () => {
          const { error } = await send(node, { question: '{ me { id } }', ...msg });
          assert.equal(error?.code, 'ION_VARIABLES');
        });
      }
    }

    it('with a file name of a million characters is rejected', async () => {
      const { error } = await send('outbox-file', { filename: zeros, payload: 'x' });
      assert.equal(error?.code, 'ION_VARIABLES');
    });

    for (const node of ['graphql-one', 'graphql-all', 'graphql-stream']) {
      for (const [what, question] of [
        ['of fragments that multiply', fragments()],
        ['of 200,000 fields', `{ runs { edges { node { ${'id '.repeat(200_000)} } } } }`],
        ['of 500 levels', `{ runs { edges { node ${'{ a '.repeat(500)}${'}'.repeat(500)} } } }`],
        [
          'of spread fragments in a circle',
          `{ ...A } ${'fragment A on Query { ...A }'.repeat(2000)}`,
        ],
        [
          'of many lines at many levels',
          `{ runs { edges { node ${'{ a '.repeat(57)}{ a(s: """${'\nx'.repeat(480_000)}""") }${'}'.repeat(57)} } } }`,
        ],
      ] as const) {
        it(`with a query ${what} ends in a response or a clear error (${node})`, async () => {
          const { error, ended } = await send(node, { question });
          assert.equal(ended, 1);
          if (error) assert.match(error.code, /^ION_(QUERY|GRAPHQL|RESPONSE)$/);
        });
      }
    }
  });

  describe('by the dialogs', () => {
    for (const [what, text] of [
      ['slashes', `https://localhost${'/'.repeat(30_000)}x`],
      ['slashes only', `https://localhost${'/'.repeat(30_000)}`],
      ['at signs', `https://${'@'.repeat(300_000)}x`],
      ['question marks', `x${'?#'.repeat(300_000)}`],
      ['dots', `https://localhost/${'../'.repeat(100_000)}`],
    ]) {
      it(`with a URL of ${what} is answered`, async () => {
        for (const name of ['apiUrl', 'authUrl']) {
          assert.equal((await test({ [name]: text })).code, 'ION_CONFIG');
        }
      });
    }

    it('with a body nested 20,000 levels deep is answered', async () => {
      for (const path of ['test', 'good/run', 'good/outbox']) {
        const response = await fetch(`${target.url}/ion-config/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: `{"id":"good","config":${nested(20_000)},"credentials":{},"query":${nested(20_000)}}`,
        });
        assert.equal(response.status, 400);
        assert.equal(((await response.json()) as { code: string }).code, 'ION_RESPONSE');
      }
    });

    it('with many decisions on the outbox is answered', async () => {
      const sequences = Array.from({ length: 400_000 }, (_, index) => index);
      const { status } = await admin('good/outbox', { decision: 'discard', sequences });
      assert.equal(status, 200);
    });
  });
});
