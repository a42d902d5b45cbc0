import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  changedAtOf,
  isSameResource,
  readWebhookEvent,
} from '../../../nodes/client/webhooks/event.js';
import { inputs } from '../../support/length.js';

describe('webhook event', () => {
  const cases: [string, unknown, object][] = [
    [
      'as the sandbox sends it',
      { event_id: 7, resource: 'run_steps', action: 'update', row_data: { id: 42 } },
      { eventId: 7, resource: 'RUN_STEPS', action: 'UPDATE', id: 42 },
    ],
    [
      'with the row below "new"',
      { eventId: 'a', resource: 'RUNS', action: 'CREATE', new: { id: 1 }, old: { id: 2 } },
      { eventId: 'a', resource: 'RUNS', action: 'CREATE', id: 1 },
    ],
    ['with the row below "data"', { data: { id: 3 } }, { id: 3 }],
    ['with rows below "data"', { data: { new: { id: 4 } } }, { id: 4 }],
    [
      'of a deleted row',
      { action: 'delete', new: null, old: { id: 5 } },
      { action: 'DELETE', id: 5 },
    ],
    ['with the id of the object itself', { object_id: '6', data: {} }, { id: '6' }],
    [
      'as an audit table calls it',
      { table_name: 'runs', action: 'I' },
      { resource: 'RUNS', action: 'CREATE' },
    ],
    [
      'with names nobody knows',
      { resource: 'gizmos', action: 'paint' },
      { resource: 'GIZMOS', action: 'PAINT' },
    ],
    [
      'with values of other types',
      { event_id: {}, resource: 7, action: ['update'], row_data: { id: null } },
      {},
    ],
    ['that is empty', {}, {}],
    ['that is a list', [{ event_id: 1 }], {}],
    ['that is null', null, {}],
    ['that is text', 'run_steps', {}],
    [
      'with names of the language',
      JSON.parse('{"__proto__":{"event_id":1},"action":"constructor"}'),
      { action: 'CONSTRUCTOR' },
    ],
  ];
  for (const [what, body, expected] of cases) {
    it(`is read from a body ${what}`, () => assert.deepEqual(readWebhookEvent(body), expected));
  }

  it('has the time of the change if its row does', () => {
    const at = Date.UTC(2026, 4, 1, 10);
    // A time without an offset is UTC.
    assert.equal(changedAtOf({ row_data: { id: 1, _updated: '2026-05-01T10:00:00' } }), at);
    assert.equal(changedAtOf({ new: { _updated: '2026-05-01T12:00:00+02:00' } }), at);
    for (const body of [
      {},
      null,
      { data: 1 },
      { data: { _updated: 5 } },
      { new: { _updated: 'x' } },
    ]) {
      assert.equal(changedAtOf(body), undefined);
    }
  });

  it('is read from any JSON without failing', () => {
    const key = fc.constantFrom('event_id', 'resource', 'action', 'row_data', 'new', 'data', 'id');
    const body = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        fc.dictionary(fc.oneof(key, fc.string()), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(body, (value) => {
        const { eventId, resource, action, id } = readWebhookEvent(
          JSON.parse(JSON.stringify(value)),
        );
        for (const each of [eventId, id])
          assert.ok(['undefined', 'string', 'number'].includes(typeof each));
        for (const name of [resource, action]) assert.ok(name === undefined || /^\w+$/.test(name));
      }),
      { numRuns: inputs(2000) },
    );
  });

  it('names the same resource in the singular and the plural', () => {
    assert.ok(isSameResource('RUN_STEP_FIELD', 'RUN_STEPS_FIELDS'));
    assert.ok(isSameResource('part_inventory', 'PARTS_INVENTORY'));
    assert.ok(isSameResource('run_batch', 'RUN_BATCHES'));
    assert.ok(!isSameResource('RUNS', 'RUN_STEPS'));
  });
});
