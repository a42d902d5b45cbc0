import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls, { type SecureContext, type SecureContextOptions } from 'node:tls';
import { IonError, quote, reasonOf } from '../errors.js';
import { codeOf } from './network-errors.js';

const BLOCKS = /(?=-----BEGIN )/;
const CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/** Explanations of OpenSSL's codes. */
const REASONS = new Map([
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'the private key does not belong to the certificate'],
  ['ERR_OSSL_PEM_NO_START_LINE', 'the certificate is not in PEM format'],
  ['ERR_OSSL_UNSUPPORTED', 'the private key cannot be read: it must be in PEM format'],
]);

/**
 * Key, certificate and CA of a TLS configuration, parsed once for all connections. The CA is
 * trusted in addition to those that Node.js trusts.
 * @throws IonError `ION_CONFIG` for a file that cannot be read or does not fit the others
 */
export function createSecureContext({ ca, ...own }: SecureContextOptions): SecureContext {
  const authorities = [ca ?? []].flat().flatMap(certificatesIn);
  try {
    const secureContext = tls.createSecureContext(own);
    // The option `ca` would replace the list of Node.js, which takes long to parse again.
    const added = authorities.length > 0 ? [...authorities, ...extraAuthorities()] : [];
    for (const each of added) secureContext.context.addCACert(each);
    return secureContext;
  } catch (thrown) {
    throw unusableTls(explain(thrown, own.key));
  }
}

/** @param reason completes the sentence "… cannot be used: …" */
export function unusableTls(reason: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The TLS configuration of the ION config node cannot be used: ${reason}. Correct it and deploy.`,
  );
}

function explain(thrown: unknown, key: SecureContextOptions['key']): string {
  const code = codeOf(thrown);
  const isKey = code === 'ERR_OSSL_BAD_DECRYPT' || code === 'ERR_OSSL_UNSUPPORTED';
  if (isKey && String(key).includes('ENCRYPTED')) {
    return 'the passphrase of the private key is wrong or missing';
  }
  return REASONS.get(code) ?? quote(reasonOf(thrown));
}

/**
 * The certificates of a PEM text, or the single one of a Buffer in DER format. OpenSSL ignores any
 * other text, and would then trust no certificate at all.
 */
function certificatesIn(given: string | Buffer): string[] {
  const blocks = String(given)
    .split(BLOCKS)
    .filter((block) => CERTIFICATE.test(block));
  try {
    return (blocks.length > 0 ? blocks : [given]).map((each) =>
      new X509Certificate(each).toString(),
    );
  } catch {
    throw unusableTls('the CA certificate is not a list of certificates in PEM format');
  }
}

let extraCas: string[] | undefined;

/** Before Node.js 22.15, `addCACert` drops the certificates of `NODE_EXTRA_CA_CERTS`. */
function extraAuthorities(): string[] {
  if (extraCas) return extraCas;
  extraCas = [];
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (file && !('getCACertificates' in tls)) {
    try {
      extraCas = certificatesIn(readFileSync(file));
    } catch {
      // Node.js has already printed a warning.
    }
  }
  return extraCas;
}
