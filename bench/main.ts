// npm run bench – this package side by side with what a user would otherwise use.
//   npm run bench -- messages latency    only these parts
import { measureChanges } from './changes.js';
import { measureSize, measureStart } from './footprint.js';
import { measureLists } from './lists.js';
import { measureLatency, measureThroughput } from './messages.js';
import { Report } from './report.js';
import { measureTokens } from './tokens.js';

const parts: Record<string, (report: Report) => Promise<void>> = {
  messages: measureThroughput,
  latency: measureLatency,
  lists: measureLists,
  tokens: measureTokens,
  changes: measureChanges,
  start: measureStart,
  size: measureSize,
};

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const report = new Report();
  for (const [name, part] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) await part(report);
  }
  if (report.failures > 0) process.exitCode = 1;
}

void main();
