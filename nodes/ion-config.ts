import type { NodeAPI, NodeDef } from 'node-red';
import { IonClient } from './client/client.js';
import { type IonError, toIonError } from './client/errors.js';
import { StepWriter } from './client/steps/step-writer.js';
import { registerAdminRoutes } from './config/admin.js';
import {
  type ApiKeyCredentials,
  type ConfigValues,
  clientSettings,
  outboxLimits,
  timeZoneOf,
} from './config/client-settings.js';
import type { IonConfigNode } from './config/config-node.js';
import { ConfigOutbox } from './config/config-outbox.js';
import { removal } from './shared/removal.js';
import { inBackground } from './shared/report-error.js';

type IonConfigDef = NodeDef & ConfigValues;

function warnOfLimits(node: IonConfigNode, config: IonConfigDef): void {
  try {
    outboxLimits(config);
  } catch (thrown) {
    node.warn(toIonError(thrown, 'ION_CONFIG').message);
  }
}

export = (RED: NodeAPI): void => {
  function IonConfig(this: IonConfigNode, config: IonConfigDef) {
    RED.nodes.createNode(this, config);
    const isRemoval = removal(RED, config);
    let client: IonClient | undefined;
    let steps: StepWriter | undefined;
    let failure: IonError | undefined;
    try {
      const timeZone = timeZoneOf(config);
      client = new IonClient(clientSettings(RED, config, this.credentials ?? {}));
      steps = new StepWriter(client, timeZone);
    } catch (thrown) {
      failure = toIonError(thrown, 'ION_CONFIG');
      this.warn(failure.message);
    }
    // Without the outbox, nodes work with any limits of it.
    warnOfLimits(this, config);
    const working = <Value>(value: Value | undefined): Value => {
      if (value) return value;
      throw failure;
    };
    const outbox = new ConfigOutbox(RED, this, {
      endpoint: () => working(client).endpoint,
      writer: () => working(steps),
      concurrency: () => working(client).concurrency,
      queueLimit: () => working(client).queueLimit,
      limits: () => outboxLimits(config),
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
