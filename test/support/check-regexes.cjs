// A process that checks regular expressions, read as JSON from its input, one after the other. The
// checker's own process, which is several times as fast as the checker in JavaScript, ends with it.
const { json } = require('node:stream/consumers');
const { check } = require('recheck');

/** Counts steps only: by the clock an expression seems slow on a busy machine. */
const BY_STEPS = { timeout: null, incubationTimeout: null, attackTimeout: null };

async function main() {
  const statuses = [];
  for (const { pattern, flags } of await json(process.stdin)) {
    const { status } = await check(pattern, flags, BY_STEPS);
    statuses.push(status);
  }
  process.stdout.write(JSON.stringify(statuses), () => process.exit());
}

void main();
