import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls, { type SecureContext, type SecureContextOptions } from 'node:tls';
import { IonError } from './errors.js';
import { codeOf } from './network-errors.js';

/** The armour of a certificate in PEM, whatever stands around it. */
const PEM =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Key, certificate and CA of a TLS configuration, parsed once for all connections. The CA is
 * trusted as well as all that Node.js trusts by itself, not instead of it.
 * @throws IonError `ION_CONFIG` for what cannot be read
 */
export function createSecureContext({ ca, ...others }: SecureContextOptions): SecureContext {
  let secureContext: SecureContext;
  try {
    secureContext = tls.createSecureContext(others);
  } catch (cause) {
    throw new IonError(
      'ION_CONFIG',
      `The TLS configuration of the ION config node cannot be used (${codeOf(cause)}). Check that its certificate, private key and passphrase belong together.`,
      { cause },
    );
  }
  const own = [ca ?? []].flat().flatMap(certificatesIn);
  if (own.length === 0) {
    if (ca === undefined || ca.length === 0) return secureContext;
    throw new IonError(
      'ION_CONFIG',
      'The CA certificate in the TLS configuration of the ION config node cannot be read. It must be the text of one or more certificates, each from BEGIN CERTIFICATE to END CERTIFICATE.',
    );
  }
  // The option `ca` would replace Node's own list, and to repeat that list is slow.
  for (const each of [...own, ...forgotten()]) secureContext.context.addCACert(each);
  return secureContext;
}

/** Those that can be read, as PEM; a Buffer may be a single one in DER. */
function certificatesIn(given: string | Buffer): string[] {
  const blocks = given.toString('latin1').match(PEM);
  return (blocks ?? [given]).flatMap((block) => {
    try {
      return [new X509Certificate(block).toString()];
    } catch {
      return [];
    }
  });
}

let extra: string[] | undefined;

/** What older versions of Node.js (before 22.15) leave out of a list that is added to. */
function forgotten(): string[] {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (extra) return extra;
  extra = [];
  if (file && !('getCACertificates' in tls)) {
    try {
      extra = certificatesIn(readFileSync(file));
    } catch {
      // Node.js has warned of it.
    }
  }
  return extra;
}
