import assert from 'node:assert/strict';
import { util } from '@node-red/util';
import { type OperationDefinitionNode, parse } from 'graphql';
import type { Node, NodeAPI } from 'node-red';
import { evaluateJsonata } from '../../nodes/config/evaluate-jsonata.js';
import { type WriteTemplate, writeTemplates } from '../../nodes/editor/graphql/write-templates.js';
import { start, type TestSandbox } from '../sandbox/client.js';

type Name = keyof typeof writeTemplates;
type Variables = Record<string, unknown>;

/** Variables of a write to objects that exist in the sandbox. */
interface Writes {
  variables: Variables;
  /** Another write of the same kind. */
  other: Variables;
}

const CREATE_STEP = `mutation ($input: CreateRunStepInput!) {
  createRunStep(input: $input) { step { id _etag } } }`;
const UPDATE_STEP = `mutation ($input: UpdateRunStepInput!) {
  updateRunStep(input: $input) { runStep { _etag } } }`;

describe('a write template of ion-graphql', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  after(() => sandbox.close());

  /** Sends the variables that a document declares. */
  const declared = (document: string, variables: Variables) => {
    const [operation] = parse(document).definitions as OperationDefinitionNode[];
    const names = operation?.variableDefinitions?.map(({ variable }) => variable.name.value) ?? [];
    return Object.fromEntries(names.map((name) => [name, variables[name]]));
  };
  const ask = (document: string, variables: Variables) =>
    sandbox.ask(document, declared(document, variables));

  /** The part of a try that comes before the mutation. */
  async function tried(
    { prepare, prepareVariables, alreadyDone }: WriteTemplate,
    given: Variables,
  ) {
    const data = prepare ? await ask(prepare, given) : undefined;
    const input = { variables: given, data, msg: {} };
    const found = alreadyDone ? await jsonata(alreadyDone, input) : undefined;
    const variables = prepareVariables ? await jsonata(prepareVariables, input) : given;
    return { found, variables: variables as Variables };
  }

  async function stepOfOwn(input: Variables = {}): Promise<{ id: number; _etag: string }> {
    const { createRun } = await sandbox.ask(
      'mutation { createRun(input: { title: "Example" }) { run { id } } }',
    );
    const runId = createRun.run.id;
    const { createRunStep } = await sandbox.ask(CREATE_STEP, {
      input: { runId, title: 'Example', ...input },
    });
    return createRunStep.step;
  }

  /** A step in progress, to which the key's own user is checked in. */
  async function startedStep(): Promise<number> {
    let { id, _etag: etag } = await stepOfOwn();
    for (const status of ['TODO', 'IN_PROGRESS']) {
      const { updateRunStep } = await sandbox.ask(UPDATE_STEP, { input: { id, etag, status } });
      etag = updateRunStep.runStep._etag;
    }
    return id;
  }

  const entityOf = async (type: 'issue' | 'run'): Promise<number> =>
    (await sandbox.ask(`{ ${type}(id: 1) { entityId } }`))[type].entityId;

  const check = (name: 'checkIn' | 'checkOut', runStepId: number) =>
    ask(writeTemplates[name].query, { runStepId });

  const example = (name: Name) => JSON.parse(writeTemplates[name].variables) as Variables;
  const withKey = (name: Name): Writes => {
    const variables = example(name);
    // A key that begins with the other one is another key.
    return { variables, other: { ...variables, key: `${variables.key}1` } };
  };

  /** Writes by the templates that find what an earlier try has done. */
  const cases = {
    createIssue: () => withKey('createIssue'),
    createRun: () => withKey('createRun'),
    createPartInventory: () => withKey('createPartInventory'),
    createComment: async () => {
      const { content } = example('createComment');
      const entityId = await entityOf('issue');
      return { variables: { entityId, content }, other: { entityId, content: `${content}1` } };
    },
    createAbomInstallation: () => {
      const variables = example('createAbomInstallation');
      return { variables, other: { ...variables, partInventoryId: 3 } };
    },
    updateRunStepAttribute: async () => {
      const attributes = [
        { key: 'Oven', value: 'Oven 1' },
        { key: 'Shift', value: 'Oven 3' },
      ];
      const { id: runStepId } = await stepOfOwn({ attributes });
      const variables = { ...example('updateRunStepAttribute'), runStepId };
      return { variables, other: { ...variables, value: 'Oven 4' } };
    },
    updateRunAttribute: () => {
      const variables = example('updateRunAttribute');
      return { variables, other: { ...variables, value: 'Low' } };
    },
    updatePartInventory: () => {
      const variables = example('updatePartInventory');
      return { variables, other: { ...variables, input: { quantity: 12, locationId: 3 } } };
    },
    setDatagridValue: async () => {
      const { id: runStepId } = await stepOfOwn({ type: 'DATAGRID' });
      const { createDatagridColumn, createDatagridRow } = await sandbox.ask(`mutation {
        createDatagridColumn(input: { runStepId: ${runStepId}, header: "Depth", type: NUMBER }) {
          datagridColumn { id } }
        createDatagridRow(input: { runStepId: ${runStepId} }) { datagridRow { id } } }`);
      const rowId = createDatagridRow.datagridRow.id;
      const columnId = createDatagridColumn.datagridColumn.id;
      return { variables: { rowId, columnId, value: 0 }, other: { rowId, columnId, value: 1 } };
    },
    checkIn: async () => {
      const [runStepId, other] = [await startedStep(), await startedStep()];
      for (const id of [runStepId, other]) await check('checkOut', id);
      return { variables: { runStepId }, other: { runStepId: other } };
    },
    checkOut: async () => ({
      variables: { runStepId: await startedStep() },
      other: { runStepId: await startedStep() },
    }),
  } satisfies Partial<Record<Name, () => Writes | Promise<Writes>>>;

  for (const [name, write] of Object.entries(cases)) {
    const template: WriteTemplate = writeTemplates[name as Name];

    it(`"${name}" is carried out once, and only that write is found afterwards`, async () => {
      const { variables, other } = await write();
      const first = await tried(template, variables);
      assert.ok(isNothing(first.found), `found before it was done: ${JSON.stringify(first.found)}`);
      const result = await ask(template.query, first.variables);
      const again = await tried(template, variables);
      assert.deepEqual(again.found, result);
      const { found } = await tried(template, other);
      assert.ok(isNothing(found), `found for another write: ${JSON.stringify(found)}`);
    });
  }

  const updates = [
    'updateRunStepAttribute',
    'updateRunAttribute',
    'updatePartInventory',
    'setDatagridValue',
  ] as const;
  for (const name of updates) {
    it(`"${name}" takes the etag that is valid at each try`, async () => {
      const { variables, other } = (await cases[name]()) as Writes;
      const template = writeTemplates[name];
      // A cell without a value has no etag.
      await ask(template.query, (await tried(template, other)).variables);
      const stale = await tried(template, variables);
      await ask(template.query, stale.variables);
      await assert.rejects(ask(template.query, stale.variables), /Etag does not match/);
      const fresh = await tried(template, other);
      assert.ok(await ask(template.query, fresh.variables));
    });
  }

  it('"createIssue" keeps the attributes of its input beside the key', async () => {
    const { variables } = withKey('createIssue');
    const attributes = [{ key: 'Defect code', value: 'D-1' }];
    const given = { ...variables, key: 'with more', input: { title: 'Example', attributes } };
    const { variables: sent } = await tried(writeTemplates.createIssue, given);
    assert.deepEqual(sent.input, {
      title: 'Example',
      attributes: [...attributes, { key: 'External key', value: 'with more' }],
    });
  });

  it('"createComment" finds its text where ION keeps it as rich text only', async () => {
    const entityId = await entityOf('run');
    const content = 'Torque out of range\n[key "1"]';
    const paragraphs = content.split('\n').map((text) => ({ type: 'p', children: [{ text }] }));
    const { createComment } = await sandbox.ask(
      `mutation ($input: CreateCommentInput!) {
        createComment(input: $input) { comment { id content slateContent } } }`,
      { input: { entityId, slateContent: [{ children: paragraphs }] } },
    );
    assert.equal(createComment.comment.content, null);
    const { found } = await tried(writeTemplates.createComment, { entityId, content });
    assert.deepEqual(found, { createComment });
    const other = { entityId, content: content.slice(0, -2) };
    assert.ok(isNothing((await tried(writeTemplates.createComment, other)).found));
  });

  it('"updatePartInventory" is not taken for done while a value cannot be compared', async () => {
    const input = { quantity: 1, needDate: '2026-12-01T00:00:00Z' };
    const { found } = await tried(writeTemplates.updatePartInventory, { id: 1, input });
    assert.ok(isNothing(found));
  });

  for (const idForm of ['number', 'text'] as const) {
    it(`"checkIn" and "checkOut" know their own user if IDs are of the form "${idForm}"`, async () => {
      const runStepId = await startedStep();
      sandbox.control.set({ idForm });
      try {
        const { found } = await tried(writeTemplates.checkIn, { runStepId });
        assert.ok(!isNothing(found), 'an open session is not found');
        const out = await tried(writeTemplates.checkOut, { runStepId });
        assert.ok(isNothing(out.found), JSON.stringify(out.found));
      } finally {
        sandbox.control.set({ idForm: 'schema' });
      }
    });
  }

  it('"checkIn" and "checkOut" leave the sessions of others out', async () => {
    const runStepId = await startedStep();
    await check('checkOut', runStepId);
    await sandbox.ask(
      `mutation { checkIn(input: { runStepId: ${runStepId}, userId: 1 }) { checkInEvent { id } } }`,
    );
    assert.ok(isNothing((await tried(writeTemplates.checkIn, { runStepId })).found));
    assert.ok(!isNothing((await tried(writeTemplates.checkOut, { runStepId })).found));
  });

  it('"dispatchNotification" is sent as it is, at least once', async () => {
    const { query, variables, prepare, alreadyDone } = writeTemplates.dispatchNotification;
    const { dispatchNotification } = await ask(query, JSON.parse(variables));
    assert.ok(dispatchNotification.response.messageId);
    assert.deepEqual([prepare, alreadyDone], ['', '']);
    assert.match(query, /^# At least once/);
  });

  it('gives an order that is text, and the same only for writes to the same thing', async () => {
    const keyOf = async (name: Name) => {
      const { order }: WriteTemplate = writeTemplates[name];
      return order && (await jsonata(order.value, { variables: example(name) }));
    };
    for (const name of Object.keys(writeTemplates) as Name[]) {
      if (name !== 'dispatchNotification') assert.equal(typeof (await keyOf(name)), 'string', name);
    }
    const key = 'one key';
    const ofKey = (name: 'createIssue' | 'createRun') =>
      jsonata(writeTemplates[name].order.value, { variables: { key } });
    assert.notEqual(await ofKey('createIssue'), await ofKey('createRun'));
    assert.equal(await keyOf('checkIn'), await keyOf('checkOut'));
    assert.equal(await keyOf('checkIn'), await keyOf('updateRunStepAttribute'));
  });

  it('defines in the sandbox the attribute that keeps the keys', async () => {
    const { me } = await sandbox.ask(`{ me { organization { settings {
      issues { attributes { key } } runs { attributes { key } }
      partsInventory { attributes { key } } } } } }`);
    for (const [name, about] of [
      ['createIssue', 'issues'],
      ['createRun', 'runs'],
      ['createPartInventory', 'partsInventory'],
    ] as const) {
      const { attribute } = example(name);
      assert.deepEqual(me.organization.settings[about].attributes, [{ key: attribute }]);
    }
  });

  it('finds a number that ION keeps as text', async () => {
    const attributes = [{ key: 'Torque', value: '12.5' }];
    const found = await jsonata(writeTemplates.updateRunAttribute.alreadyDone, {
      variables: { runId: 1, attribute: 'Torque', value: 12.5 },
      data: { run: { attributes } },
    });
    assert.deepEqual(found, { updateRunAttribute: { runAttribute: attributes[0] } });
  });
});

/** Evaluates an expression as the node does. */
async function jsonata(text: string, input: object): Promise<unknown> {
  const value = await evaluateJsonata({ util } as unknown as NodeAPI, {} as Node, text, input);
  return value && JSON.parse(JSON.stringify(value));
}

/** No value, or one that holds nothing else. */
function isNothing(value: unknown): boolean {
  return typeof value === 'object' && value !== null
    ? Object.values(value).every(isNothing)
    : !value;
}
