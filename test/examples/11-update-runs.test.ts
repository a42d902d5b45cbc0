import assert from 'node:assert/strict';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { RunningExample } from '../../tools/example.js';
import { useTemporaryFolder } from '../../tools/package.js';
import { useSandbox } from '../support/sandbox.js';
import { until } from '../support/until.js';

interface RunOfProcedure {
  id: number;
  status: string;
  steps: { title: string; status: string; fields: { name: string; value: unknown }[] }[];
}

describe('example 11, updates the runs of a procedure', () => {
  const ion = useSandbox({ runs: 60 });
  const folder = useTemporaryFolder();
  let example: RunningExample;
  after(() => example?.stop());

  it('adds a step to each of its completed runs, and to no other run', async () => {
    const runs = async (): Promise<RunOfProcedure[]> => {
      const operation = parseOperation(
        '{ runs { edges { node { id procedureId status steps { title status fields { name value } } } } } }',
      );
      const { data } = await ion
        .client()
        .request(operation, { signal: new AbortController().signal });
      const { edges } = data.runs as {
        edges: { node: RunOfProcedure & { procedureId: number } }[];
      };
      return edges.map(({ node }) => node).filter(({ procedureId }) => procedureId === 1);
    };
    const added = ({ steps }: RunOfProcedure) =>
      steps.filter(({ title }) => title === 'Follow-up check');
    const before = await runs();
    const completed = before.filter(({ status }) => status === 'COMPLETE').map(({ id }) => id);
    assert.ok(completed.length > 1 && completed.length < before.length);

    example = await RunningExample.start('11-update-runs-of-a-procedure.json', {
      folder: folder.path,
      sandbox: ion.sandbox,
    });
    await example.inject('inject');
    await until(async () => {
      const all = (await runs()).flatMap(added);
      return all.length >= completed.length && all.every(({ status }) => status === 'COMPLETE');
    });
    const changed = (await runs()).filter((run) => added(run).length > 0);
    assert.deepEqual(
      changed.map(({ id }) => id),
      completed,
    );
    for (const run of changed) {
      assert.equal(run.status, 'COMPLETE');
      assert.deepEqual(added(run), [
        {
          title: 'Follow-up check',
          status: 'COMPLETE',
          fields: [{ name: 'Result', value: 'passed' }],
        },
      ]);
    }
  });
});
