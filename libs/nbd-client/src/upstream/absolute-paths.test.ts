import { expect, test } from 'vitest';
import { parseNbdUri } from '../uri/nbd-uri.js';
import { requireAbsolutePaths } from './absolute-paths.js';

test.each([
  'nbd://host/x',
  'nbd+unix:///x?socket=/run/nbd.sock',
  'nbd+unix:///x?socket=%00abstract',
  'nbds://host/x',
  'nbds://host/x?tls-certificates=/etc/pki',
  'nbds://host/x?tls-psk-file=/etc/keys.psk',
])('%s means the same to every process', (uri) => {
  expect(() => {
    requireAbsolutePaths(parseNbdUri(uri));
  }).not.toThrow();
});

test.each([
  ['socket', 'nbd+unix:///x?socket=nbd.sock'],
  ['tls-certificates', 'nbds://host/x?tls-certificates=pki'],
  ['tls-psk-file', 'nbds+unix:///x?socket=/s&tls-psk-file=./keys.psk'],
])('a relative path of %s is refused', (parameter, uri) => {
  expect(() => {
    requireAbsolutePaths(parseNbdUri(uri));
  }).toThrow(`"${parameter}" is relative`);
});
