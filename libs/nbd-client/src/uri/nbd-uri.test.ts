import { HoldfastError } from '@holdfast/foundation';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNbdUri, type NbdUri } from './nbd-uri.js';

const tcp = (host: string, port = 10809) => ({ kind: 'tcp', host, port }) as const;
const unix = (path: string) => ({ kind: 'unix', path }) as const;
const x509 = (folder?: string, verifyPeer = true) => ({ kind: 'x509', folder, verifyPeer }) as const;

test.each<readonly [string, NbdUri['address'], string]>([
  // The table of doc/uri.md, section "NBD URI export name".
  ['nbd://example.com/disk', tcp('example.com'), 'disk'],
  ['nbd+unix:///disk?socket=sock', unix('sock'), 'disk'],
  ['nbd://example.com/', tcp('example.com'), ''],
  ['nbd://example.com', tcp('example.com'), ''],
  ['nbd://example.com//disk', tcp('example.com'), '/disk'],
  ['nbd://example.com/hello%20world', tcp('example.com'), 'hello world'],
  ['nbd://example.com:1/a/../b', tcp('example.com', 1), 'a/../b'],
  ['nbd://[::1]:65535/x', tcp('::1', 65_535), 'x'],
  ['nbd://[fe80::1%25eth0]/', tcp('fe80::1%eth0'), ''],
  ['nbd://127.0.0.1:/x', tcp('127.0.0.1'), 'x'],
  ['nbd:///x', tcp('localhost'), 'x'],
  ['NBD://h/%E2%98%83+%2B%25', tcp('h'), '☃++%'],
  ['nbd://h/ünïcode', tcp('h'), 'ünïcode'],
  ['nbd+unix:///?socket=/run/a+b%26c', unix('/run/a+b&c'), ''],
  ['nbd+unix:///?socket=%00/abstract', unix('\0/abstract'), ''],
])('%s', (text, address, exportName) => {
  expect(parseNbdUri(text)).toEqual({ address, exportName, tls: undefined });
});

test.each<readonly [string, Partial<NbdUri>]>([
  ['nbds://h/x', { address: tcp('h'), tls: { credentials: x509(), hostname: undefined } }],
  [
    'nbds://h/?tls-certificates=/etc/pki&tls-hostname=other&tls-verify-peer=0&tls-type=x509',
    { tls: { credentials: x509('/etc/pki', false), hostname: 'other' } },
  ],
  [
    'nbds+unix://alice@/?socket=s&tls-psk-file=keys.psk',
    {
      address: unix('s'),
      tls: { credentials: { kind: 'psk', file: 'keys.psk', username: 'alice' }, hostname: undefined },
    },
  ],
  [
    'nbds://h/?tls-psk-file=keys.psk&tls-username=b%40c&tls-verify-peer=true&tls-type=psk',
    { tls: { credentials: { kind: 'psk', file: 'keys.psk', username: 'b@c' }, hostname: undefined } },
  ],
  [
    'nbds://h/?tls-psk-file=keys.psk',
    { tls: { credentials: { kind: 'psk', file: 'keys.psk', username: undefined }, hostname: undefined } },
  ],
])('TLS: %s', (text, expected) => {
  expect(parseNbdUri(text)).toMatchObject(expected);
});

test.each([
  ['disk', 'it does not begin with a scheme, as nbd:// does'],
  ['/dev/nbd0', 'it does not begin with a scheme, as nbd:// does'],
  ['http://h/', 'its scheme is "http", not nbd, nbds, nbd+unix or nbds+unix'],
  ['toString://h/', 'its scheme is "toString", not nbd, nbds, nbd+unix or nbds+unix'],
  ['nbd:disk', '"nbd:" must be followed by //'],
  ['nbd://h/a b', 'it contains a blank or a control character (write %20 for a blank)'],
  ['nbd://h/a#b', 'it contains # (write %23 for # itself)'],
  [
    'nbd://h/%',
    'in the export name, each % must be followed by two hexadecimal digits (write %25 for % itself)',
  ],
  ['nbd://h/%ff', 'the export name is not UTF-8 once its %XX are decoded'],
  ['nbd://h/%00', 'the export name contains NUL'],
  [`nbd://h/${'x'.repeat(4097)}`, 'the export name is longer than 4096 bytes'],
  ['nbd://h:0/', '"0" is no port from 1 to 65535'],
  ['nbd://h:65536/', '"65536" is no port from 1 to 65535'],
  ['nbd://h:http/', '"http" is no port from 1 to 65535'],
  ['nbd://::1/', '"::1" is no host and port (an IPv6 address is put in brackets, as in [::1]:10809)'],
  ['nbd://[::g]/', '"[::g]" is no IPv6 address'],
  ['nbds://a:b@h/', 'a password has no place in it: NBD has none'],
  ['nbd+unix:///x', 'a Unix socket needs the parameter socket=PATH'],
  ['nbd+unix:///x?socket=', 'a Unix socket needs the parameter socket=PATH'],
  ['nbd+unix:///x?socket=a%00b', 'the path of the socket contains NUL'],
  [
    'nbd+unix://h/x?socket=s',
    'a Unix socket has no host, so "h" does not belong there (begin with nbd+unix:///)',
  ],
  ['nbd://h/?socket=s', 'the parameter socket belongs to nbd+unix:// and nbds+unix://'],
  ['nbd://h/?timeout=3', 'the parameter "timeout" is not known'],
  ['nbd://h/?x-own=3', 'the parameter "x-own" is not known'],
  ['nbd://h/?socket', 'the parameter "socket" has no value'],
  ['nbd+unix:///?socket=a&socket=b', 'the parameter "socket" is there twice'],
  ['nbd://h/?tls-certificates=d', 'tls-certificates is of use with nbds:// and nbds+unix:// only'],
  ['nbd://alice@h/', 'a user name is of use with nbds:// and nbds+unix:// only'],
  ['nbds://alice@h/', 'a user name is of use with tls-psk-file only'],
  [
    'nbds://alice@h/?tls-psk-file=f&tls-username=bob',
    'tls-username is "bob", and the user in front of the host is "alice"',
  ],
  ['nbds://h/?tls-psk-file=f&tls-certificates=d', 'tls-psk-file and tls-certificates exclude each other'],
  ['nbds://h/?tls-psk-file=f&tls-type=x509', 'tls-psk-file and tls-type=x509 exclude each other'],
  ['nbds://h/?tls-type=psk', 'tls-type=psk needs tls-psk-file=FILE'],
  ['nbds://h/?tls-type=anon', 'tls-type=anon knows no identities, so it is not supported'],
  ['nbds://h/?tls-type=tls', 'tls-type is "tls", not x509 or psk'],
  ['nbds://h/?tls-verify-peer=maybe', 'tls-verify-peer is "maybe", not 0 or 1'],
  ['nbds://h/?tls-hostname=', 'the parameter "tls-hostname" is empty'],
])('%s: %s', (text, reason) => {
  let error: unknown;
  try {
    parseNbdUri(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(HoldfastError);
  expect(error).toMatchObject({ code: 'NBD_URI_INVALID', message: `not a usable NBD URI: ${reason}` });
});

test('any name of an export comes back from its URI', () => {
  const name = fc
    .string({ unit: 'binary', maxLength: 40 })
    .filter((text) => text.isWellFormed() && !text.includes('\0'));
  fc.assert(
    fc.property(name, (exportName) => {
      expect(parseNbdUri(`nbd://h/${encodeURIComponent(exportName)}`).exportName).toBe(exportName);
    }),
  );
});

test('whatever the text is, it is understood or refused by name', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((tail) => `nbds://${tail}`),
    fc.webQueryParameters().map((query) => `nbd+unix:///?socket=s&${query}`),
  );
  fc.assert(
    fc.property(text, (uri) => {
      try {
        parseNbdUri(uri);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
