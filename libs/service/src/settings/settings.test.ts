import { HoldfastError } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { commonSettings } from './common.js';
import { databaseSettings, databaseUrl } from './database.js';
import {
  absolutePath,
  byteSize,
  flag,
  integer,
  integerOr,
  listenAddress,
  logLevel,
  socketPath,
} from './schemas.js';
import { parseSettings, setting, type Setting } from './settings.js';

function refusal<T>(schema: Setting<T>['schema'], text: string | undefined): HoldfastError {
  const table = { one: setting('HOLDFAST_ONE', schema, undefined, 'What it is for.') };
  try {
    parseSettings(table, { HOLDFAST_ONE: text });
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function parsed<T>(schema: Setting<T>['schema'], text: string): T {
  return parseSettings({ one: setting('HOLDFAST_ONE', schema, undefined, '') }, { HOLDFAST_ONE: text }).one;
}

describe('settings', () => {
  test('that are not given have their defaults, which pass their own schema', () => {
    const { stateFolder, ...rest } = parseSettings(commonSettings, { HOLDFAST_STATE: '/srv' });
    expect(stateFolder).toBe('/srv');
    expect(rest).toEqual({ logLevel: 'info', supervised: false, faultPoints: '' });
    expect(parseSettings(databaseSettings, {})).toEqual({ databaseUrl: '' });
  });

  test('that must be given are named, with what they are for', () => {
    const error = refusal(absolutePath, undefined);
    expect(error.code).toBe('INVALID_SETTING');
    expect(error.message).toBe('HOLDFAST_ONE must be set: What it is for.');
    expect(error.metadata).toEqual({ setting: 'HOLDFAST_ONE' });
  });

  test.each([
    { schema: logLevel, text: 'loud', valid: '"trace"|"debug"|"info"|"warn"|"error"|"fatal"|"silent"' },
    { schema: flag, text: 'yes', valid: '"0"|"1"|"true"|"false"' },
    { schema: byteSize(1, 1024), text: '2K', valid: 'must be a number of bytes such as 64M or 1G, 1–1024' },
    { schema: byteSize(1, 1024), text: '1kB', valid: 'must be a number of bytes such as 64M or 1G, 1–1024' },
    { schema: byteSize(1, 1024), text: '', valid: 'must be a number of bytes such as 64M or 1G, 1–1024' },
    { schema: integer(1, 256), text: '257', valid: 'must be a whole number, 1–256' },
    { schema: integer(1, 256), text: '0', valid: 'must be a whole number, 1–256' },
    { schema: integer(1, 256), text: '1e2', valid: 'must be a whole number, 1–256' },
    { schema: integerOr('cores', 0, 8), text: '9', valid: 'must be a whole number, 0–8, or cores' },
    { schema: integerOr('cores', 0, 8), text: 'core', valid: 'must be a whole number, 0–8, or cores' },
    { schema: integer(0, 256), text: '', valid: 'must be a whole number, 0–256' },
    { schema: integer(0, 256), text: '-1', valid: 'must be a whole number, 0–256' },
    { schema: absolutePath, text: 'here', valid: 'must be an absolute path' },
    { schema: absolutePath, text: '/a\0b', valid: 'must be an absolute path' },
    { schema: socketPath, text: 'nbd.sock', valid: 'must be an absolute path, or empty' },
    { schema: socketPath, text: `/${'x'.repeat(107)}`, valid: 'must be at most 107 bytes' },
    { schema: listenAddress, text: '10809', valid: 'must be HOST:PORT with a port up to 65535, or none' },
    { schema: listenAddress, text: '', valid: 'must be HOST:PORT with a port up to 65535, or none' },
  ])('that are wrong are named and quoted, with what is valid: $text', ({ schema, text, valid }) => {
    const { code, message } = refusal<unknown>(schema, text);
    expect(code).toBe('INVALID_SETTING');
    expect(message).toContain(`HOLDFAST_ONE="${text}" is not valid: `);
    expect(message).toContain(valid);
  });

  test('Law 8 that are secret are named and never quoted', () => {
    const url = 'postgres//holdfast:hunter2@db/holdfast';
    expect(() => parseSettings(databaseSettings, { DATABASE_URL: url })).toThrow(
      'DATABASE_URL is not valid: must begin with file:/ or postgresql://',
    );
  });
});

test('an address to listen at is host and port, or nothing by name', () => {
  expect(parsed(listenAddress, '[::1]:65535')).toEqual({ host: '::1', port: 65535 });
  expect(parsed(listenAddress, 'none')).toBeUndefined();
});

test('the path of a socket is absolute and short, or empty', () => {
  for (const text of ['', '/run/nbd.sock', `/${'x'.repeat(106)}`])
    expect(parsed(socketPath, text)).toBe(text);
});

test('a flag is on for 1 and true only', () => {
  expect(['1', 'true', '0', 'false'].map((text) => parsed(flag, text))).toEqual([true, true, false, false]);
});

test('the database is the SQLite file of the state folder unless a URL is given', () => {
  expect(databaseUrl({ databaseUrl: '', stateFolder: '/srv/h' })).toBe('file:/srv/h/holdfast.db');
  expect(databaseUrl({ databaseUrl: 'postgresql://db/h', stateFolder: '/srv/h' })).toBe('postgresql://db/h');
});

test('a number of bytes has units of 1024', () => {
  const schema = byteSize(0, 2 ** 40);
  expect(['0', '4096', '64K', '64KiB', '1G', '1T'].map((text) => parsed(schema, text))).toEqual([
    ...[0, 4096, 65_536, 65_536, 2 ** 30, 2 ** 40],
  ]);
});

test('a number may be a word for one that is not known yet', () => {
  expect(parsed(integerOr('cores', 0, 8), 'cores')).toBe('cores');
  expect(parsed(integerOr('cores', 0, 8), '8')).toBe(8);
});
