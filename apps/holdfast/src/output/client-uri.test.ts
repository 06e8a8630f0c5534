import { expect, test } from 'vitest';
import { byCertificate, byKey } from './client-uri.js';

test('a certificate is a parameter of its own, behind those that are there', () => {
  expect(byCertificate('nbds://127.0.0.1:10809/a', '/tls/vm1')).toBe(
    'nbds://127.0.0.1:10809/a?tls-certificates=/tls/vm1',
  );
  expect(byCertificate('nbds+unix:///a?socket=/s', '/tls/vm1')).toBe(
    'nbds+unix:///a?socket=/s&tls-certificates=/tls/vm1',
  );
});

test('a key is the user of the URI and a file, each found again by a parser', () => {
  const uri = new URL(byKey('nbds://127.0.0.1:10809/a', 'me@home', '/my keys/k&?.psk'));
  expect(decodeURIComponent(uri.username)).toBe('me@home');
  expect(uri.host).toBe('127.0.0.1:10809');
  expect(uri.searchParams.get('tls-psk-file')).toBe('/my keys/k&?.psk');
});

test('a key at a Unix socket has a user and no host', () => {
  expect(byKey('nbds+unix:///a?socket=/s', 'me', '/k')).toBe('nbds+unix://me@/a?socket=/s&tls-psk-file=/k');
});
