import { randomUUID } from 'node:crypto';
import { generate } from 'selfsigned';

export interface Certificate {
  key: string;
  cert: string;
}

export interface CertificateOptions {
  from?: Date;
  until?: Date;
  /** Signs it instead of itself. */
  ca?: Certificate;
}

/** A certificate that no CA has signed, for the names and addresses given. */
export function selfSigned(host: { ip: string } | { name: string }): Promise<Certificate> {
  return certificate(host);
}

/** A certificate for a name or an address: valid from now on for a year, and signed by itself. */
export async function certificate(
  host: { ip: string } | { name: string },
  { from, until, ca }: CertificateOptions = {},
): Promise<Certificate> {
  const altName =
    'ip' in host ? { type: 7 as const, ip: host.ip } : { type: 2 as const, value: host.name };
  // OpenSSL looks for issuers by their names, so that each CA needs one of its own.
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
