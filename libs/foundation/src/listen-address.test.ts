import { describe, expect, test } from 'vitest';
import { formatTcpAddress, isLoopback, parseListenAddress } from './listen-address.js';

describe('an address to listen at', () => {
  test.each([
    ['127.0.0.1:10809', { host: '127.0.0.1', port: 10809 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['disks.example.org:1', { host: 'disks.example.org', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65535 }],
    ['[::ffff:127.0.0.1]:1', { host: '::ffff:127.0.0.1', port: 1 }],
  ])('%s is host and port, and is written as it was read', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
    expect(formatTcpAddress(address)).toBe(text);
  });

  test('none means that there is none', () => {
    expect(parseListenAddress('none')).toBe('none');
  });

  test.each([
    '',
    'None',
    '10809',
    ':10809',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:123456',
    '127.0.0.1:-1',
    '127.0.0.1:80 ',
    '::1:10809',
    '[::1]',
    '[example]:1',
    'two words:1',
  ])('"%s" is none', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.255.0.3', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.2', false],
  ['127.example.org', false],
  ['::ffff:10.0.0.1', false],
])('Law 8 whether only this machine reaches %s: %s', (host, loopback) => {
  expect(isLoopback({ host, port: 1 })).toBe(loopback);
});
