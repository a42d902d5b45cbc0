// What loading costs: node load-cost.cjs ion|got prints { ms, bytes } as JSON. For ion, the nodes
// are loaded and registered as Node-RED does it, with a stub in its place.
const what = process.argv[2];
const root = process.argv[3];

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
  for (const name of ['ion-config', 'ion-graphql', 'ion-runs'])
    require(`${root}/dist/${name}.js`)(RED);
}

const before = process.memoryUsage().rss;
const begun = performance.now();
void load().then(() => {
  const ms = performance.now() - begun;
  console.log(JSON.stringify({ ms, bytes: process.memoryUsage().rss - before }));
});
