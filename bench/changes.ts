import { ionConfig } from './flows.js';
import { serverStatistics, withNodeRed, withServer } from './processes.js';
import type { Report } from './report.js';
import { KEY } from './request.js';
import { shown, spread } from './statistics.js';

const ROUNDS = 5;
const RUNS = 100_000;
const CHANGED = [0, 10, 1000];

/** Cost of one trigger that reads the changed runs. */
export async function measureChanges(report: Report): Promise<void> {
  report.heading('Changed runs');
  report.text(
    `One trigger of ion-runs with "only changed runs", of ${RUNS.toLocaleString('en-US')}; minimum / median / maximum of ${ROUNDS} interleaved runs.`,
  );
  const place = { z: 'flow', x: 0, y: 0 };
  await withServer({ runs: RUNS }, (server) => {
    const flow = [
      ...ionConfig(server, { concurrency: 10 }),
      { id: 'in', type: 'http in', url: '/changes', method: 'get', wires: [['runs']], ...place },
      {
        id: 'runs',
        type: 'ion-runs',
        config: 'config',
        filters: [],
        fields: ['id', 'title', 'status'],
        sort: [],
        mode: 'array',
        pageSize: 100,
        limit: 0,
        changes: true,
        changesFrom: 'beginning',
        output: 'payload',
        wires: [['count']],
        ...place,
      },
      { id: 'failed', type: 'catch', scope: null, wires: [['out']], ...place },
      // If nothing changed, nothing is sent.
      { id: 'done', type: 'complete', scope: ['runs'], wires: [['count']], ...place },
      {
        id: 'count',
        type: 'function',
        func: `if (!msg.res || context.get('last') === msg._msgid) return;
          context.set('last', msg._msgid);
          msg.payload = String(Array.isArray(msg.payload) ? msg.payload.length : 0);
          return msg;`,
        wires: [['out']],
        ...place,
      },
      { id: 'out', type: 'http response', wires: [], ...place },
    ];
    return withNodeRed(flow, { config: KEY }, async ({ url }) => {
      const trigger = async () => {
        const { requests } = await serverStatistics(server);
        const begun = performance.now();
        const found = Number(await (await fetch(`${url}/changes`)).text());
        const ms = performance.now() - begun;
        return { found, ms, requests: (await serverStatistics(server)).requests - requests };
      };
      // The first trigger returns all runs.
      await trigger();
      const measured = CHANGED.map((changed) => ({
        changed,
        requests: [] as number[],
        ms: [] as number[],
      }));
      for (let round = 0; round < ROUNDS; round++) {
        for (const { changed, requests, ms } of measured) {
          if (changed > 0) await fetch(`${server}/touch/${changed}`);
          const cost = await trigger();
          if (cost.found !== changed) throw new Error(`${cost.found} runs instead of ${changed}`);
          requests.push(cost.requests);
          ms.push(cost.ms);
        }
      }
      report.table(
        ['changed runs', 'requests', 'ms'],
        measured.map(({ changed, requests, ms }) => [
          changed,
          shown(spread(requests)),
          shown(spread(ms), 1),
        ]),
      );
      const most = Math.max(...(measured[0]?.requests ?? []));
      report.check(most === 1, `${most} request if nothing changed (1)`);
    });
  });
}
