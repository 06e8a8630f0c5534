import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, succeed } from '../support/command.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { nbdsh, requireNbdsh } from '../support/nbdsh.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { CLIENT, libnbdUri, proofs, qemuAccess } from './addresses.js';
import { makeCredentials, serveArgs } from './credentials.js';

const needsNbdinfo = requireCommands('nbdinfo');
const needsNbdcopy = requireCommands('nbdcopy');
const needsQemuImg = requireCommands('qemu-img');
const needsQemuIo = requireCommands('qemu-io');
const SIZE = 12 * MIB + 4096;

const credentials = await makeCredentials(CLIENT);
const ways = proofs.flatMap((proof) => transports.map((transport) => ({ proof, transport })));

/** Each mode with another engine of the worker. */
const cases = [
  { mode: 'required', threads: '8' },
  { mode: 'per-export', threads: '0' },
] as const;

describe.each(cases)('real clients, TLS $mode, $threads threads', ({ mode, threads }) => {
  let holdfast: Holdfast;
  let folder: string;
  let image: string;

  beforeAll(async () => {
    folder = scratchFolder();
    image = makeImage(SIZE, { folder, fill: 'sparse' });
    const targets = ways.map(({ proof, transport }) =>
      makeImage(SIZE, { folder, fill: 'empty', name: `to-${proof}-${transport}` }),
    );
    const env = { HOLDFAST_WORKER_THREADS: threads };
    holdfast = await startHoldfast({ images: [image, ...targets], args: serveArgs(credentials, mode), env });
    // Under `required` every export needs TLS; here these alone.
    for (const device of ['disk.img', ...targets.map((target) => path.basename(target))]) {
      const { code, stderr } = await holdfast.cli(
        'export',
        'add',
        `tls-${device}`,
        '--device',
        device,
        '--tls-required',
      );
      expect(code, stderr).toBe(0);
    }
  });

  it('a URI says nbds where TLS is needed, and only there', async () => {
    const scheme = mode === 'required' ? 'nbds' : 'nbd';
    expect(holdfast.uri('tcp', 'disk.img')).toBe(`${scheme}://127.0.0.1:${String(holdfast.port)}/disk.img`);
    expect(holdfast.uri('unix', 'disk.img')).toMatch(new RegExp(`^${scheme}\\+unix:///disk\\.img\\?socket=`));
    const { stdout } = await holdfast.cli('export', 'show', 'tls-disk.img', '--json');
    const { uris } = JSON.parse(stdout) as { uris: string[] };
    expect(uris.map((uri) => uri.split(':')[0])).toEqual(['nbds', 'nbds+unix']);
    const shown = await holdfast.cli('export', 'show', 'tls-disk.img');
    expect(shown.stdout).toMatch(/^tcp: +nbds:.*\nunix: +nbds\+unix:/m);
  });

  it.skipIf(needsNbdinfo.missing)(
    `nbdinfo without TLS gets nothing that needs it ${needsNbdinfo.note}`,
    async () => {
      const { code } = await run('nbdinfo', [`nbd://127.0.0.1:${String(holdfast.port)}/tls-disk.img`]);
      expect(code).toBe(1);
    },
  );

  describe.each(ways)('by $proof over $transport', ({ proof, transport }) => {
    const access = (exportName: string) => ({ credentials, proof, transport, exportName });
    const uri = (exportName: string) => libnbdUri(holdfast, access(exportName));

    it.skipIf(needsNbdinfo.missing)(`nbdinfo is served through TLS ${needsNbdinfo.note}`, async () => {
      const { stdout } = await succeed('nbdinfo', ['--json', uri('tls-disk.img')]);
      expect(JSON.parse(stdout)).toMatchObject({
        TLS: true,
        exports: [
          {
            'export-size': SIZE,
            can_multi_conn: true,
            can_df: true,
            contexts: ['base:allocation', 'qemu:allocation-depth'],
          },
        ],
      });
      const map = await succeed('nbdinfo', ['--map', '--json', uri('tls-disk.img')]);
      expect((JSON.parse(map.stdout) as unknown[]).length).toBeGreaterThan(1);
    });

    it.skipIf(needsNbdcopy.missing)(
      `nbdcopy copies in and out, byte for byte ${needsNbdcopy.note}`,
      async () => {
        const copy = path.join(folder, `copy-${proof}-${transport}`);
        const target = `to-${proof}-${transport}`;
        await succeed('nbdcopy', [uri('tls-disk.img'), copy]);
        expect(await sha256(copy)).toBe(await sha256(image));
        const source = makeImage(SIZE, { folder, name: `from-${proof}-${transport}` });
        await succeed('nbdcopy', ['--flush', source, uri(`tls-${target}`)]);
        expect(await sha256(path.join(folder, target))).toBe(await sha256(source));
      },
    );

    it.skipIf(requireNbdsh.missing)(
      `nbdsh writes, reads, trims and flushes ${requireNbdsh.note}`,
      async () => {
        await nbdsh(
          uri(`tls-to-${proof}-${transport}`),
          `
assert h.get_tls_negotiated()
h.pwrite(b"holdfast" * 512, 12288, nbd.CMD_FLAG_FUA)
assert h.pread(4096, 12288) == b"holdfast" * 512
h.zero(4096, 12288)
assert h.pread(4096, 12288) == bytes(4096)
h.trim(4096, 0)
h.flush()
buffers = [nbd.Buffer(65536) for n in range(64)]
cookies = [h.aio_pread(buffer, n * 65536) for n, buffer in enumerate(buffers)]
while cookies:
    cookies = [c for c in cookies if not h.aio_command_completed(c)]
    if cookies: h.poll(-1)
h.shutdown()
`,
        );
      },
    );

    it.skipIf(needsQemuImg.missing)(`qemu-img converts, compares and maps ${needsQemuImg.note}`, async () => {
      const { object, image: source } = qemuAccess(holdfast, access('tls-disk.img'));
      const qcow2 = path.join(folder, `copy-${proof}-${transport}.qcow2`);
      await succeed('qemu-img', ['convert', ...object, '--image-opts', '-O', 'qcow2', source, qcow2]);
      const copy = `driver=qcow2,file.driver=file,file.filename=${qcow2}`;
      await succeed('qemu-img', ['compare', ...object, '--image-opts', source, copy]);
      await succeed('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', image, qcow2]);
      const { stdout } = await succeed('qemu-img', [
        'map',
        ...object,
        '--image-opts',
        '--output=json',
        source,
      ]);
      const extents = JSON.parse(stdout) as { start: number; length: number; zero: boolean }[];
      expect(extents.some(({ zero }) => zero)).toBe(true);
      expect(extents.reduce((end, { length }) => end + length, 0)).toBe(SIZE);

      const target = qemuAccess(holdfast, access(`tls-to-${proof}-${transport}`));
      const into = ['--image-opts', '--target-image-opts', '-n', copy, target.image];
      await succeed('qemu-img', ['convert', ...object, ...into]);
      expect(await sha256(path.join(folder, `to-${proof}-${transport}`))).toBe(await sha256(image));
    });

    it.skipIf(needsQemuIo.missing)(`qemu-io has 32 requests in flight ${needsQemuIo.note}`, async () => {
      const target = qemuAccess(holdfast, access(`tls-to-${proof}-${transport}`));
      const at = Array.from({ length: 32 }, (_, n) => `-P ${String(n + 1)} ${String(n * 64)}k 64k`);
      const commands = [
        ...at.map((one) => `aio_write ${one}`),
        'aio_flush',
        ...at.map((one) => `read ${one}`),
        'write -z -u 0 1M',
        'read -P 0 0 1M',
        'flush',
      ];
      const { stdout, stderr } = await succeed('qemu-io', [
        ...target.object,
        '--image-opts',
        target.image,
        ...commands.flatMap((one) => ['-c', one]),
      ]);
      expect(stdout).not.toMatch(/failed|error/i);
      expect(stderr).toBe('');
    });
  });
});
