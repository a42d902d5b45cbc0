// A node for tests: takes a while to close, so that a deploy does.
module.exports = (RED) => {
  RED.nodes.registerType('slow-close', function (config) {
    RED.nodes.createNode(this, config);
    this.on('close', (done) => setTimeout(done, config.ms));
  });
};
