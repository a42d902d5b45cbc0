import assert from 'node:assert/strict';
import { start, type TestSandbox } from './client.js';

const UPDATE_STEP = `mutation ($input: UpdateRunStepInput!) {
  updateRunStep(input: $input) { runStep { id _etag status } } }`;
const SETTINGS = `mutation ($input: UpdateOrganizationInput!) { updateOrganization(input: $input) {
  organization { settings { issues { createIssueOnStepFailure causeConditionAlias }
    partsInventory { moveInventoryToStepLocation } runs { attributes { key } } } } } }`;
/** The unit of every run in these tests; it lies on the shelf. */
const UNIT = 1;
const SHELF = 9;
const SERVICE_USER = 6;

interface Step {
  id: number;
  _etag: string;
  locationId: number;
}

describe('sandbox: what the status of a step sets off', () => {
  let sandbox: TestSandbox;
  beforeEach(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.close());

  const firstStep = async (): Promise<Step> => {
    const { createRun } = await sandbox.ask(
      `mutation ($input: CreateRunInput!) { createRun(input: $input) { run {
        steps { id _etag locationId } } } }`,
      { input: { procedureId: 1, partInventoryId: UNIT } },
    );
    return createRun.run.steps[0];
  };

  const move = async (step: Step, ...statuses: string[]) => {
    for (const status of statuses) {
      const input = { id: step.id, etag: step._etag, status };
      const { updateRunStep } = await sandbox.ask(UPDATE_STEP, { input });
      step._etag = updateRunStep.runStep._etag;
    }
  };

  const sessions = async ({ id }: Step) =>
    (await sandbox.ask(`{ runStep(id: ${id}) { sessions { createdById checkOut } } }`)).runStep
      .sessions as { createdById: number; checkOut: string | null }[];

  const change = async (settings: object) => {
    const { me } = await sandbox.ask('{ me { organization { id _etag } } }');
    const { id, _etag: etag } = me.organization;
    const input = { id, etag, settings };
    return (await sandbox.ask(SETTINGS, { input })).updateOrganization.organization.settings;
  };

  const locationOf = async (id: number) =>
    (await sandbox.ask(`{ partInventory(id: ${id}) { locationId } }`)).partInventory.locationId;

  it('a start checks in the user who starts the step', async () => {
    const step = await firstStep();
    await move(step, 'IN_PROGRESS');
    assert.deepEqual(await sessions(step), [{ createdById: SERVICE_USER, checkOut: null }]);
  });

  for (const status of ['COMPLETE', 'HOLD', 'REDLINE', 'FAILED']) {
    it(`${status} checks out everyone`, async () => {
      const step = await firstStep();
      await move(step, 'IN_PROGRESS');
      const input = { runStepId: step.id, userId: '2' };
      await sandbox.ask(
        'mutation ($input: SessionEventInput!) { checkIn(input: $input) { checkInEvent { id } } }',
        { input },
      );
      await move(step, status);
      const ended = await sessions(step);
      assert.deepEqual(
        ended.map((session) => [session.createdById, session.checkOut !== null]),
        [
          [SERVICE_USER, true],
          [2, true],
        ],
      );
    });
  }

  it('a start moves the unit, and all that is installed in it, to the location of the step', async () => {
    const install = async (into: number, partInventoryId: number) => {
      const { createBuildRequirement } = await sandbox.ask(
        `mutation ($input: CreateBuildRequirementInput!) {
          createBuildRequirement(input: $input) { buildRequirement { id } } }`,
        { input: { partId: 2, partInventoryId: into } },
      );
      const buildRequirementId = createBuildRequirement.buildRequirement.id;
      await sandbox.ask(
        `mutation ($input: CreateABomInstallationInput!) {
          createAbomInstallation(input: $input) { abomInstallation { id } } }`,
        { input: { buildRequirementId, partInventoryId, quantity: 1 } },
      );
    };
    await install(UNIT, 2);
    await install(2, 3);
    const step = await firstStep();
    assert.notEqual(step.locationId, SHELF);
    await move(step, 'IN_PROGRESS');
    for (const id of [UNIT, 2, 3]) assert.equal(await locationOf(id), step.locationId);
    assert.equal(await locationOf(4), SHELF);
  });

  it('no unit moves if the organization has switched that off', async () => {
    const { partsInventory } = await change({
      partsInventory: { moveInventoryToStepLocation: false },
    });
    assert.equal(partsInventory.moveInventoryToStepLocation, false);
    await move(await firstStep(), 'IN_PROGRESS');
    assert.equal(await locationOf(UNIT), SHELF);
  });

  it('a failure opens an issue only if the organization wants it', async () => {
    const issuesOf = async ({ id }: Step) =>
      (
        await sandbox.ask(
          `{ runStep(id: ${id}) { issues { title status partInventories { id } } } }`,
        )
      ).runStep.issues;
    const step = await firstStep();
    await move(step, 'IN_PROGRESS', 'FAILED');
    assert.deepEqual(await issuesOf(step), []);
    await change({ issues: { createIssueOnStepFailure: true } });
    await move(step, 'IN_PROGRESS', 'FAILED');
    assert.deepEqual(await issuesOf(step), [
      { title: 'Kit parts failed', status: 'PENDING', partInventories: [{ id: UNIT }] },
    ]);
  });

  it('a changed setting leaves the others of the organization', async () => {
    const { me } = await sandbox.ask('{ me { organization { id _etag } } }');
    const { id, _etag: etag } = me.organization;
    await sandbox.ask(
      `mutation ($input: UpdateAttributeSettingsInput!) {
        updateOrganizationRunAttributes(input: $input) { organization { id } } }`,
      { input: { id, etag, key: 'Shift', type: 'STRING' } },
    );
    await change({ issues: { causeConditionAlias: 'Cause' } });
    assert.deepEqual(await change({ issues: { createIssueOnStepFailure: true } }), {
      issues: { createIssueOnStepFailure: true, causeConditionAlias: 'Cause' },
      partsInventory: { moveInventoryToStepLocation: true },
      runs: { attributes: [{ key: 'External key' }, { key: 'Shift' }] },
    });
  });
});
