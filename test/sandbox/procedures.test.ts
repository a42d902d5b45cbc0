import assert from 'node:assert/strict';
import { start, type TestSandbox } from './client.js';

describe('sandbox: procedures', () => {
  let sandbox: TestSandbox;
  beforeEach(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.close());

  async function create(mutation: string, member: string, input: object): Promise<number> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
    const answer = await sandbox.ask(
      `mutation($input: ${type}) { ${mutation}(input: $input) { ${member} { id } } }`,
      { input },
    );
    return answer[mutation][member].id;
  }
  const createStep = (input: object) => create('createStep', 'step', input);
  const createField = (stepId: number, name: string) =>
    create('createStepField', 'stepField', { stepId, name, type: 'STRING' });

  /** A procedure with a step, a step in it, and a step after it. */
  async function nested() {
    const { createProcedure } = await sandbox.ask(
      'mutation { createProcedure(title: "Example bonding") { procedure { id familyId } } }',
    );
    const { id: procedureId, familyId } = createProcedure.procedure;
    const first = await createStep({ title: 'Bond', procedureId });
    const inner = await createStep({ title: 'Mix', procedureId, parentId: first });
    const second = await createStep({ title: 'Cure', procedureId });
    await create('createStepEdge', 'stepEdge', { stepId: second, upstreamStepId: first });
    return { procedureId, familyId, first, inner, second };
  }

  it('list their steps; the steps inside a step are its own', async () => {
    const { procedureId, first, inner, second } = await nested();
    const { procedure, step } = await sandbox.ask(`{
      procedure(id: ${procedureId}) {
        steps { id steps { id } upstreamStepIds downstreamStepIds isStandardStep isDerivedStep }
      }
      step(id: ${inner}) { allParents { id } parent { allChildren { id } } }
    }`);
    const own = { isStandardStep: false, isDerivedStep: false };
    assert.deepEqual(procedure.steps, [
      {
        ...{ id: first, steps: [{ id: inner }] },
        ...{ upstreamStepIds: [], downstreamStepIds: [second], ...own },
      },
      { id: second, steps: [], upstreamStepIds: [first], downstreamStepIds: [], ...own },
    ]);
    assert.deepEqual(step, {
      allParents: [{ id: first }],
      parent: { allChildren: [{ id: inner }] },
    });
  });

  it('have the labels of their family, also as texts', async () => {
    const { procedureId, familyId } = await nested();
    await sandbox.ask(
      `mutation { addLabelToProcedureFamily(input: { labelId: 1, familyId: ${familyId} }) { labelId } }`,
    );
    const { procedure } = await sandbox.ask(
      `{ procedure(id: ${procedureId}) { labels familyLabels { value } } }`,
    );
    assert.deepEqual(procedure, {
      labels: ['Example: urgent'],
      familyLabels: [{ value: 'Example: urgent' }],
    });
  });

  it('get a new version with the same nesting and the same dependencies', async () => {
    const { procedureId, familyId, first, second } = await nested();
    const { createProcedureVersion } = await sandbox.ask(
      `mutation { createProcedureVersion(familyId: ${familyId}, procedureId: ${procedureId}) {
        procedure { steps { id title upstreamStepIds steps { title } } }
      } }`,
    );
    const [bond, cure] = createProcedureVersion.procedure.steps;
    assert.deepEqual([bond.title, bond.steps], ['Bond', [{ title: 'Mix' }]]);
    assert.deepEqual([cure.title, cure.upstreamStepIds], ['Cure', [bond.id]]);
    assert.ok(![first, second].includes(bond.id));
  });

  it('take copies of standard steps, with the steps, fields and columns in them', async () => {
    const { procedureId } = await nested();
    const standard = await createStep({ title: 'Clean', type: 'DATAGRID' });
    const inner = await createStep({ title: 'Rinse', parentId: standard });
    await createField(standard, 'Agent');
    await createField(inner, 'Duration');
    await create('createDatagridColumn', 'datagridColumn', {
      ...{ stepId: standard, header: 'Pass', index: 0, type: 'NUMBER' },
    });
    const { copyStep } = await sandbox.ask(
      `mutation { copyStep(input: { stepId: ${standard}, procedureId: ${procedureId} }) { step {
        isDerivedStep isStandardStep originStepId standardStep { isStandardStep derivedSteps { title } }
        fields { name } steps { title isChildStandardStep fields { name } }
        datagridColumns { edges { node { header } } }
      } } }`,
    );
    assert.deepEqual(copyStep.step, {
      isDerivedStep: true,
      isStandardStep: false,
      originStepId: standard,
      standardStep: { isStandardStep: true, derivedSteps: [{ title: 'Clean' }] },
      fields: [{ name: 'Agent' }],
      steps: [{ title: 'Rinse', isChildStandardStep: false, fields: [{ name: 'Duration' }] }],
      datagridColumns: { edges: [{ node: { header: 'Pass' } }] },
    });
    const { step } = await sandbox.ask(
      `{ step(id: ${standard}) { standardStepProcedures { id } fieldCount steps { isChildStandardStep } } }`,
    );
    assert.deepEqual(step, {
      standardStepProcedures: [{ id: procedureId }],
      fieldCount: 1,
      steps: [{ isChildStandardStep: true }],
    });
  });

  it('have the rows of a grid with their values, which are of the type of their column', async () => {
    const { procedureId } = await nested();
    const stepId = await createStep({ title: 'Measure', procedureId, type: 'DATAGRID' });
    const column = (header: string, type: string, index: number) =>
      create('createDatagridColumn', 'datagridColumn', { stepId, header, type, index });
    const columns = [
      await column('Width', 'NUMBER', 0),
      await column('Photo', 'FILE_ATTACHMENT', 1),
    ];
    const rowId = await create('createDatagridRow', 'datagridRow', { stepId, index: 0 });
    const file = await create('createFileAttachment', 'fileAttachment', {
      filename: 'example.png',
    });
    for (const [i, value] of [12.5, file].entries()) {
      await create('setDatagridValue', 'datagridValue', { rowId, columnId: columns[i], value });
    }
    const { step } = await sandbox.ask(`{ step(id: ${stepId}) {
      datagridRows { edges { node { values { type value fileAttachment { filename } } } } }
      datagridColumns { edges { node { values { value } } } }
    } }`);
    const { values } = step.datagridRows.edges[0].node;
    assert.deepEqual(values, [
      { type: 'NUMBER', value: 12.5, fileAttachment: null },
      { type: 'FILE_ATTACHMENT', value: file, fileAttachment: { filename: 'example.png' } },
    ]);
    assert.deepEqual(step.datagridColumns.edges[0].node.values, [{ value: 12.5 }]);
  });
});
