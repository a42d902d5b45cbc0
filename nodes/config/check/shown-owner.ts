import { isPlainObject } from '../../client/support/json.js';
import type { KeyOwner } from '../config-node.js';
import { shown } from './check-line.js';
import type { Owner } from './who-am-i.js';

/** The owner of an API key as ION names it; `undefined` if it names nobody. */
export function shownOwner(me: unknown): KeyOwner | undefined {
  if (!isPlainObject(me)) return undefined;
  const { name, email, organization } = me as Owner;
  return { name: shown(name), email: shown(email), organization: shown(organization?.domain) };
}
