import { expect, test } from 'vitest';
import { clientOf, formatPeer, type ClientPeer } from './client-peer.js';

test.each<[ClientPeer, string, string]>([
  [{ kind: 'tcp', host: '127.0.0.1', port: 51234 }, '127.0.0.1:51234', '127.0.0.1'],
  [{ kind: 'tcp', host: '2001:db8::1', port: 1 }, '[2001:db8::1]:1', '[2001:db8::1]'],
  [{ kind: 'unix', pid: 1234, uid: 0 }, 'unix:pid=1234,uid=0', 'unix:uid=0'],
])('%o is shown as %s, and counts as %s', (peer, shown, client) => {
  expect(formatPeer(peer)).toBe(shown);
  expect(clientOf(shown)).toBe(client);
});
