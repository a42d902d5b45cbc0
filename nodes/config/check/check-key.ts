// The API key: its token, the form in which ION accepts it, its owner, and ION's rules.
import type { IonClient } from '../../client/client.js';
import { type IonError, toIonError } from '../../client/errors.js';
import { ownOperation } from '../../client/graphql/own-operation.js';
import {
  type CheckLine,
  failed,
  incomplete,
  notChecked,
  ok,
  reasonValues,
  unknown,
} from './check-line.js';
import { shownOwner } from './shown-owner.js';
import { WHO_AM_I } from './who-am-i.js';

const RULES = ownOperation('{ me { organization { settings { rules { enabled } } } } }');

/** A server in between that has a trouble of its own. */
const PASSING: ReadonlySet<string> = new Set(['ION_SERVER', 'ION_RATE_LIMITED', 'ION_TIMEOUT']);

export async function checkToken(client: IonClient, signal: AbortSignal): Promise<CheckLine> {
  try {
    const { url = '', lifetimeMs = 0 } = (await client.tokenGrant(signal)) ?? {};
    const values = { url, seconds: Math.round(lifetimeMs / 1000), expected: client.tokenEndpoint };
    if (url !== client.tokenEndpoint) return ok('token', 'token.otherPath', { values });
    return ok('token', 'token.received', { values });
  } catch (thrown) {
    const error = toIonError(thrown);
    if (error.code === 'ION_CLOSED') return unknown('token', 'any.timeLimit');
    const advice = error.code === 'ION_AUTH' ? 'token.key' : 'token.server';
    return failed('token', 'token.failed', { values: reasonValues(error), advice });
  }
}

/** The form of the token that the API accepts, and the owner of the key. */
export async function checkOwner(
  client: IonClient,
  signal: AbortSignal,
): Promise<{ lines: CheckLine[]; isAccepted: boolean }> {
  try {
    const { data } = await client.request(WHO_AM_I, { signal });
    return { lines: [schemeLine(client), ownerLine(data.me)], isAccepted: true };
  } catch (thrown) {
    const error = toIonError(thrown);
    if (isAccepted(error)) {
      return { lines: [schemeLine(client), incomplete('user', error)], isAccepted: true };
    }
    return { lines: [refusalLine(error), ...notChecked(['user'], 'scheme')], isAccepted: false };
  }
}

function refusalLine(error: IonError): CheckLine {
  const values = reasonValues(error);
  if (error.code === 'ION_AUTH') {
    return failed('scheme', 'scheme.refused', { values, advice: 'scheme.refused' });
  }
  if (isOtherServer(error))
    return failed('scheme', 'scheme.noApi', { values, advice: 'scheme.url' });
  return incomplete('scheme', error);
}

/** Whether the response is none of ION's API, and another try would not help. */
function isOtherServer({ code, origin }: IonError): boolean {
  if (code === 'ION_RESPONSE') return true;
  return origin === 'gateway' && !PASSING.has(code);
}

/** GraphQL errors about the operation prove that the API accepted the token. */
function isAccepted({ origin, code }: IonError): boolean {
  return origin === 'operation' && code !== 'ION_AUTH';
}

function schemeLine({ authScheme }: IonClient): CheckLine {
  return ok('scheme', authScheme === 'bearer' ? 'scheme.bearer' : 'scheme.raw');
}

function ownerLine(me: unknown): CheckLine {
  const owner = shownOwner(me);
  if (!owner) return unknown('user', 'user.nobody', { advice: 'user.nobody' });
  return ok('user', 'user.is', { values: { ...owner } });
}

/** Whether ION's rules are on, which may refuse any write. */
export async function checkRules(client: IonClient, signal: AbortSignal): Promise<CheckLine[]> {
  const { data } = await client.request(RULES, { signal });
  const { me } = data as {
    me?: { organization?: { settings?: { rules?: { enabled?: unknown } } } } | null;
  };
  const enabled = me?.organization?.settings?.rules?.enabled;
  if (enabled === true) return [ok('rules', 'rules.on', { advice: 'rules.on' })];
  if (enabled === false) return [ok('rules', 'rules.off')];
  return [unknown('rules', 'rules.notShown', { advice: 'rules.look' })];
}
