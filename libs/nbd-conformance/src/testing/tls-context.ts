import { createSecureContext, type SecureContext } from 'node:tls';
import { CertificateAuthority } from '@holdfast/certificates';

/** Of a server whose certificate is valid for an hour; clients of tests do not verify it. */
export async function tlsContext(): Promise<SecureContext> {
  const now = Date.now();
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) };
  const authority = await CertificateAuthority.create('conformance tests', validity);
  const { certificatePem, privateKeyPem } = await authority.issue({
    usage: 'server',
    commonName: 'localhost',
    alternativeNames: [],
    validity,
  });
  return createSecureContext({ cert: certificatePem, key: privateKeyPem, minVersion: 'TLSv1.2' });
}
