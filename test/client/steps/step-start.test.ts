import assert from 'node:assert/strict';
import type { IonClient } from '../../../nodes/client/client.js';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import { StepWriter, type ValueOptions } from '../../../nodes/client/steps/step-writer.js';
import { type StepEntry, stepEntry } from '../../../nodes/outbox/step-writes.js';
import { failure } from '../../support/errors.js';
import { inStore, useOutbox } from '../../support/outbox.js';
import { withoutPauses } from '../../support/pauses.js';
import { useSandbox } from '../../support/sandbox.js';
import { fieldValue, makeStep, type StepForTests, stepState } from '../../support/steps.js';
import { until } from '../../support/until.js';

const START = 'UpdateRunStep\\(';

const options = (more: Partial<ValueOptions> = {}): ValueOptions => ({
  signal: new AbortController().signal,
  onConflict: 'retry',
  startStep: true,
  ...more,
});

describe('a step that is started before its value is written', () => {
  withoutPauses();
  const ion = useSandbox({ runs: 12 });
  let client: IonClient;
  let writer: StepWriter;
  let step: StepForTests;
  beforeEach(async () => {
    client = ion.client();
    writer = new StepWriter(client);
    step = await makeStep(
      client,
      [
        { name: 'Torque', type: 'NUMBER' },
        { name: 'Passed', type: 'BOOLEAN' },
      ],
      { status: 'TODO' },
    );
    ion.sandbox.control.resetCounters();
  });
  const executed = (name: string) => ion.sandbox.control.counters().executed[name] ?? 0;
  const torque = () => ({ step: step.step, field: 'Torque' });
  const state = async () => {
    const { status } = await stepState(client, step.step);
    return [status, await fieldValue(client, step.step, 'Torque')];
  };
  const move = async (status: string) => {
    const { _etag: etag } = await stepState(client, step.step);
    await client.request(
      parseOperation(
        'mutation Other($input: UpdateRunStepInput!) { updateRunStep(input: $input) { runStep { id } } }',
      ),
      { variables: { input: { id: step.step, etag, status } }, signal: options().signal },
    );
  };

  it('is in progress afterwards, and later values need no further request', async () => {
    const first = await writer.write(torque(), '12.5', options());
    assert.deepEqual([first.started, first.attempts], [true, 3]);
    assert.deepEqual(await state(), ['IN_PROGRESS', 12.5]);
    const second = await writer.write(torque(), 13, options());
    assert.deepEqual([second.started, second.attempts], [undefined, 1]);
    assert.equal(executed('updateRunStep'), 1);
  });

  it('writes no value if ION does not return the status of the step', async () => {
    ion.sandbox.control.set({ unknown: ['RunStep.status'] });
    const { message } = await failure(writer.write(torque(), 1, options()), 'ION_RESPONSE');
    assert.match(
      message,
      /step was not started, so no value was written\. ION returned no "status"/,
    );
    ion.sandbox.control.set({ unknown: [] });
    assert.deepEqual(await state(), ['TODO', null]);
    const { started } = await writer.write(torque(), 1, options());
    assert.equal(started, true);
  });

  it('is found by every name, also by the ID of the field alone', async () => {
    const { started } = await writer.write({ field: step.fields.Torque }, 1, options());
    assert.equal(started, true);
    assert.deepEqual(await state(), ['IN_PROGRESS', 1]);
  });

  it('is started once by several fields and by several messages', async () => {
    const all = await Promise.all([
      writer.write({ step: step.step }, { Torque: 1, Passed: true }, options()),
      writer.write(torque(), 2, options()),
    ]);
    assert.equal(all.filter(({ started }) => started).length, 1);
    assert.equal(executed('updateRunStep'), 1);
  });

  it('is not started without the option', async () => {
    await failure(writer.write(torque(), 1, options({ startStep: false })), 'ION_GRAPHQL');
    assert.deepEqual(await state(), ['TODO', null]);
  });

  it('is not started for a value that does not fit, or for a field that does not exist', async () => {
    await failure(writer.write(torque(), 'x', options()), 'ION_VARIABLES');
    await failure(writer.write({ ...torque(), field: 'Tork' }, 1, options()), 'ION_NOT_FOUND');
    assert.deepEqual(await state(), ['TODO', null]);
    const error = await failure(
      writer.write({ step: step.step }, { Torque: 'x', Passed: true }, options()),
      'ION_VARIABLES',
    );
    assert.equal(error.started, true, 'the other value was written');
    assert.equal(await fieldValue(client, step.step, 'Passed'), true);
  });

  it('is not started in another status: ION decides about the value', async () => {
    await move('IN_PROGRESS');
    await move('COMPLETE');
    const error = await failure(writer.write(torque(), 1, options()), 'ION_GRAPHQL');
    assert.match(error.message, /^Field "Torque" cannot be set while its step is COMPLETE\.$/);
    assert.equal(error.started, undefined);
    assert.deepEqual(await state(), ['COMPLETE', null]);
  });

  it('keeps its value if ION rejects the start, and ION’s message is passed on', async () => {
    const message = 'Run step 5 cannot start before its upstream steps are complete: "Cut".';
    ion.sandbox.control.fault({
      ...{ target: 'api', kind: 'graphql', errors: [{ message }], match: START },
    });
    const error = await failure(writer.write(torque(), 1, options()), 'ION_GRAPHQL');
    assert.match(error.message, /^The step was not started, so no value was written\. .*"Cut"\.$/);
    assert.equal(error.origin, 'operation');
    assert.deepEqual(await state(), ['TODO', null]);
  });

  it('is read again if it changed: started by somebody else, or set to TODO again', async () => {
    await writer.runOf({ step: step.step }, options());
    await move('IN_PROGRESS');
    assert.equal((await writer.write(torque(), 1, options())).started, undefined);
    await move('TODO');
    assert.equal((await writer.write(torque(), 2, options())).started, true);
    assert.deepEqual(await state(), ['IN_PROGRESS', 2]);
  });

  it('fails with ION_CONFLICT like a status if that is configured', async () => {
    await writer.runOf({ step: step.step }, options());
    await move('HOLD');
    await move('TODO');
    await failure(writer.write(torque(), 1, options({ onConflict: 'fail' })), 'ION_CONFLICT');
    assert.deepEqual(await state(), ['TODO', null]);
  });

  it('was started by somebody else: no conflict, also if conflicts fail', async () => {
    await writer.runOf({ step: step.step }, options());
    await move('IN_PROGRESS');
    const result = await writer.write(torque(), 1, options({ onConflict: 'fail' }));
    assert.equal(result.started, undefined);
    assert.deepEqual(await state(), ['IN_PROGRESS', 1]);
  });

  describe('whose value ION rejects', () => {
    const rejectsTrue = (more: object = {}) =>
      ion.sandbox.control.fault({
        ...{ target: 'api', kind: 'graphql', errors: [{ message: 'A rule says no.' }], times: 9 },
        ...{ match: 'FieldValue\\(.*"value":true', ...more },
      });
    const mutations = () => ion.sandbox.control.counters().api.byOperation.mutation;
    const both = { Torque: 1, Passed: true };
    const passed = () => ({ step: step.step, field: 'Passed' });
    beforeEach(async () => {
      await move('IN_PROGRESS');
      await writer.write(torque(), 0, options());
      ion.sandbox.control.resetCounters();
    });

    it('is not written a second time in a conflict', async () => {
      await new StepWriter(client).write(torque(), 99, options());
      ion.sandbox.control.resetCounters();
      await failure(writer.write(torque(), 1, options({ onConflict: 'fail' })), 'ION_CONFLICT');
      assert.equal(mutations(), 1);
      assert.deepEqual(await state(), ['IN_PROGRESS', 99]);
    });

    it('is not written a second time if the step is in progress', async () => {
      rejectsTrue();
      const error = await failure(writer.write(passed(), true, options()), 'ION_GRAPHQL');
      assert.match(error.message, /A rule says no/);
      assert.equal(mutations(), 1);
    });

    it('leaves the other values as they were written', async () => {
      rejectsTrue();
      const error = await failure(
        writer.write({ step: step.step }, both, options()),
        'ION_GRAPHQL',
      );
      assert.deepEqual(Object.keys(error.results?.Torque ?? {}), ['written']);
      assert.equal(mutations(), 2);
    });

    it('is not written a second time if it may have been executed', async () => {
      await move('TODO');
      ion.sandbox.control.resetCounters();
      rejectsTrue({ data: { updateRunStepFieldValue: { runStepField: { id: 1 } } } });
      const error = await failure(writer.write(passed(), true, options()), 'ION_GRAPHQL');
      assert.equal(error.mayHaveRun, true);
      assert.equal(mutations(), 1);
    });

    for (const [failed, match] of [
      ['read again', 'query RunStep\\('],
      ['started', START],
    ] as const) {
      it(`keeps its error if the step cannot be ${failed}`, async () => {
        await move('TODO');
        const errors = [{ message: 'Not now.' }];
        ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, match });
        const error = await failure(
          writer.write({ step: step.step }, both, options()),
          'ION_GRAPHQL',
        );
        assert.match(error.message, /^2 of 2 fields were not written: .* while its step is TODO/);
        assert.deepEqual(Object.keys(error.results ?? {}), ['Torque', 'Passed']);
        assert.deepEqual(await state(), ['TODO', 0]);
      });
    }

    it('is written with all others after the start of a step that is TODO again', async () => {
      await move('TODO');
      const { started } = await writer.write({ step: step.step }, both, options());
      assert.equal(started, true);
      assert.deepEqual(await state(), ['IN_PROGRESS', 1]);
      assert.equal(await fieldValue(client, step.step, 'Passed'), true);
    });
  });

  it('is not started twice if the response to the start is lost', async () => {
    ion.sandbox.control.fault({ target: 'api', kind: 'reset', execute: true, match: START });
    const error = await failure(writer.write(torque(), 1, options()), 'ION_NETWORK');
    assert.equal(error.mayHaveRun, true);
    assert.match(error.message, /^No value was written\. The step may have been started\. /);
    assert.deepEqual(await state(), ['IN_PROGRESS', null]);
    await writer.write(torque(), 1, options());
    assert.deepEqual(await state(), ['IN_PROGRESS', 1]);
    assert.equal(executed('updateRunStep'), 1);
  });

  describe('through the outbox', () => {
    let results: { value: unknown; started: unknown }[];
    let rejected: (true | undefined)[];
    const listeners = new Map([
      [
        'node',
        {
          delivered: (entry: object, { started }: { started?: true }) =>
            void results.push({ value: (entry as StepEntry).write.value, started }),
          rejected: (_entry: object, { started }: { started: true | undefined }) =>
            void rejected.push(started),
          failed: assert.fail,
          changed: () => {},
        },
      ],
    ]);
    const outboxes = useOutbox(() => ({ writer, listeners }));
    beforeEach(() => {
      results = [];
      rejected = [];
    });
    const entry = (value: unknown) =>
      stepEntry({
        ...{ action: 'field', target: torque(), value, onConflict: 'retry', startStep: true },
      });

    it('is started before the first pending value', async () => {
      const outbox = await outboxes.open();
      outbox.start();
      for (const value of [1, 2]) await outbox.add('node', entry(value), {});
      await outboxes.empty(outbox);
      assert.deepEqual(results, [
        { value: 1, started: true },
        { value: 2, started: undefined },
      ]);
      assert.deepEqual(await state(), ['IN_PROGRESS', 2]);
    });

    it('is neither started twice nor loses its value if the response to the start is lost', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'reset', execute: true, match: START });
      const outbox = await outboxes.open();
      outbox.start();
      await outbox.add('node', entry(1), {});
      await outboxes.empty(outbox);
      assert.deepEqual(await state(), ['IN_PROGRESS', 1]);
      assert.deepEqual([executed('updateRunStep'), executed('updateRunStepFieldValue')], [1, 1]);
      assert.equal(results.length, 1);
    });

    it('continues with the value after a crash between the start and the value', async () => {
      ion.sandbox.control.fault({ target: 'api', kind: 'hang', match: 'FieldValue\\(', times: 1 });
      const before = await outboxes.open();
      before.start();
      await before.add('node', entry(1), {});
      await until(() => executed('updateRunStep') === 1);
      await until(async () => (await state())[0] === 'IN_PROGRESS');
      await outboxes.close(before);
      // The crash may come before the request for the value.
      ion.sandbox.control.clearFaults();
      assert.deepEqual(await state(), ['IN_PROGRESS', null]);
      writer = new StepWriter(ion.client());
      const after = await outboxes.open();
      after.start();
      await outboxes.empty(after);
      assert.deepEqual(results, [{ value: 1, started: true }]);
      assert.deepEqual([executed('updateRunStep'), executed('updateRunStepFieldValue')], [1, 1]);
    });

    it('rejects the write if ION rejects the start, and starts a step again on a retry', async () => {
      const errors = [{ message: 'The upstream steps are not complete.' }];
      ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors, match: START });
      const outbox = await outboxes.open();
      outbox.start();
      await outbox.add('node', entry(1), {});
      await until(() => rejected.length === 1);
      assert.deepEqual(await state(), ['TODO', null]);
      await outbox.decide('retry');
      await outboxes.empty(outbox);
      assert.deepEqual(results, [{ value: 1, started: true }]);
    });

    it('is left alone by entries without the option, such as those of an earlier version', async () => {
      const outbox = await outboxes.open();
      await outbox.add('node', entry(1), {});
      await outboxes.close(outbox);
      await inStore(outboxes.folder, async (level) => {
        for await (const [key, value] of level.iterator()) {
          if (!/^[qu]!/.test(key)) continue;
          const { write, ...rest } = JSON.parse(String(value)) as StepEntry;
          assert.equal(write.startStep, true);
          const { startStep, ...old } = write;
          await level.put(key, Buffer.from(JSON.stringify({ ...rest, write: old })));
        }
      });
      const again = await outboxes.open();
      again.start();
      await until(() => rejected.length === 1);
      assert.deepEqual(await state(), ['TODO', null]);
      assert.equal(executed('updateRunStep'), 0);
    });
  });
});
