import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TlsOptions } from '../commands/serve-tls.js';
import { authenticatesAll, chooseTls, tlsEnvironment } from './tls-choice.js';

const certificates: TlsOptions = { tls: 'required', tlsCertificates: '/tls/server' };

describe('TLS that is off', () => {
  test('is no choice, and the gateway is told so whatever else its environment says', () => {
    expect(chooseTls({ tls: 'off' })).toBeUndefined();
    expect(tlsEnvironment(undefined)).toEqual({
      HOLDFAST_TLS: 'off',
      HOLDFAST_TLS_CERTIFICATES: '',
      HOLDFAST_TLS_PSK: '',
    });
  });

  test.each([
    [{ tlsCertificates: 'tls/server' }, '--tls-certificates'],
    [{ tlsPsk: 'keys.psk' }, '--tls-psk'],
    [{ tlsClientCertificates: 'required' }, '--tls-client-certificates'],
    [{ tlsMinimumVersion: '1.3' }, '--tls-minimum-version'],
  ] as const)('Law 8 is refused beside %j: nobody who says that means plain text', (given, option) => {
    expect(() => chooseTls({ tls: 'off', ...given })).toThrow(
      new RegExp(`^TLS is off, though ${option} \\(or HOLDFAST_TLS_[A-Z_]+\\) is given: say --tls required`),
    );
  });

  test('goes with variables that are there and empty', () => {
    expect(chooseTls({ tls: 'off', tlsCertificates: '', tlsPsk: '' })).toBeUndefined();
  });
});

describe('TLS that is on', () => {
  test.each(['required', 'per-export'] as const)('%s needs certificates or keys', (tls) => {
    const attempt = () => chooseTls({ tls, tlsCertificates: '' });
    expect(attempt).toThrow(`--tls ${tls} needs --tls-certificates, --tls-psk or both`);
    expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_SETTING' }) as Error);
  });

  test('asks clients for certificates unless told otherwise', () => {
    expect(chooseTls(certificates)?.certificates).toEqual({ folder: '/tls/server', ofClients: 'required' });
    const optional = chooseTls({ ...certificates, tlsClientCertificates: 'optional' });
    expect(optional?.certificates?.ofClients).toBe('optional');
  });

  test('cannot ask clients for certificates without having any itself', () => {
    const keysOnly: TlsOptions = { tls: 'required', tlsPsk: '/k', tlsClientCertificates: 'required' };
    expect(() => chooseTls(keysOnly)).toThrow('needs --tls-certificates');
  });

  test('takes relative paths from the current folder', () => {
    const choice = chooseTls({ tls: 'per-export', tlsCertificates: 'tls/server', tlsPsk: '../keys.psk' });
    expect(choice?.certificates?.folder).toBe(path.join(process.cwd(), 'tls/server'));
    expect(choice?.pskFile).toBe(path.join(path.dirname(process.cwd()), 'keys.psk'));
  });

  test('is told to the gateway as its settings', () => {
    const all = {
      ...certificates,
      tlsPsk: '/k',
      tlsClientCertificates: 'off',
      tlsMinimumVersion: '1.3',
    } as const;
    expect(tlsEnvironment(chooseTls(all))).toEqual({
      HOLDFAST_TLS: 'required',
      HOLDFAST_TLS_CERTIFICATES: '/tls/server',
      HOLDFAST_TLS_CLIENT_CERTIFICATES: 'off',
      HOLDFAST_TLS_PSK: '/k',
      HOLDFAST_TLS_MINIMUM_VERSION: '1.3',
    });
    expect(tlsEnvironment(chooseTls({ tls: 'per-export', tlsPsk: '/k' }))).toEqual({
      HOLDFAST_TLS: 'per-export',
      HOLDFAST_TLS_CERTIFICATES: '',
      HOLDFAST_TLS_PSK: '/k',
    });
  });
});

test.each<[TlsOptions, boolean]>([
  [{ tls: 'off' }, false],
  [certificates, true],
  [{ tls: 'required', tlsPsk: '/k' }, true],
  [{ ...certificates, tlsClientCertificates: 'optional' }, false],
  [{ ...certificates, tlsPsk: '/k', tlsClientCertificates: 'off' }, false],
  [{ ...certificates, tls: 'per-export' }, false],
])('%j: every client proves who it is: %s', (options, all) => {
  expect(authenticatesAll(chooseTls(options))).toBe(all);
});
