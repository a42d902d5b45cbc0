import assert from 'node:assert/strict';
import {
  type GraphQLField,
  getNamedType,
  isEnumType,
  isLeafType,
  isRequiredArgument,
} from 'graphql';
import { DEFAULT_DIALECT, type Settings } from '../../sandbox/faults/settings.js';
import { nodeType, schema } from '../../sandbox/graphql/schema.js';
import { start, type TestSandbox } from './client.js';

describe('sandbox: dialects', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.control.set(DEFAULT_DIALECT));
  after(() => sandbox.close());

  const wrong: [settings: unknown, message: string][] = [
    ['bearer', 'The settings are not a JSON object'],
    [['bearer'], 'The settings are not a JSON object'],
    [{ authSchema: 'bearer' }, 'There is no setting "authSchema"'],
    [{ authScheme: 'basic' }, 'The setting "authScheme" is one of both, raw, bearer'],
    [{ introspection: 'no' }, 'The setting "introspection" is one of true, false'],
    [{ unknown: 'Run.title' }, 'The setting "unknown" is a list'],
    [{ webhookSignature: 'md5' }, 'There is no signature encoding "md5"'],
  ];
  for (const [settings, error] of wrong) {
    it(`refuses the settings ${JSON.stringify(settings)}`, async () => {
      const response = await sandbox.http('PATCH', 'settings', settings);
      assert.equal(response.status, 400);
      assert.deepEqual(await response.json(), { error });
    });
  }

  describe('introspection', () => {
    const INTROSPECTION = '{ __schema { queryType { name } } }';

    it('is refused with the message of graphene, also if it was answered before', async () => {
      await sandbox.ask(INTROSPECTION);
      sandbox.control.set({ introspection: false });
      const answer = await sandbox.run(INTROSPECTION);
      assert.deepEqual(answer, {
        errors: [
          {
            message: "Cannot query '__schema': introspection is disabled.",
            locations: [{ line: 1, column: 3 }],
          },
        ],
      });
      sandbox.control.set({ introspection: true });
      await sandbox.ask(INTROSPECTION);
    });

    it('is refused as the name of a type as well, and nothing is executed', async () => {
      sandbox.control.set({ introspection: false });
      const rename = `mutation { createRun(input: { title: "Example" }) { __typename run { id } } }`;
      const runs = sandbox.data.runs.all().length;
      assert.match(await sandbox.refusal(rename), /^Cannot query '__typename'/);
      assert.equal(sandbox.data.runs.all().length, runs);
      assert.deepEqual(await sandbox.ask('{ me { id } }'), { me: { id: 6 } });
    });
  });

  describe('a stale etag', () => {
    const RENAME = `mutation { updateRun(input: { id: 1, etag: "stale", title: "Example" }) {
      run { id } } }`;
    const TEXT = 'Etag does not match';
    const OTHER_TEXT = 'Concurrency conflict: the etag is out of date.';
    type Row = [settings: Partial<Settings>, status: number, message: string, code?: string];
    const rows: Row[] = [
      [{}, 200, TEXT, 'CONCURRENCY_ERROR'],
      [{ etagConflict: 'status' }, 409, TEXT, 'CONCURRENCY_ERROR'],
      [{ etagConflict: 'bad-request' }, 400, TEXT, 'CONCURRENCY_ERROR'],
      [{ etagError: 'text' }, 200, TEXT],
      [{ etagError: 'other-text' }, 200, OTHER_TEXT],
      [{ etagConflict: 'bad-request', etagError: 'other-text' }, 400, OTHER_TEXT],
    ];
    for (const [settings, status, message, code] of rows) {
      it(`is answered with ${status}, "${message}", ${code ?? 'no code'}`, async () => {
        sandbox.control.set(settings);
        const authorization = await sandbox.token();
        const response = await sandbox.post(JSON.stringify({ query: RENAME }), { authorization });
        assert.equal(response.status, status);
        const { errors } = (await response.json()) as { errors: object[] };
        const [error, ...more] = errors;
        assert.deepEqual(more, []);
        const expected = { message, path: ['updateRun'], ...(code && { code }) };
        assert.deepEqual({ ...error, locations: undefined }, { ...expected, locations: undefined });
      });
    }
  });

  describe('responses', () => {
    /** A dialect, and what it makes of a member of a row that has another form by default. */
    type Row = [settings: Partial<Settings>, expected: (member: Member) => unknown];
    const textIds = ({ name, value }: Member) => (isId(name) ? textOf(value) : value);
    const numberIds = ({ name, value }: Member) => (isId(name) ? numberOf(value) : value);
    const lowerEnums = ({ type, value }: Member) => (isEnum(type) ? lower(value) : value);
    const noZone = timesWith((time) => time.slice(0, 26));
    const rows: Row[] = [
      [{ idForm: 'text' }, textIds],
      [{ idForm: 'number' }, numberIds],
      [{ enumCase: 'lower' }, lowerEnums],
      [{ timeForm: 'milliseconds' }, timesWith((time) => `${time.slice(0, 23)}Z`)],
      [{ timeForm: 'offset' }, timesWith((time) => `${time.slice(0, 23)}+00:00`)],
      [{ timeForm: 'no-zone' }, noZone],
      [
        { idForm: 'text', enumCase: 'lower', timeForm: 'no-zone', uploadFlow: 'two-calls' },
        (member) =>
          [textIds, lowerEnums, noZone].reduce(
            (value, of) => of({ ...member, value }),
            member.value,
          ),
      ],
    ];
    for (const [settings, expected] of rows) {
      it(`have ${JSON.stringify(settings)} in every list, and nothing else is different`, async () => {
        const answers = await readLists(sandbox);
        const changed = mapped(answers, expected);
        assert.notDeepEqual(changed, answers);
        sandbox.control.set(settings);
        assert.deepEqual(await readLists(sandbox), changed);
      });
    }

    it('are not those of another sandbox of the process', async () => {
      const other = await start({ runs: 12, settings: { idForm: 'text' } });
      try {
        const query = '{ run(id: 1) { id part { id } steps { id runId } } }';
        const { run } = await sandbox.ask(query);
        assert.deepEqual((await other.ask(query)).run, {
          id: '1',
          part: { id: String(run.part.id) },
          steps: run.steps.map((step: { id: number }) => ({ id: String(step.id), runId: '1' })),
        });
        assert.equal(run.id, 1);
      } finally {
        await other.close();
      }
    });

    it('have enum values in lower case; requests have them in upper case', async () => {
      sandbox.control.set({ enumCase: 'lower' });
      const query = (status: string) =>
        `{ runSteps(first: 1, filters: { status: { eq: ${status} } }) { edges { node { status } } } }`;
      const { runSteps } = await sandbox.ask(query('IN_PROGRESS'));
      assert.deepEqual(runSteps, { edges: [{ node: { status: 'in_progress' } }] });
      assert.match(await sandbox.refusal(query('in_progress')), /"in_progress" does not exist/);
      // Introspection names them as a request must.
      const { __type } = await sandbox.ask(
        '{ __type(name: "Statusenum") { kind enumValues { name } } }',
      );
      assert.equal(__type.kind, 'ENUM');
      assert.ok(__type.enumValues.some(({ name }: { name: string }) => name === 'IN_PROGRESS'));
    });

    it('have times without zone that a filter reads as UTC', async () => {
      sandbox.control.set({ timeForm: 'no-zone' });
      const query = '{ runs(first: 1) { edges { node { id _updated } } } }';
      const [{ node }] = (await sandbox.ask(query)).runs.edges;
      assert.match(node._updated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
      const { runs } = await sandbox.ask(
        `{ runs(filters: { _updated: { eq: "${node._updated}" } }) { edges { node { id } } } }`,
      );
      assert.ok(runs.edges.some((edge: typeof runs) => edge.node.id === node.id));
    });

    it('have texts as IDs that a client can send back, also as lists', async () => {
      sandbox.control.set({ idForm: 'text' });
      const { runs } = await sandbox.ask('{ runs(first: 2) { edges { node { id partId } } } }');
      const [{ node }] = runs.edges;
      const found = await sandbox.ask(
        `query ($id: ID!, $partId: ID) { run(id: $id) { id }
          runs(filters: { id: { in: [$id] }, partId: { eq: $partId } }) { edges { node { id } } } }`,
        node,
      );
      assert.deepEqual(found, { run: { id: '1' }, runs: { edges: [{ node: { id: '1' } }] } });
      const { createRun } = await sandbox.ask(
        `mutation ($partId: ID) { createRun(input: { title: "Example", partId: $partId }) {
          run { id partId } } }`,
        node,
      );
      assert.equal(createRun.run.partId, node.partId);
      assert.equal(typeof createRun.run.id, 'string');
    });
  });

  describe('a run whose step changes', () => {
    const etagOf = (id: number) => sandbox.data.runs.get(id)?._etag;
    /** Renames the first step of a run, by the API. */
    const rename = async (id: number) => {
      const [step] = sandbox.data.runSteps.of(id);
      const input = { id: step?.id, etag: step?._etag, title: 'Example step' };
      const { updateRunStep } = await sandbox.ask(
        `mutation ($input: UpdateRunStepInput!) { updateRunStep(input: $input) {
          runStep { _updated run { _etag _updated } } } }`,
        { input },
      );
      return updateRunStep.runStep;
    };

    it('keeps its etag', async () => {
      const before = etagOf(1);
      assert.equal((await rename(1)).run._etag, before);
    });

    it('gets a new etag and a later time if runs move with their steps; other runs do not', async () => {
      sandbox.control.set({ runsMoveWithSteps: true });
      const [before, other] = [etagOf(1), etagOf(2)];
      const step = await rename(1);
      assert.notEqual(step.run._etag, before);
      assert.ok(step.run._updated > step._updated);
      assert.equal(etagOf(2), other);
    });

    it('moves once with all that one mutation changes, and not if the mutation changed it anyway', async () => {
      sandbox.control.set({ runsMoveWithSteps: true });
      const moved: number[] = [];
      const { onChange } = sandbox.data;
      sandbox.data.onChange = ({ type, row, action }) => {
        if (type === 'Run' && action === 'UPDATE') moved.push(row.id);
      };
      try {
        await rename(1);
        assert.deepEqual(moved.splice(0), [1]);
        const input = { id: 2, etag: etagOf(2) };
        await sandbox.ask(
          'mutation ($input: CancelRunInput!) { cancelRun(input: $input) { run { id } } }',
          { input },
        );
        assert.deepEqual(moved.splice(0), [2]);
        await sandbox.ask('mutation { createRun(input: { procedureId: 1 }) { run { id } } }');
        assert.deepEqual(moved, []);
        sandbox.data.runSteps.update(1, { title: 'Example' });
        assert.deepEqual(moved, [1]);
      } finally {
        sandbox.data.onChange = onChange;
      }
    });
  });

  describe('a file', () => {
    const REQUEST = '{ requestFileUploadUrl(filename: "example.csv") { uploadUrl s3Key } }';
    const CREATE = `mutation ($input: CreateFileAttachmentInput!) {
      createFileAttachment(input: $input) { uploadUrl fileAttachment { id } } }`;
    const input = async () => {
      const { run } = await sandbox.ask('{ run(id: 1) { entityId } }');
      return { entityId: run.entityId, filename: 'example.csv' };
    };
    const upload = (url: string) =>
      fetch(url, { method: 'PUT', headers: { 'content-type': 'text/csv' }, body: 'a\n' });

    it('can only be attached in two calls', async () => {
      sandbox.control.set({ uploadFlow: 'two-calls' });
      assert.match(await sandbox.refusal(REQUEST), /^Cannot query field "requestFileUploadUrl"/);
      const grant = { s3Key: 'example', s3Etag: 'example' };
      const { errors } = await sandbox.run(CREATE, { input: { ...(await input()), ...grant } });
      assert.match(String(errors?.[0]?.message), /"s3Key"/);
      const { createFileAttachment } = await sandbox.ask(CREATE, { input: await input() });
      assert.equal((await upload(createFileAttachment.uploadUrl)).status, 200);
    });

    it('can only be attached in three calls, or from another system', async () => {
      sandbox.control.set({ uploadFlow: 'three-calls' });
      const count = sandbox.data.fileAttachments.all().length;
      assert.match(await sandbox.refusal(CREATE, { input: await input() }), /s3Key is required/);
      assert.equal(sandbox.data.fileAttachments.all().length, count);
      const { s3Key, uploadUrl } = (await sandbox.ask(REQUEST)).requestFileUploadUrl;
      const s3Etag = (await upload(uploadUrl)).headers.get('etag');
      await sandbox.ask(CREATE, { input: { ...(await input()), s3Key, s3Etag } });
      const integrationFetchUrl = 'https://files.example/example.csv';
      await sandbox.ask(CREATE, { input: { ...(await input()), integrationFetchUrl } });
    });
  });
});

interface Member {
  /** The name of a member of GraphQL, or of the list that it is in. */
  name: string;
  value: unknown;
  /** The name of its type. */
  type: string;
}

/** The members of the first rows of every list, by the name of the list. */
async function readLists(sandbox: TestSandbox): Promise<Record<string, Member[]>> {
  const lists = Object.values(schema.getQueryType()?.getFields() ?? {}).flatMap(
    ({ name, type }) => {
      const node = nodeType(getNamedType(type));
      return node ? [{ name, members: Object.values(node.getFields()).filter(isCompared) }] : [];
    },
  );
  const selections = lists.map(({ name, members }) => {
    const selection = members.map((field) => field.name).join(' ');
    return `${name}(first: 20) { edges { node { ${selection} } } }`;
  });
  const data = await sandbox.ask(`{ ${selections.join(' ')} }`);
  return Object.fromEntries(
    lists.map(({ name, members }) => {
      const edges = data[name].edges as { node: Record<string, unknown> }[];
      const found = edges.flatMap(({ node }) =>
        members.map((member) => ({
          name: member.name,
          value: node[member.name],
          type: getNamedType(member.type).name,
        })),
      );
      return [name, found];
    }),
  );
}

/** Whether a member is a value that two queries answer in the same way: URLs of files are new each time. */
function isCompared({ name, type, args }: GraphQLField<unknown, unknown>): boolean {
  return isLeafType(getNamedType(type)) && !args.some(isRequiredArgument) && !/url$/i.test(name);
}

/** The same answers with another value of each member; in a list, of each item. */
function mapped(answers: Record<string, Member[]>, of: (member: Member) => unknown) {
  const withValue = (member: Member) => ({
    ...member,
    value: Array.isArray(member.value)
      ? member.value.map((value) => of({ ...member, value }))
      : member.value === null
        ? null
        : of(member),
  });
  return Object.fromEntries(
    Object.entries(answers).map(([list, members]) => [list, members.map(withValue)]),
  );
}

function isId(name: string): boolean {
  return /^id$|Ids?$/.test(name) && !/^(client|integration|message|webhook)Id$/.test(name);
}

function isEnum(type: string): boolean {
  return isEnumType(schema.getType(type));
}

function lower(value: unknown): string {
  return String(value).toLowerCase();
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;

/** Also the times of runs, whose type is String. */
function timesWith(write: (time: string) => string) {
  return ({ name, type, value }: Member) => {
    if (type !== 'DateTime' && name !== 'startTime' && name !== 'endTime') return value;
    assert.match(String(value), TIME);
    return write(String(value));
  };
}

function textOf(value: unknown): unknown {
  assert.ok(typeof value === 'number' || typeof value === 'string');
  return String(value);
}

function numberOf(value: unknown): unknown {
  const number = Number(value);
  assert.ok(Number.isSafeInteger(number), `${value} is no number`);
  return number;
}
