// A node for tests: sends writes to the fields of steps, to one output after the other, and records
// each completed one in a file that outlives the process.
const { appendFileSync } = require('node:fs');

const MOST_OUTSTANDING = 500;
const PERIOD_MS = 5;

/** IDs, because a deploy creates the nodes again. */
const paused = new Set();

module.exports = (RED) => {
  RED.nodes.registerType('writes', function (config) {
    RED.nodes.createNode(this, config);
    // Greater than those of all earlier processes.
    const boot = Date.now();
    let sent = 0;
    let outstanding = 0;
    const begun = performance.now();
    const timer = setInterval(() => {
      if (paused.has(this.id)) return;
      const due = ((performance.now() - begun) / 1000) * config.perSecond;
      while (sent < due && sent < config.count && outstanding < MOST_OUTSTANDING) {
        const target = config.targets[sent % config.targets.length];
        outstanding++;
        // Some of them are to be rejected.
        const isRefused = config.refuseEvery > 0 && sent % config.refuseEvery === 0;
        const value = `${isRefused ? 'refuse-' : ''}${boot}-${sent}`;
        const outputs = config.wires.map(() => null);
        // For nodes that evaluate longer for some messages than for others.
        const work = sent % 5 === 0 ? (config.maxWork ?? 0) : sent % 3;
        outputs[sent % outputs.length] = { ...target, payload: value, value, work };
        this.send(outputs);
        sent++;
      }
    }, PERIOD_MS);
    this.on('input', (msg, _send, done) => {
      if (msg.error) appendFileSync(config.file, `failed ${msg.error.message}\n`);
      // Only writes on the user's disk count as done.
      else appendFileSync(config.file, `${msg.value}\n`);
      outstanding = Math.max(0, outstanding - 1);
      done();
    });
    // During a deploy, Node-RED drops messages to nodes that are not there.
    const forget = () => {
      outstanding = 0;
    };
    RED.events.on('flows:started', forget);
    this.on('close', () => {
      clearInterval(timer);
      RED.events.off('flows:started', forget);
    });
  });

  RED.httpAdmin.post('/writes/:id/pause', (req, res) => {
    paused.add(req.params.id);
    res.json({});
  });
};
