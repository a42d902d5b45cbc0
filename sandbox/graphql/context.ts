import type { UserRow } from '../data/model.js';
import type { Store } from '../data/store.js';
import type { Control } from '../faults/control.js';
import type { Uploads } from '../http/uploads.js';

/** What resolvers work with. */
export interface ApiContext {
  store: Store;
  control: Control;
  uploads: Uploads;
  /** The user behind the API key. */
  user: UserRow;
}

/** What a write needs: also for writes that do not come over the API. */
export type WriteContext = Pick<ApiContext, 'store' | 'user'>;
