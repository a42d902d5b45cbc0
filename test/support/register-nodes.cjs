// Loads and registers the nodes like Node-RED at its start, with a stub instead of Node-RED.
const { join } = require('node:path');

const root = join(__dirname, '..', '..');
const { 'node-red': nodeRed } = require('../../package.json');

const nothing = () => {};
const RED = {
  nodes: { registerType: nothing },
  httpAdmin: { get: nothing, post: nothing },
  auth: { needsPermission: () => nothing },
  _: String,
};

for (const file of Object.values(nodeRed.nodes)) require(join(root, file))(RED);
