import assert from 'node:assert/strict';
import { IonError } from '../../../nodes/client/errors.js';
import { readMembersResponse } from '../../../nodes/client/graphql/members-response.js';
import { type Operation, parseOperation } from '../../../nodes/client/graphql/operation.js';

const own = parseOperation('mutation { act { key } }');
const shared: Operation = {
  ...parseOperation('mutation { p0_act: act { key } p1_act: act { key } }'),
  members: [0, 1].map((index) => ({
    operation: own,
    keys: new Map([[`p${index}_act`, 'act']]),
  })),
};

describe('a response to operations that share a document', () => {
  const read = (body: object, status = 200) => {
    const response = { status, headers: {}, text: JSON.stringify(body) };
    return readMembersResponse(response, 'ion.example', body, { operation: shared });
  };
  /** Whether the whole document was refused before anything was executed. */
  const isRefused = (body: object, status?: number): boolean => {
    try {
      const { members } = read(body, status);
      assert.ok(members?.outcomes.every((each) => each instanceof IonError && each.mayHaveRun));
      assert.equal(members?.areErrorsPlaced, false);
      return false;
    } catch (thrown) {
      assert.ok(thrown instanceof IonError, String(thrown));
      return thrown.notRun;
    }
  };

  const refusals: [text: string, isRefused: boolean, more?: object, status?: number][] = [
    ['Cannot query field "x" on type "Run".', true],
    ['Cannot query field "x" on type "Run".', true, { data: null }],
    ['The query is too complex.', true],
    ['The query is too complex.', false, { data: null }],
    ['Query batching is not allowed.', true],
    ['The operation has too many root fields.', true],
    ['User does not have permission to update this resource.', true, {}, 403],
    ['User does not have permission to update this resource.', false, { data: null }, 403],
    ['User does not have permission to update this resource.', false],
    ['The leak rate of this part is too high.', false],
    ['Etag does not match', false],
    ['Etag does not match', false, {}, 409],
  ];
  for (const [message, expected, more = {}, status = 200] of refusals) {
    const form = `${JSON.stringify(more)}, HTTP ${status}`;
    it(`${expected ? 'shows' : 'does not show'} that nothing was executed by: ${message} ${form}`, () => {
      assert.equal(isRefused({ errors: [{ message }], ...more }, status), expected);
    });
  }

  it('gives an operation its own part of the data, the errors and the status', () => {
    const errors = [{ message: 'Etag does not match', path: ['p1_act'], locations: [] }];
    const { members } = read({ data: { p0_act: { key: 1 }, p1_act: null }, errors }, 409);
    const [good, bad] = members?.outcomes ?? [];
    assert.ok(good && !(good instanceof IonError));
    assert.deepEqual(good.data, { act: { key: 1 } });
    assert.ok(bad instanceof IonError);
    assert.deepEqual([bad.code, bad.status, bad.mayHaveRun], ['ION_CONFLICT', 409, false]);
    assert.deepEqual(bad.errors, [{ message: 'Etag does not match', path: ['act'] }]);
    assert.equal(members?.areErrorsPlaced, true);
  });

  it('leaves data and errors that belong to no operation to none', () => {
    const errors = [{ message: 'No.', path: ['p7_act'] }];
    const { members } = read({ data: { p0_act: { key: 1 }, p1_act: null, __proto__: 1 }, errors });
    const [good, unknown] = members?.outcomes ?? [];
    assert.ok(good && !(good instanceof IonError));
    assert.ok(unknown instanceof IonError && unknown.mayHaveRun && unknown.transient);
    assert.equal(members?.areErrorsPlaced, false);
  });
});
