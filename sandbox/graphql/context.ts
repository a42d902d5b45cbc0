import type { ApiKeyRow, UserRow } from '../data/model.js';
import type { Store } from '../data/store.js';
import type { Control } from '../faults/control.js';
import type { Uploads } from '../http/uploads.js';

/** The context of all resolvers. */
export interface ApiContext {
  store: Store;
  control: Control;
  uploads: Uploads;
  /** The API key of the request. */
  apiKey: ApiKeyRow;
  /** The ID of the key that the settings are about. */
  mainKeyId: number;
  /** The user behind the API key. */
  user: UserRow;
}

/** The part of the context that a write needs, also if it does not come through the API. */
export type WriteContext = Pick<ApiContext, 'store' | 'user'>;
