import { addScanCases } from './data/scan-cases.js';
import type { Store } from './data/store.js';
import type { Control } from './faults/control.js';
import type { Fault } from './faults/fault.js';
import type { Settings } from './faults/settings.js';
import { type Exchange, json, type SandboxResponse } from './http/exchange.js';
import type { Webhooks } from './webhooks/webhooks.js';

/** The control route, by which tests and people steer the sandbox over HTTP. */
export function controlRoute(
  { control, webhooks, store }: { control: Control; webhooks: Webhooks; store: Store },
  exchange: Exchange,
): SandboxResponse {
  const { method, path, body } = exchange;
  try {
    switch (`${method} ${path}`) {
      case 'POST /_sandbox/faults':
        control.fault(...[parse<Fault | Fault[]>(body)].flat());
        return json(204, undefined);
      case 'DELETE /_sandbox/faults':
        control.clearFaults();
        return json(204, undefined);
      case 'GET /_sandbox/counters':
        return json(200, control.counters());
      case 'POST /_sandbox/reset':
        control.resetCounters();
        return json(204, undefined);
      case 'PATCH /_sandbox/settings':
        control.set(parse<Partial<Settings>>(body));
        return json(200, control.settings);
      case 'POST /_sandbox/tokens/revoke':
        control.revokeTokens();
        return json(204, undefined);
      case 'POST /_sandbox/webhooks/redeliver':
        webhooks.redeliver(parse<{ eventId: number }>(body).eventId);
        return json(204, undefined);
      case 'POST /_sandbox/scan-cases':
        return json(200, addScanCases(store));
      default:
        return json(404, { error: `There is no ${method} ${path}` });
    }
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function parse<T>(body: Buffer): T {
  return JSON.parse(body.toString()) as T;
}
