import { IonError } from '../errors.js';
import { TOKEN_PATH } from './environments.js';
import { type GrantedToken, requestToken, type TokenRequestOptions } from './token-request.js';

/** Beginning of the token path on auth servers from before 2024. */
const OLDER_PREFIX = '/auth';

/**
 * The token endpoint of an auth server. If it does not exist at the expected path, it may be at the
 * other one of the two paths that ION's auth servers use.
 */
export class TokenEndpoint {
  readonly #options: TokenRequestOptions;
  #url: URL;

  constructor(options: TokenRequestOptions) {
    this.#options = options;
    this.#url = options.tokenUrl;
  }

  /**
   * Requests an access token, and keeps the path that worked.
   * @throws IonError
   */
  async request(signal: AbortSignal): Promise<GrantedToken> {
    const url = this.#url;
    const other = otherTokenUrl(url);
    let missing: IonError;
    try {
      return await requestToken({ ...this.#options, tokenUrl: url }, signal);
    } catch (thrown) {
      if (!other || !isMissing(thrown)) throw thrown;
      missing = thrown;
    }
    try {
      const options = { ...this.#options, tokenUrl: other, missingAt: url };
      const token = await requestToken(options, signal);
      this.#url = other;
      return token;
    } catch (thrown) {
      // A gateway that blocks the other path says nothing about the endpoint.
      throw thrown instanceof IonError && thrown.code === 'ION_RESPONSE' ? missing : thrown;
    }
  }
}

function isMissing(thrown: unknown): thrown is IonError {
  return thrown instanceof IonError && thrown.code === 'ION_NOT_FOUND';
}

/** `undefined` for a token URL that the user entered in a form of another server. */
function otherTokenUrl(url: URL): URL | undefined {
  const path = url.pathname;
  if (!path.endsWith(TOKEN_PATH)) return undefined;
  const base = path.slice(0, -TOKEN_PATH.length);
  const other = new URL(url);
  other.pathname = base.endsWith(OLDER_PREFIX)
    ? base.slice(0, -OLDER_PREFIX.length) + TOKEN_PATH
    : base + OLDER_PREFIX + TOKEN_PATH;
  return other;
}
