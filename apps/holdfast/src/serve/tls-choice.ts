import path from 'node:path';
import { HoldfastError } from '@holdfast/foundation';
import type { TlsOptions } from '../commands/serve-tls.js';

/** TLS as it was chosen for one run of `serve`, with at least one way to prove who the server is. Paths are absolute. */
export interface TlsChoice {
  readonly mode: Exclude<TlsOptions['tls'], 'off'>;
  readonly certificates:
    | { readonly folder: string; readonly ofClients: NonNullable<TlsOptions['tlsClientCertificates']> }
    | undefined;
  readonly pskFile: string | undefined;
  readonly minimumVersion: TlsOptions['tlsMinimumVersion'];
}

/** Asked of clients unless told otherwise: as the gateway has it. */
const OF_CLIENTS_DEFAULT = 'required';

/** The options by the names that a user gives, with the variables that stand for them. */
const named = {
  tlsCertificates: '--tls-certificates (or HOLDFAST_TLS_CERTIFICATES)',
  tlsPsk: '--tls-psk (or HOLDFAST_TLS_PSK)',
  tlsClientCertificates: '--tls-client-certificates (or HOLDFAST_TLS_CLIENT_CERTIFICATES)',
  tlsMinimumVersion: '--tls-minimum-version (or HOLDFAST_TLS_MINIMUM_VERSION)',
} as const;

/**
 * The options taken together; relative paths are those of the current folder.
 *
 * @returns undefined when TLS is off
 * @throws HoldfastError INVALID_SETTING when they contradict each other
 */
export function chooseTls(options: TlsOptions): TlsChoice | undefined {
  const { tls, tlsClientCertificates, tlsMinimumVersion } = options;
  const folder = absolute(options.tlsCertificates);
  const pskFile = absolute(options.tlsPsk);
  if (tls === 'off') {
    refuseWithoutTls(options);
    return undefined;
  }
  if (folder === undefined && pskFile === undefined) {
    throw invalid(
      '--tls',
      `--tls ${tls} needs --tls-certificates, --tls-psk or both: "holdfast tls init" makes what they name`,
    );
  }
  if (folder === undefined && tlsClientCertificates !== undefined) {
    throw invalid(
      '--tls-client-certificates',
      `${named.tlsClientCertificates} needs --tls-certificates, whose ca-cert.pem the certificates of clients are checked by`,
    );
  }
  const ofClients = tlsClientCertificates ?? OF_CLIENTS_DEFAULT;
  const certificates = folder === undefined ? undefined : { folder, ofClients };
  return { mode: tls, certificates, pskFile, minimumVersion: tlsMinimumVersion };
}

/** What the gateway is told (its settings). What is not said here it is not to take from our own environment. */
export function tlsEnvironment(choice: TlsChoice | undefined): NodeJS.ProcessEnv {
  return {
    HOLDFAST_TLS: choice?.mode ?? 'off',
    HOLDFAST_TLS_CERTIFICATES: choice?.certificates?.folder ?? '',
    HOLDFAST_TLS_PSK: choice?.pskFile ?? '',
    ...(choice?.certificates !== undefined && {
      HOLDFAST_TLS_CLIENT_CERTIFICATES: choice.certificates.ofClients,
    }),
    ...(choice?.minimumVersion !== undefined && { HOLDFAST_TLS_MINIMUM_VERSION: choice.minimumVersion }),
  };
}

/** Whether every client has to prove who it is before it may use anything. */
export function authenticatesAll(choice: TlsChoice | undefined): boolean {
  if (choice?.mode !== 'required') return false;
  return choice.certificates === undefined || choice.certificates.ofClients === 'required';
}

/** Whoever gave keys, or a rule for clients, did not mean to serve in plain text. */
function refuseWithoutTls(options: TlsOptions): void {
  for (const [key, name] of Object.entries(named)) {
    const value = options[key as keyof typeof named];
    if (value === undefined || value === '') continue;
    throw invalid(
      '--tls',
      `TLS is off, though ${name} is given: say --tls required or --tls per-export, or leave it out`,
    );
  }
}

function absolute(place: string | undefined): string | undefined {
  return place === undefined || place === '' ? undefined : path.resolve(place);
}

function invalid(option: string, message: string): HoldfastError {
  return new HoldfastError('INVALID_SETTING', message, { setting: option });
}
