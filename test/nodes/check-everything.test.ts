import { graphqlNode, sandboxConfig } from '../../tools/flow-nodes.js';
import { helper, sandboxKey, TestFlow } from '../support/flow.js';
import { useSandbox } from '../support/sandbox.js';

describe('Check everything', () => {
  const context = useSandbox();
  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  it('works', async function () {
    this.timeout(60_000);
    await TestFlow.load(graphqlNode, [sandboxConfig(context.sandbox)], sandboxKey(context.sandbox));
    const started = performance.now();
    const { status, body } = await helper.request().post('/ion-config/config/check').send({});
    console.log(status, performance.now() - started, JSON.stringify(body, null, 1));
  });
});
