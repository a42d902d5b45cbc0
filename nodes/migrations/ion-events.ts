import { fillIn, type NodeMigrations } from './migrate.js';

export const eventsMigrations: NodeMigrations = {
  type: 'ion-events',
  steps: [
    fillIn({
      via: 'poll',
      actions: ['CREATE', 'UPDATE'],
      filters: [],
      fields: [],
      changedFields: [],
      interval: 10,
      path: '',
      signatureHeader: 'x-ion-signature',
      expectedResponseCode: 200,
      verify: true,
      register: false,
      publicUrl: '',
    }),
  ],
};
