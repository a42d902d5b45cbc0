import { type ConfigSnapshot, metricFamilies } from '../../monitoring/metric-families.js';
import type { MetricFamily } from '../../monitoring/metric-text.js';
import type { Outbox } from '../../outbox/outbox.js';
import type { IonConfigNode } from '../config-node.js';
import { runningConfigs } from '../running-configs.js';
import { labelsOf } from './config-labels.js';

/** The metrics of all running config nodes. It opens no outbox and sends no request. */
export async function readMetrics(): Promise<MetricFamily[]> {
  return metricFamilies(await Promise.all(runningConfigs().map(snapshotOf)));
}

async function snapshotOf(node: IonConfigNode): Promise<ConfigSnapshot> {
  const { opened } = node.outbox;
  return {
    labels: { ...labelsOf(node) },
    metrics: node.metrics,
    isDryRun: node.isDryRun,
    client: clientOf(node),
    outbox: opened && (await outboxSnapshot(opened)),
  };
}

/** `undefined` if the settings cannot work. */
function clientOf(node: IonConfigNode): ConfigSnapshot['client'] {
  try {
    const { load, tokenExpiresInMs } = node.client;
    return { load, tokenExpiresInMs };
  } catch {
    return undefined;
  }
}

async function outboxSnapshot(outbox: Outbox): Promise<ConfigSnapshot['outbox']> {
  const { pending, rejected, delivered } = outbox.state;
  const oldestSeconds = await ageOfOldest(outbox).catch(() => undefined);
  return { waiting: pending, refused: rejected, delivered, oldestSeconds };
}

/** In s; 0 if no write is waiting. */
export async function ageOfOldest(outbox: Outbox): Promise<number> {
  const acceptedAt = await outbox.oldestAcceptedAt();
  return acceptedAt === undefined ? 0 : Math.max(0, Date.now() - acceptedAt) / 1000;
}
