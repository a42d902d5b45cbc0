import assert from 'node:assert/strict';
import { Random } from '../../sandbox/data/random.js';
import { tick } from '../../sandbox/live/simulation.js';
import { start, type TestSandbox } from './client.js';

const CREATE_RUN = `mutation ($input: CreateRunInput!) { createRun(input: $input) {
  run { id runBatchId } } }`;
const RUN = `query ($id: ID!) { run(id: $id) { batched batchSiblings { id } steps {
  id _etag title status batched batchSiblings { id } sessions { checkOut } issues { title }
  fields { id _etag name value batched } } } }`;
const UPDATE_STEP = `mutation ($input: UpdateRunStepInput!) {
  updateRunStep(input: $input) { runStep { status } } }`;
const SET_VALUE = `mutation ($input: UpdateRunStepFieldValueInput!) {
  updateRunStepFieldValue(input: $input) { runStepField { id } } }`;
/** Example panel bonding: its first step has the fields Finish and Temperature. */
const PROCEDURE = 2;

describe('sandbox: runs of a batch', () => {
  let sandbox: TestSandbox;
  let ids: number[];
  beforeEach(async () => {
    sandbox = await start({ runs: 12 });
    const create = async (input: object) =>
      (await sandbox.ask(CREATE_RUN, { input: { procedureId: PROCEDURE, ...input } })).createRun
        .run;
    const first = await create({ addToNewBatch: true, runBatchTitle: 'Example batch' });
    const second = await create({ runBatchId: first.runBatchId });
    const alone = await create({});
    ids = [first.id, second.id, alone.id];
  });
  afterEach(() => sandbox.close());

  const runs = async () => {
    const found = await Promise.all(ids.map((id) => sandbox.ask(RUN, { id })));
    return found.map(({ run }) => run);
  };
  const firstSteps = async () => (await runs()).map(({ steps }) => steps[0]);

  const move = async (status: string) => {
    const [step] = await firstSteps();
    await sandbox.ask(UPDATE_STEP, { input: { id: step.id, etag: step._etag, status } });
    return (await firstSteps()).map((each) => each.status);
  };

  const write = async (value: unknown, name = 'Temperature') => {
    const [step] = await firstSteps();
    const field = step.fields.find((each: { name: string }) => each.name === name);
    const input = { id: field.id, etag: field._etag, value };
    await sandbox.ask(SET_VALUE, { input });
    return (await firstSteps()).map(
      ({ fields }) => fields.find((each: { name: string }) => each.name === name).value,
    );
  };

  it('say so, as their steps and fields do', async () => {
    const [first, second, alone] = await runs();
    assert.deepEqual(first.batchSiblings, [{ id: ids[1] }]);
    assert.deepEqual(first.steps[0].batchSiblings, [{ id: second.steps[0].id }]);
    for (const [run, batched] of [
      [first, true],
      [second, true],
      [alone, false],
    ]) {
      const all = [run, ...run.steps, ...run.steps[0].fields];
      assert.deepEqual([...new Set(all.map((each) => each.batched))], [batched]);
    }
    const filters = { batched: { eq: true } };
    const { runSteps } = await sandbox.ask(
      `query ($filters: RunStepsInputFilters) { runSteps(filters: $filters) {
        edges { node { runId } } } }`,
      { filters },
    );
    const found = runSteps.edges.map(({ node }: { node: { runId: number } }) => node.runId);
    assert.deepEqual([...new Set(found)], ids.slice(0, 2));
  });

  it('get every value that is written to a step of one', async () => {
    await move('IN_PROGRESS');
    assert.deepEqual(await write(21.5), [21.5, 21.5, null]);
    assert.deepEqual(await write(22), [22, 22, null]);
  });

  it('are started, checked in to and ended together', async () => {
    assert.deepEqual(await move('IN_PROGRESS'), ['IN_PROGRESS', 'IN_PROGRESS', 'TODO']);
    const open = (await firstSteps()).map(({ sessions }) => sessions.map(isOpen));
    assert.deepEqual(open, [[true], [true], []]);
    await write('Matte', 'Finish');
    await write(21);
    assert.deepEqual(await move('COMPLETE'), ['COMPLETE', 'COMPLETE', 'TODO']);
    const ended = (await firstSteps()).map(({ sessions }) => sessions.map(isOpen));
    assert.deepEqual(ended, [[false], [false], []]);
  });

  it('check in and out together', async () => {
    await move('IN_PROGRESS');
    const [{ id: runStepId }] = await firstSteps();
    const event = (name: string) =>
      sandbox.ask(
        `mutation ($input: SessionEventInput!) { ${name}(input: $input) { ${name}Event { id } } }`,
        { input: { runStepId, userId: '2' } },
      );
    const open = async () =>
      (await firstSteps()).map(({ sessions }) => sessions.filter(isOpen).length);
    assert.deepEqual(await open(), [1, 1, 0]);
    await event('checkIn');
    assert.deepEqual(await open(), [2, 2, 0]);
    await event('checkOut');
    assert.deepEqual(await open(), [1, 1, 0]);
  });

  it('are redlined together: added steps and fields are in all of them', async () => {
    const { createRunStep } = await sandbox.ask(
      `mutation ($input: CreateRunStepInput!) { createRunStep(input: $input) { step { id _etag } } }`,
      { input: { runId: ids[0], title: 'Rework' } },
    );
    const { id, _etag } = createRunStep.step;
    const { createRunStepField } = await sandbox.ask(
      `mutation ($input: CreateRunStepFieldInput!) {
        createRunStepField(input: $input) { runStepField { id _etag } } }`,
      { input: { runStepId: id, name: 'Reason', type: 'STRING' } },
    );
    const added = async () =>
      (await runs()).map(({ steps }) =>
        steps
          .filter(({ title }: { title: string }) => title === 'Rework')
          .map(({ fields }: { fields: { name: string }[] }) => fields.map(({ name }) => name)),
      );
    assert.deepEqual(await added(), [[['Reason']], [['Reason']], []]);
    const { runStepField: field } = createRunStepField;
    const { updateRunStepField } = await sandbox.ask(
      `mutation ($input: UpdateRunStepFieldInput!) {
        updateRunStepField(input: $input) { runStepField { _etag } } }`,
      { input: { id: field.id, etag: field._etag, name: 'Cause' } },
    );
    assert.deepEqual(await added(), [[['Cause']], [['Cause']], []]);
    await sandbox.ask(
      'mutation ($id: ID!, $etag: String!) { deleteRunStepField(id: $id, etag: $etag) { id } }',
      { id: field.id, etag: updateRunStepField.runStepField._etag },
    );
    assert.deepEqual(await added(), [[[]], [[]], []]);
    await sandbox.ask(
      'mutation ($id: ID!, $etag: String!) { deleteRunStep(id: $id, etag: $etag) { id } }',
      { id, etag: _etag },
    );
    assert.deepEqual(await added(), [[], [], []]);
  });

  it('get an issue each if that is asked for', async () => {
    const [step] = await firstSteps();
    const create = (title: string, createIssueForEachBatchSibling: boolean) =>
      sandbox.ask(
        'mutation ($input: CreateIssueInput!) { createIssue(input: $input) { issue { id } } }',
        { input: { title, runStepId: String(step.id), createIssueForEachBatchSibling } },
      );
    await create('One', false);
    await create('Each', true);
    assert.deepEqual(
      (await firstSteps()).map(({ issues }) => issues.map(({ title }: { title: string }) => title)),
      [['One', 'Each'], ['Each'], []],
    );
  });

  it('refuse a write that one of them cannot take, and write nothing', async () => {
    await move('IN_PROGRESS');
    const [, second] = await firstSteps();
    sandbox.data.runSteps.update(second.id, { status: 'HOLD' });
    const [step] = await firstSteps();
    const [field] = step.fields;
    const input = { id: field.id, etag: field._etag, value: 'Matte' };
    assert.match(await sandbox.refusal(SET_VALUE, { input }), /while its step is HOLD/);
    assert.equal((await firstSteps())[0].fields[0].value, null);
    const complete = { id: step.id, etag: step._etag, status: 'FAILED' };
    const refusal = await sandbox.refusal(UPDATE_STEP, { input: complete });
    assert.equal(refusal, `Run step ${second.id} cannot go from HOLD to FAILED.`);
    assert.equal((await firstSteps())[0].status, 'IN_PROGRESS');
  });

  it('continue without a canceled one', async () => {
    const { run } = await sandbox.ask(`{ run(id: ${ids[1]}) { _etag } }`);
    await sandbox.ask(
      'mutation ($input: CancelRunInput!) { cancelRun(input: $input) { run { id } } }',
      { input: { id: ids[1], etag: run._etag } },
    );
    assert.deepEqual(await move('IN_PROGRESS'), ['IN_PROGRESS', 'CANCELED', 'TODO']);
    assert.deepEqual(await write(21), [21, null, null]);
  });

  it('do not end the live data, whatever their states', async () => {
    const [first, second] = await firstSteps();
    sandbox.data.runSteps.update(second.id, { status: 'COMPLETE' });
    for (const { id, runId } of [...sandbox.data.runSteps.all()]) {
      if (!ids.slice(0, 2).includes(runId))
        sandbox.data.runSteps.update(id, { status: 'CANCELED' });
    }
    const random = new Random(1);
    for (let i = 0; i < 200; i++) tick(sandbox.data, random);
    assert.equal(sandbox.data.runSteps.get(first.id)?.status, 'TODO');
  });

  it('are separated when a run leaves the batch', async () => {
    const { run } = await sandbox.ask(`{ run(id: ${ids[1]}) { _etag } }`);
    await sandbox.ask(
      'mutation ($input: UpdateRunInput!) { updateRun(input: $input) { run { batched } } }',
      { input: { id: ids[1], etag: run._etag, runBatchId: null } },
    );
    assert.deepEqual(await move('IN_PROGRESS'), ['IN_PROGRESS', 'TODO', 'TODO']);
  });
});

describe('sandbox: the seeded batch', () => {
  it('has three runs of one procedure, all still to do', async () => {
    const sandbox = await start();
    try {
      const { runBatch } = await sandbox.ask(
        '{ runBatch(id: 1) { title runs { id status procedureId } } }',
      );
      assert.deepEqual(runBatch.runs, [
        { id: 70, status: 'TODO', procedureId: 4 },
        { id: 130, status: 'TODO', procedureId: 4 },
        { id: 190, status: 'TODO', procedureId: 4 },
      ]);
    } finally {
      await sandbox.close();
    }
  });
});

function isOpen({ checkOut }: { checkOut: string | null }): boolean {
  return checkOut === null;
}
