import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls, { type SecureContext, type SecureContextOptions } from 'node:tls';
import { IonError, quote, reasonOf } from '../errors.js';
import { codeOf } from './network-errors.js';

const BLOCKS = /(?=-----BEGIN )/;
const CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/** What OpenSSL's codes mean to the one who chose the files. */
const REASONS = new Map([
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'the private key does not belong to the certificate'],
  ['ERR_OSSL_PEM_NO_START_LINE', 'the certificate is not a PEM text'],
  ['ERR_OSSL_UNSUPPORTED', 'the private key cannot be read: it must be a PEM text'],
]);

/**
 * Key, certificate and CA of a TLS configuration, parsed once for all connections. The CA is
 * trusted as well as all that Node.js trusts by itself, not instead of it.
 * @throws IonError `ION_CONFIG` for what cannot be read, or does not belong together
 */
export function createSecureContext({ ca, ...own }: SecureContextOptions): SecureContext {
  const authorities = [ca ?? []].flat().flatMap(certificatesIn);
  try {
    const secureContext = tls.createSecureContext(own);
    // The option `ca` would replace Node's own list, and to repeat that list is slow.
    const added = authorities.length > 0 ? [...authorities, ...forgotten()] : [];
    for (const each of added) secureContext.context.addCACert(each);
    return secureContext;
  } catch (thrown) {
    throw unusableTls(reasonFor(thrown, own.key));
  }
}

/** @param reason completes the sentence "… cannot be used: …" */
export function unusableTls(reason: string): IonError {
  return new IonError(
    'ION_CONFIG',
    `The TLS configuration that the ION config node uses cannot be used: ${reason}. Open it, correct it and deploy.`,
  );
}

function reasonFor(thrown: unknown, key: SecureContextOptions['key']): string {
  const code = codeOf(thrown);
  const isKey = code === 'ERR_OSSL_BAD_DECRYPT' || code === 'ERR_OSSL_UNSUPPORTED';
  if (isKey && String(key).includes('ENCRYPTED')) {
    return 'the passphrase does not fit the private key, or there is none';
  }
  return REASONS.get(code) ?? quote(reasonOf(thrown));
}

/**
 * As PEM; a Buffer may be a single one in DER. OpenSSL reads over everything that is no
 * certificate, and then trusts none.
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
    throw unusableTls('the CA certificate is not a PEM text of one or more certificates');
  }
}

let extra: string[] | undefined;

/** What older versions of Node.js (before 22.15) leave out of a list that is added to. */
function forgotten(): string[] {
  if (extra) return extra;
  extra = [];
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (file && !('getCACertificates' in tls)) {
    try {
      extra = certificatesIn(readFileSync(file));
    } catch {
      // Node.js has warned of it.
    }
  }
  return extra;
}
