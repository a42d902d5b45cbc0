import { mkdtemp, rm } from 'node:fs/promises';
import { Outbox } from './nodes/outbox/outbox.js';
import { FakeIon, write } from './test/support/outbox.js';
async function main() {
  const ion = new FakeIon();
  const folder = await mkdtemp('/tmp/ion-outbox-bench-');
  const limits = { entries: 1e6, bytes: 1e9 };
  const common: any = { folder, limits, concurrency: 10, listeners: new Map(), pauseMs: 5 };
  let extra: any;
  try { const { StepWrites } = require('./nodes/outbox/step-writes.js'); extra = { kinds: [new StepWrites(ion)], check: () => ion.check() }; } catch { extra = { writer: ion }; }
  const outbox = await Outbox.open({ ...common, ...extra });
  ion.isDown = true;
  outbox.start();
  const named = process.argv[2] === 'steps';
  const COUNT = 30000;
  let next = 0;
  const run = async (count: number) => {
    const end = next + count;
    const worker = async () => { while (next < end) { const v = next++; const r = v % 100; await outbox.add('node', write(named ? { step: r * 10 } : { run: r, step: 'A', field: 'T' }, v) as any, { payload: v, topic: 'x' }); } };
    const t = process.hrtime.bigint(); const c0 = process.cpuUsage();
    await Promise.all(Array.from({ length: 1000 }, worker));
    const c = process.cpuUsage(c0);
    return [count / (Number(process.hrtime.bigint() - t) / 1e9), (c.user + c.system) / count];
  };
  await run(5000);
  const [acc, accCpu] = await run(COUNT);
  ion.isDown = false;
  const s: any = () => (outbox.state as any).pending ?? (outbox.state as any).waiting;
  const t = process.hrtime.bigint(); const c0 = process.cpuUsage();
  const n = s();
  while (s() > 0) await new Promise((r) => setTimeout(r, 5));
  const c = process.cpuUsage(c0);
  console.log(JSON.stringify({ accepted: Math.round(acc!), accCpu: +accCpu!.toFixed(1), drained: Math.round(n / (Number(process.hrtime.bigint() - t) / 1e9)), drCpu: +((c.user + c.system) / n).toFixed(1) }));
  await outbox.close();
  await rm(folder, { recursive: true });
}
void main();
