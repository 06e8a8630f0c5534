import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import type { TlsMode } from '@holdfast/nbd-protocol';
import { setting, type SettingsOf } from '@holdfast/service';
import { z } from 'zod';

const absolutePathOrNone = z
  .string()
  .refine(
    (text) => text === '' || (path.isAbsolute(text) && !text.includes('\0')),
    'must be an absolute path, or empty',
  );

export const tlsSettings = {
  tls: setting(
    'HOLDFAST_TLS',
    z.enum(['off', 'required', 'per-export']),
    'off',
    '`required`: every client has to begin TLS. `per-export`: those of exports with `tls_required` have to, others may. `off`: no TLS.',
  ),
  tlsCertificates: setting(
    'HOLDFAST_TLS_CERTIFICATES',
    absolutePathOrNone,
    '',
    'Folder with `server-cert.pem`, `server-key.pem`, `ca-cert.pem` and, if there is one, `ca-crl.pem`; empty: no certificates.',
  ),
  tlsClientCertificates: setting(
    'HOLDFAST_TLS_CLIENT_CERTIFICATES',
    z.enum(['off', 'optional', 'required']),
    'required',
    'Whether clients show a certificate that `ca-cert.pem` has signed. One that does not verify is always refused.',
  ),
  tlsPsk: setting(
    'HOLDFAST_TLS_PSK',
    absolutePathOrNone,
    '',
    'File of pre-shared keys, `user:hexkey` lines as `psktool` writes them; empty: none.',
  ),
  tlsMinimumVersion: setting(
    'HOLDFAST_TLS_MINIMUM_VERSION',
    z.enum(['1.2', '1.3']),
    '1.2',
    'Oldest version of TLS that clients may use.',
  ),
} as const;

export type TlsSettings = SettingsOf<typeof tlsSettings>;

/** How clients prove who they are by a certificate. */
export type ClientCertificates = TlsSettings['tlsClientCertificates'];

/** TLS that is switched on, with at least one way to prove who the server is. Paths are absolute. */
export interface TlsConfiguration {
  readonly mode: Exclude<TlsMode, 'off'>;
  readonly certificates: { readonly folder: string; readonly ofClients: ClientCertificates } | undefined;
  readonly pskFile: string | undefined;
  readonly minimumVersion: '1.2' | '1.3';
}

/**
 * The settings taken together.
 *
 * @returns undefined when TLS is off
 * @throws HoldfastError INVALID_SETTING when they contradict each other
 */
export function tlsConfiguration(settings: TlsSettings): TlsConfiguration | undefined {
  const { tls, tlsCertificates, tlsClientCertificates, tlsPsk, tlsMinimumVersion } = settings;
  const given = tlsCertificates === '' ? 'tlsPsk' : 'tlsCertificates';
  if (tls === 'off') {
    if (settings[given] === '') return undefined;
    // Whoever gave keys did not mean to serve in plain text.
    const { variable } = tlsSettings[given];
    throw contradiction(
      'HOLDFAST_TLS',
      `HOLDFAST_TLS is off, though ${variable} is given: set it to required or per-export, or leave ${variable} out`,
    );
  }
  if (settings[given] === '') {
    throw contradiction(
      'HOLDFAST_TLS',
      `HOLDFAST_TLS="${tls}" needs HOLDFAST_TLS_CERTIFICATES, HOLDFAST_TLS_PSK or both`,
    );
  }
  return {
    mode: tls,
    certificates:
      tlsCertificates === '' ? undefined : { folder: tlsCertificates, ofClients: tlsClientCertificates },
    pskFile: tlsPsk === '' ? undefined : tlsPsk,
    minimumVersion: tlsMinimumVersion,
  };
}

function contradiction(variable: string, message: string): HoldfastError {
  return new HoldfastError('INVALID_SETTING', message, { setting: variable });
}
