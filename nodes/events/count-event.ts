import type { NodeAPI } from 'node-red';
import { findConfig, type UsesIonConfig } from '../config/find-config.js';

/**
 * Counts an event that was sent into a flow, for monitoring.
 * @param changedAt by ION's clock, in ms since 1970; `undefined` if it is not known
 */
export function countEvent(
  RED: NodeAPI,
  config: UsesIonConfig,
  changedAt: number | undefined,
): void {
  const ion = findConfig(RED, config);
  ion?.metrics.events.add(changedAt);
  ion?.events.add(changedAt);
}
