import type { NodeAPI } from 'node-red';
import { lacksRoot } from '../client/webhooks/public-url.js';
import type { IonEventsConfig } from './events-config.js';

const LOG = '@ion-nodes/node-red-ion/ion-config:ion-config.log.';

/** The settings of Node-RED that decide which requests reach a webhook. */
interface HttpSettings {
  httpNodeRoot?: string | false;
  httpNodeAuth?: unknown;
  https?: unknown;
}

/** Whether Node-RED requires a password that the public URL does not contain. */
export function needsPassword({ settings }: NodeAPI, config: IonEventsConfig): boolean {
  const { httpNodeAuth } = settings as HttpSettings;
  return Boolean(httpNodeAuth) && !publicUrlOf(config)?.username;
}

/** The settings of Node-RED that keep ION's requests from a webhook, unless a proxy helps. */
export function webhookWarnings(RED: NodeAPI, config: IonEventsConfig, path: string): string[] {
  const { httpNodeRoot: root, https } = RED.settings as HttpSettings;
  const url = publicUrlOf(config);
  const keys = [
    needsPassword(RED, config) && 'httpNodeAuth',
    url && lacksRoot(url.href, root) && 'lacksRoot',
    url && url.protocol === 'http:' && Boolean(https) && 'httpsOnly',
  ];
  return keys.flatMap((key) => (key ? RED._(LOG + key, { path, root: root || '' }) : []));
}

function publicUrlOf({ register, publicUrl }: IonEventsConfig): URL | undefined {
  const text = (publicUrl ?? '').trim();
  return register && URL.canParse(text) ? new URL(text) : undefined;
}
