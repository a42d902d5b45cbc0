// A bare loop over undici's Pool outside Node-RED: the limit of the HTTP client.
//   node --import tsx bench/peers/bare.ts <url> <in flight> <seconds of warm-up> <seconds> [<per second>]
// It prints { answered, seconds, cpuMicros, latencies } as JSON.
import { Pool } from 'undici';
import { HEADERS, REQUEST } from '../request.js';

const [url = '', inFlight = '1', warmUp = '0', seconds = '1', perSecond] = process.argv.slice(2);

async function main(): Promise<void> {
  const pool = new Pool(url, { connections: Number(inFlight) });
  const from = performance.now() + Number(warmUp) * 1000;
  const until = from + Number(seconds) * 1000;
  const latencies: number[] = [];
  let answered = 0;
  let cpuAtBegin: NodeJS.CpuUsage | undefined;
  let cpu: NodeJS.CpuUsage | undefined;

  const call = async () => {
    const sentAt = performance.now();
    const { body } = await pool.request({
      method: 'POST',
      path: '/graphql',
      headers: HEADERS,
      body: JSON.stringify(REQUEST),
    });
    await body.json();
    const now = performance.now();
    if (now >= until) cpu ??= process.cpuUsage(cpuAtBegin);
    if (now < from || now >= until) return;
    cpuAtBegin ??= process.cpuUsage();
    answered++;
    if (perSecond !== undefined) latencies.push(now - sentAt);
  };
  const loop = async () => {
    while (performance.now() < until) await call();
  };
  const atPace = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setInterval(() => {
        if (performance.now() < until) {
          call().catch(reject);
          return;
        }
        clearInterval(timer);
        resolve();
      }, 1000 / Number(perSecond));
    });

  if (perSecond === undefined) await Promise.all(Array.from({ length: Number(inFlight) }, loop));
  else await atPace();
  await pool.close();
  const { user, system } = cpu ?? process.cpuUsage(cpuAtBegin);
  const cpuMicros = user + system;
  console.log(JSON.stringify({ answered, seconds: Number(seconds), cpuMicros, latencies }));
}

void main();
