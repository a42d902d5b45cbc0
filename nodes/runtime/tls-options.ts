import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Node, NodeAPI } from 'node-red';
import { IonError, quote, reasonOf } from '../client/errors.js';
import { codeOf } from '../client/network-errors.js';
import type { TlsOptions } from '../client/transport.js';
import { requireResolved } from './references.js';

interface TlsConfigNode extends Node {
  /** False where a file cannot be read, or a certificate has no key. */
  valid?: boolean;
  addTLSOptions(options: TlsOptions): TlsOptions;
}

const BLOCKS = /(?=-----BEGIN )/;
const CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/** What OpenSSL's codes mean to the one who chose the files. */
const REASONS = new Map([
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'the private key does not belong to the certificate'],
  ['ERR_OSSL_PEM_NO_START_LINE', 'the certificate is not a PEM text'],
  ['ERR_OSSL_UNSUPPORTED', 'the private key cannot be read: it must be a PEM text'],
]);

/**
 * What a `tls-config` node says about certificates.
 * @throws IonError `ION_CONFIG` where it cannot be used: without it, other certificates would be
 * trusted than the user chose
 */
export function tlsOptions(RED: NodeAPI, id: string): TlsOptions {
  const node = RED.nodes.getNode(id) as TlsConfigNode | null;
  if (typeof node?.addTLSOptions !== 'function') {
    throw new IonError(
      'ION_CONFIG',
      'The TLS configuration that the ION config node uses does not exist or is disabled. Select it again.',
    );
  }
  if (node.valid === false) {
    throw unusable(
      "a file of it cannot be read (Node-RED's log names it), or it has a certificate without a private key",
    );
  }
  const options = node.addTLSOptions({});
  requireResolved('The passphrase of the TLS configuration', options.passphrase);
  requireResolved('The server name of the TLS configuration', options.servername);
  for (const authority of [options.ca ?? []].flat()) checkAuthorities(String(authority));
  const { ca, ...own } = options;
  try {
    createSecureContext(own);
  } catch (thrown) {
    throw unusable(reasonFor(thrown, own.key));
  }
  return options;
}

function reasonFor(thrown: unknown, key: TlsOptions['key']): string {
  const code = codeOf(thrown);
  const isKey = code === 'ERR_OSSL_BAD_DECRYPT' || code === 'ERR_OSSL_UNSUPPORTED';
  if (isKey && String(key).includes('ENCRYPTED')) {
    return 'the passphrase does not fit the private key, or there is none';
  }
  return REASONS.get(code) ?? quote(reasonOf(thrown));
}

/** OpenSSL reads over everything that is no certificate, and then trusts none. */
function checkAuthorities(text: string): void {
  const certificates = text.split(BLOCKS).filter((block) => CERTIFICATE.test(block));
  if (certificates.length > 0 && certificates.every(isCertificate)) return;
  throw unusable('the CA certificate is not a PEM text of one or more certificates');
}

function isCertificate(text: string): boolean {
  try {
    new X509Certificate(text);
    return true;
  } catch {
    return false;
  }
}

function unusable(reason: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The TLS configuration that the ION config node uses cannot be used: ${reason}. Open it, correct it and deploy.`,
  );
}
