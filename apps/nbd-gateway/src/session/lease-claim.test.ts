import { registryV1 } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { clientOver } from '../testing/connected-client.js';
import { claimOf } from './lease-claim.js';

const { ACCESS_READ_ONLY, ACCESS_READ_WRITE, ACCESS_EXCLUSIVE } = registryV1.Access;
const tcp = (port: number, certificateNames?: readonly string[]) =>
  clientOver({ kind: 'tcp', host: '192.0.2.7', port }, { certificateNames });
const unix = (pid: number, uid: number) => clientOver({ kind: 'unix', pid, uid });

const groupOf = (client: ReturnType<typeof tcp>) =>
  claimOf({ writers: 'ONE_CLIENT' }, client, false).clientGroup;

test('who may only read asks for that, whoever else may write', () => {
  for (const writers of ['ANY', 'ONE_CLIENT', 'ONE_CONNECTION'] as const)
    expect(claimOf({ writers }, tcp(1), true)).toEqual({ access: ACCESS_READ_ONLY, clientGroup: '' });
});

test('a writer asks for what its export leaves to it', () => {
  expect(claimOf({ writers: 'ANY' }, tcp(1), false)).toEqual({ access: ACCESS_READ_WRITE, clientGroup: '' });
  expect(claimOf({ writers: 'ONE_CLIENT' }, tcp(1), false).access).toBe(ACCESS_READ_WRITE);
  expect(claimOf({ writers: 'ONE_CONNECTION' }, tcp(1), false)).toEqual({
    access: ACCESS_EXCLUSIVE,
    clientGroup: '',
  });
});

test('one client is an address, whatever the port', () => {
  expect(groupOf(tcp(1))).toBe('192.0.2.7');
  expect(groupOf(tcp(2))).toBe('192.0.2.7');
  // Without a certificate, TLS proves nobody in particular.
  expect(groupOf(tcp(1, []))).toBe('192.0.2.7');
});

test('one client is a user of the Unix socket, whatever the process', () => {
  expect(groupOf(unix(1, 1000))).toBe(groupOf(unix(2, 1000)));
  expect(groupOf(unix(1, 1000))).not.toBe(groupOf(unix(1, 1001)));
});

test('one client is what its certificate proves, wherever it comes from', () => {
  expect(groupOf(tcp(1, ['b', 'a']))).toBe('certificate:a\nb');
  expect(groupOf({ ...tcp(1, ['a', 'b']), address: '198.51.100.1:1' })).toBe('certificate:a\nb');
  expect(groupOf(tcp(1, ['a']))).not.toBe(groupOf(tcp(1, ['b'])));
});

test('Law 5 names that are too long for a group are told apart all the same', () => {
  const [one, other] = ['x', 'y'].map((end) => groupOf(tcp(1, ['a'.repeat(300) + end])));
  expect(one).not.toBe(other);
  expect(Buffer.byteLength(one ?? '')).toBeLessThanOrEqual(255);
});
