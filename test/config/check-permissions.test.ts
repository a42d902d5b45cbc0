import assert from 'node:assert/strict';
import type { IonClient } from '../../nodes/client/client.js';
import { stepOperations } from '../../nodes/client/steps/step-operations.js';
import { checkPermissions } from '../../nodes/config/check/check-permissions.js';

describe('Check everything, of the permissions', () => {
  /** The line about a node that needs UpdateRunStepFieldValue. */
  const check = async (me: object) => {
    const groups = { edges: [{ node: { id: 1 } }] };
    const client = { request: async () => ({ data: { me, permissionGroups: groups } }) };
    const work = { operations: stepOperations('field', false) };
    const user = { id: 'node', type: 'ion-step', name: '', work: () => work };
    const { signal } = new AbortController();
    const lines = await checkPermissions(client as unknown as IonClient, [{ user, work }], signal);
    return lines.map(({ state, finding }) => `${state} ${finding}`);
  };
  const named = (...names: string[]) => names.map((name) => ({ name }));

  for (const name of [
    ...['UpdateRunStepFieldValue', 'updateRunStepFieldValue', 'Update Run Step Field Value'],
    ...['UPDATE_RUN_STEP_FIELD_VALUE', 'update-run-step-field-value'],
  ]) {
    it(`accepts the spelling "${name}"`, async () => {
      assert.deepEqual(await check({ permissionGroups: named(name) }), ['ok permissions.all']);
    });
  }

  it('unites those of the user with those of all roles', async () => {
    const roles = [{ permissionGroups: null }, null];
    const granting = { permissionGroups: named('UpdateRunStepFieldValue') };
    const found = await check({ permissionGroups: [], roles: [...roles, granting] });
    assert.deepEqual(found, ['ok permissions.all']);
    assert.deepEqual(await check({ roles: [granting] }), ['ok permissions.all']);
  });

  it('does not say that one is missing if the names are not those of mutations', async () => {
    const foreign = await check({ permissionGroups: named('Operators') });
    assert.deepEqual(foreign, ['unknown permissions.notShown']);
    const mixed = await check({ permissionGroups: named('Operators', 'CreateRun') });
    assert.deepEqual(mixed, ['failed permissions.missing']);
  });

  it('says that one is missing if the user has none at all, but ION has groups', async () => {
    assert.deepEqual(await check({ permissionGroups: [] }), ['failed permissions.missing']);
  });
});
