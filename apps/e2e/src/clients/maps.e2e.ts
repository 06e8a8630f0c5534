import { closeSync, openSync, writeSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ownBytes } from '../protocol/process-memory.js';
import { succeed } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { requireCommands } from '../support/requirements.js';
import { BLOCK, blockOffsets, makeHugeImage, TIB } from './huge-image.js';

const needs = requireCommands('nbdinfo', 'qemu-img', 'qemu-io');
const SIZE = 16 * MIB;
const KIB = 1024;

/** What a map of 1 TiB, and of some ten thousand extents, may add to the memory of the worker. */
const GROWTH_BYTES_MAX = 48 * MIB;

/** Where the image has data: `[offset, length]`. */
const DATA = [
  [1 * MIB, 64 * KIB],
  [8 * MIB, 4 * KIB],
  [SIZE - 128 * KIB, 128 * KIB],
] as const;

/** A hole, but for the data. */
function makeMappedImage(): string {
  const image = makeImage(SIZE, { fill: 'empty' });
  const fd = openSync(image, 'r+');
  for (const [offset, length] of DATA) writeSync(fd, Buffer.alloc(length, 0xa5), 0, length, offset);
  closeSync(fd);
  return image;
}

interface QemuMapEntry {
  readonly start: number;
  readonly length: number;
  readonly data: boolean;
  readonly zero: boolean;
}

describe.skipIf(needs.missing).each(engines)(
  `maps of a sparse image, $engine engine ${needs.note}`,
  ({ env }) => {
    let holdfast: Holdfast;

    beforeAll(async () => {
      holdfast = await startHoldfast({ images: [makeMappedImage(), makeHugeImage()], env });
    });

    describe.each(transports)('over %s', (transport) => {
      it('T11 nbdinfo --map tells data and holes where they are, to the end', async () => {
        const { stdout } = await succeed('nbdinfo', ['--map', '--json', holdfast.uri(transport, 'disk.img')]);
        const map = JSON.parse(stdout) as { offset: number; length: number; type: number }[];
        const data = map.filter(({ type }) => type === 0).map(({ offset, length }) => [offset, length]);
        expect(data).toEqual(DATA);
        expect(new Set(map.map(({ type }) => type))).toEqual(new Set([0, 3]));
        expect(map.reduce((end, { offset, length }) => (offset === end ? end + length : NaN), 0)).toBe(SIZE);
      });

      it('nbdinfo --map of qemu:allocation-depth is one layer', async () => {
        const args = ['--map=qemu:allocation-depth', '--json', holdfast.uri(transport, 'disk.img')];
        const { stdout } = await succeed('nbdinfo', args);
        expect(JSON.parse(stdout)).toMatchObject([{ offset: 0, length: SIZE, type: 1 }]);
      });

      it('T11 qemu-img map tells the same', async () => {
        const { stdout } = await succeed('qemu-img', [
          'map',
          '-f',
          'raw',
          '--output=json',
          holdfast.uri(transport, 'disk.img'),
        ]);
        const map = JSON.parse(stdout) as QemuMapEntry[];
        const data = map
          .filter((entry) => entry.data && !entry.zero)
          .map(({ start, length }) => [start, length]);
        expect(data).toEqual(DATA);
        expect(map.reduce((end, { start, length }) => (start === end ? end + length : NaN), 0)).toBe(SIZE);
      });

      it('T9 qemu-io reads across the borders of data and holes', async () => {
        const reads = DATA.flatMap(([offset, length]) => [
          `read -P 0xa5 ${String(offset)} ${String(length)}`,
          `read -P 0 ${String(offset - MIB / 2)} ${String(MIB / 2)}`,
        ]);
        const args = [
          '-f',
          'raw',
          '-r',
          ...reads.flatMap((one) => ['-c', one]),
          holdfast.uri(transport, 'disk.img'),
        ];
        const { stdout } = await succeed('qemu-io', args);
        expect(stdout).not.toMatch(/failed|error/i);
      });
    });
    it('T11 T19 nbdinfo maps 1 TiB to the end, block by block, and the worker needs no more memory for it', async () => {
      const worker = holdfast.pidOf('io-worker');
      const uri = holdfast.uri('unix', 'huge.img');
      // The first session brings code and threads into memory; what is measured is what a map adds.
      await succeed('nbdinfo', ['--size', uri]);
      const before = ownBytes(worker);
      const { stdout } = await succeed('nbdinfo', ['--map', '--json', uri]);
      expect(ownBytes(worker) - before).toBeLessThan(GROWTH_BYTES_MAX);
      const map = JSON.parse(stdout) as { offset: number; length: number; type: number }[];
      const data = map.filter(({ type }) => type === 0);
      expect(data.map(({ offset }) => offset)).toEqual(blockOffsets);
      expect(new Set(data.map(({ length }) => length))).toEqual(new Set([BLOCK]));
      expect(map.reduce((end, { offset, length }) => (offset === end ? end + length : NaN), 0)).toBe(TIB);
    });
  },
);
