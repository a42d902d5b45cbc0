import type { Control } from './control.js';
import type { UserRow } from './model.js';
import type { Store } from './store.js';
import type { Uploads } from './uploads.js';

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
