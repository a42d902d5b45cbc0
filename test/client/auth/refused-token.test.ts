import assert from 'node:assert/strict';
import { parseOperation } from '../../../nodes/client/graphql/operation.js';
import type { FaultEffect } from '../../../sandbox/server.js';
import { failure } from '../../support/errors.js';
import { useSandbox } from '../../support/sandbox.js';

describe('a token that ION refuses', () => {
  const ion = useSandbox({ runs: 2 });
  const TEXTS = ['Unable to validate authentication token', 'UNAUTHORIZED', 'Token is expired.'];
  const QUERY = '{ me { id } }';
  const MUTATION = 'mutation { createRun(input: { title: "New" }) { run { id } } }';

  for (const message of TEXTS) {
    const effects: [string, FaultEffect][] = [
      ['HTTP 401', { kind: 'unauthorized', message }],
      ['HTTP 200', { kind: 'graphql', errors: [{ message }] }],
    ];
    for (const [status, effect] of effects) {
      it(`with "${message}" and ${status} is replaced once, also for a mutation`, async () => {
        const { control } = ion.sandbox;
        const client = ion.client();
        const { signal } = new AbortController();
        const ask = (text: string) =>
          client.request(parseOperation(text), { variables: {}, signal });
        await ask(QUERY);
        for (const [text, tokens] of [
          [QUERY, 2],
          [MUTATION, 3],
        ] as const) {
          control.fault({ target: 'api', ...effect });
          assert.equal((await ask(text)).attempts, 2);
          assert.equal(control.counters().token.total, tokens);
        }
        assert.deepEqual(control.counters().executed, { createRun: 1 });
        control.fault({ target: 'api', ...effect, times: 10 });
        await failure(ask(QUERY), 'ION_AUTH');
        assert.equal(control.counters().token.total, 4);
      });
    }
  }
});
