import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeCredentials, type CredentialFiles } from './make-credentials.js';

const NOW = new Date('2026-11-20T12:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;
const LONG_HOST = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;

let files: CredentialFiles;

beforeAll(async () => {
  const hosts = [LONG_HOST, 'nbd.example.org', '127.0.0.1', '::1'];
  files = await makeCredentials({ hosts, clients: ['vm1', 'vm2'], pskUser: 'me' }, NOW);
});

const text = (file: string) => files.get(file) ?? '';
const certificate = (file: string) => new X509Certificate(text(file));

test('everybody has a folder with what they need, and nothing else', () => {
  expect([...files.keys()].sort()).toEqual([
    'ca/ca-cert.pem',
    'ca/ca-key.pem',
    'clients/vm1/ca-cert.pem',
    'clients/vm1/client-cert.pem',
    'clients/vm1/client-key.pem',
    'clients/vm2/ca-cert.pem',
    'clients/vm2/client-cert.pem',
    'clients/vm2/client-key.pem',
    'psk/keys.psk',
    'server/ca-cert.pem',
    'server/server-cert.pem',
    'server/server-key.pem',
  ]);
  const keys = [...files].filter(([file]) => file.endsWith('-key.pem')).map(([, content]) => content);
  expect(new Set(keys).size).toBe(4);
});

test.each(['server/server', 'clients/vm1/client', 'clients/vm2/client'])(
  '%s-cert.pem is signed by the authority, and has the key beside it',
  (party) => {
    const authority = certificate('ca/ca-cert.pem');
    const own = certificate(`${party}-cert.pem`);
    expect(own.verify(authority.publicKey)).toBe(true);
    expect(own.checkIssued(authority)).toBe(true);
    expect(own.ca).toBe(false);
    expect(own.checkPrivateKey(createPrivateKey(text(`${party}-key.pem`)))).toBe(true);
    expect(text(`${party.slice(0, party.lastIndexOf('/'))}/ca-cert.pem`)).toBe(text('ca/ca-cert.pem'));
  },
);

describe('the certificate of the server', () => {
  test('has every name and address', () => {
    const server = certificate('server/server-cert.pem');
    for (const host of [LONG_HOST, 'nbd.example.org']) expect(server.checkHost(host)).toBe(host);
    for (const address of ['127.0.0.1', '::1']) expect(server.checkIP(address)).toBe(address);
    expect(server.checkHost('other.example.org')).toBeUndefined();
  });

  test('has the first name that is short enough as its common name', () => {
    expect(certificate('server/server-cert.pem').subject).toBe('CN=nbd.example.org');
  });

  test('is for servers, those of clients are for clients', () => {
    expect(certificate('server/server-cert.pem').keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate('clients/vm1/client-cert.pem').keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate('clients/vm1/client-cert.pem').subject).toBe('CN=vm1');
  });
});

test('certificates are valid since before now, and the authority outlives them', () => {
  const [server, authority] = [certificate('server/server-cert.pem'), certificate('ca/ca-cert.pem')];
  for (const { validFrom } of [server, authority]) {
    expect(new Date(validFrom).getTime()).toBeLessThan(NOW.getTime());
  }
  const daysLeft = ({ validTo }: X509Certificate) => (new Date(validTo).getTime() - NOW.getTime()) / DAY_MS;
  expect(Math.round(daysLeft(server))).toBe(3 * 365);
  expect(Math.round(daysLeft(authority))).toBe(10 * 365);
});

test('the key is 256 bits in the form of psktool, and another one each time', async () => {
  expect(text('psk/keys.psk')).toMatch(/^me:[0-9a-f]{64}\n$/);
  const again = await makeCredentials({ hosts: ['a'], clients: [], pskUser: 'me' }, NOW);
  expect(again.get('psk/keys.psk')).not.toBe(text('psk/keys.psk'));
  expect(again.get('ca/ca-cert.pem')).not.toBe(text('ca/ca-cert.pem'));
});
