import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { HoldfastError, messageOf } from '@holdfast/foundation';
import { cipherSuites } from './cipher-suites.js';
import { readPskFile, type PskKeys } from './psk-file.js';
import { CredentialProblem, readCredentialFile, readSecretFile } from './credential-file.js';
import { tlsSettings, type ClientCertificates, type TlsConfiguration } from './tls-settings.js';

/** What the server proves itself with, and by what it knows its clients. */
export interface Credentials {
  readonly context: SecureContextOptions;
  /** Certificates asked of clients. */
  readonly ofClients: ClientCertificates;
  /** Undefined when there are no pre-shared keys. */
  readonly pskKeys: PskKeys | undefined;
  /** When the server's certificate ends; undefined without one. */
  readonly validUntil: Date | undefined;
}

/** Names in a folder of certificates: those of QEMU (`tls-creds-x509`), libvirt and nbdkit. */
const AUTHORITY = 'ca-cert.pem';
const REVOCATIONS = 'ca-crl.pem';
const CERTIFICATE = 'server-cert.pem';
const KEY = 'server-key.pem';

interface FolderContent {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly crl?: Buffer;
}

/** The files that {@link readCredentials} reads, or would if they were there. */
export function credentialFiles({ certificates, pskFile }: TlsConfiguration): string[] {
  const inFolder =
    certificates === undefined
      ? []
      : [AUTHORITY, REVOCATIONS, CERTIFICATE, KEY].map((name) => path.join(certificates.folder, name));
  return pskFile === undefined ? inFolder : [...inFolder, pskFile];
}

/** @throws HoldfastError INVALID_SETTING that names the setting and the file */
export function readCredentials({ certificates, pskFile, minimumVersion }: TlsConfiguration): Credentials {
  const ofClients = certificates?.ofClients ?? 'off';
  const folder =
    certificates && asked(tlsSettings.tlsCertificates, () => readFolder(certificates.folder, ofClients));
  const pskKeys = pskFile === undefined ? undefined : asked(tlsSettings.tlsPsk, () => readPskFile(pskFile));
  const context: SecureContextOptions = {
    // None rather than those that the public trusts.
    ca: [],
    ...folder?.content,
    minVersion: `TLSv${minimumVersion}`,
    maxVersion: 'TLSv1.3',
    ciphers: cipherSuites({ psk: pskKeys !== undefined, certificates: folder !== undefined }),
    honorCipherOrder: true,
    ...(pskKeys !== undefined && { dhparam: 'auto' }),
    // A session is never resumed: whom a reread file shuts out stays out. Nor are its keys agreed on anew.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
  return { context, ofClients, pskKeys, validUntil: folder?.validUntil };
}

function asked<T>({ variable }: { readonly variable: string }, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new HoldfastError(
      'INVALID_SETTING',
      `${variable}: ${messageOf(error)}`,
      { setting: variable },
      error,
    );
  }
}

function readFolder(
  folder: string,
  ofClients: ClientCertificates,
): { content: FolderContent; validUntil: Date } {
  const cert = readCredentialFile(path.join(folder, CERTIFICATE));
  const key = readSecretFile(path.join(folder, KEY));
  const certificate = parse(folder, CERTIFICATE, 'PEM certificate', () => new X509Certificate(cert));
  const privateKey = parse(folder, KEY, 'PEM private key without a passphrase', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CredentialProblem(`${KEY} in ${folder} is not the key of ${CERTIFICATE} there`);
  }
  const ofAuthority = ofClients === 'off' ? {} : readAuthority(folder);
  return { content: { cert, key, ...ofAuthority }, validUntil: new Date(certificate.validTo) };
}

/** By what clients are told apart. */
function readAuthority(folder: string): Pick<FolderContent, 'ca' | 'crl'> {
  const ca = readCredentialFile(path.join(folder, AUTHORITY));
  parse(folder, AUTHORITY, 'PEM certificate', () => new X509Certificate(ca));
  const crl = readIfThere(path.join(folder, REVOCATIONS));
  if (crl === undefined) return { ca };
  parse(folder, REVOCATIONS, 'PEM revocation list', () => createSecureContext({ ca, crl }));
  return { ca, crl };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readCredentialFile(file);
  } catch (error) {
    if (error instanceof CredentialProblem && error.absent) return undefined;
    throw error;
  }
}

function parse<T>(folder: string, name: string, what: string, by: () => T): T {
  try {
    return by();
  } catch (error) {
    throw new CredentialProblem(`${name} in ${folder} is no ${what}: ${messageOf(error)}`);
  }
}
