// npm run bench – this package compared with its alternatives.
//   npm run bench                        all parts; also writes docs/benchmarks.md
//   npm run bench -- messages latency    only these parts: messages latency lists pages tokens
//                                        changes outbox backlog waiting events lookups scale
//                                        metrics sidebar start memory size
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { measureBacklog, measureWaiting } from './backlog.js';
import { measureChanges } from './changes.js';
import { measureEvents } from './events.js';
import { measureMemory, measureSize, measureStart } from './footprint.js';
import { measureLists } from './lists.js';
import { measureLookups } from './lookups.js';
import { measureLatency, measureThroughput } from './messages.js';
import { measureMetrics } from './metrics.js';
import { measureOutbox } from './outbox.js';
import { measurePages } from './pages.js';
import { run } from './processes.js';
import { Report } from './report.js';
import { measureScale } from './scale.js';
import { measureSidebar } from './sidebar.js';
import { measureTokens } from './tokens.js';

const require = createRequire(__filename);
const PAGE = join(__dirname, '..', 'docs', 'benchmarks.md');
const HEAD = `# Benchmarks

Written by \`npm run bench\`, in one run on one machine: only the ratios carry over to another one.
The peers are real: Node-RED's core \`http request\` node with a token set by hand, a minimal node that makes
the same call and nothing else (the upper limit inside Node-RED), a bare loop over undici outside Node-RED (the
limit of the HTTP client), and a Python script like the one in ION's manual. The server answers from memory, in
a separate process.

`;

const parts: Record<string, (report: Report) => Promise<void>> = {
  messages: measureThroughput,
  latency: measureLatency,
  lists: measureLists,
  pages: measurePages,
  tokens: measureTokens,
  changes: measureChanges,
  outbox: measureOutbox,
  backlog: measureBacklog,
  waiting: measureWaiting,
  events: measureEvents,
  lookups: measureLookups,
  scale: measureScale,
  sidebar: measureSidebar,
  start: measureStart,
  memory: measureMemory,
  size: measureSize,
  metrics: measureMetrics,
};

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const report = new Report();
  report.text(await circumstances());
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) await part(report);
  }
  if (wanted.length === 0) await writeFile(PAGE, `${HEAD}${report.lines.join('\n').trimEnd()}\n`);
  if (report.failures > 0) process.exitCode = 1;
}

/** Machine, versions and date, which the figures depend on. */
async function circumstances(): Promise<string> {
  const versions = ['node-red', 'undici', 'graphql'].map(
    (name) => `${name} ${require(`${name}/package.json`).version}`,
  );
  const python =
    "import platform, requests; print(platform.python_version(), 'requests', requests.__version__)";
  // Only the lists need the script.
  const script = await run('/usr/bin/python3', ['-c', python]).then(
    ({ stdout }) => `Python ${stdout.trim()}`,
    () => 'no Python with requests',
  );
  const [cpu] = cpus();
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GB`,
    `Node.js ${process.versions.node}`,
    ...versions,
    script,
  ].join(' · ');
}

void main();
