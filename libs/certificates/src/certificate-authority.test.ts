import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority } from './certificate-authority.js';

const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2036-01-01T00:00:00Z') };

let authority: CertificateAuthority;

beforeAll(async () => {
  authority = await CertificateAuthority.create('house CA', validity);
});

/** As OpenSSL reads it, which is not what wrote it. */
function read(pem: string): X509Certificate {
  return new X509Certificate(pem);
}

describe('an authority', () => {
  test('signs itself, may sign others, and is valid as long as it was told', () => {
    const certificate = read(authority.certificatePem);
    expect(certificate.subject).toBe('CN=house CA');
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect([new Date(certificate.validFrom), new Date(certificate.validTo)]).toEqual([
      validity.notBefore,
      validity.notAfter,
    ]);
  });

  test('has a key of its own', async () => {
    const other = await CertificateAuthority.create('house CA', validity);
    const certificate = read(
      (await other.issue({ usage: 'server', commonName: 'a', validity })).certificatePem,
    );
    expect(certificate.verify(read(other.certificatePem).publicKey)).toBe(true);
    expect(certificate.verify(read(authority.certificatePem).publicKey)).toBe(false);
  });
});

describe('a certificate', () => {
  test('is signed by its authority, and is none', async () => {
    const { certificatePem, privateKeyPem } = await authority.issue({
      usage: 'server',
      commonName: 'nbd.example',
      alternativeNames: [
        { type: 'dns', value: 'nbd.example' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ],
      validity,
    });
    const certificate = read(certificatePem);
    const issuer = read(authority.certificatePem);
    expect(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toBe('CN=nbd.example');
    expect(certificate.checkHost('nbd.example')).toBe('nbd.example');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true);
  });

  test.each([
    ['server', '1.3.6.1.5.5.7.3.1'],
    ['client', '1.3.6.1.5.5.7.3.2'],
  ] as const)('of a %s is for that use only', async (usage, purpose) => {
    const { certificatePem } = await authority.issue({ usage, commonName: 'one', validity });
    expect(read(certificatePem).keyUsage).toEqual([purpose]);
  });

  test('has the name that it was asked for, whatever stands in it', async () => {
    const commonName = 'a, O=b + "c"\\, CN=d';
    const { certificatePem } = await authority.issue({ usage: 'client', commonName, validity });
    expect(read(certificatePem).toLegacyObject().subject).toEqual({ CN: commonName });
  });

  test('has a serial number of its own', async () => {
    const issued = await Promise.all(
      Array.from({ length: 8 }, () => authority.issue({ usage: 'client', commonName: 'one', validity })),
    );
    const numbers = issued.map(({ certificatePem }) => read(certificatePem).serialNumber);
    expect(new Set(numbers).size).toBe(8);
    for (const number of numbers) expect(number).toMatch(/^[4-7][0-9A-F]{31}$/);
  });
});

test('a revocation list names what was revoked', async () => {
  const { certificatePem } = await authority.issue({ usage: 'client', commonName: 'stolen', validity });
  const list = await authority.revocationList([certificatePem], validity);
  expect(list).toContain('BEGIN X509 CRL');
  const content = Buffer.from(list.replace(/-----.*-----|\s/g, ''), 'base64')
    .toString('hex')
    .toUpperCase();
  expect(content).toContain(read(certificatePem).serialNumber);
});
