// Converts properties that an older version of the package saved to those of today. It runs when a node
// starts and when its dialog opens, so it works in the browser as well.

/** The properties of a node, as a flow file holds them. */
export type NodeProperties = Readonly<Record<string, unknown>>;

/** Returns the properties in the shape of the next version. It changes nothing that it is given. */
export type Migration = (properties: NodeProperties) => NodeProperties;

export interface NodeMigrations {
  type: string;
  /**
   * The migration at index 0 leads from version 0 to version 1, and so on. Version 0 is what package
   * version 1.0.0 saved, without a property `version`.
   */
  steps: readonly Migration[];
}

/** The version of the properties that this package saves. */
export function currentVersion({ steps }: NodeMigrations): number {
  return steps.length;
}

/** The version that saved the properties; 0 if the property is missing or no whole number. */
export function versionOf({ version }: NodeProperties): number {
  return typeof version === 'number' && Number.isSafeInteger(version) && version > 0 ? version : 0;
}

/** Whether a later version of the package saved the properties. */
export function isNewer(migrations: NodeMigrations, properties: NodeProperties): boolean {
  return versionOf(properties) > currentVersion(migrations);
}

/** @returns the properties of the current version; those of a newer version as they are */
export function migrate(migrations: NodeMigrations, properties: NodeProperties): NodeProperties {
  if (isNewer(migrations, properties)) return properties;
  const version = currentVersion(migrations);
  const steps = migrations.steps.slice(versionOf(properties));
  return { ...steps.reduce((present, step) => step(present), properties), version };
}

/**
 * A migration that writes down what a missing property meant. It also counts as missing if it is
 * `null`, or an empty text in place of another text or a switch.
 */
export function fillIn(meanings: NodeProperties): Migration {
  return (properties) => {
    const filled: Record<string, unknown> = { ...properties };
    for (const [name, meaning] of Object.entries(meanings)) {
      if (!isMissing(filled[name], meaning)) continue;
      filled[name] = Array.isArray(meaning) ? [...meaning] : meaning;
    }
    return filled;
  };
}

function isMissing(value: unknown, meaning: unknown): boolean {
  if (value === undefined || value === null) return true;
  return value === '' && (typeof meaning === 'string' || typeof meaning === 'boolean');
}
