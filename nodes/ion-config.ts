import type { NodeAPI, NodeDef } from 'node-red';
import { IonClient } from './client/client.js';
import { type IonError, toIonError } from './client/errors.js';
import { StepWriter } from './client/step-writer.js';
import { registerAdminRoutes } from './runtime/admin.js';
import type { ApiKeyCredentials, IonConfigNode } from './runtime/config-node.js';
import { ConfigOutbox } from './runtime/config-outbox.js';
import { type ConfigValues, clientSettings, outboxLimits } from './runtime/config-settings.js';
import { removal } from './runtime/removal.js';
import { inBackground } from './runtime/report-error.js';

type IonConfigDef = NodeDef & ConfigValues;

export = (RED: NodeAPI): void => {
  function IonConfig(this: IonConfigNode, config: IonConfigDef) {
    RED.nodes.createNode(this, config);
    const isRemoval = removal(RED, config);
    let client: IonClient | undefined;
    let failure: IonError | undefined;
    try {
      client = new IonClient(clientSettings(RED, config, this.credentials ?? {}));
    } catch (thrown) {
      failure = toIonError(thrown, 'ION_CONFIG');
      this.warn(failure.message);
    }
    const working = <Value>(value: Value | undefined): Value => {
      if (value) return value;
      throw failure;
    };
    const steps = client && new StepWriter(client);
    const outbox = new ConfigOutbox(RED, this, {
      endpoint: () => working(client).endpoint,
      writer: () => working(steps),
      concurrency: () => working(client).concurrency,
      limits: outboxLimits(config),
    });
    Object.defineProperties(this, {
      values: { value: config },
      client: { get: () => working(client) },
      steps: { get: () => working(steps) },
      outbox: { value: outbox },
    });
    this.on('close', (removed: boolean, done: () => void) => {
      // The outbox ends first: what it sends would fail otherwise.
      inBackground(
        this,
        outbox
          .close(isRemoval(removed))
          .finally(() => client?.close())
          .finally(() => done()),
      );
    });
  }
  RED.nodes.registerType<IonConfigNode, IonConfigDef, unknown, ApiKeyCredentials>(
    'ion-config',
    IonConfig,
    { credentials: { clientId: { type: 'text' }, clientSecret: { type: 'password' } } },
  );
  registerAdminRoutes(RED);
};
