// A node for tests: sends tagged messages as fast as allowed, receives results and failures,
// and counts them. It also counts living objects in the process. Controlled by the admin API.
const { readFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { classesIn, countObjects } = require('../count-objects.cjs');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Loads by their IDs; they outlive the nodes, which a deploy replaces. */
const loads = new Map();
const instances = new Map();

/** Messages that the nodes of the package received, and the number of outcomes of each message. */
const contract = { received: 0, ended: 0, endedTwice: 0, failed: {}, open: new Set() };

/** The run that a message reads, by its tag. */
const runOf = (tag, runs) => 1 + ((tag * 7919) % runs);

class Load {
  constructor(id, options) {
    this.id = id;
    this.options = {
      count: Infinity,
      window: Infinity,
      runs: 1,
      mutations: 0,
      samples: 50,
      ...options,
    };
    this.sent = 0;
    this.answered = 0;
    this.mutationsAnswered = 0;
    this.failed = {};
    this.twice = 0;
    this.mixedUp = 0;
    this.outOfOrder = 0;
    this.lastTag = -1;
    this.statuses = 0;
    this.heap = [];
    this.startedAt = performance.now();
    this.endedAt = undefined;
    /** Of fixed size, so that it does not look like growing memory; by tag. */
    this.ends = new Uint8Array(Math.min(this.options.count, 1_000_000));
    this.ended = 0;
  }

  get outstanding() {
    return this.sent - this.ended;
  }

  start() {
    const { perSecond, count } = this.options;
    if (perSecond === undefined) {
      this.fill();
      return;
    }
    const begun = performance.now();
    this.timer = setInterval(() => {
      const due = Math.min(count, ((performance.now() - begun) / 1000) * perSecond);
      while (this.sent < due) this.send();
    }, 10);
  }

  stop() {
    clearInterval(this.timer);
    this.options.count = this.sent;
  }

  fill() {
    const { count, window } = this.options;
    while (this.sent < count && this.outstanding < window) this.send();
  }

  send() {
    const tag = this.sent++;
    const { runs, mutations } = this.options;
    const isMutation = mutations > 0 && tag % mutations === 0;
    instances.get(this.id)?.send({
      tag,
      nested: { tag, list: [tag, { tag }] },
      query: isMutation
        ? 'mutation ($title: String!) { createRun(input: { title: $title }) { run { title } } }'
        : 'query ($id: ID!) { run(id: $id) { id title } }',
      variables: isMutation ? { title: `load ${tag}` } : { id: runOf(tag, runs) },
      expected: isMutation ? `load ${tag}` : runOf(tag, runs),
    });
  }

  take(msg) {
    const { tag, nested, expected, payload, error } = msg;
    if (this.ends[tag]) this.twice++;
    else this.ended++;
    this.ends[tag] = 1;
    const isWhole = nested?.tag === tag && nested.list[0] === tag && nested.list[1].tag === tag;
    if (error) {
      this.failed[error.code] = (this.failed[error.code] ?? 0) + 1;
      if (!isWhole) this.mixedUp++;
    } else {
      this.answered++;
      if (payload?.createRun) this.mutationsAnswered++;
      const found = payload?.run?.id ?? payload?.createRun?.run.title;
      if (!isWhole || found !== expected) this.mixedUp++;
      if (tag < this.lastTag) this.outOfOrder++;
      this.lastTag = tag;
    }
    const { count, samples, perSecond } = this.options;
    const share = Math.max(1, Math.floor(count / samples));
    if (Number.isFinite(count) && this.ended % share === 0) this.heap.push(heapInUse());
    if (this.ended >= count) this.endedAt ??= performance.now();
    if (perSecond === undefined) this.fill();
  }

  report() {
    const { sent, answered, mutationsAnswered, failed, twice, mixedUp, outOfOrder } = this;
    const { statuses, heap, outstanding } = this;
    const durationMs = (this.endedAt ?? performance.now()) - this.startedAt;
    const counts = { sent, answered, mutationsAnswered, failed, twice, mixedUp, outOfOrder };
    return { ...counts, statuses, heap, outstanding, durationMs };
  }
}

/** In bytes, after garbage collection. */
function heapInUse() {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let ownClasses;

/** Number of living objects of the package's own classes, and of promises. */
function livingObjects() {
  const bundle = Object.keys(require.cache).find((file) => file.endsWith('/dist/nodes.js'));
  ownClasses ??= classesIn(readFileSync(bundle, 'utf8'));
  return countObjects({ Promise, ...ownClasses });
}

function countBy(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function listeners(emitter) {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
}

module.exports = (RED) => {
  RED.nodes.registerType('load', function (config) {
    RED.nodes.createNode(this, config);
    instances.set(this.id, this);
    this.on('input', (msg, _send, done) => {
      const load = loads.get(this.id);
      if (msg.tag !== undefined) load?.take(msg);
      else if (msg.status && load) load.statuses++;
      done();
    });
    this.on('close', () => instances.delete(this.id));
  });

  const isOurs = (node) => node.type.startsWith('ion-');
  RED.hooks.add('onReceive.load', ({ msg, destination: { node } }) => {
    // Node-RED itself drops messages to a closed node.
    const hasHandler = node._inputCallback ?? node._inputCallbacks;
    if (!isOurs(node) || !hasHandler) return;
    contract.received++;
    contract.open.add(msg);
  });
  RED.hooks.add('onComplete.load', ({ msg, error, node: { node } }) => {
    if (!isOurs(node)) return;
    contract.ended++;
    if (!contract.open.delete(msg)) contract.endedTwice++;
    if (error) contract.failed[error.code] = (contract.failed[error.code] ?? 0) + 1;
  });

  RED.httpAdmin.post('/load/:id', (req, res) => {
    const load = new Load(req.params.id, req.body);
    loads.set(load.id, load);
    load.start();
    res.json({});
  });
  RED.httpAdmin.delete('/load/:id', (req, res) => {
    loads.get(req.params.id).stop();
    res.json({});
  });
  RED.httpAdmin.get('/load/:id', (req, res) => res.json(loads.get(req.params.id).report()));
  RED.httpAdmin.get('/load-contract', (_req, res) => {
    const { open, ...counts } = contract;
    res.json({ ...counts, open: open.size });
  });
  RED.httpAdmin.get('/load-resources', (_req, res) => {
    res.json(countBy(process.getActiveResourcesInfo()));
  });
  RED.httpAdmin.get('/load-heap', (_req, res) => {
    collectGarbage();
    // Objects with finalizers are freed in the second collection.
    setImmediate(() => {
      collectGarbage();
      res.json(process.memoryUsage().heapUsed);
    });
  });
  RED.httpAdmin.get('/load-process', (_req, res) => {
    collectGarbage();
    res.json({
      living: livingObjects(),
      listeners: { process: listeners(process), runtime: listeners(RED.events) },
      memory: process.memoryUsage(),
    });
  });
};
