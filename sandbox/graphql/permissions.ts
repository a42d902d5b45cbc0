import { type GraphQLField, getNamedType, isObjectType } from 'graphql';
import { formatMicros } from '../data/clock.js';
import type { Row, UserRow } from '../data/model.js';
import { Random } from '../data/random.js';
import type { Store } from '../data/store.js';
import { schema, typeOfId } from './schema.js';

type Mutation = Pick<GraphQLField<unknown, unknown>, 'name' | 'type'>;
/** A role, with the permission groups that it has. */
export type GrantingRole = Row & { permissionGroupIds?: readonly number[] };
/** A permission group: its name is that of the only permission in it. */
export type PermissionGroup = Row & { name: string };

/** The people on the shop floor; the role is one of the seeded records. */
const OPERATOR = { id: 2, families: /^(RunStep|RunStepField|SessionEvent|Comment|Issue)$/ };
/** Machines and other programs, which may do everything. */
const INTEGRATION = 'Integration';

/** The error of a mutation for which the API key lacks the permission, with ION's text. */
export class Forbidden extends Error {
  constructor(mutation: string) {
    super(`User does not have permission to ${verbOf(mutation)} this resource.`);
  }
}

function verbOf(mutation: string): 'create' | 'update' | 'delete' {
  if (mutation.startsWith('create')) return 'create';
  return mutation.startsWith('delete') ? 'delete' : 'update';
}

/**
 * The permission that a mutation needs. ION names it like the type of the response: `UpdateRunStep`
 * for updateRunStep, but `CreateAPIKey` for createApiKey.
 */
export function permissionOf({ type }: Pick<Mutation, 'type'>): string {
  return getNamedType(type).name;
}

/** The type that a permission is about. */
function familyOf(mutation: Mutation): string {
  const payload = getNamedType(mutation.type);
  const [member] = isObjectType(payload) ? Object.values(payload.getFields()) : [];
  const type = member && getNamedType(member.type);
  if (isObjectType(type)) return type.name;
  // The response of a deletion has only an ID.
  const subject = mutation.name.replace(/^[a-z]+/, '');
  return typeOfId(`${subject}Id`) ?? typeOfId(`${member?.name}`) ?? subject;
}

/** Fills the store with one permission group for each mutation, and with the roles that have them. */
export function seedPermissions(store: Store, integrationUserId: number): void {
  const groups = store.table('PermissionGroup');
  if (groups.all().length > 0) return;
  const random = new Random(4711);
  const time = formatMicros(Date.now() * 1000);
  const put = (type: string, id: number, columns: object) => {
    const stamps = { _created: time, _updated: time, createdById: 1, updatedById: 1 };
    store.table(type).put({ id, ...stamps, _etag: random.etag(), ...columns });
  };
  const families = new Map<number, string>();
  for (const [i, field] of mutations().entries()) {
    const [id, name, family] = [i + 1, permissionOf(field), familyOf(field)];
    const action = verbOf(field.name).toUpperCase();
    put('Permission', id, { action, resource: name, resourceTypeName: 'MUTATION' });
    put('PermissionGroup', id, { name, family, permissionIds: [id] });
    families.set(id, family);
  }
  const all = [...families.keys()];
  const ofOperators = all.filter((id) => OPERATOR.families.test(families.get(id) ?? ''));
  const operator = store.table('Role').get(OPERATOR.id);
  if (operator) Object.assign(operator, { permissionGroupIds: ofOperators });
  // Data of an earlier version may have more roles than the seed.
  const roleId = store.table('Role').nextId;
  put('Role', roleId, { name: INTEGRATION, permissionGroupIds: all });
  put('UserRole', store.table('UserRole').nextId, { userId: integrationUserId, roleId });
}

function mutations(): Mutation[] {
  return Object.values(schema.getMutationType()?.getFields() ?? {});
}

/** The permission groups of a user's roles, and of the roles of the user's teams. */
export function permissionGroups(user: UserRow, store: Store): PermissionGroup[] {
  const idsIn = (type: string, column: string, id: number, wanted: string) =>
    store.of(type, column, id).map((row) => Number((row as unknown as Ids)[wanted]));
  const teams = idsIn('TeamUser', 'userId', user.id, 'teamId');
  const roles = [
    ...idsIn('UserRole', 'userId', user.id, 'roleId'),
    ...teams.flatMap((id) => idsIn('TeamRole', 'teamId', id, 'roleId')),
  ].map((id) => store.table('Role').get(id) as GrantingRole | undefined);
  const groups = store.table('PermissionGroup');
  const ids = new Set(roles.flatMap((role) => role?.permissionGroupIds ?? []));
  return [...ids].flatMap((id) => (groups.get(id) as PermissionGroup | undefined) ?? []);
}

type Ids = Record<string, unknown>;
