import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { commonNameOnly, type Issued, type LeafRequest, type Validity } from './certificate.js';
import { generateKeyPair, KEY_ALGORITHM, privateKeyPem } from './key-pair.js';
import { formatPem } from './pem.js';

/** Random, so that no two certificates share one, whoever made the authority (RFC 5280, section 4.1.2.2: ≤ 20 bytes). */
const SERIAL_BYTES = 16;

/** Its certificates are signed by it directly: there are no authorities below it. */
const INTERMEDIATES_MAX = 0;

/** A private certificate authority: made once, and trusted by whom its certificate is given to. */
export class CertificateAuthority implements Issued {
  private constructor(
    private readonly certificate: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
    readonly privateKeyPem: string,
  ) {}

  /** @param commonName CN of its subject, 1–64 characters */
  static async create(commonName: string, validity: Validity): Promise<CertificateAuthority> {
    const keys = await generateKeyPair();
    const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity,
      serialNumber: serialNumber(),
      name: commonNameOnly(commonName),
      signingAlgorithm: KEY_ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, INTERMEDIATES_MAX, true),
        new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(certificate, keys, await privateKeyPem(keys));
  }

  get certificatePem(): string {
    return pemOf(this.certificate);
  }

  async issue({ usage, commonName, alternativeNames = [], validity }: LeafRequest): Promise<Issued> {
    const keys = await generateKeyPair();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: serialNumber(),
      subject: commonNameOnly(commonName),
      issuer: this.certificate.subjectName,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: KEY_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
        ]),
        ...(alternativeNames.length > 0
          ? [new x509.SubjectAlternativeNameExtension([...alternativeNames])]
          : []),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.certificate),
      ],
    });
    return { certificatePem: pemOf(certificate), privateKeyPem: await privateKeyPem(keys) };
  }

  /**
   * The list of certificates that are no longer valid though they have not expired (RFC 5280, section 5), PEM.
   *
   * @param revoked certificates of this authority, PEM
   */
  async revocationList(revoked: readonly string[], { notBefore, notAfter }: Validity): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.certificate.subjectName,
      thisUpdate: notBefore,
      nextUpdate: notAfter,
      entries: revoked.map((pem) => ({
        serialNumber: new x509.X509Certificate(pem).serialNumber,
        revocationDate: notBefore,
      })),
      signingAlgorithm: KEY_ALGORITHM,
      signingKey: this.keys.privateKey,
    });
    return formatPem('X509 CRL', list.rawData);
  }
}

function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  // Positive, and as long as it looks: neither a sign nor leading zeroes.
  bytes.writeUInt8((bytes.readUInt8() & 0x3f) | 0x40);
  return bytes.toString('hex');
}

function pemOf({ rawData }: x509.X509Certificate): string {
  return formatPem('CERTIFICATE', rawData);
}
