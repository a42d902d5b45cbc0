// Measures the cost of loading: node load-cost.cjs ion|client|got prints { ms, bytes } as JSON. ion loads
// and registers the nodes; client is the same and the HTTP client, which a first configuration loads.
const what = process.argv[2];

async function load() {
  if (what === 'got') {
    await import('got');
    return;
  }
  require('../../test/support/register-nodes.cjs');
  if (what === 'ion') return;
  require('undici');
  require('graphql/language');
}

const before = process.memoryUsage().rss;
const begun = performance.now();
void load().then(() => {
  const ms = performance.now() - begun;
  console.log(JSON.stringify({ ms, bytes: process.memoryUsage().rss - before }));
});
