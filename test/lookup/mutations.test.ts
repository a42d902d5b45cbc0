import assert from 'node:assert/strict';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { StepWriter } from '../../nodes/client/steps/step-writer.js';
import { WorkFinder } from '../../nodes/client/work/work-finder.js';
import { Lookups } from '../../nodes/lookup/lookups.js';
import { addScanCases } from '../../sandbox/data/scan-cases.js';
import { failure } from '../support/errors.js';
import { queryOf } from '../support/lookups.js';
import { useSandbox } from '../support/sandbox.js';

const UPDATE =
  'mutation Update($input: UpdateRunStepInput!) { updateRunStep(input: $input) { runStep { id } } }';

describe('look-ups and the mutations of the same client', () => {
  const ion = useSandbox({ runs: 3 });
  const { signal } = new AbortController();

  it('learn of each mutation once it has ended, whether it succeeded or not', async () => {
    const client = ion.client({ retries: 1 });
    const seen: unknown[] = [];
    const end = client.onOutcome(({ operation, variables, error, attempts }) => {
      if (operation.kind === 'mutation')
        seen.push([operation.name, variables, error?.code, attempts]);
    });
    const request = (text: string, variables?: Record<string, unknown>) =>
      client.request(parseOperation(text), { signal, variables });
    await request('{ me { id } }');
    const variables = { input: { id: '1', etag: 'stale' } };
    const refused = request(UPDATE, variables).then(
      () => assert.fail('it succeeded'),
      () => assert.equal(seen.length, 1, 'reported before the caller knows'),
    );
    assert.deepEqual(seen, []);
    await refused;
    assert.deepEqual(seen, [['Update', variables, 'ION_CONFLICT', 1]]);
    ion.sandbox.control.fault({ target: 'api', kind: 'reset', times: 2 });
    await failure(request(UPDATE, variables), 'ION_NETWORK');
    assert.equal(seen.length, 2);
    end();
    await request(UPDATE, variables).catch(() => {});
    assert.equal(seen.length, 2);
  });

  it('finds the next step at once after a flow completed the current one', async () => {
    const { started } = addScanCases(ion.sandbox.data);
    const client = ion.client();
    const lookups = new Lookups({
      finder: new WorkFinder(client),
      client,
      memory: {
        open: () => assert.fail('nothing is remembered'),
        isPresent: async () => false,
        onFailure: (error) => assert.fail(error.message),
      },
    });
    try {
      const find = async () => {
        const query = queryOf(String(started.units[0]?.serialNumber));
        const { answer } = await lookups.find(query, { rememberMs: 0, signal });
        return answer.found === 'one' ? answer.work.step : assert.fail(answer.reason);
      };
      const step = await find();
      assert.equal(step.title, 'Assemble');
      assert.deepEqual(await find(), step);
      const writer = new StepWriter(client);
      const options = { signal, onConflict: 'retry' } as const;
      await writer.write({ step: step.id, field: 'Torque' }, 12.5, options);
      await writer.writeStatus({ step: step.id }, 'COMPLETE', options);
      assert.equal((await find()).title, 'Inspect');
    } finally {
      await lookups.close();
    }
  });
});
