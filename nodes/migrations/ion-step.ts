import { fillIn, type NodeMigrations } from './migrate.js';

export const stepMigrations: NodeMigrations = {
  type: 'ion-step',
  // A dialog always saved `onConflict`. A hand-written node without it failed on a conflict.
  steps: [
    fillIn({ onConflict: 'fail', delivery: 'direct', keep: 'all' }),
    fillIn({ output: 'payload', startStep: false }),
  ],
};
