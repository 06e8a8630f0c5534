import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CertificateAuthority } from '@holdfast/certificates';
import { beforeAll, describe, expect, it } from 'vitest';
import { askOption, goTo, readBytes, readOptionReplies } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { serving, type Serving } from '../protocol/serving.js';
import { Opt, Rep } from '../protocol/spec-numbers.js';
import { go, option } from '../protocol/wire.js';
import { run, succeed } from '../support/command.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { libnbdUri } from './addresses.js';
import { clientFolder, makeCredentials, serveArgs } from './credentials.js';
import {
  byCertificate,
  byKey,
  connectTls,
  inFolder,
  isAccepted,
  withoutCertificate,
  type Identity,
} from './tls-client.js';

const HOUR_MS = 60 * 60 * 1000;
const needsNbdinfo = requireCommands('nbdinfo');

const credentials = await makeCredentials('vm1', 'vm2');
/** Of another authority that calls itself the same. */
const strangers = await makeCredentials('vm1');

/** A client with a certificate of its own making, which trusts the server. */
function outsider(): Identity {
  return { ...byCertificate(strangers, 'vm1'), ...withoutCertificate(credentials) };
}

/** A certificate that has another purpose. */
function serverAsClient(): Identity {
  const read = (name: string) => readFileSync(path.join(credentials.server, name));
  return { ca: read('ca-cert.pem'), cert: read('server-cert.pem'), key: read('server-key.pem') };
}

describe.each([
  { rule: 'required', withoutOne: false },
  { rule: 'optional', withoutOne: true },
  { rule: 'off', withoutOne: true },
] as const)('certificates of clients that are $rule', ({ rule, withoutOne }) => {
  const suite = serving({ args: serveArgs(credentials, 'required', '--tls-client-certificates', rule) });

  it('let in a client with one', async () => {
    expect(await isAccepted(suite.holdfast, byCertificate(credentials, 'vm1'))).toBe(true);
  });

  it(`${withoutOne ? 'let in' : 'keep out'} a client without any`, async () => {
    expect(await isAccepted(suite.holdfast, withoutCertificate(credentials))).toBe(withoutOne);
  });

  // Where nobody is asked for a certificate, nobody shows any.
  it('keep out one that another authority has signed, or that is meant for servers, wherever it is looked at', async () => {
    expect(await isAccepted(suite.holdfast, outsider())).toBe(rule === 'off');
    expect(await isAccepted(suite.holdfast, serverAsClient())).toBe(rule === 'off');
  });

  it('let in a client with a key, which needs no certificate', async () => {
    expect(await isAccepted(suite.holdfast, byKey(credentials))).toBe(true);
  });

  it.skipIf(needsNbdinfo.missing)(`nbdinfo sees the same ${needsNbdinfo.note}`, async () => {
    const bare = scratchFolder();
    copyFileSync(path.join(credentials.server, 'ca-cert.pem'), path.join(bare, 'ca-cert.pem'));
    const at = (folder: string) =>
      `nbds://127.0.0.1:${String(suite.holdfast.port)}/disk.img?tls-certificates=${folder}`;
    await succeed('nbdinfo', ['--size', at(clientFolder(credentials, 'vm1'))]);
    expect((await run('nbdinfo', ['--size', at(bare)])).code).toBe(withoutOne ? 0 : 1);
    // A client that trusts another authority does not talk to this server.
    expect((await run('nbdinfo', ['--size', at(clientFolder(strangers, 'vm1'))])).code).toBe(1);
  });
});

describe('exports for holders of certificates', () => {
  const suite: Serving = serving({
    args: serveArgs(credentials, 'per-export', '--tls-client-certificates', 'optional'),
  });

  beforeAll(async () => {
    const policy = ['--tls-required', '--allow', 'certificate:vm1'];
    const { code, stderr } = await suite.holdfast.cli(
      'export',
      'add',
      'for-vm1',
      '--device',
      'disk.img',
      ...policy,
    );
    expect(code, stderr).toBe(0);
  });

  it('are served to those alone', async () => {
    const client = await connectTls(suite.holdfast, byCertificate(credentials, 'vm1'));
    await goTo(client, 'for-vm1');
    expectBytes(await readBytes(client, 0, 4096), suite.imageBytes(0, 4096));
  });

  it.each([
    ['another certificate', () => byCertificate(credentials, 'vm2')],
    ['no certificate', () => withoutCertificate(credentials)],
    ['a key', () => byKey(credentials)],
  ])('are ERR_POLICY for who has %s, and not listed', async (_who, identity) => {
    const client = await connectTls(suite.holdfast, identity());
    expect((await askOption(client, go('for-vm1'))).type).toBe(Rep.ERR_POLICY);
    client.send(option(Opt.LIST));
    const listed = (await readOptionReplies(client)).filter(({ type }) => type === Rep.SERVER);
    expect(listed.map(({ data }) => data.subarray(4).toString())).toEqual(['disk.img']);
  });

  it.skipIf(needsNbdinfo.missing)(`nbdinfo sees the same ${needsNbdinfo.note}`, async () => {
    const access = { credentials, transport: 'tcp', exportName: 'for-vm1' } as const;
    await succeed('nbdinfo', ['--size', libnbdUri(suite.holdfast, { ...access, proof: 'certificate' })]);
    expect(
      (await run('nbdinfo', ['--size', libnbdUri(suite.holdfast, { ...access, proof: 'key' })])).code,
    ).toBe(1);
  });
});

describe('certificates that are not valid any more', () => {
  const folder = scratchFolder();
  const server = path.join(folder, 'server');
  const suite = serving({ args: ['--tls', 'required', '--tls-certificates', server] });
  const identities = ownAuthority(server, folder);

  it('by their end, or by the list of those revoked, are refused', async () => {
    const { good, expired, early, revoked } = await identities;
    expect(await isAccepted(suite.holdfast, good)).toBe(true);
    for (const identity of [expired, early, revoked]) {
      expect(await isAccepted(suite.holdfast, identity)).toBe(false);
    }
  });
});

/** Writes the folder of a server with a list of revoked certificates, and makes clients of all kinds. */
async function ownAuthority(server: string, folder: string) {
  mkdirSync(server);
  const around = (from: number, to: number) => ({
    notBefore: new Date(Date.now() + from * HOUR_MS),
    notAfter: new Date(Date.now() + to * HOUR_MS),
  });
  const now = around(-1, 24);
  const authority = await CertificateAuthority.create('test CA', around(-48, 48));
  const clientOf = async (name: string, validity: typeof now) => {
    const issued = await authority.issue({ usage: 'client', commonName: name, validity });
    const own = path.join(folder, name);
    mkdirSync(own);
    writeFileSync(path.join(own, 'ca-cert.pem'), authority.certificatePem);
    writeFileSync(path.join(own, 'client-cert.pem'), issued.certificatePem);
    writeFileSync(path.join(own, 'client-key.pem'), issued.privateKeyPem, { mode: 0o600 });
    return { identity: inFolder(own), pem: issued.certificatePem };
  };
  const localhost = [{ type: 'dns', value: 'localhost' }] as const;
  const own = await authority.issue({
    usage: 'server',
    commonName: 'server',
    alternativeNames: localhost,
    validity: now,
  });
  const revoked = await clientOf('revoked', now);
  writeFileSync(path.join(server, 'ca-cert.pem'), authority.certificatePem);
  writeFileSync(path.join(server, 'server-cert.pem'), own.certificatePem);
  writeFileSync(path.join(server, 'server-key.pem'), own.privateKeyPem, { mode: 0o600 });
  writeFileSync(path.join(server, 'ca-crl.pem'), await authority.revocationList([revoked.pem], now));
  return {
    good: (await clientOf('good', now)).identity,
    expired: (await clientOf('expired', around(-24, -1))).identity,
    early: (await clientOf('early', around(1, 24))).identity,
    revoked: revoked.identity,
  };
}
