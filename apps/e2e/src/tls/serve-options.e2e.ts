import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, type Finished } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { holdfastProgram } from '../support/holdfast-program.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { servicesOf } from '../support/leftovers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { clientFolder, makeCredentials, serveArgs } from './credentials.js';
import { byCertificate, isAccepted } from './tls-client.js';

const FAILED = 1;
const USAGE = 64;

const credentials = await makeCredentials('vm1');
const cwd = credentials.folder;

/** A serve that is not meant to begin; paths are those of the folder that `tls init` made. */
async function refused(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const state = path.join(scratchFolder(), 'state');
  const finished = await run(
    process.execPath,
    [holdfastProgram, 'serve', '--state', state, '--listen', 'none', ...args],
    {
      cwd,
      env,
    },
  );
  expect(finished.stdout).toBe('');
  expect(servicesOf(state)).toEqual([]);
  return finished;
}

describe('serve refuses in one sentence, before anything is started', () => {
  it.each([
    [['--tls', 'required'], /--tls required needs --tls-certificates, --tls-psk or both/],
    [['--tls-certificates', 'server'], /TLS is off, though --tls-certificates .* is given/],
    [
      ['--tls', 'required', '--tls-certificates', '.'],
      /has no server-cert\.pem; .*\/server has: give that one/,
    ],
    [
      ['--tls', 'required', '--tls-certificates', 'psk'],
      /psk has no server-cert\.pem; it needs server-cert\.pem/,
    ],
    [['--tls', 'required', '--tls-psk', 'absent'], /there is no file .*\/absent; make one/],
  ])('%j', async (args, sentence) => {
    const { code, stderr } = await refused(args);
    expect(stderr).toMatch(/^holdfast: [^\n]+ \(INVALID_SETTING\)\n$/);
    expect(stderr).toMatch(sentence);
    expect(code).toBe(FAILED);
  });

  it('a private key that others can read, and says what to do', async () => {
    const folder = path.join(scratchFolder(), 'open');
    mkdirSync(folder);
    for (const name of ['ca-cert.pem', 'server-cert.pem', 'server-key.pem']) {
      copyFileSync(path.join(credentials.server, name), path.join(folder, name));
    }
    chmodSync(path.join(folder, 'server-key.pem'), 0o644);
    const { code, stderr } = await refused(['--tls', 'required', '--tls-certificates', folder]);
    expect(stderr).toContain(`(mode 0644): run chmod o= ${folder}/server-key.pem`);
    expect(code).toBe(FAILED);
  });

  it('a key that is not that of the certificate, by the word of the gateway', async () => {
    const folder = path.join(scratchFolder(), 'mixed');
    mkdirSync(folder);
    for (const name of ['ca-cert.pem', 'server-cert.pem']) {
      copyFileSync(path.join(credentials.server, name), path.join(folder, name));
    }
    copyFileSync(
      path.join(clientFolder(credentials, 'vm1'), 'client-key.pem'),
      path.join(folder, 'server-key.pem'),
    );
    const { code, stderr } = await refused(['--tls', 'required', '--tls-certificates', folder]);
    expect(stderr).toContain(`server-key.pem in ${folder} is not the key of server-cert.pem there`);
    expect(code).toBe(FAILED);
  });

  it.each([
    ['--tls', 'always'],
    ['--tls-client-certificates', 'perhaps'],
    ['--tls-minimum-version', '1.1'],
  ])('%s %s is wrong usage', async (...args) => {
    const { code, stderr } = await refused(args);
    expect(stderr).toContain('Allowed choices are');
    expect(code).toBe(USAGE);
  });

  it('what variables say, as it does what options say', async () => {
    expect((await refused([], { HOLDFAST_TLS: 'required' })).stderr).toMatch(/--tls required needs/);
    expect((await refused([], { HOLDFAST_TLS_PSK: 'psk/keys.psk' })).stderr).toMatch(
      /TLS is off, though --tls-psk/,
    );
    expect((await refused([], { HOLDFAST_TLS: 'always' })).code).toBe(USAGE);
  });
});

describe('serve takes TLS', () => {
  it('by variables, with relative paths', async () => {
    const env = {
      HOLDFAST_TLS: 'required',
      HOLDFAST_TLS_CERTIFICATES: path.relative(process.cwd(), credentials.server),
    };
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    expect(holdfast.stdout()).toMatch(/^ready nbds:\/\/127\.0\.0\.1:\d+\/disk\.img nbds\+unix:/);
    expect(await isAccepted(holdfast, byCertificate(credentials, 'vm1'))).toBe(true);
  });

  it('1.3 and nothing older, where that is the minimum', async () => {
    const args = serveArgs(credentials, 'required', '--tls-minimum-version', '1.3');
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], args });
    const identity = byCertificate(credentials, 'vm1');
    expect(await isAccepted(holdfast, identity)).toBe(true);
    expect(await isAccepted(holdfast, { ...identity, maxVersion: 'TLSv1.2' })).toBe(false);
  });

  it.each([
    { rule: 'required', warned: false },
    { rule: 'optional', warned: true },
  ])('Law 8 and warns of other machines where certificates are $rule: $warned', async ({ rule, warned }) => {
    const port = String(await freePort());
    const args = [
      ...serveArgs(credentials, 'required', '--tls-client-certificates', rule),
      ...['--listen', `0.0.0.0:${port}`],
    ];
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], args });
    expect(holdfast.stderr().includes(`warning: whoever reaches 0.0.0.0:${port}`)).toBe(warned);
  });
});
