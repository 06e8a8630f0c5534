import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  CertificateAuthority,
  type AlternativeName,
  type Issued,
  type Validity,
} from '@holdfast/certificates';
import { place } from './credential-places.js';
import type { TlsNames } from './tls-names.js';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** The authority outlives what it signs, so that certificates can be renewed without giving clients another one. */
const AUTHORITY_YEARS = 10;
const CERTIFICATE_YEARS = 3;

/** Clocks of other machines may be behind. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;

/** As `psktool` makes them: 256 bits. */
const PSK_BYTES = 32;

/** Longest common name (RFC 5280, ub-common-name); clients go by the alternative names. */
const COMMON_NAME_LENGTH_MAX = 64;

/** Contents by path within a folder. */
export type CredentialFiles = ReadonlyMap<string, string>;

/**
 * Makes a private authority, certificates of a server and its clients, and a pre-shared key. Every folder for others
 * has what its owner needs and nothing else; the authority's own key is in a folder by itself.
 */
export async function makeCredentials(names: TlsNames, now: Date): Promise<CredentialFiles> {
  const { hosts, clients, pskUser } = names;
  const validity = validFrom(now, CERTIFICATE_YEARS);
  const authority = await CertificateAuthority.create('holdfast CA', validFrom(now, AUTHORITY_YEARS));
  const server = await authority.issue({
    usage: 'server',
    commonName: hosts.find((host) => host.length <= COMMON_NAME_LENGTH_MAX) ?? 'holdfast',
    alternativeNames: hosts.map(alternativeName),
    validity,
  });
  const files = new Map([
    [`${place.authority}/ca-cert.pem`, authority.certificatePem],
    [`${place.authority}/ca-key.pem`, authority.privateKeyPem],
    ...partyFiles(place.server, 'server', authority, server),
    [place.pskFile, `${pskUser}:${randomBytes(PSK_BYTES).toString('hex')}\n`],
  ]);
  for (const name of clients) {
    const client = await authority.issue({ usage: 'client', commonName: name, validity });
    for (const [file, content] of partyFiles(place.client(name), 'client', authority, client)) {
      files.set(file, content);
    }
  }
  return files;
}

function partyFiles(
  folder: string,
  role: 'server' | 'client',
  authority: CertificateAuthority,
  issued: Issued,
): [string, string][] {
  return [
    [`${folder}/ca-cert.pem`, authority.certificatePem],
    [`${folder}/${role}-cert.pem`, issued.certificatePem],
    [`${folder}/${role}-key.pem`, issued.privateKeyPem],
  ];
}

function alternativeName(host: string): AlternativeName {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

function validFrom(now: Date, years: number): Validity {
  const notBefore = new Date(now.getTime() - CLOCK_SKEW_MS);
  return { notBefore, notAfter: new Date(notBefore.getTime() + years * YEAR_MS) };
}
