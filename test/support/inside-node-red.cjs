// Loaded into a Node-RED process under test: it prints every connection attempt (as
// "[connect] host:port"), and its clock jumps a day ahead with every signal SIGWINCH. Its pauses
// between retries, which are random shares of the back-off, are multiplied by PAUSE_SHARE.
const { subscribe } = require('node:diagnostics_channel');

subscribe('undici:client:beforeConnect', ({ connectParams }) => {
  console.log(`[connect] ${connectParams.host}`);
});

const { PAUSE_SHARE = '1' } = process.env;
const { random } = Math;
Math.random = () => random() * Number(PAUSE_SHARE);

const RealDate = Date;
let ahead = 0;
process.on('SIGWINCH', () => {
  ahead += 24 * 60 * 60 * 1000;
  console.log('[clock jumped]');
});
globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length > 0) super(...values);
    else super(RealDate.now() + ahead);
  }

  static now() {
    return RealDate.now() + ahead;
  }
};
