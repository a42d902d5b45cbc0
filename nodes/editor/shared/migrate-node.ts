import { currentVersion, migrate, type NodeMigrations } from '../../migrations/migrate.js';

/** Properties that the open dialog replaced, with their saved values. */
let replaced: Record<string, unknown> = {};

/**
 * Shows a node in the shape of today, whichever version saved it. For a first call in `oneditprepare`:
 * the editor compares with the node as it is then, so the migration alone is no change.
 */
export function migrateNode(
  node: EditedNode,
  migrations: NodeMigrations,
  prefix = 'node-input',
): void {
  // A dialog saves the properties that it knows, also of a node from a later version.
  const version = currentVersion(migrations);
  const properties = { ...migrate(migrations, node), version };
  replaced = {};
  for (const [name, value] of Object.entries<unknown>(properties)) {
    if (node[name] === value) continue;
    replaced[name] = node[name];
    node[name] = value;
    showValue($(`#${prefix}-${name}`), value);
  }
}

/** For `oneditcancel`: the node stays as it was saved. */
export function restoreNode(node: EditedNode): void {
  Object.assign(node, replaced);
}

function showValue(input: JQuery, value: unknown): void {
  if (input.attr('type') === 'checkbox') input.prop('checked', value === true);
  else input.val(String(value));
}
