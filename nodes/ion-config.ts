import type { NodeAPI, NodeDef } from 'node-red';
import { IonClient } from './client/client.js';
import { type IonError, toIonError } from './client/errors.js';
import { registerAdminRoutes } from './runtime/admin.js';
import type { ApiKeyCredentials, IonConfigNode } from './runtime/config-node.js';
import { type ConfigValues, clientSettings } from './runtime/config-settings.js';

type IonConfigDef = NodeDef & ConfigValues;

export = (RED: NodeAPI): void => {
  function IonConfig(this: IonConfigNode, config: IonConfigDef) {
    RED.nodes.createNode(this, config);
    let client: IonClient | undefined;
    let failure: IonError | undefined;
    try {
      client = new IonClient(clientSettings(RED, config, this.credentials ?? {}));
    } catch (thrown) {
      failure = toIonError(thrown, 'ION_CONFIG');
      this.warn(failure.message);
    }
    Object.defineProperties(this, {
      values: { value: config },
      client: {
        get() {
          if (client) return client;
          throw failure;
        },
      },
    });
    this.on('close', (_removed: boolean, done: () => void) => {
      void (client?.close() ?? Promise.resolve()).then(done, done);
    });
  }
  RED.nodes.registerType<IonConfigNode, IonConfigDef, unknown, ApiKeyCredentials>(
    'ion-config',
    IonConfig,
    { credentials: { clientId: { type: 'text' }, clientSecret: { type: 'password' } } },
  );
  registerAdminRoutes(RED);
};
