import type { OutcomeListener } from '../client/operation-outcomes.js';
import { EventMetrics } from './event-metrics.js';
import { Reachability } from './reachability.js';
import { RequestMetrics } from './request-metrics.js';

/** Requests and events of a config node since it started. */
export class ConfigMetrics {
  readonly requests = new RequestMetrics();
  readonly events = new EventMetrics();
  readonly reachability = new Reachability();

  /** For `IonClient.onOutcome`. */
  readonly onOutcome: OutcomeListener = (outcome) => {
    this.requests.add(outcome);
    this.reachability.add(outcome);
  };
}
