import type { NodeAPI, NodeDef } from 'node-red';
import type { OperationsPerRequest } from './client/batching/batch-size.js';
import { RequestBatches } from './client/batching/request-batches.js';
import { IonClient } from './client/client.js';
import { IonError, toIonError } from './client/errors.js';
import { StepWriter } from './client/steps/step-writer.js';
import { registerAdminRoutes } from './config/admin/register-admin-routes.js';
import { openAuditLog } from './config/audit/open-audit-log.js';
import {
  type ApiKeyCredentials,
  type ConfigValues,
  clientSettings,
  makesTraces,
  outboxLimits,
  timeZoneOf,
  writesPerRequest,
} from './config/client-settings.js';
import type { IonConfigNode } from './config/config-node.js';
import { LookupHolder } from './config/lookup-holder.js';
import { LiveStatus } from './config/monitoring/live-status.js';
import { notSentLog } from './config/not-sent-log.js';
import { OutboxHolder } from './config/outbox-holder.js';
import { registerRunningConfig } from './config/running-configs.js';
import { configMigrations } from './migrations/ion-config.js';
import { ConfigMetrics } from './monitoring/config-metrics.js';
import { RecentEvents } from './monitoring/recent-events.js';
import { RecentRequests } from './monitoring/recent-requests.js';
import { migratedConfig } from './shared/migrated-config.js';
import { removalCheck } from './shared/removal-check.js';
import { inBackground } from './shared/report-error.js';

type IonConfigDef = NodeDef & ConfigValues;

const DRY_RUN = '@ion-nodes/node-red-ion/ion-config:ion-config.log.dryRun';

interface Connection {
  client: IonClient;
  batches: RequestBatches;
  steps: StepWriter;
  makesTraces: boolean;
}

/** @returns the error if the settings cannot work; the log shows it as well */
function connect(RED: NodeAPI, node: IonConfigNode, config: IonConfigDef): Connection | IonError {
  try {
    const timeZone = timeZoneOf(config);
    const settings = clientSettings(RED, config, node.credentials ?? {});
    const client = new IonClient({
      ...settings,
      onNotSent: notSentLog(RED, node),
      mutationLog: openAuditLog(RED, node, config),
    });
    const batches = new RequestBatches(client, operationsPerRequest(config));
    const steps = new StepWriter(client, timeZone, batches);
    return { client, batches, steps, makesTraces: makesTraces(config) };
  } catch (thrown) {
    const error = toIonError(thrown, 'ION_CONFIG');
    node.warn(error.message);
    return error;
  }
}

/** A bad number affects only nodes that use the outbox, which does not open then. */
function operationsPerRequest(config: IonConfigDef): OperationsPerRequest {
  try {
    return writesPerRequest(config);
  } catch {
    return 1;
  }
}

/** Bad limits of the outbox affect only nodes that use it. */
function warnOfBadLimits(node: IonConfigNode, config: IonConfigDef): void {
  try {
    outboxLimits(config);
  } catch (thrown) {
    node.warn(toIonError(thrown, 'ION_CONFIG').message);
  }
}

export default (RED: NodeAPI): void => {
  const live = new LiveStatus(RED);

  function IonConfig(this: IonConfigNode, saved: IonConfigDef) {
    RED.nodes.createNode(this, saved);
    const config = migratedConfig(RED, this, configMigrations, saved);
    const isRemoval = removalCheck(RED, saved);
    const connection = connect(RED, this, config);
    warnOfBadLimits(this, config);
    const isDryRun = !(connection instanceof IonError) && connection.client.isDryRun;
    if (isDryRun) this.warn(RED._(DRY_RUN));
    const requireConnection = (): Connection => {
      if (connection instanceof IonError) throw connection;
      return connection;
    };
    const outbox = new OutboxHolder(RED, this, {
      client: () => requireConnection().client,
      writer: () => requireConnection().steps,
      batches: () => requireConnection().batches,
      concurrency: () => requireConnection().client.concurrency,
      queueLimit: () => requireConnection().client.queueLimit,
      limits: () => outboxLimits(config),
      isDryRun,
    });
    const metrics = new ConfigMetrics();
    const requests = new RecentRequests();
    const holder = new LookupHolder(RED, this, () => requireConnection().client);
    Object.defineProperties(this, {
      values: { value: config },
      client: { get: () => requireConnection().client },
      steps: { get: () => requireConnection().steps },
      isDryRun: { value: isDryRun },
      outbox: { value: outbox },
      lookups: { get: () => holder.lookups },
      makesTraces: { value: !(connection instanceof IonError) && connection.makesTraces },
      metrics: { value: metrics },
      users: { value: new Set() },
      requests: { value: requests },
      events: { value: new RecentEvents() },
      owner: { value: undefined, writable: true },
    });
    registerRunningConfig(this);
    if (!(connection instanceof IonError)) {
      connection.client.onOutcome((outcome) => {
        metrics.onOutcome(outcome);
        // A mutation of a dry run says nothing about ION.
        const { attempts, durationMs, error } = outcome;
        if (error || attempts > 0) requests.add(durationMs, error?.code);
      });
    }
    const close = async (isRemoved: boolean) => {
      // They close first, because their requests need the client.
      await Promise.all([outbox.close(isRemoved), holder.close(isRemoved)]).finally(async () => {
        if (!(connection instanceof IonError)) await connection.client.close();
      });
    };
    this.on('close', (removed: boolean, done: () => void) => {
      inBackground(
        this,
        close(isRemoval(removed)).finally(() => done()),
      );
    });
  }
  RED.nodes.registerType<IonConfigNode, IonConfigDef, unknown, ApiKeyCredentials>(
    'ion-config',
    IonConfig,
    { credentials: { clientId: { type: 'text' }, clientSecret: { type: 'password' } } },
  );
  registerAdminRoutes(RED, live);
};
