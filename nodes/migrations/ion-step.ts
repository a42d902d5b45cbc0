import { fillIn, type NodeMigrations } from './migrate.js';

export const stepMigrations: NodeMigrations = {
  type: 'ion-step',
  // The dialog always set `onConflict`; a node of a flow written by hand failed without it.
  steps: [fillIn({ onConflict: 'fail', delivery: 'direct', keep: 'all' })],
};
