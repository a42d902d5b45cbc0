import { quote } from '../errors.js';

/** The servers that requests are sent to. */
export type Peer = 'api' | 'auth' | 'storage';

// Codes of OpenSSL and Node.js for a certificate that is not accepted.

const OUT_OF_DATE = /^CERT_(?:NOT_YET_VALID|HAS_EXPIRED)$/;
const OTHER_HOST = /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/;
const NOT_TRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER|VERIFY)\w*|CERT_(?:SIGNATURE_FAILURE|UNTRUSTED|REJECTED))$/;
const UNUSABLE =
  /^(?:CERT_|CRL_|ERR_TLS_CERT|ERROR_IN_C|UNABLE_TO_(?:GET|DE)|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|UNSPECIFIED$)/;

const HOST_ADVICE: Record<Peer | 'proxy', string> = {
  api: 'Check the URL in the ION config node, and the server name in its TLS configuration.',
  auth: 'Check the URL in the ION config node, and whether a proxy or firewall responds in its place.',
  proxy: 'Check the URL of the proxy.',
  storage: 'ION names this host. A proxy or firewall may respond in its place.',
};

/**
 * A message about a server certificate that is not accepted, with the next step.
 * @returns `undefined` for the code of another failure
 */
export function certificateProblem(
  code: string,
  text: string,
  host: string,
  peer: Peer | 'proxy',
): string | undefined {
  if (OUT_OF_DATE.test(code)) {
    const state = code.endsWith('EXPIRED') ? 'has expired' : 'is not valid yet';
    const now = new Date().toISOString().slice(0, 19);
    return `The certificate of ${host}, or of its CA, ${state} (${code}) according to the clock of this machine (${now}Z). Set the clock if it is wrong; otherwise ${host} needs a new certificate.`;
  }
  if (OTHER_HOST.test(code)) {
    return `The certificate of ${host} is for another host (${code}: ${quote(text)}). ${HOST_ADVICE[peer]}`;
  }
  if (NOT_TRUSTED.test(code)) {
    const advice =
      peer === 'storage'
        ? 'This host stores the files of ION, and the TLS configuration does not apply to it: set NODE_EXTRA_CA_CERTS to the CA certificate.'
        : 'Select a TLS configuration with the right CA certificate in the ION config node.';
    const missing = code.startsWith('UNABLE_TO_')
      ? ' The server may also have omitted an intermediate certificate.'
      : '';
    return `The certificate of ${host} is not trusted (${code}). ${advice}${missing}`;
  }
  if (UNUSABLE.test(code)) {
    return `The certificate of ${host} cannot be used (${code}: ${quote(text)}). Replace it on ${host}, or on the firewall that responds in its place.`;
  }
  return undefined;
}
