import assert from 'node:assert/strict';
import { util } from '@node-red/util';
import fc from 'fast-check';
import {
  type FlowNode,
  graphqlNode,
  lookupNode,
  runsNode,
  sandboxConfig,
} from '../../tools/flow-nodes.js';
import { type FlowMessage, helper, type Outcome, sandboxKey, TestFlow } from '../support/flow.js';
import {
  assertClear,
  hostileName,
  hostileText,
  hostileValue,
  nested,
  nothingUnhandled,
  watchPrototypes,
} from '../support/hostile.js';
import { inputs } from '../support/length.js';
import { useSandbox } from '../support/sandbox.js';

const RUNS = 12;
/** In ms; twice the timeout of a request. */
const MAX_DURATION_MS = 10_000;
const RUN = 'query ($id: ID!) { run(id: $id) { id } }';
const LIST = 'query ($id: ID) { runs(filters: { id: { eq: $id } }) { edges { node { id } } } }';
/** A query for each way of reading its pages. */
const graphqlModes = { one: RUN, all: LIST, stream: LIST };
const runsModes = ['array', 'each', 'page'];

/** As long as text in a dialog. */
const shortText = hostileText.filter(({ length }) => length < 200);
const idOfRun = fc.integer({ min: 1, max: RUNS });
const otherVariables = fc.dictionary(hostileName, fc.oneof(hostileText, fc.jsonValue()), {
  maxKeys: 4,
});

/** Properties that the nodes read or write, and any others. */
const hostileMessage = fc
  .tuple(
    fc.dictionary(fc.oneof(fc.string(), hostileName), hostileValue, { maxKeys: 3 }),
    fc.record(
      {
        payload: hostileValue,
        variables: hostileValue,
        filters: hostileValue,
        limit: hostileValue,
        parts: hostileValue,
        complete: hostileValue,
        ion: hostileValue,
        topic: hostileValue,
        req: hostileValue,
        res: hostileValue,
        query: hostileValue,
      },
      { requiredKeys: [] },
    ),
  )
  .map(([others, known]): FlowMessage => ({ ...others, ...known }))
  // Node-RED's copy of such a message is empty, so that its outcome could not be attributed.
  .filter((msg) => !Object.hasOwn(msg, 'toString'));
/** A message that Node-RED cannot copy causes an error behind the node, whatever its outcome. */
const isCopied = (msg: FlowMessage) => {
  try {
    return util.cloneMessage(msg) instanceof Object;
  } catch {
    return false;
  }
};
const canBeJson = (value: unknown) => {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
};
const copiedMessage = hostileMessage.filter(isCopied);
const copiedValue = hostileValue.filter((value) => isCopied({ value }));

/** Properties that a message could use to influence the HTTP client. */
const requestProperties = fc.record(
  {
    headers: fc.dictionary(
      fc.constantFrom('authorization', 'host', 'content-type', 'x-injected', 'X\r\nY'),
      hostileText,
    ),
    url: hostileText,
    method: fc.constantFrom('GET', 'PUT', 'POST / HTTP/1.1\r\nX-Injected: 1'),
    host: hostileText,
    path: hostileText,
    apiUrl: hostileText,
    authUrl: hostileText,
    authorization: hostileText,
    token: hostileText,
    cookies: fc.dictionary(fc.string(), hostileText),
    statusCode: copiedValue,
    requestTimeout: copiedValue,
    followRedirects: fc.boolean(),
    operationName: hostileText,
    topic: hostileText,
    payload: hostileText,
  },
  { requiredKeys: [] },
);

const wellFormedQueries = [
  RUN,
  LIST,
  '{ runs(first: 3, after: "x") { edges { node { id ...F @skip(if: false) } } } } fragment F on Run { title }',
  'query A($n: Int = 5) { runs(first: $n) { edges { ... on RunsEdge { node { id } } } pageInfo { count } } }',
  '{ runs(filters: { title: { ilike: """%\n"a"%""" }, id: { in: [1, 2] } }) { edges { node { id } } } } # end',
];
const mutatedQuery = fc
  .tuple(
    fc.constantFrom(...wellFormedQueries),
    fc.array(
      fc.tuple(
        fc.nat(200),
        fc.nat(12),
        fc.oneof(
          hostileText,
          fc.constantFrom(
            ...['{', '}', '(', ')', '...', '$', '"', '"""', '#', '@', '!', '[', ']', ':'],
            ...['edges', 'node', 'pageInfo', 'first: ', 'after: null', 'fragment', '__proto__'],
          ),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([query, changes]) =>
    changes.reduce(
      (text, [at, length, piece]) =>
        text.slice(0, at % text.length) + piece + text.slice((at % text.length) + length),
      query,
    ),
  );

const around = (depth: number, open: string, inside: string, close: string) =>
  open.repeat(depth) + inside + close.repeat(depth);
const list = (inside: string) => `{ runs { edges { node { id ${inside} } } } }`;
const inList = (value: string) => `{ runs(filters: ${value}) { edges { node { id } } } }`;
const nestedQueries: [string, (depth: number) => string][] = [
  ['selections', (depth) => list(around(depth, '{ steps', '{ id }', '}').slice(1))],
  ['selections round the list', (depth) => around(depth, '{ a ', list(''), '}')],
  ['inline fragments', (depth) => list(around(depth, '... { ', 'title', '}'))],
  ['lists', (depth) => inList(around(depth, '[', '1', ']'))],
  ['objects', (depth) => inList(around(depth, '{ or_: ', '1', '}'))],
  ['types', (depth) => `query ($a: ${around(depth, '[', 'ID', ']')}) ${list('')}`],
];

/** Fragments that each use the next one twice: each one doubles the work. */
const doubling = (count: number, use: (name: string) => string, last: string) =>
  Array.from({ length: count }, (_, n) => `fragment F${n} on Run { ${use(`...F${n + 1}`)} }`)
    .concat(`fragment F${count} on Run { ${last} }`)
    .join('\n');
const twice = (spread: string) => `${spread} ${spread}`;
const twoFields = (spread: string) => `a { ${spread} } b { ${spread} }`;
const fragmentQueries: [string, string][] = [
  ['themselves', `{ ...F } fragment F on Query { ...F runs { edges { node { id } } } }`],
  ['themselves in a field', `{ ...F } fragment F on Query { a { ...F } }`],
  ['each other', `{ ...F } fragment F on Query { a { ...G } } fragment G on Run { b { ...F } }`],
  ['the next one twice', `{ ...F0 } ${doubling(25, twice, 'runs { edges { node { id } } }')}`],
  ['the next one in two fields', `{ ...F0 } ${doubling(25, twoFields, 'c')}`],
  ['the next one twice in a row', `${list('...F0')} ${doubling(25, twice, 'title')}`],
];

const LONG = 500_000;
const many = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => item(index)).join(' ');
const longQueries: [string, () => string][] = [
  ['name', () => list('x'.repeat(LONG))],
  ['name in the wrong place', () => `${list('')} ${'x'.repeat(LONG)}`],
  ['text', () => inList(`{ title: { eq: "${'→'.repeat(LONG)}" } }`)],
  ['comment', () => `${list('')} #${'x'.repeat(LONG)}`],
  ['empty space', () => list(' \r\n,'.repeat(LONG / 4))],
  ['row of fields', () => list(many(5000, (index) => `a${index}: __typename`))],
  [
    'row of lists',
    () => `{ ${many(2000, (index) => `a${index}: runs { edges { node { id } } }`)} }`,
  ],
  ['row of operations', () => many(10_000, (index) => `query A${index} { me { id } }`)],
  ['row of brackets', () => '{'.repeat(LONG)],
];

describe('nodes with hostile input', () => {
  nothingUnhandled();
  const context = useSandbox({ runs: RUNS });
  let flow: TestFlow;
  let assertUnpolluted: () => void;

  const load = async (node: FlowNode, properties: object = {}) => {
    await helper.unload();
    const { sandbox } = context;
    const config = [sandboxConfig(sandbox, { timeout: MAX_DURATION_MS / 2000, retries: 0 })];
    flow = await TestFlow.load({ ...node, ...properties }, config, sandboxKey(sandbox));
  };

  /** The only outcome of a message, which must be clear. */
  const outcomeOf = async (msg: FlowMessage): Promise<Outcome> => {
    const outcome = await flow.send(msg);
    const { completed, caught } = outcome;
    assert.equal(completed.length + caught.length, 1, 'a message ended more or less than once');
    for (const { error } of caught) assertClear(error);
    assertUnpolluted();
    return outcome;
  };

  /** The runs' IDs in all messages sent for a message. */
  const sentIds = ({ sent, caught }: Outcome): unknown[] => {
    assert.deepEqual(caught, []);
    return sent.flatMap(({ payload }) => {
      if (Array.isArray(payload)) return payload.map(({ id }) => id);
      const { id, run, runs } = payload as {
        id?: number;
        run?: { id: number };
        runs?: { edges: { node: { id: number } }[] };
      };
      return runs ? runs.edges.map(({ node }) => node.id) : [id ?? run?.id];
    });
  };

  const holds = (numRuns: number, property: fc.IAsyncProperty<unknown>) =>
    fc.assert(property, { numRuns: inputs(numRuns), timeout: MAX_DURATION_MS });

  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(() => {
    assertUnpolluted = watchPrototypes();
  });
  afterEach(() => helper.unload());

  describe('ion-graphql', () => {
    for (const [pages, query] of Object.entries(graphqlModes)) {
      it(`answers any message or says clearly why not (pages: ${pages})`, async () => {
        await load(graphqlNode, { query, pages });
        await holds(
          150,
          fc.asyncProperty(hostileMessage, async (msg) => {
            const { caught } = await outcomeOf(msg);
            if (canBeJson(msg.variables)) return;
            assert.equal(caught[0]?.error.code, 'ION_VARIABLES');
          }),
        );
      });

      it(`returns the run of the variables, whatever other variables there are (pages: ${pages})`, async () => {
        await load(graphqlNode, { query, pages });
        await holds(
          100,
          fc.asyncProperty(copiedMessage, otherVariables, idOfRun, async (msg, others, id) => {
            const outcome = await outcomeOf({ ...msg, variables: { ...others, id } });
            assert.deepEqual(sentIds(outcome), [id]);
          }),
        );
      });

      it(`answers any query or says clearly why not (pages: ${pages})`, async () => {
        await load(graphqlNode, { query: 'question', queryType: 'msg', pages });
        await holds(
          200,
          fc.asyncProperty(fc.oneof(mutatedQuery, hostileText, hostileValue), async (question) => {
            await outcomeOf({ question });
          }),
        );
      });

      it(`survives deeply nested queries (pages: ${pages})`, async () => {
        await load(graphqlNode, { query: 'question', queryType: 'msg', pages });
        for (const [what, nest] of nestedQueries) {
          for (const depth of [100, 700, 10_000, 100_000]) {
            const { caught } = await outcomeOf({ question: nest(depth) });
            const { code, message } = caught[0]?.error ?? {};
            if (depth < 10_000) assert.doesNotMatch(String(message), /nested too deeply/, what);
            // The stack limit depends on Node.js: ION rejects queries that the parser can read.
            else assert.match(String(code), /^ION_(QUERY|GRAPHQL)$/, what);
          }
        }
      });

      it(`survives fragments that use themselves or each other (pages: ${pages})`, async () => {
        await load(graphqlNode, { query: 'question', queryType: 'msg', pages });
        for (const [, question] of fragmentQueries) await outcomeOf({ question });
      });

      it(`survives very long queries (pages: ${pages})`, async () => {
        await load(graphqlNode, { query: 'question', queryType: 'msg', pages });
        for (const [, make] of longQueries) await outcomeOf({ question: make() });
      });
    }
  });

  describe('ion-lookup', () => {
    for (const by of ['barcode', 'serial', 'run', 'location']) {
      it(`answers any message or says clearly why not (by: ${by})`, async () => {
        await load(lookupNode, { by });
        await holds(
          100,
          fc.asyncProperty(hostileMessage, async (msg) => {
            await outcomeOf(msg);
          }),
        );
      });

      it(`answers any text and any number (by: ${by})`, async () => {
        const part = { part: 'part', partType: 'msg', step: 'title', stepType: 'msg' };
        await load(lookupNode, { by, ...part });
        const value = fc.oneof(hostileText, fc.integer());
        await holds(
          100,
          fc.asyncProperty(value, hostileText, hostileText, async (payload, part, title) => {
            const { caught } = await outcomeOf({ payload, part, title });
            // A text that is empty, or too long.
            for (const { error } of caught) assert.equal(error.code, 'ION_VARIABLES');
          }),
        );
      });
    }
  });

  describe('ion-runs', () => {
    for (const mode of runsModes) {
      it(`answers any message or says clearly why not (send: ${mode})`, async () => {
        await load(runsNode, { mode, fields: ['id'] });
        await holds(
          200,
          fc.asyncProperty(hostileMessage, async (msg) => {
            await outcomeOf(msg);
          }),
        );
      });

      it(`returns the matching runs, with anything next to the filters (send: ${mode})`, async () => {
        await load(runsNode, { mode, fields: ['id'] });
        await holds(
          100,
          fc.asyncProperty(
            copiedMessage,
            hostileText,
            fc.uniqueArray(idOfRun, { minLength: 1 }),
            async (msg, text, ids) => {
              const filters = { id: { in: ids }, title: { neq: text } };
              const { length } = ids;
              const outcome = await outcomeOf({ ...msg, limit: length, filters });
              assert.deepEqual(
                sentIds(outcome),
                ids.sort((a, b) => a - b),
              );
            },
          ),
        );
      });
    }

    it('accepts only whole numbers as the limit, and says so', async () => {
      const own = 5;
      await load(runsNode, { limit: own, fields: ['id'] });
      const whole = fc.oneof(fc.nat(20), fc.constantFrom(2 ** 40, Number.MAX_VALUE));
      await holds(
        100,
        fc.asyncProperty(fc.oneof(whole, whole.map(String)), async (limit) => {
          const count = Number(limit) === 0 ? RUNS : Math.min(RUNS, Number(limit));
          assert.equal(sentIds(await outcomeOf({ limit })).length, count);
        }),
      );
      for (const limit of [undefined, null, '', ' ', '\r\n']) {
        assert.equal(sentIds(await outcomeOf({ limit })).length, own);
      }
      await holds(
        100,
        fc.asyncProperty(
          hostileValue.filter((value) => !['number', 'string', 'undefined'].includes(typeof value)),
          async (limit) => {
            const { caught } = await outcomeOf({ limit: limit ?? Number.NaN });
            assert.equal(caught[0]?.error.code, 'ION_VARIABLES');
          },
        ),
      );
    });

    it('accepts only objects as filters: nothing else may mean all runs', async () => {
      await load(runsNode, { fields: ['id'] });
      const noFilters = [new Map([['id', 1]]), new Set(), new Date(), Buffer.from('{}'), /a/];
      for (const filters of [...noFilters, 'TODO', 7, true, 5n, [], Symbol('filter')]) {
        const { caught } = await outcomeOf({ filters });
        assert.equal(caught[0]?.error.code, 'ION_VARIABLES', String(filters));
      }
    });

    it('delivers changes once, for any messages', async () => {
      await load(runsNode, { changes: true, mode: 'each', fields: ['id'] });
      const delivered: unknown[] = [];
      await holds(
        100,
        fc.asyncProperty(copiedMessage, async (msg) => {
          const outcome = await outcomeOf({ ...msg, filters: undefined });
          delivered.push(...sentIds(outcome));
        }),
      );
      assert.equal(delivered.length, RUNS);
    });
  });

  describe('the result', () => {
    const RESULT = { me: { id: 6 } };
    const query = '{ me { id } }';
    /** The value of an own property of a message, not of its prototypes. */
    const ownValue = (msg: FlowMessage, path: string[]) =>
      path.reduce<unknown>((value, key) => {
        assert.ok(Object.hasOwn(value as object, key), `nothing at ${path.join('.')}`);
        return (value as FlowMessage)[key];
      }, msg);
    const part = fc.oneof(
      // Without these, Node-RED can still copy the object that contains the result.
      hostileName.filter((name) => /^(?!constructor|toString|length)\w+$/.test(name)),
      fc.constantFrom('payload', 'ion', 'parts', 'complete', 'hasOwnProperty', '0', '7'),
    );

    it('goes to the chosen property, or the message fails before anything is sent', () =>
      holds(
        60,
        fc.asyncProperty(
          fc.array(part, { minLength: 1, maxLength: 4 }),
          fc.constantFrom('one', 'all', 'stream'),
          fc.oneof(fc.jsonValue(), copiedValue),
          async (path, pages, payload) => {
            const own = { query: pages === 'one' ? query : LIST, pages };
            await load(graphqlNode, { ...own, output: path.join('.') });
            context.sandbox.control.resetCounters();
            const { sent, caught } = await outcomeOf({ payload });
            if (caught[0]) {
              assert.equal(caught[0].error.code, 'ION_CONFIG');
              // Only if the node itself numbers the messages, and only queries can be paged.
              if (pages !== 'stream') {
                assert.equal(context.sandbox.control.counters().api.total, 0);
              }
            } else if (pages === 'one') {
              assert.deepEqual(ownValue(sent[0] as FlowMessage, path), RESULT);
            } else {
              ownValue(sent[0] as FlowMessage, path);
            }
          },
        ),
      ));

    it('goes to the property that the message names, and nowhere else', async () => {
      await load(graphqlNode, { query, output: 'payload[msg.topic].result' });
      await holds(
        200,
        fc.asyncProperty(copiedValue, copiedValue, async (topic, payload) => {
          // Node-RED copies a list element by element, including the empty slots.
          fc.pre(!Array.isArray(payload) || typeof topic !== 'number' || topic < 1000);
          const { sent, caught } = await outcomeOf({ topic, payload });
          if (caught[0]) assert.equal(caught[0].error.code, 'ION_CONFIG');
          else ownValue(sent[0] as FlowMessage, ['payload', String(topic), 'result']);
        }),
      );
    });

    for (const output of [
      '__proto__',
      '__proto__.x',
      'payload.__proto__',
      'payload.__proto__.polluted',
      'payload["__proto__"].polluted',
      "['__proto__']['polluted']",
      'payload.list[0].__proto__.polluted',
      'payload.constructor.__proto__.polluted',
    ]) {
      it(`cannot go into a prototype (${output})`, async () => {
        await load(graphqlNode, { query, output });
        for (const payload of ['text', {}, { list: [{}] }, JSON.parse('{"__proto__":{}}')]) {
          const { caught } = await outcomeOf({ payload });
          assert.equal(caught[0]?.error.code, 'ION_CONFIG');
        }
        assert.equal(context.sandbox.control.counters().api.total, 0);
      });
    }

    it('cannot go into a Buffer, which would lose it', async () => {
      for (const output of ['payload.result', 'payload[0]']) {
        await load(graphqlNode, { query, output });
        const { caught } = await outcomeOf({ payload: Buffer.from('text') });
        assert.equal(caught[0]?.error.code, 'ION_CONFIG');
      }
    });

    for (const output of ['constructor.prototype.x', 'payload.constructor.prototype.polluted']) {
      it(`stays in the message (${output})`, async () => {
        await load(graphqlNode, { query, output });
        const { sent } = await outcomeOf({ payload: {} });
        assert.deepEqual(ownValue(sent[0] as FlowMessage, output.split('.')), RESULT);
      });
    }
  });

  describe('the requests', () => {
    /** Everything that a server sees of a request except its body. */
    const seen = () =>
      context.sandbox.control.counters().recent.map(({ method, path, headers }) => {
        const { 'content-length': _, ...others } = headers;
        return { method, path, headers: others };
      });
    const requestsOf = async (msg: FlowMessage) => {
      const { control } = context.sandbox;
      control.resetCounters();
      // So that a token is requested as well.
      control.revokeTokens();
      const outcome = await outcomeOf(msg);
      return { outcome, requests: seen() };
    };

    const nodes: [string, FlowNode, object][] = [
      ...Object.entries(graphqlModes).map(([pages, query]): [string, FlowNode, object] => [
        `ion-graphql, pages: ${pages}`,
        graphqlNode,
        { pages, query },
      ]),
      ...runsModes.map((mode): [string, FlowNode, object] => [
        `ion-runs, send: ${mode}`,
        runsNode,
        { mode, fields: ['id'] },
      ]),
    ];
    for (const [what, node, properties] of nodes) {
      it(`are the same for any message (${what})`, async () => {
        await load(node, properties);
        const variables = { id: 3 };
        await outcomeOf({ variables });
        const plain = await requestsOf({ variables });
        assert.deepEqual(
          plain.requests.map(({ path }) => path.replace(/.*\//, '')),
          ['graphql', 'token', 'graphql'],
        );
        await holds(
          40,
          fc.asyncProperty(
            requestProperties,
            hostileText,
            otherVariables,
            async (msg, text, more) => {
              const filters = { title: { neq: text } };
              const hostile = { ...msg, filters, variables: { ...more, text, ...variables } };
              const { outcome, requests } = await requestsOf(hostile);
              assert.deepEqual(outcome.caught, []);
              assert.deepEqual(requests, plain.requests);
            },
          ),
        );
      });
    }

    it('are the same for any query', async () => {
      await load(graphqlNode, { query: 'question', queryType: 'msg' });
      await outcomeOf({ question: '{ me { id } }' });
      const plain = await requestsOf({ question: '{ me { id } }' });
      await holds(
        100,
        fc.asyncProperty(hostileText, async (text) => {
          const question = `query ($text: String = ${JSON.stringify(text)}) { me { id } }\r\n`;
          const { requests } = await requestsOf({ question });
          if (requests.length > 0) assert.deepEqual(requests, plain.requests);
        }),
      );
    });

    it('are not sent for an impossible operation name', async () => {
      await holds(
        30,
        fc.asyncProperty(shortText.filter(Boolean), async (operationName) => {
          await load(graphqlNode, { operationName });
          const { outcome, requests } = await requestsOf({});
          assert.equal(outcome.caught[0]?.error.code, 'ION_QUERY');
          assert.deepEqual(requests, []);
        }),
      );
    });

    it('are not sent for a filter on an impossible field', async () => {
      await holds(
        30,
        fc.asyncProperty(shortText, async (field) => {
          fc.pre(!/^\w+$/.test(field));
          const filters = [{ field, op: 'eq', value: 'x', valueType: 'str' }];
          await load(runsNode, { filters });
          const { outcome, requests } = await requestsOf({});
          assert.equal(outcome.caught[0]?.error.code, 'ION_QUERY');
          assert.deepEqual(requests, []);
        }),
      );
    });
  });

  describe('a message that Node-RED cannot copy', () => {
    const deep = nested(20_000);
    const nodes: [string, FlowNode, object][] = [
      ['ion-graphql', graphqlNode, {}],
      ['ion-graphql, pages: stream', graphqlNode, { query: LIST, pages: 'stream' }],
      ['ion-runs', runsNode, { mode: 'each', fields: ['id'] }],
    ];
    for (const [what, node, properties] of nodes) {
      it(`ends in one clear error, and the node keeps working (${what})`, async () => {
        await load(node, properties);
        const unsendable = await outcomeOf({ variables: deep, filters: deep });
        assert.equal(unsendable.caught[0]?.error.code, 'ION_VARIABLES');
        const answered = await outcomeOf({ payload: { deep }, topic: { deep } });
        assert.equal(answered.caught[0]?.error.code, 'ION_CONFIG');
        assert.match(String(answered.caught[0]?.error.message), /cannot copy .* nested too deeply/);
        assert.deepEqual((await outcomeOf({})).caught, []);
      });
    }
  });
});
