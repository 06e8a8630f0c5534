import { stateLayout } from '@holdfast/contracts';
import { describe, expect, test } from 'vitest';
import { databaseNotice, exposureNotice } from './notices.js';
import type { TlsChoice } from './tls-choice.js';

describe('Law 8 a warning', () => {
  const everywhere = { host: '0.0.0.0', port: 10809 };
  const tls = (mode: TlsChoice['mode'], ofClients: 'off' | 'optional' | 'required'): TlsChoice => ({
    mode,
    certificates: { folder: '/tls/server', ofClients },
    pskFile: undefined,
    minimumVersion: undefined,
  });

  test.each(['0.0.0.0', '192.168.1.2', 'disks.example.org'])('says that %s is open to others', (host) => {
    expect(exposureNotice({ host, port: 10809 }, undefined)).toBe(
      `warning: whoever reaches ${host}:10809 can read and write what is exported there, as clients do not prove who they are without --tls`,
    );
  });

  test('is not given for loopback, nor where nothing listens', () => {
    expect(exposureNotice({ host: '127.0.0.1', port: 1 }, undefined)).toBeUndefined();
    expect(exposureNotice({ host: '::1', port: 1 }, undefined)).toBeUndefined();
    expect(exposureNotice('none', undefined)).toBeUndefined();
  });

  test('is not given where every client proves who it is, by a certificate or by a key', () => {
    expect(exposureNotice(everywhere, tls('required', 'required'))).toBeUndefined();
    const byKey = { ...tls('required', 'off'), certificates: undefined, pskFile: '/tls/keys' };
    expect(exposureNotice(everywhere, byKey)).toBeUndefined();
  });

  test.each(['off', 'optional'] as const)('is given where certificates of clients are %s', (ofClients) => {
    expect(exposureNotice(everywhere, tls('required', ofClients))).toBe(
      'warning: whoever reaches 0.0.0.0:10809 can read and write what is exported there, as clients need no certificate (--tls-client-certificates)',
    );
  });

  test('is given where exports can be had without TLS', () => {
    expect(exposureNotice(everywhere, tls('per-export', 'required'))).toBe(
      'warning: whoever reaches 0.0.0.0:10809 can read and write the exports there that let everybody in, as they need no TLS (--tls per-export)',
    );
  });
});

describe('the database', () => {
  const layout = stateLayout('/s');

  test.each([undefined, '', 'file:/s/holdfast.db'])('of the state folder is not worth a word (%s)', (url) => {
    expect(databaseNotice(url === undefined ? {} : { DATABASE_URL: url }, layout)).toBeUndefined();
  });

  test.each([
    ['postgresql://db.example/app', 'postgresql://db.example/app'],
    ['postgres://me:hunter2@db.example:5433/app?password=hunter2', 'postgres://db.example:5433/app'],
    ['file:/elsewhere/holdfast.db', 'file:/elsewhere/holdfast.db'],
    ['mysql://me:hunter2@db/app', 'mysql://db/app'],
    ['hunter2', 'another database'],
  ])('Law 8 that DATABASE_URL names is told, without its secrets: %s', (url, shown) => {
    expect(databaseNotice({ DATABASE_URL: url }, layout)).toBe(
      `records are kept in ${shown}, as DATABASE_URL says, and not in the state folder; unset it if it is meant for another program`,
    );
  });
});
