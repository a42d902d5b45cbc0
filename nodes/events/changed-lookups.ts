import type { NodeAPI } from 'node-red';
import { findConfig } from '../config/find-config.js';
import type { IonEventsConfig } from './events-config.js';

/** Reads the remembered answers of look-ups again that an event of this node may have changed. */
export function changedLookups(
  RED: NodeAPI,
  config: Pick<IonEventsConfig, 'config' | 'z' | 'resource'>,
  id: unknown,
): void {
  try {
    findConfig(RED, config)?.lookups.changed(config.resource, id);
  } catch {
    // The config node reports that its settings cannot work.
  }
}
