import './no-proxy.js';
import { IonClient } from '../../nodes/client/client.js';
import type { IonClientSettings } from '../../nodes/client/ion-client-settings.js';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.js';

export interface SandboxInTests {
  readonly sandbox: Sandbox;
  /** A client of the sandbox, which is closed after the test. */
  client(overrides?: Partial<IonClientSettings>): IonClient;
}

/**
 * Starts one sandbox for the tests of a `describe` and closes it after them. Each test begins
 * without faults, with counters at zero and the sandbox's initial settings.
 */
export function useSandbox(options: SandboxOptions = {}): SandboxInTests {
  let running: Sandbox | undefined;
  let settings: Sandbox['control']['settings'] | undefined;
  const clients = new Set<IonClient>();

  const sandbox = (): Sandbox => {
    if (!running) throw new Error('The sandbox runs only while tests do.');
    return running;
  };

  before(async () => {
    running = await startSandbox({ port: 0, runs: 60, ...options });
    settings = { ...running.control.settings };
  });

  beforeEach(() => {
    const { control } = sandbox();
    control.clearFaults();
    control.set({ ...settings });
    control.resetCounters();
  });

  afterEach(async () => {
    await Promise.all([...clients].map((client) => client.close()));
    clients.clear();
  });

  after(async () => {
    await running?.close();
    running = undefined;
  });

  return {
    get sandbox() {
      return sandbox();
    },
    client(overrides = {}) {
      const client = new IonClient(clientSettings(sandbox(), overrides));
      clients.add(client);
      return client;
    },
  };
}

/** Settings that a client needs to reach the sandbox with its API key. */
export function clientSettings(
  sandbox: Sandbox,
  overrides: Partial<IonClientSettings> = {},
): IonClientSettings {
  return {
    environment: 'custom',
    apiUrl: sandbox.url,
    authUrl: sandbox.authUrl,
    key: { clientId: sandbox.clientId, clientSecret: sandbox.clientSecret },
    ...overrides,
  };
}
