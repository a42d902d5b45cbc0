// What loading costs: node load-cost.cjs ion|client|got <root> prints { ms, bytes } as JSON. For
// ion, the nodes are loaded and registered as Node-RED does it, with a stub in its place; client
// is the same and the client of one configuration.
const what = process.argv[2];
const root = process.argv[3];
const { 'node-red': nodeRed } = require(`${root}/package.json`);

async function load() {
  if (what === 'got') {
    await import('got');
    return;
  }
  const nothing = () => {};
  const RED = {
    nodes: { registerType: nothing },
    httpAdmin: { get: nothing, post: nothing },
    auth: { needsPermission: () => nothing },
    _: String,
  };
  for (const file of Object.values(nodeRed.nodes)) require(`${root}/${file}`)(RED);
  if (what === 'ion') return;
  const { Transport } = require(`${root}/dist/client/transport.js`);
  new Transport({ timeoutMs: 30_000, connections: 10 });
}

const before = process.memoryUsage().rss;
const begun = performance.now();
void load().then(() => {
  const ms = performance.now() - begun;
  console.log(JSON.stringify({ ms, bytes: process.memoryUsage().rss - before }));
});
