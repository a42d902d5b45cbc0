import assert from 'node:assert/strict';
import { parseOperation } from '../../nodes/client/graphql/operation.js';
import { failure } from '../support/errors.js';
import { useSandbox } from '../support/sandbox.js';

describe('an API key without a permission', () => {
  const ion = useSandbox({ runs: 2 });
  const ask = (text: string) => {
    const { signal } = new AbortController();
    return ion.client().request(parseOperation(text), { variables: {}, signal });
  };
  const COMMENT = 'createComment(input: { entityId: 11 }) { comment { id } }';
  const RUN = 'createRun(input: { title: "New" }) { run { id } }';

  for (const permissionError of ['status', 'errors'] as const) {
    describe(`refused with ${permissionError === 'status' ? 'HTTP 403' : 'HTTP 200'}`, () => {
      beforeEach(() => ion.sandbox.control.set({ permissionError, permissions: ['CreateRun'] }));

      it('fails at once with the name of that permission, and why the key lacks it', async () => {
        const error = await failure(ask(`mutation { ${COMMENT} }`), 'ION_FORBIDDEN');
        assert.equal(
          error.message,
          'User does not have permission to create this resource. (the API key has the permissions that its creator had when it was created; this needs CreateComment)',
        );
        assert.equal(error.attempts, 1);
        assert.equal(error.mayHaveRun, false);
        assert.equal(error.status, permissionError === 'status' ? 403 : 200);
        assert.equal(ion.sandbox.control.counters().token.total, 1);
      });

      it('may do everything else', async () => {
        await ask(`mutation { ${RUN} }`);
        await ask('{ runs { edges { node { id } } } }');
      });
    });
  }

  it('learns what has run if a document has other mutations', async () => {
    const runs = () => ion.sandbox.data.runs.all().length;
    const before = runs();
    const both = `mutation { ${RUN} ${COMMENT} }`;
    ion.sandbox.control.set({ permissions: ['CreateRun'] });
    const whole = await failure(ask(both), 'ION_FORBIDDEN');
    assert.match(whole.message, /this needs CreateRun, CreateComment\)$/);
    assert.equal(whole.mayHaveRun, false);
    assert.equal(runs(), before);
    ion.sandbox.control.set({ permissionError: 'errors' });
    const part = await failure(ask(both), 'ION_FORBIDDEN');
    assert.equal(part.mayHaveRun, true);
    assert.equal(runs(), before + 1);
  });

  it('gets no name of a permission for a query', async () => {
    const message = 'User does not have permission to read this resource.';
    ion.sandbox.control.fault({ target: 'api', kind: 'graphql', errors: [{ message }] });
    const error = await failure(ask('{ me { id } }'), 'ION_FORBIDDEN');
    assert.match(error.message, /when it was created\)$/);
  });
});
