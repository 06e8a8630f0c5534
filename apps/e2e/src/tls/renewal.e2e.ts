import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { beforeEach, expect, it } from 'vitest';
import { goTo, readBytes } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import type { RawClient } from '../protocol/raw-client.js';
import { serving } from '../protocol/serving.js';
import { MIB } from '../support/image.js';
import { makeCredentials, readKey, serveArgs } from './credentials.js';
import { byCertificate, byKey, connectTls, isAccepted } from './tls-client.js';

const credentials = await makeCredentials('vm1');
const renewed = await makeCredentials('vm1');
const original = new Map(
  ['ca-cert.pem', 'server-cert.pem', 'server-key.pem'].map((name) => [
    name,
    readFileSync(path.join(credentials.server, name)),
  ]),
);
const originalKeys = readFileSync(credentials.pskFile);
const suite = serving({ args: serveArgs(credentials, 'required') });

const at = (name: string) => path.join(credentials.server, name);

beforeEach(() => {
  for (const [name, content] of original) writeFileSync(at(name), content, { mode: 0o600 });
  writeFileSync(credentials.pskFile, originalKeys);
});

function renew(...names: readonly string[]): void {
  for (const name of names) copyFileSync(path.join(renewed.server, name), at(name));
}

async function serve(client: RawClient): Promise<void> {
  expectBytes(await readBytes(client, 0, MIB), suite.imageBytes(0, MIB));
}

/** The certificate that the server shows. */
function shown({ socket }: RawClient): string {
  return (socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? '';
}

it('certificates that are renewed are shown to new clients, and nobody is cut off', async () => {
  const before = await connectTls(suite.holdfast, byCertificate(credentials, 'vm1'));
  await goTo(before);
  await serve(before);

  renew('ca-cert.pem', 'server-cert.pem', 'server-key.pem');
  const after = await connectTls(suite.holdfast, byCertificate(renewed, 'vm1'));
  await goTo(after);
  await serve(after);
  expect(shown(after)).not.toBe(shown(before));
  // The old authority lets nobody in any more, but who is inside stays.
  expect(
    await isAccepted(suite.holdfast, { ...byCertificate(credentials, 'vm1'), rejectUnauthorized: false }),
  ).toBe(false);
  await serve(before);
});

it.each([
  [
    'half renewed',
    () => {
      renew('server-cert.pem');
    },
  ],
  [
    'gone',
    () => {
      rmSync(at('server-key.pem'));
    },
  ],
  [
    'damaged',
    () => {
      writeFileSync(at('server-cert.pem'), 'no certificate');
    },
  ],
])('while they are %s the old ones go on', async (_how, change) => {
  const before = await connectTls(suite.holdfast, byCertificate(credentials, 'vm1'));
  change();
  const after = await connectTls(suite.holdfast, byCertificate(credentials, 'vm1'));
  expect(shown(after)).toBe(shown(before));
  await goTo(after);
  await serve(after);
});

it('a key that is added lets its user in, one that is taken out nobody new', async () => {
  const inside = await connectTls(suite.holdfast, byKey(credentials));
  await goTo(inside);
  const other = byKey(credentials, readKey(renewed), 'other');
  expect(await isAccepted(suite.holdfast, other)).toBe(false);
  writeFileSync(credentials.pskFile, `other:${readKey(renewed).toString('hex')}\n`);
  expect(await isAccepted(suite.holdfast, other)).toBe(true);
  expect(await isAccepted(suite.holdfast, byKey(credentials))).toBe(false);
  await serve(inside);
});
