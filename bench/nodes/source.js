// Sends messages to the node under measurement, in one of three ways, and receives the results:
// a number in flight, a number per second, or all at once. The admin API controls it.
const { performance } = require('node:perf_hooks');
const v8 = require('node:v8');
const vm = require('node:vm');

const sources = new Map();

/** @returns the measurements, after the last result */
function measure(
  node,
  { message, inFlight, perSecond, count, runs, values, seconds = 0, warmUp = 0 },
) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const from = begun + warmUp * 1000;
    const until = from + seconds * 1000;
    const latencies = [];
    const sentAt = [];
    // Look-ups by where their answers come from.
    const origins = {};
    let outstanding = 0;
    let sent = 0;
    let answered = 0;
    let isOver = false;
    let timer;
    // At the beginning of the measured time, and what was used since then.
    let cpuAtBegin;
    let cpu;

    const end = () => {
      clearInterval(timer);
      sources.get(node.id).take = undefined;
      const now = performance.now();
      resolve({
        answered,
        cpuMicros: cpu.user + cpu.system,
        seconds: (seconds > 0 ? until - from : now - begun) / 1000,
        latencies,
        origins,
        // In ms since 1970, comparable with other processes.
        sentAt: sentAt.map((at) => at + performance.timeOrigin),
      });
    };
    const send = () => {
      outstanding++;
      const msg = { ...message, headers: { ...message.headers }, sentAt: performance.now() };
      // One run after the other, each with one step and one field with the same ID.
      // One code after the other.
      if (values) msg.payload = values[sent % values.length];
      if (runs) msg.run = msg.step = msg.field = 1 + (sent % runs);
      sent++;
      node.send(msg);
    };
    sources.get(node.id).take = (msg) => {
      const now = performance.now();
      outstanding--;
      if (msg.error) {
        reject(new Error(msg.error.message));
        return;
      }
      if (count !== undefined || (now >= from && now < until)) {
        cpuAtBegin ??= process.cpuUsage();
        answered++;
        if (msg.work) origins[msg.work.source] = (origins[msg.work.source] ?? 0) + 1;
        if (perSecond !== undefined || values) {
          latencies.push(now - msg.sentAt);
          sentAt.push(msg.sentAt);
        }
      }
      isOver ||= count !== undefined ? answered >= count : now >= until;
      if (isOver) cpu ??= process.cpuUsage(cpuAtBegin);
      if (!isOver) {
        if (inFlight !== undefined && !(sent >= count)) send();
      } else if (outstanding === 0) {
        end();
      }
    };

    if (perSecond !== undefined) {
      timer = setInterval(() => {
        if (performance.now() < until) {
          send();
          return;
        }
        clearInterval(timer);
        isOver = true;
        cpu ??= process.cpuUsage(cpuAtBegin);
        if (outstanding === 0) end();
      }, 1000 / perSecond);
    } else {
      for (let i = 0; i < (inFlight ?? count); i++) send();
    }
  });
}

module.exports = (RED) => {
  RED.nodes.registerType('bench-source', function (config) {
    RED.nodes.createNode(this, config);
    const source = { node: this, take: undefined };
    sources.set(this.id, source);
    this.on('input', (msg, _send, done) => {
      source.take?.(msg);
      done();
    });
  });

  RED.httpAdmin.get('/bench-heap', (_req, res) => {
    v8.setFlagsFromString('--expose-gc');
    vm.runInNewContext('gc')();
    res.json(process.memoryUsage());
  });

  RED.httpAdmin.post('/bench/:id', (req, res) => {
    measure(sources.get(req.params.id).node, req.body).then(
      (result) => res.json(result),
      (error) => res.status(500).json({ error: String(error) }),
    );
  });
};
