import type { Node, NodeAPI, NodeDef } from 'node-red';
import {
  currentVersion,
  isNewer,
  migrate,
  type NodeMigrations,
  type NodeProperties,
  versionOf,
} from '../migrations/migrate.js';

const NEWER = '@ion-nodes/node-red-ion/ion-config:ion-config.log.newerNode';

/**
 * The properties that a node starts with, whichever version of the package saved them. A later
 * version may have saved properties that this one does not know, so the log warns of it.
 */
export function migratedConfig<Config extends NodeDef>(
  RED: NodeAPI,
  node: Node,
  migrations: NodeMigrations,
  config: Config,
): Config {
  const properties = config as unknown as NodeProperties;
  if (isNewer(migrations, properties)) {
    const { type } = migrations;
    const version = versionOf(properties);
    node.warn(RED._(NEWER, { type, version, known: currentVersion(migrations) }));
  }
  return migrate(migrations, properties) as unknown as Config;
}
