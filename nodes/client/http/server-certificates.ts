import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type PeerCertificate, TLSSocket } from 'node:tls';

/** The certificate of a server that a connection was opened to. */
export interface ServerCertificate {
  /** Common name, or organization, of the CA. */
  issuer: string;
  /** End of its validity, in ms since 1970. */
  validUntil: number;
  /** Whether the certificate is trusted, even if the TLS configuration turns the verification off. */
  isTrusted: boolean;
}

/** A message of undici's channel, as far as it is used. */
interface Connected {
  connectParams: { host: string; protocol: string };
  socket: unknown;
}

/** undici reports each connection here, also one through the tunnel of a proxy. */
const CHANNEL = 'undici:client:connected';
const MAX_ISSUER = 200;

/** The certificates of the https servers to which connections are opened, by host and port. */
export class ServerCertificates {
  readonly #found = new Map<string, ServerCertificate>();

  constructor() {
    subscribe(CHANNEL, this.#connected);
  }

  of({ host }: URL): ServerCertificate | undefined {
    return this.#found.get(host);
  }

  /** Ends the collection. */
  close(): void {
    unsubscribe(CHANNEL, this.#connected);
  }

  readonly #connected = (message: unknown): void => {
    const { connectParams, socket } = message as Connected;
    if (!(socket instanceof TLSSocket)) return;
    const certificate = socket.getPeerCertificate();
    const validUntil = Date.parse(certificate.valid_to ?? '');
    if (Number.isNaN(validUntil)) return;
    const issuer = issuerOf(certificate).slice(0, MAX_ISSUER);
    this.#found.set(connectParams.host, { issuer, validUntil, isTrusted: socket.authorized });
  };
}

function issuerOf({ issuer }: PeerCertificate): string {
  const { CN, O } = issuer ?? {};
  return String(CN ?? O ?? '');
}
