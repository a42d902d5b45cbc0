import { setTimeout as sleep } from 'node:timers/promises';
import { openComms } from '../tools/comms.js';
import { messages, targetsFlow } from './flows.js';
import { type BenchNodeRed, measure, withNodeRed, withServer } from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { measureSidebarEditor } from './sidebar-editor.js';
import { ratios, shown, spread } from './statistics.js';

/** Many short runs, so that neighbours are measured at the same speed of the machine. */
const ROUNDS = 40;
const IN_FLIGHT = 50;
/** About the time between two states. */
const SECONDS = 1;
const WARM_UP = 0.05;
/** More config nodes than a plant has, whose state is sent as well. */
const CONFIG_NODES = 20;
/** The throughput with the sidebar is at least 0.97 of the throughput without it. */
const LIMIT = 1 / 0.97;
const RENEW_MS = 5000;
const OTHERS = Array.from({ length: CONFIG_NODES - 1 }, (_, at) => `config-${at}`);
const KEYS = Object.fromEntries(['config', ...OTHERS].map((id) => [id, KEY]));

/** CPU time of a message through ion-graphql while an editor shows the sidebar, and while none does. */
export async function measureSidebar(report: Report): Promise<void> {
  report.heading('Sidebar');
  report.text(
    `CPU time of the process per message through ion-graphql in µs, ${IN_FLIGHT} in flight and ${CONFIG_NODES} config nodes; minimum / median / maximum of ${ROUNDS} interleaved runs.`,
  );
  await withServer({ runs: 100 }, (server) =>
    withNodeRed(flowWith(server), KEYS, async (nodeRed) => {
      const received = { messages: 0 };
      const comms = await openComms(nodeRed.url, ['ion/status'], (events) => {
        received.messages += events.filter(({ topic }) => topic === 'ion/status').length;
      });
      const costs: Record<'watched' | 'unwatched', number[]> = { watched: [], unwatched: [] };
      try {
        // The first run compiles the code.
        await cost(nodeRed);
        for (let round = 0; round < ROUNDS; round++) {
          const order = ['watched', 'unwatched'] as const;
          for (const kind of round % 2 === 0 ? order : order.toReversed()) {
            const stop = kind === 'watched' ? await watch(nodeRed) : undefined;
            costs[kind].push(await cost(nodeRed));
            await stop?.();
          }
        }
      } finally {
        comms.close();
      }
      report.table(
        ['', 'CPU time'],
        Object.entries(costs).map(([kind, all]) => [kind, shown(spread(all))]),
      );
      report.checkRatios(
        ratios(costs.watched, costs.unwatched),
        LIMIT,
        'the CPU time without the sidebar',
      );
      const expected = ROUNDS * SECONDS;
      report.check(
        received.messages >= expected / 2,
        `${received.messages} states arrived, about one a second while it was open`,
      );
      await measureSidebarEditor(report, nodeRed, CONFIG_NODES);
    }),
  );
}

function flowWith(server: string): object[] {
  const flow = targetsFlow(server);
  const config = flow.find((node) => (node as { type: string }).type === 'ion-config');
  return [...flow, ...OTHERS.map((id) => ({ ...config, id }))];
}

async function cost(nodeRed: BenchNodeRed): Promise<number> {
  const target = 'ion-graphql';
  const options = { inFlight: IN_FLIGHT, seconds: SECONDS, warmUp: WARM_UP };
  const message = messages[target];
  const { cpuMicros, answered } = await measure(nodeRed, target, { ...options, message });
  return cpuMicros / answered;
}

/** Does what an open tab does. @returns a function that ends it */
async function watch({ url }: BenchNodeRed): Promise<() => Promise<void>> {
  const post = async (body: object) => {
    const response = await fetch(`${url}/ion-config/watch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ watcher: 'bench', ...body }),
    });
    if (!response.ok) throw new Error(`POST /ion-config/watch: ${response.status}`);
    await response.arrayBuffer();
  };
  const ending = new AbortController();
  const renew = async () => {
    for (;;) {
      await post({});
      await sleep(RENEW_MS, undefined, { signal: ending.signal });
    }
  };
  const renewing = renew().catch((thrown: unknown) => {
    if (!ending.signal.aborted) throw thrown;
  });
  return async () => {
    ending.abort();
    await renewing;
    await post({ isEnd: true });
  };
}
