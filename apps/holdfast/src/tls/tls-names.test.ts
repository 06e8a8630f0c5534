import { describe, expect, test } from 'vitest';
import { checkNames, type TlsNames } from './tls-names.js';

const names = (change: Partial<TlsNames>) =>
  checkNames({ hosts: ['nbd.example.org'], clients: ['vm1'], pskUser: 'me', ...change });

describe('the names of a server', () => {
  test('are those given, once each, and those by which its own machine reaches it', () => {
    expect(names({ hosts: ['a.example', '10.0.0.7', 'a.example', 'localhost'] }).hosts).toEqual([
      'a.example',
      '10.0.0.7',
      'localhost',
      '127.0.0.1',
      '::1',
    ]);
  });

  test.each([
    'host',
    'a-b.example',
    '*.example.org',
    '192.0.2.7',
    '2001:db8::1',
    `${'a'.repeat(63)}.example`,
  ])('may be %s', (host) => {
    expect(names({ hosts: [host] }).hosts).toContain(host);
  });

  test.each([
    '',
    'host:10809',
    '[::1]',
    'http://host',
    'two words',
    '-a',
    'a.*.example',
    '*',
    `${'a'.repeat(64)}.example`,
    Array.from({ length: 64 }, () => 'abc').join('.'),
  ])('may not be %j', (host) => {
    expect(() => names({ hosts: [host] })).toThrow(/^--host "/);
  });
});

describe('the name of a client', () => {
  test.each(['vm1', 'a', 'A.b_c-d@example.org', 'x'.repeat(64)])('may be %s', (client) => {
    expect(names({ clients: [client, client] }).clients).toEqual([client]);
  });

  // Names are folders: none leads out of the one that is made.
  test.each(['', '.', '..', '.hidden', 'a/b', '../a', 'a\0', 'two words', 'ü', '-a', 'x'.repeat(65)])(
    'may not be %j',
    (client) => {
      expect(() => names({ clients: [client] })).toThrow(/^--client ".*" must be up to 64 letters/s);
    },
  );
});

describe('the user of a key', () => {
  test.each(['me', 'me@example.org', 'a/b', 'x'.repeat(128)])('may be %s', (pskUser) => {
    expect(names({ pskUser }).pskUser).toBe(pskUser);
  });

  // What ends the name in a file of keys, or begins another form of it.
  test.each(['', 'a:b', '#6d65', 'two words', 'ü', 'a\nb', 'x'.repeat(129)])('may not be %j', (pskUser) => {
    expect(() => names({ pskUser })).toThrow(/^--psk "/);
  });
});
