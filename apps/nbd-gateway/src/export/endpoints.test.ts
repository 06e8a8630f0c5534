import { expect, test } from 'vitest';
import { Endpoints } from './endpoints.js';

const PLAIN = { needsTls: false };

function endpointsAt(host: string, unixPath?: string): Endpoints {
  const endpoints = new Endpoints();
  endpoints.tcp = { host, port: 10809 };
  endpoints.unixPath = unixPath;
  return endpoints;
}

test('an export has one URI for each place that is listened at', () => {
  const endpoints = new Endpoints();
  expect(endpoints.urisOf('disk.img', PLAIN)).toEqual([]);
  expect(endpoints.list()).toEqual([]);
  endpoints.unixPath = '/run/nbd.sock';
  expect(endpoints.urisOf('disk.img', PLAIN)).toEqual(['nbd+unix:///disk.img?socket=/run/nbd.sock']);
  endpoints.tcp = { host: '127.0.0.1', port: 10809 };
  expect(endpoints.urisOf('disk.img', PLAIN)).toEqual([
    'nbd://127.0.0.1:10809/disk.img',
    'nbd+unix:///disk.img?socket=/run/nbd.sock',
  ]);
  expect(endpoints.list()).toEqual(['127.0.0.1:10809', 'unix:/run/nbd.sock']);
});

test('an export that needs TLS has URIs that begin it', () => {
  const endpoints = endpointsAt('127.0.0.1', '/run/nbd.sock');
  expect(endpoints.urisOf('a', { needsTls: true })).toEqual([
    'nbds://127.0.0.1:10809/a',
    'nbds+unix:///a?socket=/run/nbd.sock',
  ]);
});

test('an IPv6 address stands in brackets', () => {
  const endpoints = endpointsAt('::1');
  expect(endpoints.urisOf('a', PLAIN)).toEqual(['nbd://[::1]:10809/a']);
  expect(endpoints.list()).toEqual(['[::1]:10809']);
});

test.each([
  ['my disk.img', 'my%20disk.img'],
  ['Jürgen', 'J%C3%BCrgen'],
  ['磁盘', '%E7%A3%81%E7%9B%98'],
  ['100%?#&+', '100%25%3F%23%26%2B'],
  ['a:b@c', 'a%3Ab%40c'],
])('the export %j is escaped so that a URI parser finds it again', (name, escaped) => {
  const endpoints = endpointsAt('127.0.0.1', '/run/my sockets/ü&?.sock');
  const [tcp, unix] = endpoints.urisOf(name, PLAIN).map((uri) => new URL(uri));
  expect(tcp?.pathname).toBe(`/${escaped}`);
  expect(decodeURIComponent(tcp?.pathname.slice(1) ?? '')).toBe(name);
  expect(decodeURIComponent(unix?.pathname.slice(1) ?? '')).toBe(name);
  expect(unix?.searchParams.get('socket')).toBe('/run/my sockets/ü&?.sock');
});
