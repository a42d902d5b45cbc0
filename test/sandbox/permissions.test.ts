import assert from 'node:assert/strict';
import { type GraphQLAnswer, requestToken, start, type TestSandbox } from './client.js';

const UPDATE_RUN = `mutation ($input: UpdateRunInput!) {
  updateRun(input: $input) { run { title } } }`;
const REFUSAL = 'User does not have permission to update this resource.';
const MINE = '{ me { permissionGroups { name permissions { action resource } } } }';

describe('sandbox: permissions', () => {
  let sandbox: TestSandbox;
  beforeEach(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.close());

  const rename = (title = 'Renamed') => {
    const { id, _etag: etag } = sandbox.data.runs.get(1) ?? {};
    return { input: { id, etag, title } };
  };

  const respond = async (query: string, variables: object, key = sandbox as ApiKey) => {
    const token = await requestToken(sandbox.authUrl, key.clientId, key.clientSecret);
    const { access_token: authorization = '' } = (await token.json()) as { access_token?: string };
    const response = await sandbox.post(JSON.stringify({ query, variables }), { authorization });
    return { status: response.status, body: (await response.json()) as GraphQLAnswer };
  };

  interface ApiKey {
    clientId: string;
    clientSecret: string;
  }

  const createKey = async (): Promise<ApiKey> => {
    const { createApiKey } = await sandbox.ask(
      'mutation { createApiKey { apikey { clientId clientSecret } } }',
    );
    return createApiKey.apikey;
  };

  const names = async () =>
    (await sandbox.ask(MINE)).me.permissionGroups.map(({ name }: { name: string }) => name);

  it('are one for each mutation, named as ION names them', async () => {
    const all = await names();
    assert.equal(new Set(all).size, 350);
    for (const name of ['CreateRun', 'UpdateRunStepFieldValue', 'CheckIn', 'CreateAPIKey']) {
      assert.ok(all.includes(name), name);
    }
    const { permissionGroups } = await sandbox.ask(
      `{ permissionGroups(filters: { name: { in: ["UpdateRunStep", "DeleteComment"] } }) {
        edges { node { name family permissions { action resource resourceTypeName }
          roles { name } } } } }`,
    );
    const group = (name: string, family: string, action: string) => ({
      name,
      family,
      permissions: [{ action, resource: name, resourceTypeName: 'MUTATION' }],
      roles: [{ name: 'Operator' }, { name: 'Integration' }],
    });
    assert.deepEqual(
      permissionGroups.edges.map(({ node }: { node: { name: string } }) => node).sort(byName),
      [group('DeleteComment', 'Comment', 'DELETE'), group('UpdateRunStep', 'RunStep', 'UPDATE')],
    );
  });

  it('allow everything by default', async () => {
    await sandbox.ask(UPDATE_RUN, rename());
    assert.equal(sandbox.data.runs.get(1)?.title, 'Renamed');
  });

  it('are refused with HTTP 403 and the published text, before anything runs', async () => {
    sandbox.control.set({ permissions: ['CreateComment'] });
    const comment = 'comment: createComment(input: { entityId: 11 }) { comment { id } }';
    const both = UPDATE_RUN.replace('{\n', `{ ${comment}\n`);
    for (const document of [UPDATE_RUN, both]) {
      const { status, body } = await respond(document, rename());
      assert.equal(status, 403);
      assert.deepEqual(body, { errors: [{ message: REFUSAL }] });
    }
    assert.notEqual(sandbox.data.runs.get(1)?.title, 'Renamed');
    assert.equal(sandbox.data.comments.all().length, 0);
    await sandbox.ask(`mutation { ${comment} }`);
  });

  it('are refused also for a mutation in a fragment', async () => {
    sandbox.control.set({ permissions: [] });
    const document = `mutation ($input: UpdateRunInput!) { ... on Mutation { ...Rename } }
      fragment Rename on Mutation { updateRun(input: $input) { run { id } } }`;
    assert.equal((await respond(document, rename())).status, 403);
  });

  it('are refused for one mutation with HTTP 200 if configured', async () => {
    sandbox.control.set({ permissions: ['createcomment'], permissionError: 'errors' });
    const document = UPDATE_RUN.replace(
      '{\n',
      '{ createComment(input: { entityId: 11 }) { comment { entityId } }\n',
    );
    const { status, body } = await respond(document, rename());
    assert.equal(status, 200);
    assert.deepEqual(body.data, { createComment: { comment: { entityId: 11 } }, updateRun: null });
    assert.deepEqual(
      body.errors?.map(({ message, path }) => ({ message, path })),
      [{ message: REFUSAL, path: ['updateRun'] }],
    );
  });

  it('have texts for creations and deletions as well', async () => {
    sandbox.control.set({ permissions: [] });
    assert.equal(
      await sandbox.refusal('mutation { createComment(input: {}) { comment { id } } }'),
      'User does not have permission to create this resource.',
    );
    assert.equal(
      await sandbox.refusal('mutation { deleteRunStep(id: 1, etag: "") { id } }'),
      'User does not have permission to delete this resource.',
    );
  });

  it('are not needed for queries', async () => {
    sandbox.control.set({ permissions: [] });
    assert.equal((await sandbox.ask('{ run(id: 1) { id } }')).run.id, 1);
    assert.deepEqual(await names(), []);
  });

  it('are shown to the acting user as far as it has them', async () => {
    sandbox.control.set({ permissions: ['UpdateRunStep', 'CreateIssue'] });
    assert.deepEqual((await names()).sort(), ['CreateIssue', 'UpdateRunStep']);
    const { user } = await sandbox.ask(
      '{ user(id: 1) { permissionGroups { name } roles { name } } }',
    );
    const others = user.permissionGroups.map(({ name }: { name: string }) => name);
    assert.deepEqual(user.roles, [{ name: 'Operator' }]);
    assert.ok(others.includes('UpdateRunStepFieldValue'));
    assert.ok(!others.includes('CreateAPIKey'));
  });

  it('stay with a key as they were when it was created', async () => {
    const early = await createKey();
    await sandbox.ask(
      `mutation { detachRoleFromUser(input: { userId: "6", roleId: 3 }) { userId } }`,
    );
    assert.deepEqual(await names(), []);
    const late = await createKey();
    assert.equal((await respond(UPDATE_RUN, rename('Early'), early)).status, 200);
    assert.equal((await respond(UPDATE_RUN, rename('Late'), late)).status, 403);
    assert.equal(sandbox.data.runs.get(1)?.title, 'Early');
  });

  it('can be given to a role and taken away', async () => {
    const { permissionGroups } = await sandbox.ask(
      '{ permissionGroups(filters: { name: { eq: "CreatePart" } }) { edges { node { id } } } }',
    );
    const change = async (verb: 'attach' | 'detach') => {
      const name = `${verb}PermissionGroup${verb === 'attach' ? 'To' : 'From'}Role`;
      const answer = await sandbox.ask(
        `mutation ($input: PermissionGroupToRoleInput!) {
          ${name}(input: $input) { role { permissionGroups { name } permissions { resource } } } }`,
        { input: { roleId: 1, permissionGroupId: permissionGroups.edges[0].node.id } },
      );
      return answer[name].role;
    };
    assert.deepEqual(await change('attach'), {
      permissionGroups: [{ name: 'CreatePart' }],
      permissions: [{ resource: 'CreatePart' }],
    });
    assert.deepEqual(await change('detach'), { permissionGroups: [], permissions: [] });
  });
});

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name);
}
