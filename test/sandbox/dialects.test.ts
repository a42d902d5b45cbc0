import assert from 'node:assert/strict';
import { DEFAULT_DIALECT } from '../../sandbox/faults/settings.js';
import { start, type TestSandbox } from './client.js';

describe('sandbox: dialects', () => {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await start({ runs: 12 });
  });
  afterEach(() => sandbox.control.set(DEFAULT_DIALECT));
  after(() => sandbox.close());

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
});
