import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exampleFlow } from '../tools/example.js';
import { type Cycle, Machines } from '../tools/machines.js';
import { launchBroker } from '../tools/mosquitto.js';
import { withNodeRed, withServer } from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { type Spread, shown, spread } from './statistics.js';

const ROUNDS = 3;
const INSTANCES = [1, 2, 3];
/** Each instance gets messages for all of them, in turn: with 50, two instances would get 25 each. */
const RUNS = 53;
const LATENCY = 100;
/** As in the example. */
const CONCURRENCY = 10;
/** As on the benchmark server. */
const WHERE = { step: 'Step', field: 'Torque', value: 12.5 };
const IN_FLIGHT = 200;
/** Each instance looks up the step and the field of each run once. */
const WARM_UP = 5;
const SECONDS = 4;
/** Longer than any instance waits once all of them have started. */
const REPEAT_AFTER = 10_000;

interface Situation {
  name: string;
  latency: number;
  isAway: boolean;
  /** End of a measurement: the write is on the disk of an instance, or in ION. */
  until: 'accepted' | 'written';
}

const SITUATIONS: Situation[] = [
  {
    name: `written, ION takes ${LATENCY} ms`,
    latency: LATENCY,
    isAway: false,
    until: 'written',
  },
  { name: 'written, ION responds immediately', latency: 0, isAway: false, until: 'written' },
  { name: 'accepted, ION is unreachable', latency: 0, isAway: true, until: 'accepted' },
];

/** Total throughput of one, two and three instances of example 9. */
export async function measureScale(report: Report): Promise<void> {
  report.heading('More than one Node-RED');
  report.text(
    `Example 9 in one, two and three Node-RED processes, which share the messages of one Mosquitto broker, each with its own outbox and ${CONCURRENCY} concurrent requests; ${IN_FLIGHT} messages per instance in flight. Total per second, minimum / median / maximum of ${ROUNDS} interleaved runs. The server, the broker, the simulated machines and all instances share the ${cpus().length} cores of this machine.`,
  );
  const rates = SITUATIONS.map(() => INSTANCES.map((): number[] => []));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [row, situation] of SITUATIONS.entries()) {
      const order = round % 2 === 0 ? INSTANCES : INSTANCES.toReversed();
      for (const count of order) rates[row]?.[count - 1]?.push(await carried(situation, count));
    }
  }
  const spreads = rates.map((row) => row.map(spread)) as [Spread, Spread, Spread][];
  report.table(
    [
      'messages per second',
      ...INSTANCES.map((count) => `${count} instance${count > 1 ? 's' : ''}`),
    ],
    SITUATIONS.map(({ name }, row) => [name, ...(spreads[row] ?? []).map((rate) => shown(rate))]),
  );
  const [[one, two, three]] = spreads as [[Spread, Spread, Spread]];
  const limit = (CONCURRENCY * 1000) / LATENCY;
  const share = one.median / limit;
  report.check(
    share >= 0.9,
    `1 instance at ${LATENCY} ms: ${share.toFixed(2)} of what ${CONCURRENCY} concurrent requests allow, ${limit} per second (at least 0.90)`,
  );
  for (const [count, rate, least] of [
    [2, two, 1.8],
    [3, three, 2.7],
  ] as const) {
    const ratio = rate.median / one.median;
    report.check(
      ratio >= least,
      `${count} instances at ${LATENCY} ms: ${ratio.toFixed(2)} times as many as 1 (at least ${least.toFixed(2)})`,
    );
  }
}

/** Messages per second of all instances together. */
async function carried(situation: Situation, count: number): Promise<number> {
  const { latency, isAway, until } = situation;
  const folder = await mkdtemp(join(tmpdir(), 'node-red-ion-bench-'));
  const broker = await launchBroker('/usr/sbin/mosquitto', folder);
  try {
    return await withServer({ runs: 1, latency }, (server) =>
      withInstances(count, { server, port: broker.port }, async () => {
        if (isAway) await fetch(`${server}/down`);
        const inFlight = IN_FLIGHT * count;
        const options = { url: broker.url, until, inFlight, repeatAfter: REPEAT_AFTER };
        const machines = await Machines.connect(options);
        await allSubscribed(machines, count);
        let isOver = false;
        const sending = machines.send(cycles(() => isOver));
        await sleep(WARM_UP * 1000);
        const [before, begun] = [machines[until].size, performance.now()];
        await sleep(SECONDS * 1000);
        const rate = (machines[until].size - before) / ((performance.now() - begun) / 1000);
        isOver = true;
        await sending;
        await machines.close();
        return rate;
      }),
    );
  } finally {
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Node-RED reports started flows before it has subscribed. */
async function allSubscribed(machines: Machines, count: number): Promise<void> {
  const there = () => new Set([...machines.accepted.values()].map(({ instance }) => instance));
  for (let number = 0; there().size < count; number++) {
    await machines.send([{ ...WHERE, cycle: `first ${number}`, run: 1 }]);
    await sleep(20);
  }
}

function* cycles(isOver: () => boolean): Generator<Cycle> {
  for (let number = 0; !isOver(); number++) {
    yield { ...WHERE, cycle: `${number}`, run: 1 + (number % RUNS) };
  }
}

/** Example 9 as published, in `count` processes. */
async function withInstances<Result>(
  count: number,
  { server, port }: { server: string; port: number },
  work: () => Promise<Result>,
): Promise<Result> {
  if (count === 0) return work();
  const flow = await exampleFlow('09-scale-out.json');
  const env = {
    ION_API_URL: server,
    ION_AUTH_URL: server,
    ION_INSTANCE: `instance ${count}`,
    MQTT_HOST: '127.0.0.1',
    MQTT_PORT: `${port}`,
  };
  const others = () => withInstances(count - 1, { server, port }, work);
  return withNodeRed(flow, { 'ion-example-9-config': KEY }, others, env);
}
