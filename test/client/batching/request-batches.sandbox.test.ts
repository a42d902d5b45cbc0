import assert from 'node:assert/strict';
import { RequestBatches } from '../../../nodes/client/batching/request-batches.js';
import type { IonClient, IonResponse } from '../../../nodes/client/client.js';
import { IonError } from '../../../nodes/client/errors.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { FIELD_MUTATION } from '../../../nodes/client/steps/field-mutation.js';
import type { Settings } from '../../../sandbox/faults/settings.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import { makeStep, type StepForTests, stepState } from '../../support/steps.js';

const FIELDS = Array.from({ length: 8 }, (_, index) => ({ name: `F${index}`, type: 'NUMBER' }));
const CREATE = parseOperation(
  'mutation ($input: CreateRunInput!) { createRun(input: $input) { run { id title } } }',
);

describe('writes to ION that share documents', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 5 });
  const counters = () => ion.sandbox.control.counters();
  let client: IonClient;
  let step: StepForTests;
  beforeEach(async () => {
    client = ion.client();
    step = await makeStep(client, FIELDS);
    ion.sandbox.control.resetCounters();
  });

  /** Writes a value to each field; those with these indexes have a stale etag. */
  async function write(
    batches: RequestBatches,
    stale: readonly number[] = [],
    also: () => Promise<void> = async () => {},
  ) {
    const { fields } = await stepState(client, step.step);
    ion.sandbox.control.resetCounters();
    const { signal } = new AbortController();
    const [outcomes] = await Promise.all([
      Promise.all(
        fields.map(({ id, _etag }, index) => {
          const etag = stale.includes(index) ? '0'.repeat(32) : _etag;
          const variables = { input: { id, etag, value: index } };
          return batches
            .request(FIELD_MUTATION, { variables, signal, sharesDocument: true })
            .catch((thrown) => thrown as IonError);
        }),
      ),
      also(),
    ]);
    return outcomes;
  }
  const codes = (outcomes: readonly (IonResponse | IonError)[]) =>
    outcomes.map((each) => (each instanceof IonError ? each.code : 'written'));
  const values = async () => (await stepState(client, step.step)).fields.map(({ value }) => value);

  it('are carried out in one request, with the results of each field', async () => {
    const outcomes = await write(new RequestBatches(client, 50));
    assert.equal(counters().api.total, 1);
    for (const [index, outcome] of outcomes.entries()) {
      assert.ok(!(outcome instanceof IonError));
      const { runStepField } = outcome.data.updateRunStepFieldValue as {
        runStepField: Record<string, unknown>;
      };
      assert.deepEqual([runStepField.name, runStepField.value], [`F${index}`, index]);
    }
    assert.deepEqual(await values(), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  const conflicts: Partial<Settings>[] = (['errors', 'status', 'bad-request'] as const).flatMap(
    (etagConflict) =>
      (['code', 'text', 'other-text'] as const).map((etagError) => ({ etagConflict, etagError })),
  );
  for (const settings of conflicts) {
    it(`are written although one of them is stale: ${Object.values(settings).join(', ')}`, async () => {
      ion.sandbox.control.set(settings);
      const outcomes = await write(new RequestBatches(client, 50), [3]);
      assert.equal(counters().api.total, 1);
      const expected = FIELDS.map((_, index) => (index === 3 ? 'ION_CONFLICT' : 'written'));
      assert.deepEqual(codes(outcomes), expected);
      const conflict = outcomes[3] as IonError;
      assert.equal(conflict.mayHaveRun, false, 'it is read and written again');
      assert.deepEqual(conflict.errors?.[0]?.path, ['updateRunStepFieldValue']);
      assert.deepEqual(await values(), [0, 1, 2, null, 4, 5, 6, 7]);
    });
  }

  for (const permissionError of ['status', 'errors'] as const) {
    it(`are written although a mutation beside them is not permitted: ${permissionError}`, async () => {
      ion.sandbox.control.set({ permissionError, permissions: ['UpdateRunStepFieldValue'] });
      const batches = new RequestBatches(client, 50);
      const { signal } = new AbortController();
      const variables = { input: { title: 'Not permitted' } };
      let other: IonResponse | IonError | undefined;
      const outcomes = await write(batches, [], async () => {
        other = await batches
          .request(CREATE, { variables, signal, sharesDocument: true })
          .catch((thrown) => thrown as IonError);
      });
      assert.deepEqual(codes(outcomes), Array(8).fill('written'));
      assert.ok(other instanceof IonError);
      assert.deepEqual([other.code, other.mayHaveRun], ['ION_FORBIDDEN', false]);
      assert.equal(counters().api.total === 1, permissionError === 'errors');
      assert.equal(counters().executed.updateRunStepFieldValue, 8);
      assert.equal(batches.size, 50);
    });
  }

  it('are each rejected with the text of a rule of the customer', async () => {
    ion.sandbox.control.set({ rule: true });
    const torque = await makeStep(client, [{ name: 'Torque', type: 'NUMBER' }, ...FIELDS.slice(1)]);
    step = torque;
    const { fields } = await stepState(client, step.step);
    const { signal } = new AbortController();
    const batches = new RequestBatches(client, 50);
    const outcomes = await Promise.all(
      fields.map(({ id, _etag: etag }) =>
        batches
          .request(FIELD_MUTATION, {
            ...{ variables: { input: { id, etag, value: 60 } }, signal, sharesDocument: true },
          })
          .catch((thrown) => thrown as IonError),
      ),
    );
    assert.deepEqual(codes(outcomes), ['ION_GRAPHQL', ...Array(7).fill('written')]);
  });

  it('get the lacks of ION’s schema found out once', async () => {
    ion.sandbox.control.set({ unknown: ['RunStepField.notApplicable', 'RunStepField.valid'] });
    const batches = new RequestBatches(client, 50);
    assert.deepEqual(codes(await write(batches)), Array(8).fill('written'));
    assert.deepEqual(client.lacks.map(({ field }) => field).sort(), ['notApplicable', 'valid']);
    assert.deepEqual(codes(await write(batches)), Array(8).fill('written'));
    assert.equal(counters().api.total, 1);
  });

  it('are written once if the answer was lost, and say so', async () => {
    ion.sandbox.control.fault({
      target: 'api',
      kind: 'status',
      status: 502,
      execute: true,
      match: 'Batch',
    });
    const batches = new RequestBatches(client, 50);
    const outcomes = await write(batches);
    assert.deepEqual(codes(outcomes), Array(8).fill('ION_SERVER'));
    assert.ok(outcomes.every((each) => each instanceof IonError && each.mayHaveRun));
    assert.equal(counters().executed.updateRunStepFieldValue, 8);
  });
});
