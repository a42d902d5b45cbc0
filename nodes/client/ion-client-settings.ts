import type { ApiKey } from './auth/api-key.js';
import type { AuthScheme } from './auth/auth-schemes.js';
import type { EndpointSettings } from './auth/environments.js';
import type { Mode, NotSentListener } from './graphql/dry-run-api.js';
import type { MutationLog } from './graphql/mutation-log.js';
import type { TransportOptions } from './http/transport.js';

export interface IonClientSettings extends EndpointSettings {
  key: ApiKey;
  /**
   * `auto` finds out which scheme the API accepts, and begins with `raw`.
   * @default 'auto'
   */
  authScheme?: AuthScheme | 'auto' | undefined;
  /**
   * Limit for one HTTP exchange, in ms.
   * @default 30_000
   */
  timeoutMs?: number | undefined;
  /**
   * Maximum number of concurrent requests.
   * @default 10
   */
  concurrency?: number | undefined;
  /**
   * Maximum number of queued messages.
   * @default 1000
   */
  queueLimit?: number | undefined;
  /**
   * Maximum number of retries of a request, if it may safely be repeated.
   * @default 3
   */
  retries?: number | undefined;
  /**
   * `dryRun`: queries are sent, mutations are checked and answered with skeletons.
   * @default 'live'
   */
  mode?: Mode | undefined;
  /** Called with each mutation that a dry run did not send. */
  onNotSent?: NotSentListener | undefined;
  /** Gets each mutation before it is sent, and its outcome. */
  mutationLog?: MutationLog | undefined;
  /** TLS options for the API and the auth server. */
  tls?: TransportOptions['tls'];
  /** @default the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` */
  proxy?: TransportOptions['proxy'];
  /**
   * Limit for a response, in bytes, compressed or not.
   * @default 67_108_864
   */
  maxResponseBytes?: number | undefined;
}
