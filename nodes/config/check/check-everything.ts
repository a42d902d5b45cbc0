// "Check everything": what works between Node-RED and ION, and advice on what does not. It only reads.
import { Redactor } from '../../client/auth/redaction.js';
import type { IonClient } from '../../client/client.js';
import { closedError, toIonError } from '../../client/errors.js';
import { abandonable } from '../../client/support/abort-listeners.js';
import type { IonConfigNode } from '../config-node.js';
import { checkOwner, checkRules, checkToken } from './check-key.js';
import {
  CHECK_NAMES,
  type CheckLine,
  type CheckName,
  failed,
  incomplete,
  notChecked,
  ok,
  reasonValues,
  unknown,
} from './check-line.js';
import { checkOutbox } from './check-outbox.js';
import { checkPaging } from './check-paging.js';
import { checkPermissions } from './check-permissions.js';
import { checkSchema } from './check-schema.js';
import { checkServers, type ServerSettings } from './check-servers.js';
import { checkWebhooks } from './check-webhooks.js';
import { type DescribedUser, describeUsers } from './described-users.js';

export interface CheckSubject extends ServerSettings {
  /**
   * The client of this check, so that nothing is taken from an earlier request.
   * @throws IonError for settings that cannot work
   */
  client(): IonClient;
  /** Texts besides the API key that no line may hold, such as the password of a proxy. */
  secrets: readonly string[];
  /** `undefined` for a config node that is not deployed. */
  deployed: IonConfigNode | undefined;
}

export interface CheckResult {
  checkedAt: string;
  /** URL of the API; empty if the settings cannot work. */
  endpoint: string;
  lines: CheckLine[];
}

/** Limit for the whole check. What is not finished by then is unknown. */
const MAX_CHECK_MS = 60_000;
const REQUESTS: readonly CheckName[] = [
  ...(['rules', 'permissions', 'schema', 'operations', 'parts'] as const),
  ...(['cursors', 'counts', 'pageSize', 'webhooks'] as const),
];

/**
 * @param limitMs time after which the rest is unknown
 * @throws IonError `ION_CLOSED` when the signal aborts
 */
export async function checkEverything(
  subject: CheckSubject,
  signal: AbortSignal,
  limitMs = MAX_CHECK_MS,
): Promise<CheckResult> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const users = describeUsers(subject.deployed?.users ?? []);
  const outbox = outboxLines(subject, users, limit);
  const { endpoint, lines } = await ionLines(subject, users, limit);
  lines.push(...(await outbox));
  const uncheckedCount = (subject.deployed?.users.size ?? 0) - users.length;
  if (uncheckedCount > 0) {
    lines.push(unknown('operations', 'operations.tooMany', { values: { count: uncheckedCount } }));
  }
  if (signal.aborted) throw closedError();
  lines.sort((one, other) => orderOf(one) - orderOf(other));
  const redactor = new Redactor();
  return {
    checkedAt: new Date().toISOString(),
    endpoint,
    lines: lines.map((line) =>
      masked(line, (text) => redactor.textWithoutSecrets(text, subject.secrets)),
    ),
  };
}

function orderOf({ check }: CheckLine): number {
  return CHECK_NAMES.indexOf(check);
}

function settingsFailed(thrown: unknown): CheckLine[] {
  const details = { values: reasonValues(toIonError(thrown)), advice: 'settings.correct' };
  const others = CHECK_NAMES.filter(
    (name) => !['settings', 'webhooks', 'outbox', 'disk'].includes(name),
  );
  return [failed('settings', 'settings.unusable', details), ...notChecked(others, 'settings')];
}

async function outboxLines(
  { deployed }: CheckSubject,
  users: readonly DescribedUser[],
  limit: AbortSignal,
): Promise<CheckLine[]> {
  return deployed ? attempt(['outbox'], limit, () => checkOutbox(deployed, users)) : [];
}

/** The lines about the settings and about ION. */
async function ionLines(
  subject: CheckSubject,
  users: readonly DescribedUser[],
  limit: AbortSignal,
): Promise<Pick<CheckResult, 'endpoint' | 'lines'>> {
  let client: IonClient;
  try {
    client = subject.client();
  } catch (thrown) {
    return { endpoint: '', lines: settingsFailed(thrown) };
  }
  try {
    const found = await remoteLines(client, subject, users, limit);
    const lines = found.map((line) => masked(line, (text) => client.withoutSecrets(text)));
    const usable = ok('settings', client.isDryRun ? 'settings.dryRun' : 'settings.usable');
    return { endpoint: client.endpoint, lines: [usable, ...lines] };
  } finally {
    await client.close();
  }
}

/** The lines that need requests. */
async function remoteLines(
  client: IonClient,
  { deployed, ...servers }: CheckSubject,
  users: readonly DescribedUser[],
  limit: AbortSignal,
): Promise<CheckLine[]> {
  const hasWebhooks = users.some(({ work }) => work?.webhook);
  const requests = REQUESTS.filter((name) => name !== 'webhooks' || hasWebhooks);
  const { lines, reachable } = await checkServers(client, servers, limit);
  if (!reachable.has('auth')) {
    return [...lines, ...notChecked(['token', 'scheme', 'user', ...requests], 'tls')];
  }
  const token = await checkToken(client, limit);
  if (token.state !== 'ok') {
    return [...lines, token, ...notChecked(['scheme', 'user', ...requests], 'token')];
  }
  if (!reachable.has('api')) {
    return [...lines, token, ...notChecked(['scheme', 'user', ...requests], 'tls')];
  }
  const owner = await checkOwner(client, limit);
  if (!owner.isAccepted) {
    return [...lines, token, ...owner.lines, ...notChecked(requests, 'scheme')];
  }
  const learned = learnedLacks(deployed, client.endpoint);
  const others = await Promise.all([
    attempt(['rules'], limit, () => checkRules(client, limit)),
    attempt(['permissions'], limit, () => checkPermissions(client, users, limit)),
    attempt(['schema', 'operations', 'parts'], limit, () =>
      checkSchema(client, users, learned, limit),
    ),
    attempt(['cursors', 'counts', 'pageSize'], limit, () => checkPaging(client, users, limit)),
    attempt(['webhooks'], limit, () => checkWebhooks(client, users, limit)),
  ]);
  return [...lines, token, ...owner.lines, ...others.flat()];
}

/** The parts that the deployed client had to leave out. A dialog may have another API by now. */
function learnedLacks(deployed: IonConfigNode | undefined, endpoint: string): IonClient['lacks'] {
  try {
    return deployed?.client.endpoint === endpoint ? deployed.client.lacks : [];
  } catch {
    // Its settings cannot work.
    return [];
  }
}

/** The lines of a check. If it fails, one line for each name says why. */
async function attempt(
  names: readonly CheckName[],
  limit: AbortSignal,
  work: () => Promise<CheckLine[]>,
): Promise<CheckLine[]> {
  try {
    return await abandonable(work(), limit, closedError);
  } catch (thrown) {
    return names.map((name) => incomplete(name, thrown));
  }
}

/** The last guard: texts come from ION, from servers in between, and from names of nodes. */
function masked(line: CheckLine, mask: (text: string) => string): CheckLine {
  const { values, nodes } = line;
  const entries = Object.entries(values ?? {}).map(([name, value]) => {
    return [name, typeof value === 'string' ? mask(value) : value] as const;
  });
  return {
    ...line,
    ...(values && { values: Object.fromEntries(entries) }),
    ...(nodes && { nodes: nodes.map(({ name, ...node }) => ({ ...node, name: mask(name) })) }),
  };
}
