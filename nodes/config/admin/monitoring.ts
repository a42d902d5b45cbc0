import { contentTypes, formatFor, metricText } from '../../monitoring/metric-text.js';
import { readHealth } from '../monitoring/read-health.js';
import { readMetrics } from '../monitoring/read-metrics.js';
import { PlainResponse } from './respond.js';

/** The metrics of all config nodes, as text for Prometheus. */
export async function metricsResponse(accept: string | undefined): Promise<PlainResponse> {
  const format = formatFor(accept);
  const text = metricText(await readMetrics(), format);
  return new PlainResponse(200, contentTypes[format], text);
}

/** Status 503 with the reasons if something is wrong, for probes that only look at the status. */
export async function healthResponse(): Promise<PlainResponse> {
  const health = await readHealth();
  const status = health.healthy ? 200 : 503;
  return new PlainResponse(status, 'application/json; charset=utf-8', JSON.stringify(health));
}
