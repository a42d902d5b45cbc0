import { fillIn, type NodeMigrations } from './migrate.js';

export const runsMigrations: NodeMigrations = {
  type: 'ion-runs',
  steps: [
    fillIn({
      filters: [],
      fields: ['id', 'title', 'status', 'steps.id', 'steps.title', 'steps.status'],
      sort: [],
      mode: 'array',
      pageSize: 100,
      limit: 0,
      changes: false,
      changesFrom: 'beginning',
      output: 'payload',
    }),
    fillIn({ shape: 'nested' }),
  ],
};
