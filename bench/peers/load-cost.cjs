// Measures the cost of loading: node load-cost.cjs ion|client|got prints { ms, bytes } as JSON. ion loads
// and registers the nodes; client is the same and the client of one configuration.
const what = process.argv[2];

async function load() {
  if (what === 'got') {
    await import('got');
    return;
  }
  require('../../test/support/register-nodes.cjs');
  if (what === 'ion') return;
  const { IonClient } = require('../../dist/client/client.js');
  const key = { clientId: 'bench', clientSecret: 'bench' };
  new IonClient({ environment: 'production', key });
}

const before = process.memoryUsage().rss;
const begun = performance.now();
void load().then(() => {
  const ms = performance.now() - begun;
  console.log(JSON.stringify({ ms, bytes: process.memoryUsage().rss - before }));
});
