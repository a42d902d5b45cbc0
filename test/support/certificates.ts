import { generate } from 'selfsigned';

export interface Certificate {
  key: string;
  cert: string;
}

/** A certificate that no CA has signed, for the names and addresses given. */
export async function selfSigned(host: { ip: string } | { name: string }): Promise<Certificate> {
  const altName =
    'ip' in host ? { type: 7 as const, ip: host.ip } : { type: 2 as const, value: host.name };
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'Test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [altName] },
    ],
  });
  return { key, cert };
}
