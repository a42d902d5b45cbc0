// A node for tests: sends numbered writes of several kinds, each to an output of its own, and records
// each completed one in a file that outlives the process.
const { appendFileSync, existsSync, readFileSync } = require('node:fs');

const MOST_OUTSTANDING = 100;
const PERIOD_MS = 5;

/** Wanted numbers by ID, if they are not those of the configuration. */
const counts = new Map();

module.exports = (RED) => {
  RED.nodes.registerType('template-writes', function (config) {
    RED.nodes.createNode(this, config);
    const lines = existsSync(config.file) ? readFileSync(config.file, 'utf8').split('\n') : [];
    const count = (mark) => lines.filter((line) => line.startsWith(`${mark} `)).length;
    // The process before may have been killed between a message and its completion.
    const kinds = config.kinds.map((kind) => ({
      ...kind,
      sent: count(`sent ${kind.name}`),
      done: count(`done ${kind.name}`),
      outstanding: 0,
    }));
    let all = 0;
    const begun = performance.now();
    const send = (kind, i) => {
      const id = kind.ids[kind.sent];
      appendFileSync(config.file, `sent ${kind.name} ${id}\n`);
      kind.sent++;
      kind.outstanding++;
      all++;
      const variables = JSON.parse(kind.variables.replaceAll('"$id"', JSON.stringify(id)));
      const outputs = kinds.map(() => null);
      outputs[i] = { name: kind.name, id, variables };
      this.send(outputs);
    };
    const timer = setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * config.perSecond;
      for (const [i, kind] of kinds.entries()) {
        const count = counts.get(this.id) ?? config.count;
        const isWanted = kind.done + kind.outstanding < count && kind.sent < kind.ids.length;
        if (all < due && isWanted && kind.outstanding < MOST_OUTSTANDING) send(kind, i);
      }
    }, PERIOD_MS);
    this.on('input', (msg, _send, done) => {
      const kind = kinds.find(({ name }) => name === msg.name);
      kind.outstanding--;
      if (!msg.error) kind.done++;
      appendFileSync(config.file, `${msg.error ? 'failed' : 'done'} ${msg.name} ${msg.id}\n`);
      done();
    });
    this.on('close', () => clearInterval(timer));
  });

  RED.httpAdmin.post('/template-writes/:id/:count', (req, res) => {
    counts.set(req.params.id, Number(req.params.count));
    res.json({});
  });
};
