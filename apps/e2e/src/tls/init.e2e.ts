import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { makeCredentials, type TlsCredentials } from './credentials.js';

const FAILED = 1;
const needsOpenssl = requireCommands('openssl');
const needsPsktool = requireCommands('psktool', 'nbdinfo');

const init = (dir: string, ...args: readonly string[]) => runHoldfast(['tls', 'init', '--dir', dir, ...args]);

/** Modes by path below a folder. */
function modesIn(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    ['', ...entries].map((entry) => [entry, (statSync(path.join(folder, entry)).mode & 0o777).toString(8)]),
  );
}

describe('holdfast tls init', () => {
  it('Law 8 makes what is for this user alone: files 0600, folders 0700', async () => {
    const { folder } = await makeCredentials('vm1');
    const modes = modesIn(folder);
    for (const [entry, mode] of Object.entries(modes)) {
      expect([entry, mode]).toEqual([
        entry,
        statSync(path.join(folder, entry)).isDirectory() ? '700' : '600',
      ]);
    }
    expect(Object.keys(modes)).toContain('clients/vm1/client-key.pem');
    expect(readdirSync(path.join(folder, 'clients/vm1')).sort()).toEqual([
      'ca-cert.pem',
      'client-cert.pem',
      'client-key.pem',
    ]);
  });

  it('tells people where all is and what to type, and scripts in JSON', async () => {
    const folder = path.join(scratchFolder(), 'tls');
    const told = await init(folder, '--client', 'vm1', 'vm2');
    expect(told.code).toBe(0);
    expect(told.stdout).toContain(`client vm2:`);
    expect(told.stderr).toContain(`npx holdfast serve --tls required --tls-certificates ${folder}/server`);
    expect(told.stderr).toContain(`?tls-certificates=${folder}/clients/vm1'`);

    const other = `${folder}-2`;
    const { stdout, stderr } = await init(other, '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      folder: other,
      server: `${other}/server`,
      clients: { client: `${other}/clients/client` },
      pskFile: `${other}/psk/keys.psk`,
      pskUser: userInfo().username,
    } satisfies TlsCredentials);
  });

  it('replaces nothing', async () => {
    const { folder } = await makeCredentials('vm1');
    const key = readFileSync(path.join(folder, 'ca/ca-key.pem'));
    const { code, stderr } = await init(folder);
    expect(code).toBe(FAILED);
    expect(stderr).toBe(
      `holdfast: ${folder} is there already, and nothing is replaced: choose another folder by --dir (INVALID_SETTING)\n`,
    );
    expect(readFileSync(path.join(folder, 'ca/ca-key.pem'))).toEqual(key);
    expect(readdirSync(path.dirname(folder))).toEqual([path.basename(folder)]);
  });

  it('has the host name of this machine in the certificate, and how it is reached from itself', async () => {
    const folder = path.join(scratchFolder(), 'tls');
    expect((await init(folder)).code).toBe(0);
    const certificate = new X509Certificate(readFileSync(path.join(folder, 'server/server-cert.pem')));
    for (const host of [hostname(), 'localhost']) expect(certificate.checkHost(host)).toBe(host);
    for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBe(address);
  });

  it.each([
    [['--host', 'nbd.example.org:10809'], /--host "nbd.example.org:10809" must be a host name/],
    [['--client', 'a/b'], /--client "a\/b" must be up to 64/],
    [['--client', 'x'.repeat(65)], /must be up to 64 letters/],
    [['--psk', 'two words'], /--psk "two words" must be up to 128/],
  ])('refuses %j by name, and makes nothing', async (args, sentence) => {
    const parent = scratchFolder();
    const { code, stderr } = await init(path.join(parent, 'tls'), ...args);
    expect(code).toBe(FAILED);
    expect(stderr).toMatch(sentence);
    expect(readdirSync(parent)).toEqual([]);
  });

  it.skipIf(needsOpenssl.missing)(`makes a chain that openssl verifies ${needsOpenssl.note}`, async () => {
    const { folder, server } = await makeCredentials('vm1');
    const authority = path.join(folder, 'ca/ca-cert.pem');
    const verify = (purpose: string, file: string, ...more: readonly string[]) =>
      run('openssl', ['verify', '-x509_strict', '-CAfile', authority, '-purpose', purpose, ...more, file]);
    const serverCertificate = path.join(server, 'server-cert.pem');
    const clientCertificate = path.join(folder, 'clients/vm1/client-cert.pem');
    expect(await verify('sslserver', serverCertificate, '-verify_hostname', 'localhost')).toMatchObject({
      code: 0,
    });
    expect(await verify('sslserver', serverCertificate, '-verify_ip', '127.0.0.1')).toMatchObject({
      code: 0,
    });
    expect(await verify('sslclient', clientCertificate)).toMatchObject({ code: 0 });
    // Neither passes for the other.
    expect((await verify('sslclient', serverCertificate)).code).not.toBe(0);
    expect((await verify('sslserver', clientCertificate)).code).not.toBe(0);
  });

  it.skipIf(needsPsktool.missing)(
    `makes keys in the form of psktool, and serve takes those of psktool ${needsPsktool.note}`,
    async () => {
      const { pskFile } = await makeCredentials('vm1');
      const own = path.join(scratchFolder(), 'keys.psk');
      await succeed('psktool', ['-u', 'me', '-p', own]);
      const form = /^me:[0-9a-f]{64}\n$/;
      expect(readFileSync(own, 'utf8')).toMatch(form);
      expect(readFileSync(pskFile, 'utf8')).toMatch(form);
      const args = ['--tls', 'required', '--tls-psk', own];
      await using holdfast = await startHoldfast({ images: [makeImage(MIB)], args });
      const uri = `nbds://me@127.0.0.1:${String(holdfast.port)}/disk.img?tls-psk-file=${own}`;
      expect((await succeed('nbdinfo', ['--size', uri])).stdout.trim()).toBe(String(MIB));
    },
  );

  it('makes keys of 256 bits in the form of psktool', async () => {
    const { pskFile } = await makeCredentials('vm1');
    expect(readFileSync(pskFile, 'utf8')).toMatch(/^me:[0-9a-f]{64}\n$/);
  });
});
