import { IonError } from '../errors.js';
import { hasControlCharacter, trimEnds } from '../support/trim-ends.js';

export interface ApiKey {
  clientId: string;
  clientSecret: string;
}

/** In characters. ION's own secrets are far shorter. */
const MAX_CLIENT_SECRET = 4096;

/**
 * The API key without the white space that a file or the clipboard added at its ends.
 * @throws IonError `ION_CONFIG`, which never quotes the key
 */
export function validApiKey(entered: ApiKey): ApiKey {
  const clientId = trimEnds(entered.clientId);
  const clientSecret = trimEnds(entered.clientSecret);
  if (!clientId || !clientSecret) {
    throw new IonError(
      'ION_CONFIG',
      `The ION config node has no ${clientId ? 'client secret' : 'client ID'}. Create an API key in ION (Settings, API keys) and enter both parts.`,
      { reason: { key: clientId ? 'noClientSecret' : 'noClientId' } },
    );
  }
  if (clientSecret.length > MAX_CLIENT_SECRET) {
    throw new IonError(
      'ION_CONFIG',
      `The client secret in the ION config node is longer than ${MAX_CLIENT_SECRET} characters, so it is not from ION. Enter the client secret of the API key.`,
    );
  }
  checkCharacters('client ID', clientId);
  checkCharacters('client secret', clientSecret);
  return { clientId, clientSecret };
}

function checkCharacters(label: string, text: string): void {
  if (!hasControlCharacter(text)) return;
  throw new IonError(
    'ION_CONFIG',
    `The ${label} in the ION config node contains a line break, a tab or another control character. Enter it again as ION shows it.`,
  );
}
