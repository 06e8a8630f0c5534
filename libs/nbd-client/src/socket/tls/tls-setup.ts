import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { TlsParameters } from '../../uri/tls-parameters.js';
import { readCredentialFile, requireCredentialFile, tlsFailure } from './credential-file.js';
import { readPreSharedKey } from './psk-file.js';

/** What TLS is done with, once files have been read. */
export interface TlsSetup {
  readonly options: ConnectionOptions;
  /** The server proves itself by the key: one that shows a certificate instead has not. */
  readonly isPreShared: boolean;
}

/** "NBD implementations supporting TLS MUST support TLS version 1.2"; older ones are not for use any more. */
const MIN_VERSION = 'TLSv1.2';

/** By the pre-shared key only, with forward secrecy where the server has it. Those of TLS 1.3 take any kind of proof. */
const PRE_SHARED_CIPHERS = 'TLS_AES_128_GCM_SHA256:kECDHEPSK:kDHEPSK:kPSK:!eNULL';

/**
 * Reads the files that a URI names.
 *
 * @param host the host of the URI, undefined with a Unix socket
 * @throws HoldfastError NBD_TLS_FAILED that names the file
 */
export async function loadTlsSetup(
  { credentials, hostname }: TlsParameters,
  host: string | undefined,
): Promise<TlsSetup> {
  if (credentials.kind === 'psk') {
    const { identity, key } = await readPreSharedKey(
      credentials.file,
      credentials.username ?? userInfo().username,
    );
    const options: ConnectionOptions = {
      minVersion: MIN_VERSION,
      ciphers: PRE_SHARED_CIPHERS,
      pskCallback: () => ({ identity, psk: key }),
      // There is no certificate, and so no name in one.
      checkServerIdentity: () => undefined,
    };
    return { options, isPreShared: true };
  }
  const name = hostname ?? host;
  const files = credentials.folder === undefined ? {} : await readFolder(credentials.folder);
  const common: ConnectionOptions = { ...files, minVersion: MIN_VERSION, ...serverName(name) };
  if (!credentials.verifyPeer)
    return { options: { ...common, rejectUnauthorized: false }, isPreShared: false };
  if (name === undefined) {
    throw tlsFailure(
      'a Unix socket has no host whose name the certificate could have: give tls-hostname=NAME (or tls-verify-peer=0)',
    );
  }
  return {
    options: {
      ...common,
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    },
    isPreShared: false,
  };
}

/** The name that the server may choose its certificate by; an address is none (RFC 6066, section 3). */
function serverName(name: string | undefined): ConnectionOptions {
  return name === undefined || isIP(name) !== 0 ? {} : { servername: name };
}

/** The files of `gnutls-certtool` folders that QEMU, nbdkit and libnbd use. */
async function readFolder(folder: string): Promise<ConnectionOptions> {
  const file = (name: string) => path.join(folder, name);
  const ca = await requireCredentialFile(file('ca-cert.pem'));
  const cert = await readCredentialFile(file('client-cert.pem'));
  const key = await readCredentialFile(file('client-key.pem'));
  if (cert === undefined && key === undefined) return { ca };
  if (cert === undefined) throw tlsFailure(`there is ${file('client-key.pem')}, but no client-cert.pem`);
  if (key === undefined) throw tlsFailure(`there is ${file('client-cert.pem')}, but no client-key.pem`);
  return { ca, cert, key };
}
