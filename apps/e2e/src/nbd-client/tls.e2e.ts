import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runHoldfast } from '../support/holdfast-program.js';
import { makeImage, MIB } from '../support/image.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { copy, expectSameFile, newPath } from './copy-scene.js';
import { newSocket, serveNbdkit, unixUri } from './servers.js';

const needs = requireCommands('nbdkit');

describe.skipIf(needs.missing)(`holdfast nbd through TLS ${needs.note}`, () => {
  const image = () => makeImage(2 * MIB);
  let folder: string;

  beforeAll(async () => {
    folder = path.join(scratchFolder(), 'tls');
    const names = ['--host', 'localhost', '--client', 'alice', '--psk', 'alice'];
    const { code } = await runHoldfast(['tls', 'init', '--dir', folder, ...names]);
    expect(code).toBe(0);
  });

  /** An export by certificates, which the client must have too. */
  async function byCertificate(disk: string): Promise<string> {
    const socket = newSocket();
    const certificates = `--tls-certificates=${path.join(folder, 'server')}`;
    await serveNbdkit(['--tls=require', certificates, '--tls-verify-peer', 'file', disk], { socket });
    return socket;
  }

  it('copies by certificates, and says that it is secure', async () => {
    const disk = image();
    const socket = await byCertificate(disk);
    const client = path.join(folder, 'clients/alice');
    const uri = unixUri(socket, '', `&tls-certificates=${client}&tls-hostname=localhost`);
    const copied = newPath();
    await copy(uri, copied, '--connections', '2');
    await expectSameFile(copied, disk);
    expect((await runHoldfast(['nbd', 'info', '--is', 'tls', uri])).code).toBe(0);
  });

  it('copies by a pre-shared key', async () => {
    const disk = image();
    const socket = newSocket();
    const key = path.join(folder, 'psk/keys.psk');
    await serveNbdkit(['--tls=require', `--tls-psk=${key}`, 'file', disk], { socket });
    const copied = newPath();
    await copy(unixUri(socket, '', `&tls-psk-file=${key}&tls-username=alice`), copied);
    await expectSameFile(copied, disk);
  });

  it('of a server that insists on TLS, and is asked without, says what to do', async () => {
    const socket = await byCertificate(image());
    const { code, stderr } = await runHoldfast(['nbd', 'info', unixUri(socket)]);
    expect(code).toBe(1);
    expect(stderr).toContain('it insists on TLS: connect by nbds:// or nbds+unix://');
    expect((await runHoldfast(['nbd', 'info', '--can', 'connect', unixUri(socket)])).code).toBe(1);
  });

  it('of a server without TLS is refused, and nothing goes in the clear', async () => {
    const socket = newSocket();
    await serveNbdkit(['memory', '1M'], { socket });
    const client = path.join(folder, 'clients/alice');
    const uri = unixUri(socket, '', `&tls-certificates=${client}&tls-hostname=localhost`);
    const { code, stderr } = await runHoldfast(['nbd', 'list', uri]);
    expect(code).toBe(1);
    expect(stderr).toContain('the server does not do TLS');
    expect(stderr).toContain('(NBD_TLS_FAILED)\nCheck the certificates or the key that the message names.');
  });

  it('by an authority that is not the server’s is refused', async () => {
    const socket = await byCertificate(image());
    const other = path.join(scratchFolder(), 'other');
    await runHoldfast(['tls', 'init', '--dir', other, '--host', 'localhost', '--client', 'alice']);
    const client = path.join(other, 'clients/alice');
    const uri = unixUri(socket, '', `&tls-certificates=${client}&tls-hostname=localhost`);
    const { code, stderr } = await runHoldfast(['nbd', 'copy', uri, newPath()]);
    expect(code).toBe(1);
    expect(stderr).toContain('(NBD_TLS_FAILED)');
    rmSync(other, { recursive: true });
  });
});
