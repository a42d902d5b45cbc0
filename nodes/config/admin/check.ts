import type { NodeAPI } from 'node-red';
import { IonClient } from '../../client/client.js';
import { IonError } from '../../client/errors.js';
import { proxiesFor } from '../../client/http/proxies.js';
import type { IonClientSettings } from '../../client/ion-client-settings.js';
import { passwordsIn } from '../../client/support/url-password.js';
import { type CheckResult, type CheckSubject, checkEverything } from '../check/check-everything.js';
import { type ConfigValues, clientSettings, timeZoneOf } from '../client-settings.js';
import type { IonConfigNode, KeyOwner } from '../config-node.js';
import { settingsOfDialog } from './client-of-dialog.js';
import { deployedConfig, requireDeployedConfig } from './deployed-config.js';

/** Longer than ION takes for its schema; the whole check has a limit as well. */
const MAX_TIMEOUT_MS = 20_000;
/** Each check opens its own connections to ION. */
const MAX_CHECKS = 3;

let running = 0;

/** Checks a deployed config node. */
export async function checkDeployed(
  RED: NodeAPI,
  id: string,
  signal: AbortSignal,
): Promise<CheckResult> {
  const deployed = requireDeployedConfig(RED, id);
  const { values, credentials = {} } = deployed;
  const settings = () => clientSettings(RED, values, credentials);
  const result = await run(subjectOf(settings, values, credentials.clientSecret, deployed), signal);
  deployed.owner = ownerIn(result) ?? deployed.owner;
  return result;
}

/** The owner of the API key, for the sidebar. */
function ownerIn({ lines }: CheckResult): KeyOwner | undefined {
  const { values } = lines.find(({ finding }) => finding === 'user.is') ?? {};
  if (!values) return undefined;
  const [name, email, organization] = [values.name, values.email, values.organization].map(String);
  return { name: name ?? '', email: email ?? '', organization: organization ?? '' };
}

/** Checks a config node with the values of its dialog, and the deployed nodes that use it. */
export async function checkDialog(
  RED: NodeAPI,
  body: unknown,
  signal: AbortSignal,
): Promise<CheckResult> {
  // Wrong requests, and stored secrets for other URLs, are rejected.
  const { values, settings } = settingsOfDialog(RED, body);
  const { id } = body as { id: string };
  const { clientSecret } = settings.key;
  return run(
    subjectOf(() => settings, values, clientSecret, deployedConfig(RED, id)),
    signal,
  );
}

/** @throws IonError `ION_OVERLOADED` while too many checks are running */
async function run(subject: CheckSubject, signal: AbortSignal): Promise<CheckResult> {
  if (running >= MAX_CHECKS) {
    throw new IonError(
      'ION_OVERLOADED',
      `${running} checks are already running. Try again when one of them has ended.`,
    );
  }
  running++;
  try {
    return await checkEverything(subject, signal);
  } finally {
    running--;
  }
}

function subjectOf(
  read: () => IonClientSettings,
  values: ConfigValues,
  clientSecret: string | undefined,
  deployed: IonConfigNode | undefined,
): CheckSubject {
  const secrets = new Set([clientSecret ?? '']);
  let hasProxy = false;
  let isVerifying = true;
  try {
    const { proxy, tls } = read();
    const proxies = proxiesFor(proxy);
    hasProxy = proxies !== undefined;
    isVerifying = tls?.rejectUnauthorized !== false;
    for (const url of [proxies?.http, proxies?.https]) {
      for (const password of passwordsIn(url ?? '')) secrets.add(password);
    }
    secrets.add(String(tls?.passphrase ?? ''));
  } catch {
    // The check reports settings that cannot work.
  }
  const client = () => {
    // A wrong time zone makes the whole configuration unusable, although no request needs it.
    timeZoneOf(values);
    const { timeoutMs = MAX_TIMEOUT_MS, ...settings } = read();
    return new IonClient({
      ...settings,
      timeoutMs: Math.min(timeoutMs, MAX_TIMEOUT_MS),
      retries: 0,
    });
  };
  const given = [...secrets].filter((each) => each !== '');
  return { client, secrets: given, hasProxy, isVerifying, deployed };
}
