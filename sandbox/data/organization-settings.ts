import type { OrganizationRow, OrganizationSettings } from './model.js';
import type { Store } from './store.js';

/** The settings of an organization that never changed them, as far as they have an effect. */
const DEFAULTS: OrganizationSettings = {
  issues: { createIssueOnStepFailure: false },
  partsInventory: { moveInventoryToStepLocation: true },
  rules: {},
};

/** The settings of an organization, with the defaults of those that it never changed. */
export function settingsOf({ settings }: OrganizationRow): OrganizationSettings {
  return merged(DEFAULTS, settings);
}

/** The settings with some of them changed; the others of the same type stay as they are. */
export function merged(
  settings: OrganizationSettings | undefined,
  changes: OrganizationSettings | null | undefined,
): OrganizationSettings {
  const result = { ...settings };
  for (const [type, change] of Object.entries(changes ?? {})) {
    const isGroup = typeof change === 'object' && change !== null;
    result[type] = isGroup ? { ...result[type], ...change } : change;
  }
  return result;
}

/** Whether the sandbox's only organization has switched something on. */
export function isOn(store: Store, type: string, setting: string): boolean {
  const [organization] = store.organizations.all();
  return organization !== undefined && settingsOf(organization)[type]?.[setting] === true;
}
