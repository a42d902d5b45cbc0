import { type GraphQLField, getNamedType } from 'graphql';
import type { OrganizationSettings } from '../../data/model.js';
import { merged } from '../../data/organization-settings.js';
import type { Store } from '../../data/store.js';
import { fieldsOf } from '../schema.js';
import { columns, current, type Mutation, type Versioned, withInput } from './common.js';

interface Attribute {
  key: string;
  type?: string;
  options?: string[] | null;
  allowedIonType?: string | null;
}

interface OrganizationInput extends Versioned {
  settings?: OrganizationSettings | null;
}

export const organizationMutations: Record<string, Mutation> = {
  updateOrganization: withInput<OrganizationInput>((input, { store, user }) => {
    const row = current(store.organizations, input);
    const settings = merged(row.settings, input.settings);
    const patch = { ...columns(input, 'settings'), settings };
    return { organization: store.organizations.update(row.id, patch, user.id) };
  }),
};

/** The member of the organization's settings that is about a type: `runs` for Run. */
function settingsAbout(owner: string | undefined): string | undefined {
  const wanted = `${owner}Settings`.toLowerCase();
  return Object.values(fieldsOf('OrganizationSettings')).find(
    (field) => getNamedType(field.type).name.toLowerCase() === wanted,
  )?.name;
}

/** The type of an attribute, if the organization has defined it. */
export function definedType(owner: string, key: string, store: Store): string | undefined {
  const [organization] = store.organizations.all();
  const { attributes = [] } = organization?.settings?.[settingsAbout(owner) ?? ''] ?? {};
  return (attributes as Attribute[]).find((attribute) => attribute.key === key)?.type;
}

/**
 * `updateOrganizationPartAttributes` and its siblings: they define, or take away, an attribute in
 * the settings of one type. `undefined` for any other mutation.
 */
export function attributeSettings({ name }: GraphQLField<unknown, unknown>): Mutation | undefined {
  const [, verb, owner] = /^(update|delete)Organization(\w+)Attributes$/.exec(name) ?? [];
  const settings = settingsAbout(owner);
  if (!verb || !settings) return undefined;
  return withInput<Versioned & Attribute>((input, { store, user }) => {
    const row = current(store.organizations, input);
    const { id: _id, etag: _etag, ...attribute } = input;
    const known = row.settings?.[settings];
    const others = ((known?.attributes ?? []) as Attribute[]).filter(
      ({ key }) => key !== input.key,
    );
    const attributes = verb === 'update' ? [...others, attribute] : others;
    const patch = { settings: { ...row.settings, [settings]: { ...known, attributes } } };
    return { organization: store.organizations.update(row.id, patch, user.id) };
  });
}
