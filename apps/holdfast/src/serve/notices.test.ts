import { stateLayout } from '@holdfast/contracts';
import { describe, expect, test } from 'vitest';
import { databaseNotice, exposureNotice } from './notices.js';

describe('Law 8 a warning', () => {
  test.each(['0.0.0.0', '192.168.1.2', 'disks.example.org'])('says that %s is open to others', (host) => {
    expect(exposureNotice({ host, port: 10809 })).toBe(
      `warning: whoever reaches ${host}:10809 can read and write what is exported there, as there is no authentication yet`,
    );
  });

  test('is not given for loopback, nor where nothing listens', () => {
    expect(exposureNotice({ host: '127.0.0.1', port: 1 })).toBeUndefined();
    expect(exposureNotice({ host: '::1', port: 1 })).toBeUndefined();
    expect(exposureNotice('none')).toBeUndefined();
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
