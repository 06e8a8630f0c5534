import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { newSocket, serveNbdkit, serveQemu, unixUri } from '../nbd-client/servers.js';
import { run, succeed } from '../support/command.js';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { listSessions } from '../support/instance-facts.js';
import { NbdSession } from '../support/nbd-session.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { clientFolder, makeCredentials, serveArgs } from '../tls/credentials.js';
import { chain, done, shownRemote } from './remote-device.js';
import { startUpstream, type UpstreamKind } from './upstream.js';

const needs = requireCommands('nbdcopy', 'nbdinfo', 'qemu-io', 'qemu-nbd', 'nbdkit');

const upstreams: readonly { readonly kind: UpstreamKind; readonly hasMap: boolean }[] = [
  { kind: 'qemu-nbd', hasMap: true },
  { kind: 'nbdkit', hasMap: true },
  { kind: 'nbd-server', hasMap: false },
  { kind: 'holdfast', hasMap: true },
];

describe.skipIf(needs.missing)(`a device that is an export of another server ${needs.note}`, () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
  });

  const info = async (uri: string) => {
    const { stdout } = await succeed('nbdinfo', ['--json', uri]);
    return (JSON.parse(stdout) as { exports: Record<string, unknown>[] }).exports[0] ?? {};
  };
  const can = async (uri: string, what: string) => (await run('nbdinfo', ['--can', what, uri])).code === 0;

  describe.each(upstreams)('$kind', ({ kind, hasMap }) => {
    const isMissing = kind !== 'holdfast' && requireCommands(kind).missing;

    it.skipIf(isMissing)(
      `is copied whole in both directions${hasMap ? ', with its holes' : ''}`,
      async () => {
        const image = makeImage(24 * MIB + 512, { fill: 'sparse' });
        const before = await sha256(image);
        const upstream = await startUpstream(kind, image);
        const uri = await chain(holdfast, kind, upstream.uri);

        const copied = path.join(scratchFolder(), 'copy.img');
        await succeed('nbdcopy', [uri, copied]);
        expect(await sha256(copied)).toBe(before);
        if (hasMap) {
          const map = async (of: string) => (await succeed('nbdinfo', ['--map', of])).stdout;
          expect(await map(uri)).toBe(await map(upstream.uri));
          expect(await map(uri)).toContain('hole');
        } else {
          expect((await info(uri))['contexts']).toEqual([]);
        }

        const other = makeImage(24 * MIB + 512);
        await succeed('nbdcopy', ['--flush', other, uri]);
        await done(holdfast, 'device', 'detach', kind, '--deadline', '10');
        await upstream.kill();
        expect(await sha256(image)).toBe(await sha256(other));
      },
    );
  });

  it('is shown as unverified, without an identity, with what is offered', async () => {
    const upstream = await startUpstream('qemu-nbd', makeImage(MIB));
    await chain(holdfast, 'shown', upstream.uri);
    const shown = await shownRemote(holdfast, 'shown');
    expect(shown).toMatchObject({
      state: 'STATE_CONNECTED',
      verification: 'VERIFICATION_UNVERIFIED',
      sizeBytes: String(MIB),
    });
    expect(shown.identity).toBeUndefined();
    expect(shown.remote?.transmissionFlags).toBeGreaterThan(0);
    const { stdout } = await done(holdfast, 'device', 'show', 'shown');
    expect(stdout).toContain('an NBD server tells no identity');
  });

  it('T18 offers what the server offers: read-only, no FLUSH for all connections, no TRIM', async () => {
    const image = makeImage(MIB);
    const readOnly = await chain(holdfast, 'ro', (await serveQemu(['-r', '-f', 'raw', image])).uri);
    expect(await info(readOnly)).toMatchObject({ is_read_only: true, can_trim: false, can_zero: false });
    const refused = await run('qemu-io', ['-f', 'raw', '-c', 'write 0 512', readOnly]);
    expect(refused.code).not.toBe(0);

    const plugin = ['--filter=nozero', '--filter=multi-conn', 'memory', '1M'];
    const few = await serveNbdkit([...plugin, 'multi-conn-mode=disable']);
    const uri = await chain(holdfast, 'few', few.uri);
    expect(await info(uri)).toMatchObject({ can_multi_conn: false, can_zero: false, can_flush: true });
    expect(await can(few.uri, 'multi-conn')).toBe(false);
  });

  it('T5 keeps to the block sizes of the server, and splits what is larger', async () => {
    const policy = ['blocksize-minimum=4096', 'blocksize-preferred=8192', 'blocksize-maximum=64K'];
    const args = ['--filter=blocksize-policy', 'memory', '8M', ...policy, 'blocksize-error-policy=error'];
    const uri = await chain(holdfast, 'blocks', (await serveNbdkit(args)).uri);
    expect(await info(uri)).toMatchObject({ block_size_minimum: 4096, block_size_preferred: 8192 });
    const io = [
      '-c',
      'write -P 5 4k 5M',
      '-c',
      'read -P 5 4k 5M',
      '-c',
      'write -z 1M 4k',
      '-c',
      'discard 2M 1M',
    ];
    const { stdout } = await succeed('qemu-io', ['-f', 'raw', ...io, uri]);
    expect(stdout).not.toMatch(/failed|error/);
  });

  it.each(engines)('serves every kind of request, whatever the engine: $engine', async ({ env }) => {
    const one = await startHoldfast({ images: [makeImage(MIB)], env });
    const upstream = await startUpstream('qemu-nbd', makeImage(8 * MIB, { fill: 'empty' }));
    const uri = await chain(one, 'far', upstream.uri);
    const requests = [
      'write -P 1 0 1M',
      'write -f -P 2 1M 1M',
      'write -z 0 64k',
      'discard 128k 64k',
      'flush',
    ];
    const reads = ['read -P 0 0 64k', 'read -P 1 64k 64k', 'read -P 2 1M 1M', 'read -P 0 2M 6M'];
    const args = [...requests, ...reads].flatMap((command) => ['-c', command]);
    const { stdout } = await succeed('qemu-io', ['-f', 'raw', ...args, uri]);
    expect(stdout).not.toMatch(/failed|error/i);
    const session = await NbdSession.open(one, 'far');
    expect((await listSessions(one)).map(({ engine }) => engine)).toEqual(['event-loop']);
    session.hangUp();
  });

  it('is reached through TLS by certificates, and refused with those of another authority', async () => {
    const credentials = await makeCredentials('alice');
    const secret = await startHoldfast({
      images: [makeImage(MIB)],
      args: serveArgs(credentials, 'required'),
    });
    const at = `nbds://localhost:${String(secret.port)}/disk.img?tls-certificates=`;
    const uri = await chain(holdfast, 'secret', at + clientFolder(credentials, 'alice'));
    const copied = path.join(scratchFolder(), 'copy.img');
    await succeed('nbdcopy', [uri, copied]);
    const others = clientFolder(await makeCredentials('mallory'), 'mallory');
    await done(holdfast, 'device', 'add', 'strange', '--kind', 'nbd', '--uri', at + others);
    const refused = await holdfast.cli('device', 'attach', 'strange');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('NBD_TLS_FAILED');
    expect(await shownRemote(holdfast, 'strange')).toMatchObject({
      state: 'STATE_FAILED',
      errorReason: 'NBD_TLS_FAILED',
    });
  });

  it.each([
    ['of a server that is not there', unixUri('/nowhere/nbd.sock'), 'NBD_SERVER_UNREACHABLE'],
    ['that the server does not have', '', 'NBD_OPTION_REFUSED'],
  ])('%s is not attached, and says why', async (_what, uri, code) => {
    const at = uri === '' ? holdfast.uri('tcp').replace('disk.img', 'nothing') : uri;
    await done(holdfast, 'device', 'add', code, '--kind', 'nbd', '--uri', at);
    const refused = await holdfast.cli('device', 'attach', code);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(code) as string });
  });

  it('Law 5 is refused with a relative path in its URI, which another process would not find', async () => {
    const refused = await holdfast.cli(
      'device',
      'add',
      'relative',
      '--kind',
      'nbd',
      '--uri',
      unixUri('./nbd.sock'),
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/"socket" is relative \("\.\/nbd\.sock"\): give it from \/ on/);
  });

  it('that has become an export of itself serves nobody, and nobody else suffers from it', async () => {
    const self = `nbd://127.0.0.1:${String(holdfast.port)}/knot`;
    await done(holdfast, 'export', 'add', 'knot', '--device', 'disk.img');
    await done(holdfast, 'device', 'add', 'knot', '--kind', 'nbd', '--uri', self);
    await done(holdfast, 'device', 'attach', 'knot');
    await done(holdfast, 'export', 'remove', 'knot');
    await done(holdfast, 'export', 'add', 'knot', '--device', 'knot');
    const { code } = await run('nbdinfo', [self], { timeoutMs: 60_000 });
    expect(code).not.toBe(0);
    await eventually(
      'its sessions to be gone',
      async () => (await listSessions(holdfast)).length === 0,
      60_000,
    );
    expect((await run('nbdinfo', [holdfast.uri('tcp')])).code).toBe(0);
    await done(holdfast, 'device', 'detach', 'knot');
  });

  it('of a server behind a socket that is gone is attached again once it is there', async () => {
    const socket = newSocket();
    const first = await serveNbdkit(['memory', '1M'], { socket });
    await chain(holdfast, 'again', first.uri);
    await done(holdfast, 'device', 'detach', 'again', '--force');
    await first.kill();
    expect((await holdfast.cli('device', 'attach', 'again')).code).toBe(1);
    rmSync(socket, { force: true });
    await serveNbdkit(['memory', '1M'], { socket });
    await done(holdfast, 'device', 'attach', 'again');
    expect((await shownRemote(holdfast, 'again')).state).toBe('STATE_CONNECTED');
  });
});
