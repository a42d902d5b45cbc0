import assert from 'node:assert/strict';
import type { RequestScope } from '../../../nodes/client/steps/request-scope.js';
import { RunSteps } from '../../../nodes/client/steps/run-steps.js';
import type { Target } from '../../../nodes/client/steps/target.js';
import { failure } from '../../support/errors.js';

const STEP = { id: 1, runId: 7, title: 'Assemble', position: 1, entityId: 9, _etag: 'e' };
const FIELD = { id: 5, runStepId: 1, name: 'Torque', type: 'NUMBER', options: null, _etag: 'e' };

/** Requests that ION answers with this data. */
const answering = (data: unknown) =>
  ({
    send: async () => ({ data: structuredClone(data) }),
    signal: new AbortController().signal,
    isClosed: false,
  }) as unknown as RequestScope;
const fieldsOf = (...fields: unknown[]) => answering({ runStep: { ...STEP, fields } });
const numbers = (count: number) => Array<number>(count).fill(1);

describe("steps and fields in ION's responses", () => {
  const torque = { step: 1, field: 'Torque' };

  it('are kept without unrequested properties', async () => {
    const more = { value: { ['k'.repeat(1000)]: 1 }, extra: numbers(10), constructor: 1 };
    const steps = new RunSteps();
    const field = await steps.field(torque, fieldsOf({ ...FIELD, ...more }));
    assert.deepEqual(field, FIELD);
    const step = await new RunSteps().step({ step: 1 }, answering({ runStep: { ...STEP, more } }));
    assert.deepEqual(step, { ...STEP, status: null });
  });

  it('keep IDs as ION writes them, numbers or texts', async () => {
    for (const id of [5, '5']) {
      for (const wanted of [5, '5', 'Torque']) {
        const target = { step: 1, field: wanted };
        const { id: found } = await new RunSteps().field(target, fieldsOf({ ...FIELD, id }));
        assert.equal(found, id);
      }
    }
  });

  for (const [what, id] of [
    ['a list', [5]],
    ['an object', {}],
    ['missing', undefined],
    ['null', null],
    ['too long', '5'.repeat(201)],
    ['empty', ''],
  ] as const) {
    it(`do not exist if their ID is ${what}`, async () => {
      const target = { step: 1, field: 'Torque' };
      const error = await failure(
        new RunSteps().field(target, fieldsOf({ ...FIELD, id })) as Promise<unknown>,
        'ION_NOT_FOUND',
      );
      assert.match(error.message, /There are: none/);
      const other = { step: 1, field: 'Other' };
      const found = await failure(
        new RunSteps().field(other, fieldsOf({ ...FIELD, id }, FIELD)) as Promise<unknown>,
        'ION_NOT_FOUND',
      );
      assert.match(found.message, /There are: 5 "Torque"\.$/);
      const step = new RunSteps().step({ step: 1 }, answering({ runStep: { ...STEP, id } }));
      await failure(step as Promise<unknown>, 'ION_NOT_FOUND');
    });
  }

  it('lose values that are not text, or text that is too long', async () => {
    const odd = {
      name: 'x'.repeat(20_000),
      type: numbers(3),
      options: ['OK', [1], 7, null, 'Not OK'],
      _etag: 'x'.repeat(1001),
    };
    const field = await new RunSteps().field({ step: 1, field: 5 }, fieldsOf({ ...FIELD, ...odd }));
    assert.equal(field.name?.length, 10_000);
    assert.deepEqual([field.type, field.options, field._etag], [null, ['OK', 'Not OK'], null]);
  });

  it('leave the choice to ION if the options are too many or too long to be compared', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => String(index));
    for (const options of [many, ['OK', 'x'.repeat(1001)], 'OK']) {
      const field = await new RunSteps().field(torque, fieldsOf({ ...FIELD, options }));
      assert.equal(field.options, null);
    }
  });

  it('do not name the run "undefined" if ION does not name it', async () => {
    const { runId: _, ...step } = STEP;
    const byStep = new RunSteps().runOf({ step: 1 }, answering({ runStep: step }));
    await failure(byStep, 'ION_RESPONSE');
    const byField = new RunSteps().runOf(
      { field: 5 },
      answering({ runStepField: { ...FIELD, runStepId: undefined } }),
    );
    await failure(byField, 'ION_RESPONSE');
  });

  for (const [what, hot, byId, answer] of [
    ['step', { run: 7, step: 'Assemble' }, { step: 1 }, { run: { id: 7, steps: [STEP] } }],
    [
      'field',
      { step: 1, field: 'Torque' },
      { field: 5 },
      { runStep: { ...STEP, fields: [FIELD] } },
    ],
  ] as const) {
    it(`have one etag for any way of addressing a ${what} in use, and whatever else is read`, async () => {
      const steps = new RunSteps();
      const read = (target: Target, requests: RequestScope) =>
        what === 'step' ? steps.step(target, requests) : steps.field(target, requests);
      const first = await read(hot, answering(answer));
      // These fields weigh more than the cache keeps.
      const heavy = { name: 'x'.repeat(10_000) };
      for (let id = 1000; id < (what === 'step' ? 11_100 : 2100); id++) {
        const other = { ...(what === 'step' ? STEP : { ...FIELD, ...heavy }), id };
        const data = what === 'step' ? { runStep: other } : { runStepField: other };
        await read({ [what]: id }, answering({ ...data, step: { id: 1, runId: 7 } }));
        assert.equal(await read(hot, answering(answer)), first);
      }
      const fresh = { ...(what === 'step' ? STEP : FIELD), _etag: 'newer' };
      const data = { runStep: fresh, runStepField: { ...fresh, step: { id: 1, runId: 7 } } };
      const again = await read(byId, answering(data));
      assert.equal(again, first);
      assert.equal(first._etag, 'newer');
    });
  }
});
