import assert from 'node:assert/strict';
import { RULE_TEXT } from '../../sandbox/graphql/mutations/fields.js';
import { start, type TestSandbox } from './client.js';

const CREATE_RUN = `mutation ($input: CreateRunInput!) { createRun(input: $input) { run {
  id _etag _updated title status steps { id _etag title status upstreamStepIds availableToWork
    fields { id _etag name type required value settable } } } } }`;
const UPDATE_RUN = `mutation ($input: UpdateRunInput!) {
  updateRun(input: $input) { run { id _etag _updated title } } }`;
const CREATE_STEP = `mutation ($input: CreateRunStepInput!) {
  createRunStep(input: $input) { step { id _etag status run { status } } } }`;
const UPDATE_STEP = `mutation ($input: UpdateRunStepInput!) { updateRunStep(input: $input) {
  runStep { id _etag status startTime endTime run { status } } } }`;
const CREATE_FIELD = `mutation ($input: CreateRunStepFieldInput!) {
  createRunStepField(input: $input) { runStepField { id _etag name type value settable } } }`;
const SET_VALUE = `mutation ($input: UpdateRunStepFieldValueInput!) {
  updateRunStepFieldValue(input: $input) { runStepField { id _etag value notApplicable } } }`;

interface Step {
  id: number;
  _etag: string;
  status: string;
  fields: { id: number; _etag: string; name: string; type: string }[];
}

describe('sandbox: mutations', () => {
  let sandbox: TestSandbox;
  beforeEach(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.close());

  const createRun = async (procedureId?: number, more: object = {}) => {
    const input = procedureId ? { procedureId, ...more } : { title: 'Example run', ...more };
    return (await sandbox.ask(CREATE_RUN, { input })).createRun.run;
  };

  /** A step in progress with one field, created with the calls of ION's public example. */
  const stepWithField = async (field: object) => {
    const run = await createRun();
    const { step } = (
      await sandbox.ask(CREATE_STEP, { input: { runId: run.id, title: 'Example step' } })
    ).createRunStep;
    const { runStepField } = (
      await sandbox.ask(CREATE_FIELD, {
        input: { runStepId: step.id, name: 'Example', ...field },
      })
    ).createRunStepField;
    const todo = await move(step.id, step._etag, 'TODO');
    const work = await move(step.id, todo._etag, 'IN_PROGRESS');
    return { run, step: work, field: runStepField };
  };

  const move = async (id: number, etag: string, status: string) =>
    (await sandbox.ask(UPDATE_STEP, { input: { id, etag, status } })).updateRunStep.runStep;

  it('runs the sequence of the public example, each etag from the response before', async () => {
    const { runs } = await sandbox.ask(
      `query ($filters: RunsInputFilters, $sort: [RunSortEnum]) {
        runs(sort: $sort, filters: $filters) { edges { node { id title procedureId status } } } }`,
      { filters: { procedureId: { eq: 1 } }, sort: ['ID_ASC'] },
    );
    const run = runs.edges[0].node;
    assert.deepEqual([run.id, run.procedureId, run.status], [1, 1, 'COMPLETE']);

    const { step } = (
      await sandbox.ask(CREATE_STEP, { input: { runId: run.id, title: 'Example rework' } })
    ).createRunStep;
    assert.equal(step.status, 'REDLINE');
    assert.equal(step.run.status, 'REDLINE');

    const { runStepField: field } = (
      await sandbox.ask(CREATE_FIELD, {
        input: { runStepId: step.id, name: 'Result', type: 'STRING', required: true },
      })
    ).createRunStepField;
    assert.equal(field.settable, false);

    const todo = await move(step.id, step._etag, 'TODO');
    assert.equal(todo.run.status, 'IN_PROGRESS');
    const work = await move(step.id, todo._etag, 'IN_PROGRESS');
    assert.notEqual(work.startTime, null);
    const { runStepField: set } = (
      await sandbox.ask(SET_VALUE, { input: { id: field.id, etag: field._etag, value: 'done' } })
    ).updateRunStepFieldValue;
    assert.equal(set.value, 'done');
    assert.notEqual(set._etag, field._etag);
    const done = await move(step.id, work._etag, 'COMPLETE');
    assert.notEqual(done.endTime, null);
    assert.equal(done.run.status, 'COMPLETE');
  });

  it('copies steps and fields of the procedure into a new run', async () => {
    const run = await createRun(2, { autogenerateTitle: true });
    assert.match(run.title, /^Example panel bonding \d{4}$/);
    assert.equal(run.status, 'TODO');
    assert.deepEqual(
      run.steps.map((step: Step) => step.fields.length),
      [2, 2, 2, 3],
    );
    assert.deepEqual(
      run.steps.map((step: { availableToWork: boolean }) => step.availableToWork),
      [true, false, false, false],
    );
    assert.deepEqual(run.steps[1].upstreamStepIds, [run.steps[0].id]);
    const [first, second] = run.steps[0].fields;
    assert.equal(first._etag, second._etag);
    assert.match(await sandbox.refusal(CREATE_RUN, { input: { procedureId: 999 } }), /not found/);
    assert.match(await sandbox.refusal(CREATE_RUN, { input: {} }), /title/);
  });

  it('creates and updates several runs at once', async () => {
    const { createRuns } = await sandbox.ask(
      'mutation ($input: [CreateRunInput]) { createRuns(input: $input) { runs { id _etag } } }',
      { input: [{ title: 'Example 1' }, { title: 'Example 2', partId: '3' }] },
    );
    const [one, two] = createRuns.runs;
    const UPDATE =
      'mutation ($input: [UpdateRunInput]) { updateRuns(input: $input) { runs { title } } }';
    const input = [
      { id: one.id, etag: one._etag, title: 'Example A' },
      { id: two.id, etag: 'stale', title: 'Example B' },
    ];
    assert.match(await sandbox.refusal(UPDATE, { input }), /^Etag does not match$/);
    assert.equal(sandbox.data.runs.get(one.id)?.title, 'Example 1');
    input[1] = { id: two.id, etag: two._etag, title: 'Example B' };
    const { updateRuns } = await sandbox.ask(UPDATE, { input });
    assert.deepEqual(updateRuns.runs, [{ title: 'Example A' }, { title: 'Example B' }]);
  });

  it('changes etag and time of a run with every write to it, and only then', async () => {
    const run = await createRun(1);
    const { updateRun } = await sandbox.ask(UPDATE_RUN, {
      input: { id: run.id, etag: run._etag, title: 'Example 2' },
    });
    assert.equal(updateRun.run.title, 'Example 2');
    assert.notEqual(updateRun.run._etag, run._etag);
    assert.ok(updateRun.run._updated > run._updated);
    await move(run.steps[0].id, run.steps[0]._etag, 'IN_PROGRESS');
    const { run: after } = await sandbox.ask(`{ run(id: ${run.id}) { _etag _updated status } }`);
    assert.deepEqual(after, {
      _etag: updateRun.run._etag,
      _updated: updateRun.run._updated,
      status: 'IN_PROGRESS',
    });
  });

  for (const [etagConflict, status] of [
    ['errors', 200],
    ['status', 409],
  ] as const) {
    it(`rejects a stale etag with ${status} if configured`, async () => {
      sandbox.control.set({ etagConflict });
      const run = await createRun();
      const input = { id: run.id, etag: '0'.repeat(32), title: 'Example 2' };
      const response = await sandbox.post(
        JSON.stringify({ query: UPDATE_RUN, variables: { input } }),
        { authorization: await sandbox.token() },
      );
      assert.equal(response.status, status);
      const { data, errors } = (await response.json()) as {
        data: { updateRun: null };
        errors: { message: string; code: string }[];
      };
      assert.deepEqual(data, { updateRun: null });
      assert.match(String(errors[0]?.message), /^Etag does not match$/);
      assert.equal(errors[0]?.code, 'CONCURRENCY_ERROR');
      assert.equal(sandbox.data.runs.get(run.id)?.title, 'Example run');
    });
  }

  it('knows the allowed status changes', async () => {
    const run = await createRun(1);
    const [first, second] = run.steps;
    const refused = (step: Step, status: string) =>
      sandbox.refusal(UPDATE_STEP, { input: { id: step.id, etag: step._etag, status } });
    assert.match(await refused(first, 'COMPLETE'), /cannot go from TODO to COMPLETE/);
    assert.match(await refused(second, 'IN_PROGRESS'), /upstream steps/);
    const work = await move(first.id, first._etag, 'IN_PROGRESS');
    const failed = await move(first.id, work._etag, 'FAILED');
    assert.equal(failed.run.status, 'FAILED');
    const todo = await move(first.id, failed._etag, 'TODO');
    assert.equal(todo.endTime, null);
  });

  it('does not complete a step with empty required fields', async () => {
    const { step, field } = await stepWithField({ type: 'NUMBER', required: true });
    const input = { id: step.id, etag: step._etag, status: 'COMPLETE' };
    assert.match(await sandbox.refusal(UPDATE_STEP, { input }), /required fields are empty/);
    await sandbox.ask(SET_VALUE, { input: { id: field.id, etag: field._etag, value: 0 } });
    assert.equal(
      (await sandbox.ask(UPDATE_STEP, { input })).updateRunStep.runStep.status,
      'COMPLETE',
    );
  });

  const values: [object, unknown, unknown][] = [
    [{ type: 'STRING' }, 'text', 5],
    [{ type: 'NUMBER' }, 1.5, '1.5'],
    [{ type: 'BOOLEAN' }, false, 'false'],
    [{ type: 'SELECT', options: ['A', 'B'] }, 'B', 'C'],
    [{ type: 'MULTISELECT', options: ['A', 'B'] }, ['A', 'B'], 'A'],
    [{ type: 'MULTISELECT', options: ['A', 'B'] }, [], ['C']],
    [{ type: 'DATETIME' }, '2026-01-01T00:00:00Z', 'yesterday'],
    [{ type: 'ION', allowedIonType: 'USERS' }, '2', '99'],
    [{ type: 'TOOL' }, 3, 9999],
  ];
  for (const [field, good, bad] of values) {
    it(`accepts ${JSON.stringify(good)} and not ${JSON.stringify(bad)} for ${JSON.stringify(field)}`, async () => {
      const { field: made } = await stepWithField(field);
      const input = { id: made.id, etag: made._etag };
      await sandbox.refusal(SET_VALUE, { input: { ...input, value: bad } });
      const { runStepField } = (await sandbox.ask(SET_VALUE, { input: { ...input, value: good } }))
        .updateRunStepFieldValue;
      assert.deepEqual(runStepField.value, good);
    });
  }

  it('accepts no sign-off, and no value before the step is in progress', async () => {
    const { field } = await stepWithField({ type: 'SIGNOFF' });
    const input = { id: field.id, etag: field._etag, value: 'me' };
    assert.match(await sandbox.refusal(SET_VALUE, { input }), /sign-off/);
    const waiting = (await createRun(1)).steps[0].fields[0];
    assert.match(
      await sandbox.refusal(SET_VALUE, {
        input: { id: waiting.id, etag: waiting._etag, value: 'early' },
      }),
      /cannot be set while its step is TODO/,
    );
  });

  it('marks a field as not applicable only if that is allowed', async () => {
    const strict = await stepWithField({ type: 'STRING' });
    assert.match(
      await sandbox.refusal(SET_VALUE, {
        input: { id: strict.field.id, etag: strict.field._etag, notApplicable: true },
      }),
      /not applicable/,
    );
    const { field } = await stepWithField({ type: 'STRING', allowNotApplicable: true });
    const { updateRunStepFieldValue } = await sandbox.ask(SET_VALUE, {
      input: { id: field.id, etag: field._etag, notApplicable: true },
    });
    assert.equal(updateRunStepFieldValue.runStepField.notApplicable, true);
  });

  it('lets an ION Action veto a write with its own text', async () => {
    const { field } = await stepWithField({ type: 'NUMBER', name: 'Torque' });
    const input = { id: field.id, etag: field._etag, value: 51 };
    assert.equal((await sandbox.http('PATCH', 'settings', { rule: true })).status, 200);
    assert.equal(await sandbox.refusal(SET_VALUE, { input }), RULE_TEXT);
    assert.equal(sandbox.data.runStepFields.get(field.id)?.value, null);
    const rules = '{ me { organization { settings { rules { enabled } } } } }';
    const { me } = await sandbox.ask(rules);
    assert.deepEqual(me.organization.settings, { rules: { enabled: true } });
    sandbox.control.set({ rule: false });
    await sandbox.ask(SET_VALUE, { input });
  });

  it('edits and deletes redlined steps and fields only', async () => {
    const run = await createRun(1);
    const seeded = run.steps[0];
    const DELETE_STEP =
      'mutation ($id: ID!, $etag: String!) { deleteRunStep(id: $id, etag: $etag) { id } }';
    const DELETE_FIELD =
      'mutation ($id: ID!, $etag: String!) { deleteRunStepField(id: $id, etag: $etag) { id } }';
    const UPDATE_FIELD = `mutation ($input: UpdateRunStepFieldInput!) {
      updateRunStepField(input: $input) { runStepField { _etag name } } }`;
    assert.match(
      await sandbox.refusal(DELETE_STEP, { id: seeded.id, etag: seeded._etag }),
      /REDLINE/,
    );
    const { step } = (
      await sandbox.ask(CREATE_STEP, { input: { runId: run.id, title: 'Example' } })
    ).createRunStep;
    const { runStepField: field } = (
      await sandbox.ask(CREATE_FIELD, {
        input: { runStepId: step.id, name: 'Old', type: 'STRING' },
      })
    ).createRunStepField;
    const { updateRunStepField } = await sandbox.ask(UPDATE_FIELD, {
      input: { id: field.id, etag: field._etag, name: 'New' },
    });
    assert.equal(updateRunStepField.runStepField.name, 'New');
    assert.match(
      await sandbox.refusal(DELETE_FIELD, { id: field.id, etag: field._etag }),
      /^Etag does not match$/,
    );
    await sandbox.ask(DELETE_FIELD, { id: field.id, etag: updateRunStepField.runStepField._etag });
    await sandbox.ask(DELETE_STEP, { id: step.id, etag: step._etag });
    const { runStep, runStepField } = await sandbox.ask(
      `{ runStep(id: ${step.id}) { id } runStepField(id: ${field.id}) { id } }`,
    );
    assert.deepEqual([runStep, runStepField], [null, null]);
  });

  it('cancels open steps of a run, and archives it', async () => {
    const run = await createRun(1);
    const { cancelRun } = await sandbox.ask(
      'mutation ($input: CancelRunInput!) { cancelRun(input: $input) { run { status _etag } } }',
      { input: { id: run.id, etag: run._etag } },
    );
    assert.equal(cancelRun.run.status, 'CANCELED');
    const { archiveRun } = await sandbox.ask(
      'mutation ($input: ArchiveRunInput!) { archiveRun(input: $input) { run { archived } } }',
      { input: { id: run.id, etag: cancelRun.run._etag, archived: true } },
    );
    assert.equal(archiveRun.run.archived, true);
  });

  it('writes attributes with their own etags', async () => {
    const run = await createRun(undefined, { attributes: [{ key: 'Shift', value: 'A' }] });
    const { run: read } = await sandbox.ask(
      `{ run(id: ${run.id}) { attributes { key value Etag runId } } }`,
    );
    const [attribute] = read.attributes;
    assert.deepEqual([attribute.key, attribute.value, attribute.runId], ['Shift', 'A', run.id]);
    const UPDATE = `mutation ($input: UpdateRunAttributeInput!) {
      updateRunAttribute(input: $input) { runAttribute { value Etag } } }`;
    const input = { runId: run.id, key: 'Shift', value: 'B', etag: attribute.Etag };
    const { updateRunAttribute } = await sandbox.ask(UPDATE, { input });
    assert.equal(updateRunAttribute.runAttribute.value, 'B');
    assert.match(await sandbox.refusal(UPDATE, { input }), /^Etag does not match$/);
  });

  it('checks in and out, and checks out everyone when the step ends', async () => {
    const { step } = await stepWithField({ type: 'STRING' });
    const event = (name: 'checkIn' | 'checkOut') =>
      `mutation ($input: SessionEventInput!) { ${name}(input: $input) {
        ${name}Event { runStepId eventType createdById } } }`;
    const input = { runStepId: step.id };
    // The start of the step has checked the user in.
    assert.match(await sandbox.refusal(event('checkIn'), { input }), /already checked in/);
    const { checkOut } = await sandbox.ask(event('checkOut'), { input });
    assert.equal(checkOut.checkOutEvent.eventType, 'CHECK_OUT');
    assert.match(await sandbox.refusal(event('checkOut'), { input }), /not checked in/);
    const { checkIn } = await sandbox.ask(event('checkIn'), { input });
    assert.deepEqual(checkIn.checkInEvent, {
      runStepId: step.id,
      eventType: 'CHECK_IN',
      createdById: 6,
    });
    await sandbox.ask(event('checkIn'), { input: { ...input, userId: '2' } });
    await move(step.id, step._etag, 'COMPLETE');
    const { runStep } = await sandbox.ask(`{ runStep(id: ${step.id}) { sessions { checkOut } } }`);
    assert.equal(runStep.sessions.length, 3);
    for (const session of runStep.sessions) assert.notEqual(session.checkOut, null);
    assert.match(await sandbox.refusal(event('checkIn'), { input }), /while it is COMPLETE/);
  });

  it('writes issues, comments, inventories and notifications', async () => {
    const { createIssue } = await sandbox.ask(
      `mutation ($input: CreateIssueInput!) { createIssue(input: $input) {
        issue { id _etag title status runStep { id } partInventories { id } } } }`,
      {
        input: {
          title: 'Example issue',
          runStepId: '1',
          partInventoryIds: [1, 2],
          causeCondition: [{ children: [{ type: 'p', children: [{ text: 'Example' }] }] }],
        },
      },
    );
    const { issue } = createIssue;
    assert.deepEqual(issue.partInventories, [{ id: 1 }, { id: 2 }]);
    assert.equal(issue.status, 'PENDING');
    const { updateIssue } = await sandbox.ask(
      `mutation ($input: UpdateIssueInput!) { updateIssue(input: $input) { issue { status } } }`,
      { input: { id: issue.id, etag: issue._etag, status: 'RESOLVED' } },
    );
    assert.equal(updateIssue.issue.status, 'RESOLVED');

    const { run } = await sandbox.ask('{ run(id: 1) { entityId } }');
    const COMMENT = `mutation ($input: CreateCommentInput!) {
      createComment(input: $input) { comment { content entityId } } }`;
    const input = { content: 'Example', entityId: run.entityId };
    assert.deepEqual((await sandbox.ask(COMMENT, { input })).createComment.comment, input);
    assert.match(await sandbox.refusal(COMMENT, { input: { entityId: 1 } }), /not found/);

    const { createPartInventory } = await sandbox.ask(
      `mutation ($input: CreatePartInventoryInput!) { createPartInventory(input: $input) {
        partInventory { id _etag serialNumber part { partNumber } } } }`,
      { input: { partId: '2', serialNumber: 'SN-EX' } },
    );
    const item = createPartInventory.partInventory;
    assert.equal(item.part.partNumber, 'EX-1002');
    const { updatePartInventory } = await sandbox.ask(
      `mutation ($input: UpdatePartInventoryInput) { updatePartInventory(input: $input) {
        partInventory { location { id } quantity } } }`,
      { input: { id: item.id, etag: item._etag, locationId: '8', quantity: 2.5 } },
    );
    assert.deepEqual(updatePartInventory.partInventory, { location: { id: 8 }, quantity: 2.5 });

    const { dispatchNotification } = await sandbox.ask(
      `mutation ($input: DispatchNotificationInput!) {
        dispatchNotification(input: $input) { response { messageId } } }`,
      {
        input: {
          userId: '1',
          notificationType: 'WARNING',
          title: 'Example',
          description: 'Example',
          linkText: 'Open',
          path: '/run/1',
        },
      },
    );
    assert.ok(dispatchNotification.response.messageId);
  });

  it('counts each execution of a mutation', async () => {
    await createRun();
    await createRun();
    await sandbox.refusal(CREATE_RUN, { input: {} });
    assert.deepEqual(sandbox.control.counters().executed, { createRun: 3 });
  });
});
