import assert from 'node:assert/strict';
import { DEFAULT_DIALECT, type Settings } from '../../sandbox/faults/settings.js';
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
});
