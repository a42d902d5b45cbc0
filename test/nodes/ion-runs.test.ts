import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { sequenceOutput } from '../../nodes/runs/output.js';
import { runRows } from '../../nodes/runs/run-rows.js';
import { runsNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { failure } from '../support/errors.js';
import { type FlowMessage, helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';

type Run = { id: number; title: string; status: string; steps: { id: number; title: string }[] };

describe('ion-runs', () => {
  const context = useSandbox();
  let flow: TestFlow;

  const load = async (properties: object = {}) => {
    const { sandbox } = context;
    const node = { ...runsNode, ...properties };
    flow = await TestFlow.load(node, [sandboxConfig(sandbox)], sandboxKey(sandbox));
    return flow;
  };

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(async () => {
    await helper.unload();
    for (const { completed, caught } of flow.outcomes) {
      assert.equal(completed.length + caught.length, 1, 'a message ended more or less than once');
    }
  });

  it('returns an array of nested runs with their steps', async () => {
    const { payload, ion } = await (await load()).answer();
    const runs = payload as Run[];
    assert.equal(runs.length, 60);
    const [first] = runs;
    assert.deepEqual(Object.keys(first ?? {}), ['id', 'title', 'status', 'steps']);
    assert.equal(typeof first?.steps[0]?.title, 'string');
    const { count, totalCount, pages, attempts } = ion as FlowMessage;
    assert.deepEqual(
      { count, totalCount, pages, attempts },
      {
        count: 60,
        totalCount: 60,
        pages: 1,
        attempts: 1,
      },
    );
  });

  for (const pageSize of ['auto', ' AUTO ', '60', 60, '']) {
    it(`reads one page of 60 runs with the page size ${JSON.stringify(pageSize)}`, async () => {
      const { payload, ion } = await (await load({ pageSize })).answer();
      assert.equal((payload as Run[]).length, 60);
      assert.equal((ion as FlowMessage).pages, 1);
    });
  }

  it('reads all pages, in the order of the IDs', async () => {
    const { payload, ion } = await (await load({ pageSize: 7 })).answer();
    const ids = (payload as Run[]).map(({ id }) => id);
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    assert.equal(new Set(ids).size, 60);
    assert.equal((ion as FlowMessage).pages, 9);
  });

  it('respects the limit of the node, and msg.limit instead of it', async () => {
    await load({ limit: 5, pageSize: 2 });
    assert.equal(((await flow.answer()).payload as Run[]).length, 5);
    assert.equal(((await flow.answer({ limit: 3 })).payload as Run[]).length, 3);
    assert.equal(((await flow.answer({ limit: 0 })).payload as Run[]).length, 60);
    // An empty field of a dashboard.
    assert.equal(((await flow.answer({ limit: '' })).payload as Run[]).length, 5);
    assert.equal(((await flow.answer({ limit: '4' })).payload as Run[]).length, 4);
  });

  it('selects the chosen fields, at any depth', async () => {
    await load({ fields: ['id', 'steps.fields.name', 'procedure.title'], limit: 1 });
    const [run] = (await flow.answer()).payload as [
      { steps: { fields: FlowMessage[] }[]; procedure: FlowMessage },
    ];
    assert.deepEqual(Object.keys(run), ['id', 'steps', 'procedure']);
    assert.deepEqual(Object.keys(run.procedure), ['title']);
    const fields = run.steps.flatMap((step) => step.fields);
    assert.ok(fields.length > 0 && fields.every((field) => typeof field.name === 'string'));
  });

  it('sorts as chosen', async () => {
    await load({ sort: ['ID_DESC'], limit: 2 });
    assert.deepEqual(
      ((await flow.answer()).payload as Run[]).map(({ id }) => id),
      [60, 59],
    );
  });

  describe('filters', () => {
    const status = { field: 'status', op: 'in', value: 'TODO, IN_PROGRESS', valueType: 'str' };

    it('by rows, all of which must hold', async () => {
      const below = { field: 'id', op: 'lte', value: '20', valueType: 'num' };
      await load({ filters: [status, below] });
      const runs = (await flow.answer()).payload as Run[];
      assert.ok(runs.length > 0);
      for (const run of runs) {
        assert.ok(run.id <= 20 && ['TODO', 'IN_PROGRESS'].includes(run.status));
      }
    });

    it('by a relation', async () => {
      await load({
        filters: [{ field: 'procedure.title', op: 'eq', value: 'title', valueType: 'msg' }],
        fields: ['id', 'procedure.title'],
      });
      const query = '{ procedures(first: 1) { edges { node { title } } } }';
      const { signal } = new AbortController();
      const { data } = await context.client().request(parseOperation(query), { signal });
      const { procedures } = data as { procedures: { edges: [{ node: { title: string } }] } };
      const { title } = procedures.edges[0].node;
      const runs = (await flow.answer({ title })).payload as { procedure: { title: string } }[];
      assert.ok(runs.length > 0 && runs.length < 60);
      assert.ok(runs.every(({ procedure }) => procedure.title === title));
    });

    it('by msg.filters as well', async () => {
      await load({ filters: [status] });
      const all = ((await flow.answer()).payload as Run[]).length;
      const filters = { status: { eq: 'TODO' } };
      const runs = (await flow.answer({ filters })).payload as Run[];
      assert.ok(runs.length > 0 && runs.length < all);
      assert.ok(runs.every((run) => run.status === 'TODO'));
    });

    it('by "is not one of", for which an empty field is none of the values', async () => {
      const ids = async (field: string, value: string, valueType = 'str') => {
        const filters = [{ field, op: 'notin', value, valueType }];
        await load({ filters, fields: ['id'] });
        const runs = (await flow.answer()).payload as Run[];
        await helper.unload();
        return runs.map(({ id }) => id);
      };
      const { runs } = context.sandbox.data;
      runs.update(7, { dueDate: null as never });
      const idsOf = (isWanted: (run: Run & { dueDate: string | null }) => boolean) =>
        runs
          .all()
          .filter((run) => isWanted(run as never))
          .map(({ id }) => id);
      const { dueDate } = (runs.all() as unknown as { dueDate: string | null }[]).find(
        (run) => run.dueDate,
      ) ?? { dueDate: null };
      assert.deepEqual(
        await ids('dueDate', String(dueDate)),
        idsOf((run) => run.dueDate !== dueDate),
      );
      assert.ok(!(await ids('dueDate', JSON.stringify([dueDate, null]), 'json')).includes(7));
      assert.equal((await ids('id', '[]', 'json')).length, 60);
      assert.deepEqual(
        await ids('id', '[1, 2, 60]', 'json'),
        idsOf(({ id }) => ![1, 2, 60].includes(id)),
      );
      const statuses = await ids('status', 'TODO, IN_PROGRESS');
      assert.ok(statuses.length > 0 && statuses.length < 60);
      await load();
    });

    it('by an ID that a number cannot hold', async () => {
      const value = '9007199254740993';
      await load({ filters: [{ field: 'id', op: 'eq', value, valueType: 'num' }] });
      assert.deepEqual((await flow.answer()).payload, []);
      const sent = context.sandbox.control.counters().recent.at(-1)?.body as FlowMessage;
      assert.deepEqual((sent.variables as FlowMessage).filters, { id: { eq: value } });
    });

    it('never by a value that JSON would turn into null', async () => {
      await load({ filters: [{ field: 'id', op: 'eq', value: 'abc', valueType: 'num' }] });
      const [row] = (await flow.send({})).caught;
      assert.equal(row?.error.code, 'ION_VARIABLES');
      assert.match(String(row?.error.message), /"filters\.id\.eq" are NaN/);
      await helper.unload();
      await load();
      const values = [Number.NaN, undefined, new Date('x'), Buffer.from('1'), [1, undefined]];
      context.sandbox.control.resetCounters();
      for (const eq of values) {
        const [caught] = (await flow.send({ filters: { id: { eq } } })).caught;
        assert.equal(caught?.error.code, 'ION_VARIABLES');
        assert.match(String(caught?.error.message), /"filters\.id\.eq/);
      }
      assert.deepEqual(context.sandbox.control.counters().executed, {});
    });

    it('to nothing, which is an empty array and not an error', async () => {
      await load({ filters: [{ field: 'id', op: 'eq', value: '0', valueType: 'num' }] });
      assert.deepEqual((await flow.answer()).payload, []);
    });
  });

  describe('sends', () => {
    it('one message per run, numbered for a Join node', async () => {
      await load({ mode: 'each', limit: 5, pageSize: 2 });
      const { sent } = await flow.send({ topic: 'kept' });
      assert.deepEqual(
        sent.map(({ payload }) => (payload as Run).id),
        [1, 2, 3, 4, 5],
      );
      const parts = sent.map((msg) => msg.parts as FlowMessage);
      assert.equal(new Set(parts.map(({ id }) => id)).size, 1);
      assert.deepEqual(
        parts.map(({ index, count, type }) => ({ index, count, type })),
        [0, 1, 2, 3, 4].map((index) => ({
          index,
          count: index === 4 ? 5 : undefined,
          type: 'array',
        })),
      );
      assert.deepEqual(
        sent.map(({ complete }) => complete),
        [undefined, undefined, undefined, undefined, true],
      );
      assert.ok(sent.every(({ topic }) => topic === 'kept'));
    });

    it('no end of an outer sequence', async () => {
      await load({ mode: 'each', limit: 3 });
      const { sent } = await flow.send({ complete: true, parts: { id: 'outer', index: 4 } });
      assert.deepEqual(
        sent.map(({ complete, parts }) => [complete, (parts as FlowMessage).parts]),
        [undefined, undefined, true].map((complete) => [complete, { id: 'outer', index: 4 }]),
      );
    });

    it('one message per page', async () => {
      await load({ mode: 'page', pageSize: 25 });
      const { sent } = await flow.send();
      assert.deepEqual(
        sent.map(({ payload }) => (payload as Run[]).length),
        [25, 25, 10],
      );
      assert.equal(sent[2]?.complete, true);
    });

    it('nothing but done() without runs, one by one or by page', async () => {
      const filters = [{ field: 'id', op: 'eq', value: '0', valueType: 'num' }];
      for (const mode of ['each', 'page']) {
        await load({ mode, filters });
        const { sent, completed } = await flow.send();
        assert.deepEqual([sent.length, completed.length], [0, 1]);
        await helper.unload();
      }
      await load();
    });
  });

  describe('as flat rows', () => {
    const fields = ['title', 'part.partNumber', 'steps.title', 'id'];
    const steps = () => context.sandbox.data.runSteps.all();

    it('sends one per step, with the run repeated and a key for each field', async () => {
      await load({ shape: 'rows', fields });
      const { payload, ion } = await flow.answer();
      const rows = payload as FlowMessage[];
      assert.ok(rows.every((row) => String(Object.keys(row)) === String(fields)));
      const { count, totalCount } = ion as FlowMessage;
      assert.deepEqual([rows.length, count, totalCount], [steps().length, steps().length, 60]);
    });

    it('sends one per run without fields of steps', async () => {
      await load({ shape: 'rows', fields: ['id', 'part.partNumber'] });
      const rows = (await flow.answer()).payload as FlowMessage[];
      assert.deepEqual(
        rows.map(({ id }) => id),
        Array.from({ length: 60 }, (_, index) => index + 1),
      );
    });

    it('limits the runs, not the rows', async () => {
      await load({ shape: 'rows', fields, limit: 2 });
      const rows = (await flow.answer()).payload as FlowMessage[];
      assert.ok(rows.length > 2);
      assert.deepEqual([...new Set(rows.map(({ id }) => id))], [1, 2]);
    });

    it('numbers the messages with one row each', async () => {
      await load({ shape: 'rows', fields, mode: 'each', limit: 2 });
      const { sent } = await flow.send();
      const count = steps().filter(({ runId }) => runId <= 2).length;
      assert.equal(sent.length, count);
      assert.ok(sent.every(({ ion }) => (ion as FlowMessage).count === 1));
      const last = sent.at(-1) as FlowMessage;
      assert.deepEqual([(last.parts as FlowMessage).count, last.complete], [count, true]);
    });

    it('counts the rows of a page', async () => {
      await load({ shape: 'rows', fields, mode: 'page', pageSize: 25 });
      const { sent } = await flow.send();
      assert.equal(sent.length, 3);
      for (const { payload, ion } of sent) {
        assert.equal((ion as FlowMessage).count, (payload as Run[]).length);
      }
    });

    it('sends only those of changed runs', async () => {
      await load({ shape: 'rows', fields, changes: true, changesFrom: 'now' });
      await flow.send();
      context.sandbox.data.runs.update(3, { title: 'Changed' });
      const rows = (await flow.answer()).payload as FlowMessage[];
      assert.equal(rows.length, steps().filter(({ runId }) => runId === 3).length);
      assert.ok(rows.every(({ title }) => title === 'Changed'));
    });

    it('are nested in a node that has no such property, as before', async () => {
      await load({ shape: undefined, version: 1, limit: 1 });
      const [run] = (await flow.answer()).payload as Run[];
      assert.ok(Array.isArray(run?.steps));
    });

    it('have an empty text for a missing value, and JSON for a list or an object', async () => {
      const run = {
        id: 1,
        part: null,
        labels: [{ value: 'a' }, { value: null }],
        extra: { deep: [1] },
        none: [],
        steps: [],
      };
      const columns = ['id', 'part.partNumber', 'labels.value', 'extra', 'none', 'steps.id'];
      assert.deepEqual(await runRows([run], columns), [
        {
          id: 1,
          'part.partNumber': '',
          'labels.value': '["a",null]',
          extra: '{"deep":[1]}',
          none: '',
          'steps.id': '',
        },
      ]);
    });

    it('leave time for other work', async () => {
      const run = { id: 1, steps: Array.from({ length: 200_000 }, (_, id) => ({ id })) };
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      try {
        await runRows([run], ['id', 'steps.id']);
      } finally {
        clearInterval(timer);
      }
      assert.ok(turns > 0);
    });
  });

  describe('with many messages for one page', () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id }));
    const details = { operation: 'query', name: 'Runs', attempts: 1 } as const;
    /** As long as it takes to copy a large message. */
    const cloneMessage = (msg: object) => {
      const until = performance.now() + 1;
      while (performance.now() < until);
      return { ...msg };
    };
    const output = (send: () => void, { signal } = new AbortController()) => {
      const RED = { util: { generateId: () => 'id', cloneMessage } } as unknown as NodeAPI;
      return sequenceOutput(RED, { _msgid: 'id' }, { send, signal }, 'each');
    };

    it('leaves time for other work between them', async () => {
      let sent = 0;
      const others: number[] = [];
      const look = () => {
        others.push(sent);
        if (sent < rows.length) setImmediate(look);
      };
      setImmediate(look);
      const each = output(() => sent++);
      await each.page(rows, details);
      await each.end(details);
      assert.equal(sent, rows.length);
      assert.ok(others.some((count) => count > 0 && count < rows.length));
    });

    it('stops sending once the flow is stopped', async () => {
      let sent = 0;
      const controller = new AbortController();
      const each = output(() => {
        if (++sent === 3) controller.abort();
      }, controller);
      await failure(each.page(rows, details), 'ION_CLOSED');
      each.interrupt();
      assert.equal(sent, 3);
    });
  });

  describe('fails for', () => {
    const cases: [string, object, FlowMessage, string, RegExp][] = [
      ['filters that are not an object', {}, { filters: 'TODO' }, 'ION_VARIABLES', /msg\.filters/],
      ['a limit that is no number', {}, { limit: 'many' }, 'ION_VARIABLES', /limit/],
      ['a negative limit', {}, { limit: -1 }, 'ION_VARIABLES', /limit/],
      [
        'a filter value that the message does not have',
        { filters: [{ field: 'id', op: 'eq', value: 'which', valueType: 'msg' }] },
        {},
        'ION_VARIABLES',
        /The filter on "id" has no value: msg\.which does not exist\.$/,
      ],
      [
        'a field name that cannot be',
        { fields: ['id }'] },
        {},
        'ION_QUERY',
        /"id }" is not a valid name/,
      ],
      ['a field that ION does not have', { fields: ['colour'] }, {}, 'ION_GRAPHQL', /colour/],
      [
        'a sort that cannot be',
        { sort: ['id asc'] },
        {},
        'ION_QUERY',
        /"id asc" is not a valid name/,
      ],
    ];
    for (const [what, properties, msg, code, text] of cases) {
      it(what, async () => {
        await load(properties);
        const { sent, caught } = await flow.send(msg);
        assert.deepEqual([sent.length, caught.length], [0, 1]);
        assert.equal(caught[0]?.error.code, code);
        assert.match(String(caught[0]?.error.message), text);
      });
    }
  });
});
