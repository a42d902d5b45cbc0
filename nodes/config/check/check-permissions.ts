// The permissions that the mutations of the deployed nodes need. ION has a permission group with the
// name of each mutation (First Resonance's public list of permission groups).
import type { IonClient } from '../../client/client.js';
import { toIonError } from '../../client/errors.js';
import { mutationsOf } from '../../client/graphql/ion-schema.js';
import { lacksIn } from '../../client/graphql/lacks.js';
import { ownOperation } from '../../client/graphql/own-operation.js';
import type { ConfigUser } from '../node-work.js';
import { type CheckLine, failed, incomplete, isRefused, ok, unknown } from './check-line.js';
import type { DescribedUser } from './described-users.js';

/** Some users have their permissions only by their roles. */
const OWN_GROUPS = ownOperation(
  `{
  me {
    id
    ... on User @wished {
      isAdmin
      permissionGroups { name }
      roles { ... on Role @wished { permissionGroups { name } } }
    }
  }
}`,
);
const ANY_GROUP = ownOperation('{ permissionGroups(first: 1) { edges { node { id } } } }');
/** The names of most mutations begin with one of these. */
const VERBS = ['create', 'update', 'delete', 'add', 'remove'];
/** Names that one line lists. */
const MAX_NAMES = 30;

/** A permission and the nodes that need it. */
interface Need {
  permission: string;
  /** Nodes that need it for all their work. */
  always: Set<ConfigUser>;
  rarely: Set<ConfigUser>;
}

interface Me {
  isAdmin?: unknown;
  permissionGroups?: unknown;
  roles?: unknown;
}

export async function checkPermissions(
  client: IonClient,
  users: readonly DescribedUser[],
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const needs = needsOf(users);
  const open = users.filter(({ work }) => work?.isOpen).map(({ user }) => user);
  const others =
    open.length > 0 ? [unknown('permissions', 'permissions.open', { nodes: open })] : [];
  if (needs.length === 0) {
    return others.length > 0 ? others : [ok('permissions', 'permissions.notNeeded')];
  }
  const values = { permissions: listOf(needs.map(({ permission }) => permission)) };
  const details = { values, advice: 'permissions.look' };
  let me: Me | null | undefined;
  try {
    ({ me } = (await client.request(OWN_GROUPS, { signal })).data as { me?: Me | null });
  } catch (thrown) {
    const error = toIonError(thrown);
    const isUnreadable = lacksIn(error).length > 0 || isRefused(error);
    if (isUnreadable) return [unknown('permissions', 'permissions.notShown', details), ...others];
    return [incomplete('permissions', error), ...others];
  }
  const owned = ownedNames(me);
  const missing = needs.filter(({ permission }) => !owned?.has(comparable(permission)));
  if (missing.length === 0) {
    const advice = 'permissions.frozen';
    return [ok('permissions', 'permissions.all', { values, advice }), ...others];
  }
  // Groups with other names, such as "Operators", do not say which mutations they permit.
  const isShown =
    owned && (owned.size > 0 ? [...owned].some(isOfMutation) : await hasGroups(client, signal));
  if (!isShown) return [unknown('permissions', 'permissions.notShown', details), ...others];
  return [...missingLines(missing, me?.isAdmin === true), ...others];
}

/** A line for each group of nodes that lack the same permissions. */
function missingLines(missing: readonly Need[], isAdmin: boolean): CheckLine[] {
  const groups = new Map<string, { finding: string; nodes: ConfigUser[]; names: string[] }>();
  const add = (finding: string, users: Iterable<ConfigUser>, permission: string) => {
    const nodes = [...users];
    if (nodes.length === 0) return;
    const key = [finding, ...nodes.map(({ id }) => id)].join(' ');
    const group = groups.get(key) ?? { finding, nodes, names: [] };
    group.names.push(permission);
    groups.set(key, group);
  };
  for (const { permission, always, rarely } of missing) {
    // Whether an administrator needs the permission is not documented.
    add(isAdmin ? 'permissions.admin' : 'permissions.missing', always, permission);
    add(isAdmin ? 'permissions.admin' : 'permissions.missingRarely', rarely, permission);
  }
  return [...groups.values()].map(({ finding, nodes, names }) => {
    const values = { permissions: listOf(names) };
    const details = { values, nodes, advice: 'permissions.grant' };
    return (isAdmin ? unknown : failed)('permissions', finding, details);
  });
}

function needsOf(users: readonly DescribedUser[]): Need[] {
  const needs = new Map<string, Need>();
  for (const { user, work } of users) {
    for (const { operation, isRare } of work?.operations ?? []) {
      for (const mutation of mutationsOf(operation)) {
        const permission = mutation.charAt(0).toUpperCase() + mutation.slice(1);
        const need = needs.get(permission) ?? {
          permission,
          always: new Set(),
          rarely: new Set(),
        };
        needs.set(permission, need);
        (isRare ? need.rarely : need.always).add(user);
      }
    }
  }
  for (const { always, rarely } of needs.values()) for (const user of always) rarely.delete(user);
  return [...needs.values()];
}

/** The names of all groups of a user, for comparison; `undefined` if ION lists none. */
function ownedNames(me: Me | null | undefined): Set<string> | undefined {
  const roles = Array.isArray(me?.roles) ? (me.roles as (Me | null)[]) : [];
  const lists = [me, ...roles].flatMap((each) => {
    const groups = each?.permissionGroups;
    return Array.isArray(groups) ? [groups as ({ name?: unknown } | null)[]] : [];
  });
  if (lists.length === 0) return undefined;
  const names = lists.flat().map((group) => group?.name);
  return new Set(names.flatMap((name) => (typeof name === 'string' ? comparable(name) : [])));
}

/** `createApiKey` needs `CreateAPIKey`; `UPDATE_RUN` and `Update Run` are other spellings of `UpdateRun`. */
function comparable(name: string): string {
  return name.replace(/[\s_-]/g, '').toLowerCase();
}

function isOfMutation(name: string): boolean {
  return VERBS.some((verb) => name.startsWith(verb) && name !== verb);
}

/** Whether ION has permission groups at all, so that a user without one has no permission. */
async function hasGroups(client: IonClient, signal: AbortSignal): Promise<boolean> {
  const { data } = await client.request(ANY_GROUP, { signal });
  const { edges } = (data.permissionGroups ?? {}) as { edges?: unknown };
  return Array.isArray(edges) && edges.length > 0;
}

function listOf(names: readonly string[]): string {
  const more = names.length > MAX_NAMES ? ', …' : '';
  return names.slice(0, MAX_NAMES).join(', ') + more;
}
