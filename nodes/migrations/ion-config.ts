import { fillIn, type NodeMigrations } from './migrate.js';

export const configMigrations: NodeMigrations = {
  type: 'ion-config',
  steps: [
    fillIn({
      apiUrl: '',
      authUrl: '',
      audience: '',
      // The bare token, as in 1.0.0, unless ION refuses it.
      authScheme: 'auto',
      timeout: 30,
      retries: 3,
      concurrency: 10,
      queueLimit: 1000,
      timeZone: '',
      writesPerRequest: 'auto',
      outboxLimit: 1_000_000,
      outboxSize: 1024,
      tls: '',
      proxy: '',
      allowHttp: false,
    }),
    fillIn({ mode: 'live', trace: false, audit: false, healthAge: 15, healthRejected: 0 }),
  ],
};
