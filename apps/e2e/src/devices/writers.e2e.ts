import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { nbdsh, requireNbdsh } from '../support/nbdsh.js';
import { requireCommands } from '../support/requirements.js';

const qemu = requireCommands('qemu-io', 'nbdinfo');

describe('who may write to a device at once', () => {
  let holdfast: Holdfast;

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(8 * MIB, { fill: 'empty' })] });
    for (const [name, ...options] of [
      ['any', '--writers', 'any'],
      ['client', '--writers', 'one-client'],
      ['connection', '--writers', 'one-connection'],
      ['reader', '--read-only', '--writers', 'one-connection'],
    ] as const) {
      const { code } = await holdfast.cli('export', 'add', name, '--device', 'disk.img', ...options);
      expect(code).toBe(0);
    }
  });

  const tcp = (name: string) => `nbd://127.0.0.1:${String(holdfast.port)}/${name}`;
  const unix = (name: string) => `nbd+unix:///${name}?socket=${holdfast.layout.nbdSocket}`;
  const open = (name: string, transport: 'tcp' | 'unix' = 'tcp') =>
    NbdSession.open(holdfast, name, transport);
  const log = () => readFileSync(path.join(holdfast.layout.logs, 'nbd-gateway.log'), 'utf8');

  /** Python: what a second connection to a URI is told. */
  const refused = (uri: string, name: string) => `
second = nbd.NBD()
try:
    second.connect_uri(${JSON.stringify(uri)})
    raise SystemExit("a second client was let in by ${name}")
except nbd.Error as error:
    pass
`;

  describe.skipIf(requireNbdsh.missing)(`as nbdsh finds it ${requireNbdsh.note}`, () => {
    it('any: everybody, and CAN_MULTI_CONN', async () => {
      await nbdsh(
        tcp('any'),
        `
assert h.can_multi_conn()
second = nbd.NBD()
second.connect_uri(${JSON.stringify(unix('any'))})
second.pwrite(b"second" + bytes(506), 0, nbd.CMD_FLAG_FUA)
assert h.pread(6, 0) == b"second"
`,
      );
    });

    it('one-client: its connections with CAN_MULTI_CONN, another client only when they have gone', async () => {
      await nbdsh(
        tcp('client'),
        `
assert h.can_multi_conn()
third = nbd.NBD()
third.connect_uri(${JSON.stringify(tcp('client'))})
${refused(unix('client'), 'one-client')}
third.shutdown()
h.shutdown()
second = nbd.NBD()
second.connect_uri(${JSON.stringify(unix('client'))})
second.pwrite(bytes(512), 0)
`,
      );
    });

    it('one-connection: nobody beside it, no CAN_MULTI_CONN, and the next one at once when it has gone', async () => {
      await nbdsh(
        tcp('connection'),
        `
assert not h.can_multi_conn()
${refused(tcp('connection'), 'one-connection')}
h.pwrite(bytes(512), 0)
h.shutdown()
second = nbd.NBD()
second.connect_uri(${JSON.stringify(tcp('connection'))})
second.pwrite(bytes(512), 0)
`,
      );
    });

    it('two exports of one device are in each other’s way, whoever comes first; who only reads is so for one-connection alone', async () => {
      for (const [first, second] of [
        ['any', 'connection'],
        ['connection', 'any'],
        ['any', 'client'],
        ['client', 'any'],
        ['connection', 'reader'],
        ['reader', 'connection'],
      ] as const)
        await nbdsh(tcp(first), refused(tcp(second), second));
      await nbdsh(tcp('reader'), `second = nbd.NBD()\nsecond.connect_uri(${JSON.stringify(tcp('client'))})`);
    });

    it('a read-only export offers CAN_MULTI_CONN, whatever it says of writers', async () => {
      await nbdsh(
        tcp('reader'),
        `
assert h.can_multi_conn() and h.is_read_only()
second = nbd.NBD()
second.connect_uri(${JSON.stringify(unix('reader'))})
`,
      );
    });
  });

  describe.skipIf(qemu.missing)(`as QEMU and nbdinfo find it ${qemu.note}`, () => {
    it('one-connection: QEMU writes, again and again; it is refused, in words, while another has the device', async () => {
      for (let count = 0; count < 3; count += 1)
        await succeed('qemu-io', ['-f', 'raw', '-c', 'write -P 7 0 64k', tcp('connection')]);
      const session = await open('any');
      const { code, stderr } = await run('qemu-io', ['-f', 'raw', '-c', 'write 0 64k', tcp('connection')]);
      expect(code).not.toBe(0);
      expect(stderr).toContain('another client uses the device of export "connection"');
      const { stdout } = await holdfast.cli('session', 'list', '--json');
      const [{ name }] = JSON.parse(stdout) as [{ name: string }];
      expect(log()).toContain(`sessions ${name.replace('sessions/', '')}`);
      session.hangUp();
      await succeed('qemu-io', ['-f', 'raw', '-c', 'read -P 7 0 64k', tcp('connection')]);
    });

    it('N5 INFO tells what GO does of CAN_MULTI_CONN, also while another has the device', async () => {
      const multi = (name: string) => run('nbdinfo', ['--can', 'multi-conn', tcp(name)]);
      expect((await multi('client')).code).toBe(0);
      expect((await multi('connection')).code).toBe(2);
    });
  });

  it('a client that hangs up and connects anew is let in each time', async () => {
    for (let count = 0; count < 20; count += 1) {
      const session = await open('connection');
      expect((await session.write(0, Buffer.alloc(512, count))).error).toBe(0);
      session.hangUp();
    }
  });

  it('is shown, for exports and for leases', async () => {
    const session = await open('connection');
    expect((await holdfast.cli('export', 'show', 'client')).stdout).toContain(
      'the connections of one client',
    );
    expect((await holdfast.cli('export', 'show', 'connection')).stdout).toContain(
      'one connection, beside nobody',
    );
    expect((await holdfast.cli('export', 'show', 'any')).stdout).not.toContain('writers');
    expect((await holdfast.cli('lease', 'list')).stdout).toContain('exclusive');
    expect((await holdfast.cli('export', 'add', 'x', '--device', 'disk.img', '--writers', 'two')).code).toBe(
      64,
    );
    session.hangUp();
  });
});
