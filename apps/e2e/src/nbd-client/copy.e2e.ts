import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { succeed } from '../support/command.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB, type Fill } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { copy, expectSameFile, newPath, storage } from './copy-scene.js';
import { serveNbdkit, serveNbdServer, serveQemu, type Server } from './servers.js';

const needs = requireCommands('nbdkit', 'qemu-nbd', 'nbd-server');
const SIZE = 24 * MIB + 512;
const fills = ['random', 'sparse'] as const satisfies Fill[];

/** Room that file systems take beside the data. */
const SLACK = 256 * 1024;

/** Servers of others that serve a file as it is. */
const servers: Readonly<Record<string, (image: string) => Promise<Server>>> = {
  nbdkit: (image) => serveNbdkit(['file', image]),
  'nbdkit with simple replies': (image) => serveNbdkit(['--no-sr', 'file', image]),
  'nbdkit with one request at a time': (image) =>
    serveNbdkit(['--filter=noparallel', '--filter=multi-conn', 'file', image, 'multi-conn-mode=disable']),
  'nbdkit with blocks of 4 KiB and requests of 64 KiB': (image) =>
    serveNbdkit([
      ...['--filter=blocksize-policy', '--filter=truncate', 'file', image, 'round-up=4096'],
      ...['blocksize-minimum=4096', 'blocksize-maximum=65536', 'blocksize-error-policy=error'],
    ]),
  'nbdkit that cannot zero': (image) => serveNbdkit(['--filter=nozero', 'file', image]),
  'qemu-nbd': (image) => serveQemu(['-f', 'raw', image]),
  'nbd-server': serveNbdServer,
};

describe('holdfast nbd copy, of holdfast', () => {
  let holdfast: Holdfast;
  let folder: string;
  const cases = transports.flatMap((transport) => fills.map((fill) => ({ transport, fill })));

  beforeAll(async () => {
    folder = scratchFolder();
    const images = cases.flatMap(({ transport, fill }) => [
      makeImage(SIZE, { folder, fill, name: `from-${transport}-${fill}` }),
      makeImage(SIZE, { folder, fill: 'random', name: `to-${transport}-${fill}` }),
    ]);
    holdfast = await startHoldfast({ images });
  });

  it.each(cases)('copies a $fill image out over $transport, with its holes', async ({ transport, fill }) => {
    const original = path.join(folder, `from-${transport}-${fill}`);
    const copied = newPath();
    await copy(holdfast.uri(transport, `from-${transport}-${fill}`), copied);
    await expectSameFile(copied, original);
    expect(Math.abs(storage(copied) - storage(original))).toBeLessThan(SLACK);
  });

  it.each(cases)(
    'T14 copies a $fill image in over $transport, and punches holes',
    async ({ transport, fill }) => {
      const original = makeImage(SIZE, { fill });
      const name = `to-${transport}-${fill}`;
      await copy(original, holdfast.uri(transport, name));
      await expectSameFile(path.join(folder, name), original);
      expect(Math.abs(storage(path.join(folder, name)) - storage(original))).toBeLessThan(SLACK);
    },
  );
});

describe.skipIf(needs.missing)(`holdfast nbd copy ${needs.note}`, () => {
  describe.each(Object.keys(servers))('of %s', (name) => {
    const serve = (image: string) => servers[name]?.(image) ?? Promise.reject(new Error(name));

    it.each(fills)('copies a %s image out, and another one in', async (fill) => {
      const image = makeImage(24 * MIB, { fill });
      const { uri } = await serve(image);
      const copied = newPath();
      await copy(uri, copied);
      await expectSameFile(copied, image);

      const other = makeImage(24 * MIB, { fill });
      await copy(other, uri);
      await expectSameFile(image, other);
    });
  });

  it('copies from server to server, several connections on either side', async () => {
    const original = makeImage(SIZE, { fill: 'random' });
    const target = makeImage(SIZE, { fill: 'empty' });
    const [from, to] = [await serveNbdkit(['file', original]), await serveNbdkit(['file', target])];
    await copy(from.uri, to.uri, '--connections', '3', '--requests', '2');
    await expectSameFile(target, original);
  });

  it.each([0, 1, 511, 4095, 4097, 262_145, 1_000_001])('copies %i bytes, both ways', async (size) => {
    const original = newPath('original');
    writeFileSync(original, Buffer.alloc(size, 7));
    const target = newPath('target');
    writeFileSync(target, Buffer.alloc(size + 1, 1));
    const { uri } = await serveNbdkit(['file', original]);
    const copied = newPath();
    await copy(uri, copied);
    await expectSameFile(copied, original);

    // One byte more than the source, which is none of the copy's business.
    const { uri: targetUri } = await serveNbdkit(['file', target]);
    await copy(uri, targetUri);
    const expected = newPath('expected');
    writeFileSync(expected, Buffer.concat([Buffer.alloc(size, 7), Buffer.alloc(1, 1)]));
    await expectSameFile(target, expected);
  });

  it('copies an odd size into blocks of 4 KiB, and leaves the rest of the last block', async () => {
    const original = newPath('original');
    writeFileSync(original, Buffer.alloc(10_001, 7));
    const target = newPath('target');
    writeFileSync(target, Buffer.alloc(16_384, 1));
    const policy = ['blocksize-minimum=4096', 'blocksize-error-policy=error'];
    const { uri } = await serveNbdkit(['--filter=blocksize-policy', 'file', target, ...policy]);
    await copy(original, uri);
    const expected = newPath('expected');
    writeFileSync(expected, Buffer.concat([Buffer.alloc(10_001, 7), Buffer.alloc(16_384 - 10_001, 1)]));
    await expectSameFile(target, expected);
  });

  it('--sparse finds zeroes that the source does not tell of', async () => {
    const image = makeImage(SIZE, { fill: 'sparse' });
    const { uri } = await serveNbdkit(['--no-sr', 'file', image]);
    const [dense, sparse] = [newPath(), newPath()];
    await copy(uri, dense);
    await copy(uri, sparse, '--sparse');
    await expectSameFile(dense, image);
    await expectSameFile(sparse, image);
    expect(storage(dense)).toBeGreaterThanOrEqual(SIZE);
    expect(storage(sparse)).toBeLessThan(2 * MIB);
  });

  it('--destination-is-zero writes no zeroes', async () => {
    const image = makeImage(SIZE, { fill: 'sparse' });
    const parameters = ['error-zero=EIO', 'error-zero-rate=100%'];
    const { uri } = await serveNbdkit(['--filter=error', 'memory', '32M', ...parameters]);
    await copy(image, uri, '--destination-is-zero');
  });

  it('replaces a file that is there, whatever its size', async () => {
    const image = makeImage(4 * MIB, { fill: 'sparse' });
    const { uri } = await serveNbdkit(['file', image]);
    for (const size of [MIB, 9 * MIB]) {
      const target = makeImage(size);
      await copy(uri, target);
      await expectSameFile(target, image);
      expect(storage(target)).toBeLessThan(2 * MIB);
    }
  });

  it('copies between files, and from a qcow2 image that qemu-nbd opens', async () => {
    const image = makeImage(SIZE, { fill: 'sparse' });
    const copied = newPath();
    await copy(image, copied);
    await expectSameFile(copied, image);

    const qcow2 = newPath('disk.qcow2');
    truncateSync(image, 24 * MIB);
    await succeed('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', image, qcow2]);
    const { uri } = await serveQemu(['-r', '-f', 'qcow2', qcow2]);
    const again = newPath();
    await copy(uri, again);
    await expectSameFile(again, image);
    expect(storage(again)).toBeLessThan(2 * MIB);
  });
});
