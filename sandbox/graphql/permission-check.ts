import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  Kind,
  type SelectionNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from './context.js';
import { Forbidden, type PermissionGroup, permissionGroups, permissionOf } from './permissions.js';
import { schema } from './schema.js';

/** The permission groups of the user of a request, as far as the settings leave them. */
export function userPermissions(context: ApiContext): PermissionGroup[] {
  return permissionsLeft(permissionGroups(context.user, context.store), context);
}

/** The permission groups that the settings leave to the API key of a request. */
export function permissionsLeft(groups: PermissionGroup[], context: ApiContext): PermissionGroup[] {
  const isLeft = leftPermissions(context);
  return groups.filter(({ name }) => isLeft(name));
}

/** Whether the settings leave a permission, whose name may be in upper or lower case. */
function leftPermissions({ apiKey, mainKeyId, control }: ApiContext): (name: string) => boolean {
  const { permissions } = control.settings;
  if (permissions === null || apiKey.id !== mainKeyId) return () => true;
  const left = new Set(permissions.map((name) => name.toLowerCase()));
  return (name) => left.has(name.toLowerCase());
}

/** @throws Forbidden if the API key of a request lacks the permission for a mutation */
export function checkPermission(mutation: string, context: ApiContext): void {
  const field = schema.getMutationType()?.getFields()[mutation];
  const wanted = field && permissionOf(field);
  if (wanted === undefined) return;
  if (!leftPermissions(context)(wanted) || !hasPermission(wanted, context)) {
    throw new Forbidden(mutation);
  }
}

/** Whether the API key of a request has a permission: it keeps those that its user had when it was created. */
function hasPermission(wanted: string, { apiKey, user, store }: ApiContext): boolean {
  const { permissionGroupIds } = apiKey;
  if (!permissionGroupIds) return permissionGroups(user, store).some(({ name }) => name === wanted);
  const groups = store.table('PermissionGroup');
  const nameOf = (id: number) => (groups.get(id) as PermissionGroup | undefined)?.name;
  return permissionGroupIds.some((id) => nameOf(id) === wanted);
}

/** Refuses a request with a mutation that is not permitted: with HTTP 403, before anything runs. */
export const permissionCheck: Plugin<ApiContext> = {
  onExecute({ args, setResultAndStopExecution }) {
    // Safe: the library adds members of its own to the context of a request.
    const context = args.contextValue as ApiContext;
    if (context.control.settings.permissionError !== 'status') return;
    const operation = getOperationAST(args.document, args.operationName);
    if (operation?.operation !== 'mutation') return;
    try {
      for (const name of fieldNames(operation.selectionSet.selections, args.document)) {
        checkPermission(name, context);
      }
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error;
      const extensions = { http: { status: 403 } };
      setResultAndStopExecution({ errors: [new GraphQLError(error.message, { extensions })] });
    }
  },
};

/** The fields of an operation's root, those in fragments included. */
function fieldNames(selections: readonly SelectionNode[], document: DocumentNode): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value;
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return fieldNames(selection.selectionSet.selections, document);
    }
    const fragment = document.definitions.find(
      (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION
      ? fieldNames(fragment.selectionSet.selections, document)
      : [];
  });
}
