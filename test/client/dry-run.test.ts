import assert from 'node:assert/strict';
import { mergeable } from '../../nodes/client/batching/mergeable.js';
import { RequestBatches } from '../../nodes/client/batching/request-batches.js';
import { sharedOperation, sharedVariables } from '../../nodes/client/batching/shared-operation.js';
import type { IonClient } from '../../nodes/client/client.js';
import { IonError } from '../../nodes/client/errors.js';
import type { DryRunRequest } from '../../nodes/client/graphql/dry-run-request.js';
import { type Operation, parseOperation } from '../../nodes/client/graphql/operation.js';
import { fileOf } from '../../nodes/client/steps/attachment-file.js';
import { StepWriter } from '../../nodes/client/steps/step-writer.js';
import { failure } from '../support/errors.js';
import { useSandbox } from '../support/sandbox.js';
import { makeStep, type StepForTests, stepState } from '../support/steps.js';

const CREATE = parseOperation(
  'mutation CreateRun($input: CreateRunInput!) { createRun(input: $input) { run { id title steps { id } } } }',
);
const EMPTY_RUN = { createRun: { run: { id: null, title: null, steps: [] } } };

/** The names in a refusal, which the versions of the GraphQL library word differently. */
function namesIn({ message }: { message: string }): string[] {
  return [...new Set(message.match(/"[^"]+"/g))].sort();
}

describe('a client in a dry run', () => {
  const ion = useSandbox({ runs: 5 });
  let client: IonClient;
  let notSent: DryRunRequest[];
  beforeEach(() => {
    notSent = [];
    client = ion.client({ mode: 'dryRun', onNotSent: (request) => notSent.push(request) });
  });
  const counters = () => ion.sandbox.control.counters();
  const send = (operation: Operation, variables?: Record<string, unknown>, by = client) =>
    by.request(operation, { variables, signal: new AbortController().signal });
  const executed = () => {
    const { api, executed } = counters();
    return { sent: api.byOperation.mutation, executed: Object.keys(executed) };
  };
  const NOTHING = { sent: 0, executed: [] };

  it('sends queries, and answers mutations with a skeleton and what would have been sent', async () => {
    assert.ok((await send(parseOperation('{ me { id } }'))).data.me);
    const variables = { input: { title: 'Dry' } };
    const { data, dryRun, attempts } = await send(CREATE, variables);
    assert.deepEqual(data, EMPTY_RUN);
    assert.deepEqual(dryRun, { query: CREATE.text, variables, operationName: 'CreateRun' });
    assert.equal(attempts, 0);
    assert.deepEqual(notSent, [dryRun]);
    assert.deepEqual(executed(), NOTHING);
  });

  it('reads the schema once', async () => {
    await Promise.all([
      send(CREATE, { input: { title: 'a' } }),
      send(CREATE, { input: { title: 'b' } }),
    ]);
    await send(CREATE, { input: { title: 'c' } });
    assert.equal(counters().api.total, 1);
  });

  it('refuses what the schema of ION does not know, with the error of ION', async () => {
    const live = ion.client();
    const cases: [text: string, variables: Record<string, unknown>][] = [
      ['mutation { createRun(input: { title: "a" }) { run { colour } } }', {}],
      ['mutation { createRun(input: { title: "a" }, colour: 1) { run { id } } }', {}],
      ['mutation ($input: NoType) { createRun(input: $input) { run { id } } }', {}],
      [CREATE.text, { input: { colour: 'red' } }],
      [CREATE.text, {}],
    ];
    for (const [text, variables] of cases) {
      const operation = parseOperation(text);
      const real = await failure(send(operation, variables, live), 'ION_GRAPHQL');
      const error = await failure(send(operation, variables), 'ION_GRAPHQL');
      assert.deepEqual(error.errors?.map(namesIn), real.errors?.map(namesIn));
      assert.equal(error.dryRun, true);
      assert.match(error.message, /dry run.*not sent/);
      assert.deepEqual([error.mayHaveRun, error.origin], [false, 'operation']);
    }
    assert.deepEqual(notSent, []);
    assert.equal(counters().executed.createRun, undefined);
  });

  it('accepts null in place of a required value: it may be the ID of what was not created', async () => {
    const operation = parseOperation(
      'mutation ($id: ID!) { deleteWebhookReceiver(id: $id, etag: "a") { id } }',
    );
    await failure(send(operation, {}), 'ION_GRAPHQL');
    assert.ok((await send(operation, { id: null })).dryRun);
  });

  it('accepts a number as text, as ION may do', async () => {
    const text =
      'mutation ($input: UpdatePartInventoryInput!) { updatePartInventory(input: $input) { partInventory { id } } }';
    const input = { id: 1, etag: 'a' };
    assert.ok((await send(parseOperation(text), { input: { ...input, quantity: '5.5' } })).dryRun);
    await failure(
      send(parseOperation(text), { input: { ...input, quantity: '5,5' } }),
      'ION_GRAPHQL',
    );
  });

  it('checks the variables as always', async () => {
    await failure(send(CREATE, { input: { title: Number.NaN } }), 'ION_VARIABLES');
    assert.deepEqual(executed(), NOTHING);
  });

  it('continues without a schema that ION does not show', async () => {
    ion.sandbox.control.set({ introspection: false });
    const text = 'mutation { createRun(input: { title: "a" }) { run { colour steps { id } } } }';
    assert.deepEqual((await send(parseOperation(text))).data, {
      createRun: { run: { colour: null, steps: { id: null } } },
    });
    await send(CREATE, { input: {} });
    assert.equal(counters().api.total, 1);
    assert.deepEqual(executed(), NOTHING);
  });

  it('fails if the API key is refused, as ION would', async () => {
    const { clientId } = ion.sandbox;
    const key = { clientId, clientSecret: 'wrong' };
    const refused = ion.client({ mode: 'dryRun', key, retries: 0 });
    await failure(send(CREATE, { input: {} }, refused), 'ION_AUTH');
  });

  it('does not send a mutation that has the name of a query in its document', async () => {
    const text = `query Twice { me { id } } mutation Twice { createRun(input: { title: "a" }) { run { id } } }`;
    await send(parseOperation(text, 'Twice')).catch(() => {});
    assert.deepEqual(executed(), NOTHING);
  });

  it('shows no secret in the request', async () => {
    const { clientSecret } = ion.sandbox;
    ion.sandbox.control.set({ introspection: false });
    const text = `mutation ($input: Any) { a(input: $input, password: "abc", note: "${clientSecret}") { id } }`;
    const input = {
      sharedSecret: 'hidden',
      list: [{ apiKey: 'k', title: `x ${clientSecret} y` }],
      size: 5,
    };
    const { dryRun } = await send(parseOperation(text), { input });
    assert.deepEqual(dryRun?.variables, {
      input: { sharedSecret: '***', list: [{ apiKey: '***', title: 'x *** y' }], size: 5 },
    });
    assert.match(String(dryRun?.query), /password: "\*\*\*", note: "\*\*\*"/);
    assert.deepEqual(notSent, [dryRun]);
  });

  it('shows no secret that a variable, a URL or a default value holds', async () => {
    ion.sandbox.control.set({ introspection: false });
    const text = `mutation ($s: String, $list: [String], $pin: Int, $apiKey: String = "d1") {
      a(sharedSecret: $s, input: { tokens: $list, password: $pin }, apiKey: 123456) { id }
      b(uri: "https://user:p1@plant.example/x") { id }
    }`;
    const uri = 'see https://user:p2@plant.example/?q=a@b and http://plant.example:80/a@b';
    const variables = { s: 's1', list: ['t1', 't2'], pin: 4711, uri, deep: { s: 'kept' } };
    const { dryRun } = await send(parseOperation(text), variables);
    assert.deepEqual(dryRun?.variables, {
      ...{ s: '***', list: '***', pin: '***', deep: { s: 'kept' } },
      uri: 'see https://user:***@plant.example/?q=a@b and http://plant.example:80/a@b',
    });
    assert.doesNotMatch(JSON.stringify(dryRun), /d1|123456|:p1|p2|s1|t1|4711/);
  });

  it('shows no values that are too many to be searched for a secret', async () => {
    const { clientSecret } = ion.sandbox;
    const attributes = Array.from({ length: 100_000 }, (_, index) => ({ key: `a${index}` }));
    const variables = { input: { title: clientSecret, attributes } };
    ion.sandbox.control.set({ introspection: false });
    const { dryRun } = await send(CREATE, variables);
    assert.equal(dryRun?.operationName, 'CreateRun');
    assert.doesNotMatch(JSON.stringify(dryRun), new RegExp(clientSecret));
  });

  it('says if a mutation was not checked against the schema, and checks a long one without its comments', async () => {
    const long = (text: string) => parseOperation(text);
    const comment = `#${' '.repeat(20_000)}\n`;
    const error = await failure(send(long(`${comment}mutation { noSuch { id } }`)), 'ION_GRAPHQL');
    assert.deepEqual(namesIn(error).slice(0, 1), ['"Mutation"']);
    const fields = Array.from({ length: 2000 }, (_, index) => `alias${index}: noSuch { id }`);
    const tooLong = await send(long(`mutation { ${fields.join(' ')} }`));
    assert.equal(tooLong.dryRun?.unchecked, true);
    assert.equal(notSent[0]?.unchecked, true);
    ion.sandbox.control.set({ introspection: false });
    const blind = ion.client({ mode: 'dryRun' });
    assert.equal((await send(CREATE, { input: {} }, blind)).dryRun?.unchecked, true);
  });

  it('leaves out what this ION lacks, as it would be sent', async () => {
    ion.sandbox.control.set({ unknown: ['RunStepField.notApplicable'] });
    const step = await makeStep(ion.client(), [{ name: 'Torque', type: 'NUMBER' }]);
    const { notSent: sent } = await new StepWriter(client).writeField(
      { step: step.step, field: 'Torque' },
      12.5,
      { signal: new AbortController().signal, onConflict: 'retry' },
    );
    assert.ok(!sent?.[0]?.query.includes('notApplicable'));
    assert.ok(sent?.[0]?.query.includes('valid'));
  });

  describe('with documents for several mutations', () => {
    const { signal } = new AbortController();

    it('answers the mutations one by one', async () => {
      const batches = new RequestBatches(client, 10);
      const answers = await Promise.all(
        ['a', 'b', 'c'].map((title) =>
          batches.request(CREATE, {
            variables: { input: { title } },
            signal,
            sharesDocument: true,
          }),
        ),
      );
      assert.deepEqual(
        answers.map(({ dryRun }) => dryRun?.variables),
        ['a', 'b', 'c'].map((title) => ({ input: { title } })),
      );
      assert.deepEqual(executed(), NOTHING);
    });

    it('does not send such a document either', async () => {
      const member = mergeable(CREATE) ?? assert.fail();
      const variables = sharedVariables([{ input: { title: 'a' } }, { input: { title: 'b' } }]);
      const { members } = await send(sharedOperation([member, member]), variables);
      assert.deepEqual(
        members?.outcomes.map((each) => (each instanceof IonError ? each : each.data)),
        [EMPTY_RUN, EMPTY_RUN],
      );
      assert.deepEqual(executed(), NOTHING);
    });
  });

  describe('that writes to steps', () => {
    let step: StepForTests;
    let writer: StepWriter;
    const options = { signal: new AbortController().signal, onConflict: 'retry' } as const;
    beforeEach(async () => {
      step = await makeStep(
        ion.client(),
        [
          { name: 'Torque', type: 'NUMBER' },
          { name: 'Notes', type: 'STRING' },
        ],
        { status: 'TODO' },
      );
      writer = new StepWriter(client);
      ion.sandbox.control.resetCounters();
    });

    it('looks names up, converts values, and keeps the etag for the next write', async () => {
      const target = { run: step.run, step: 'Example step', field: 'Torque' };
      const before = await stepState(ion.client(), step.step);
      const { id, _etag: etag } =
        before.fields.find(({ name }) => name === 'Torque') ?? assert.fail();
      for (const value of ['12.5', '13.5']) {
        const { payload, notSent } = await writer.write(target, value, options);
        assert.deepEqual(notSent?.at(0)?.variables, {
          input: { id: Number(id), etag, value: Number(value) },
        });
        assert.equal((payload as { _etag: string })._etag, etag);
      }
      await failure(writer.write(target, 'much', options), 'ION_VARIABLES');
      await failure(writer.write({ ...target, field: 'Tork' }, 1, options), 'ION_NOT_FOUND');
      assert.deepEqual(await stepState(ion.client(), step.step), before);
      assert.deepEqual(executed(), NOTHING);
    });

    it('starts a step, and sets a status', async () => {
      const target = { step: step.step, field: 'Torque' };
      const started = await writer.write(target, 1, { ...options, startStep: true });
      assert.equal(started.started, true);
      assert.deepEqual(
        started.notSent?.map(({ operationName }) => operationName),
        ['UpdateRunStep', 'UpdateRunStepFieldValue'],
      );
      const { payload } = await writer.writeStatus({ step: step.step }, 'complete', options);
      assert.equal(payload.status, null);
      await failure(writer.writeStatus({ step: step.step }, 'no status', options), 'ION_GRAPHQL');
      assert.deepEqual(executed(), NOTHING);
    });

    for (const uploadFlow of ['three-calls', 'two-calls'] as const) {
      it(`attaches nothing, by the flow of ${uploadFlow}`, async () => {
        ion.sandbox.control.set({ uploadFlow });
        const file = fileOf('report.txt', 'text');
        const { payload, notSent } = await writer.attach({ step: step.step }, file, options);
        assert.equal(payload.id, null);
        assert.equal(notSent?.length, 1);
        assert.deepEqual((await stepState(ion.client(), step.step)).fileAttachments, []);
        assert.deepEqual(executed(), NOTHING);
      });
    }

    it('writes to a step that it did not create', async () => {
      for (const write of [
        { action: 'field', value: { Torque: 1, Notes: 'a' } },
        { action: 'status', value: 'complete' },
        { action: 'file', filename: 'a.txt' },
      ] as const) {
        const { notSent } = await writer.writeNotCreated(write, options);
        assert.equal(notSent?.length, write.action === 'field' ? 2 : 1);
      }
      assert.deepEqual(executed(), NOTHING);
    });
  });
});
