import { randomUUID } from 'node:crypto';
import { generate } from 'selfsigned';

export interface Certificate {
  key: string;
  cert: string;
}

export interface CertificateOptions {
  from?: Date;
  until?: Date;
  /** Signs the certificate; self-signed by default. */
  ca?: Certificate;
}

/** A certificate without a CA, for the given names and addresses. */
export function selfSigned(host: { ip: string } | { name: string }): Promise<Certificate> {
  return certificate(host);
}

/** A certificate for a name or an address: valid from now on for a year, and self-signed. */
export async function certificate(
  host: { ip: string } | { name: string },
  { from, until, ca }: CertificateOptions = {},
): Promise<Certificate> {
  const altName =
    'ip' in host ? { type: 7 as const, ip: host.ip } : { type: 2 as const, value: host.name };
  // OpenSSL looks up issuers by name, so that each CA needs a different one.
  const subject = [{ name: 'commonName', value: `Test ${randomUUID()}` }];
  const { private: key, cert } = await generate(subject, {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: ca === undefined },
      { name: 'subjectAltName', altNames: [altName] },
    ],
    ...(from && { notBeforeDate: from }),
    ...(until && { notAfterDate: until }),
    ...(ca && { ca }),
  });
  return { key, cert };
}
