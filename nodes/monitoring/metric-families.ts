import type { ConfigMetrics } from './config-metrics.js';
import type { Labels, MetricFamily, Sample } from './metric-text.js';

/** The state of a config node at the time of a scrape. */
export interface ConfigSnapshot {
  /** Name and ID of the config node. */
  labels: Labels;
  metrics: ConfigMetrics;
  /** Mutations are not sent. */
  isDryRun: boolean;
  /** `undefined` if its settings cannot work. */
  client: ClientSnapshot | undefined;
  /** `undefined` if no outbox is open. */
  outbox: OutboxSnapshot | undefined;
}

interface ClientSnapshot {
  load: { running: number; waiting: number };
  /** `undefined` without a valid token. */
  tokenExpiresInMs: number | undefined;
}

interface OutboxSnapshot {
  waiting: number;
  refused: number;
  delivered: number;
  /** Age of the oldest waiting write, 0 without one; `undefined` if it cannot be read. */
  oldestSeconds: number | undefined;
}

interface Definition extends Omit<MetricFamily, 'samples'> {
  samplesOf(config: ConfigSnapshot): Sample[];
}

/** All metrics. docs/monitoring.md lists them. */
const DEFINITIONS: readonly Definition[] = [
  {
    name: 'ion_requests_total',
    type: 'counter',
    help: 'GraphQL operations that ended, by their name and outcome.',
    samplesOf: ({ metrics, labels }) => metrics.requests.outcomes(labels),
  },
  {
    name: 'ion_attempts_total',
    type: 'counter',
    help: 'HTTP requests that were sent to the API, with retries.',
    samplesOf: single(({ metrics }) => metrics.requests.attempts),
  },
  {
    name: 'ion_request_duration_seconds',
    type: 'histogram',
    help: 'Duration of an operation, with the time in the queue and retries.',
    samplesOf: ({ metrics, labels }) => metrics.requests.durations(labels),
  },
  {
    name: 'ion_dry_run',
    type: 'gauge',
    help: '1 if mutations are not sent, else 0.',
    samplesOf: single(({ isDryRun }) => (isDryRun ? 1 : 0)),
  },
  {
    name: 'ion_requests_running',
    type: 'gauge',
    help: 'Requests that are running.',
    samplesOf: single(({ client }) => client?.load.running),
  },
  {
    name: 'ion_requests_waiting',
    type: 'gauge',
    help: 'Operations that wait, in the queue or for their next retry.',
    samplesOf: single(({ client }) => client?.load.waiting),
  },
  {
    name: 'ion_token_expires_in_seconds',
    type: 'gauge',
    help: 'Remaining lifetime of the access token.',
    samplesOf: single(({ client: { tokenExpiresInMs: ms } = {} }) => ms && ms / 1000),
  },
  {
    name: 'ion_outbox_waiting',
    type: 'gauge',
    help: 'Writes in the outbox that are not delivered yet.',
    samplesOf: single(({ outbox }) => outbox?.waiting),
  },
  {
    name: 'ion_outbox_oldest_seconds',
    type: 'gauge',
    help: 'Age of the oldest write in the outbox that is not delivered yet.',
    samplesOf: single(({ outbox }) => outbox?.oldestSeconds),
  },
  {
    name: 'ion_outbox_delivered_total',
    type: 'counter',
    help: 'Writes that the outbox delivered.',
    samplesOf: single(({ outbox }) => outbox?.delivered),
  },
  {
    name: 'ion_outbox_refused',
    type: 'gauge',
    help: 'Rejected writes in the outbox that wait for a decision.',
    samplesOf: single(({ outbox }) => outbox?.refused),
  },
  {
    name: 'ion_events_total',
    type: 'counter',
    help: 'Events of ION that were sent into flows.',
    samplesOf: single(({ metrics }) => metrics.events.total),
  },
  {
    name: 'ion_event_lag_seconds',
    type: 'gauge',
    help: 'Time between the last change in ION and its event.',
    samplesOf: single(({ metrics }) => metrics.events.lagSeconds),
  },
];

/** The metrics of all config nodes. */
export function metricFamilies(configs: readonly ConfigSnapshot[]): MetricFamily[] {
  return DEFINITIONS.map(({ samplesOf, ...description }) => ({
    ...description,
    samples: configs.flatMap(samplesOf),
  }));
}

/** For a metric with one sample for each config node. */
function single(
  read: (config: ConfigSnapshot) => number | undefined,
): (config: ConfigSnapshot) => Sample[] {
  return (config) => {
    const value = read(config);
    return value === undefined ? [] : [{ labels: config.labels, value }];
  };
}
