import { Option, type Command } from 'commander';

export const tlsModes = ['off', 'required', 'per-export'] as const;
export const clientCertificateRules = ['off', 'optional', 'required'] as const;
export const tlsVersions = ['1.2', '1.3'] as const;

/** What `serve` takes for TLS, by option or by the variable of the gateway's setting. */
export interface TlsOptions {
  readonly tls: (typeof tlsModes)[number];
  readonly tlsCertificates?: string;
  readonly tlsClientCertificates?: (typeof clientCertificateRules)[number];
  readonly tlsPsk?: string;
  readonly tlsMinimumVersion?: (typeof tlsVersions)[number];
}

/** Those without a default of their own are the gateway's to default. */
export function withTls(command: Command): Command {
  return command
    .addOption(
      new Option('--tls <mode>', 'TLS for nobody, for every client, or for exports that need it')
        .choices(tlsModes)
        .default('off')
        .env('HOLDFAST_TLS'),
    )
    .addOption(
      new Option(
        '--tls-certificates <folder>',
        'folder with server-cert.pem, server-key.pem and ca-cert.pem, as "holdfast tls init" makes it',
      ).env('HOLDFAST_TLS_CERTIFICATES'),
    )
    .addOption(
      new Option(
        '--tls-client-certificates <rule>',
        'whether clients show a certificate that ca-cert.pem has signed (default: required)',
      )
        .choices(clientCertificateRules)
        .env('HOLDFAST_TLS_CLIENT_CERTIFICATES'),
    )
    .addOption(
      new Option('--tls-psk <file>', 'file of pre-shared keys, user:hexkey a line').env('HOLDFAST_TLS_PSK'),
    )
    .addOption(
      new Option(
        '--tls-minimum-version <version>',
        'oldest version of TLS that clients may use (default: 1.2)',
      )
        .choices(tlsVersions)
        .env('HOLDFAST_TLS_MINIMUM_VERSION'),
    );
}
