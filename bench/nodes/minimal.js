// A node that only makes the call: the upper limit inside Node-RED.
const { Pool } = require('undici');

module.exports = (RED) => {
  RED.nodes.registerType('bench-minimal', function (config) {
    RED.nodes.createNode(this, config);
    const pool = new Pool(config.url, { connections: config.connections });
    this.on('input', (msg, send, done) => {
      const { query, variables } = msg.payload;
      pool
        .request({
          method: 'POST',
          path: '/graphql',
          headers: msg.headers,
          body: JSON.stringify({ query, variables }),
        })
        .then(async ({ body }) => {
          msg.payload = await body.json();
          send(msg);
          done();
        })
        .catch(done);
    });
    this.on('close', (_removed, done) => {
      pool.destroy().then(done, done);
    });
  });
};
