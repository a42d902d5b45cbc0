import { fillIn, type NodeMigrations } from './migrate.js';

export const graphqlMigrations: NodeMigrations = {
  type: 'ion-graphql',
  steps: [
    fillIn({ operationName: '', pages: 'one', pageSize: 100, limit: 0, output: 'payload' }),
    fillIn({
      delivery: 'direct',
      order: '',
      orderType: 'str',
      prepare: '',
      prepareVariables: '',
      alreadyDone: '',
      keepFor: 0,
      outputs: 1,
    }),
  ],
};
