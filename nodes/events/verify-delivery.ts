import { jsonShape, MAX_JSON_DEPTH, parseExactly } from '../client/support/json.js';
import { readWebhookEvent, type WebhookEvent } from '../client/webhooks/event.js';
import { isSignedWith, looksLikeSignature } from '../client/webhooks/signature.js';

/** Parsing the worst body with so many values takes some 10 ms. */
const MAX_BODY_VALUES = 20_000;

export interface SignatureRules {
  /** Whether a delivery needs a signature. */
  isRequired: boolean;
  /** Empty if the node has none: then no signature is valid. */
  secret: string;
  /** In lower case. */
  header: string;
}

/** The headers of a request by their names in lower case, each with all of its values. */
export type DeliveryHeaders = Readonly<Record<string, string[] | undefined>>;

/** A delivery that can be used, or the HTTP status that rejects it. */
export type VerifiedDelivery = { event: WebhookEvent; payload: unknown } | { rejection: 400 | 401 };

/** Whether the headers allow a valid signature; otherwise the body need not be read. */
export function mayBeSigned(rules: SignatureRules, headers: DeliveryHeaders): boolean {
  if (!rules.isRequired) return true;
  return rules.secret !== '' && looksLikeSignature(signaturesIn(rules, headers));
}

export function verifyDelivery(
  rules: SignatureRules,
  headers: DeliveryHeaders,
  body: Uint8Array,
): VerifiedDelivery {
  const signatures = signaturesIn(rules, headers);
  if (rules.isRequired && !isSignedWith(rules.secret, body, signatures)) return { rejection: 401 };
  const payload = parseBody(body);
  return payload === undefined ? { rejection: 400 } : { event: readWebhookEvent(payload), payload };
}

function signaturesIn({ header }: SignatureRules, headers: DeliveryHeaders): string[] | undefined {
  // A header may have the name of a property that all objects have.
  return Object.hasOwn(headers, header) ? headers[header] : undefined;
}

/** @returns `undefined` if the body is not JSON, or holds more than a flow should get */
function parseBody(body: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const { depth, values } = jsonShape(text);
    if (depth > MAX_JSON_DEPTH || values > MAX_BODY_VALUES) return undefined;
    return parseExactly(text);
  } catch {
    return undefined;
  }
}
