import type { NodeAPI } from 'node-red';
import { lacksRoot } from '../client/webhooks/public-url.js';
import type { IonEventsConfig } from './config.js';

const LOG = '@ion-nodes/node-red-ion/ion-config:ion-config.log.';

/** The settings of Node-RED that decide who gets through to a webhook. */
interface HttpSettings {
  httpNodeRoot?: string | false;
  httpNodeAuth?: unknown;
  https?: unknown;
}

/** Whether Node-RED lets only requests with a password through, and the public URL holds none. */
export function needsPassword({ settings }: NodeAPI, config: IonEventsConfig): boolean {
  const { httpNodeAuth } = settings as HttpSettings;
  return Boolean(httpNodeAuth) && !publicUrlOf(config)?.username;
}

/** What about Node-RED's settings keeps ION's requests from a webhook, unless a proxy helps. */
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
