import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { contextDefinitions, ExtentList } from '@holdfast/nbd-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { extentSourceOf } from './extent-sources.js';
import type { ExtentSource } from './extent-source.js';

const KIB = 1024;
const [DATA, HOLE] = [0, 3];

/** A file of `sizeBytes` with data in the blocks of 64 KiB that are named. */
function fileWith(sizeBytes: number, ...blocks: readonly number[]): number {
  const fd = openSync(path.join(temporaryFolder(), 'disk.img'), 'w+');
  onTestFinished(() => {
    closeSync(fd);
  });
  ftruncateSync(fd, sizeBytes);
  for (const block of blocks) writeSync(fd, Buffer.alloc(64 * KIB, 1), 0, 64 * KIB, block * 64 * KIB);
  return fd;
}

const forms = [
  {
    name: 'blocking',
    fill: (source: ExtentSource, ...rest: Parameters<ExtentSource['fill']>) =>
      Promise.resolve(source.fill(...rest)),
  },
  {
    name: 'asynchronous',
    fill: (source: ExtentSource, ...rest: Parameters<ExtentSource['fill']>) => source.fillAsync(...rest),
  },
];

describe.each(forms)('$name', ({ fill }) => {
  async function extentsOf(fd: number, sizeBytes: number, offset = 0, length = sizeBytes - offset) {
    const extents = new ExtentList();
    const source = extentSourceOf('base:allocation');
    expect(await fill(source, fd, sizeBytes, extents, offset, length)).toBe(0);
    return Array.from({ length: extents.count }, (_, index) => [
      extents.lengthAt(index) / KIB,
      extents.flagsLowAt(index),
    ]);
  }

  test('T11 data and holes take turns, to the end', async () => {
    const fd = fileWith(1024 * KIB, 2, 3, 9);
    expect(await extentsOf(fd, 1024 * KIB)).toEqual([
      [128, HOLE],
      [128, DATA],
      [320, HOLE],
      [64, DATA],
      [384, HOLE],
    ]);
  });

  test('T11 what begins within an extent, and the last goes beyond what was asked', async () => {
    const fd = fileWith(1024 * KIB, 2, 3, 9);
    expect(await extentsOf(fd, 1024 * KIB, 200 * KIB, 60 * KIB)).toEqual([
      [56, DATA],
      [320, HOLE],
    ]);
  });

  test('a full file is one extent, found by one question', async () => {
    const fd = fileWith(128 * KIB, 0, 1);
    expect(await extentsOf(fd, 128 * KIB, 100)).toEqual([[128 - 100 / KIB, DATA]]);
  });

  test('a list that is full ends the portion', async () => {
    const blocks = Array.from({ length: 400 }, (_, index) => 2 * index);
    const sizeBytes = 801 * 64 * KIB;
    const extents = await extentsOf(fileWith(sizeBytes, ...blocks), sizeBytes);
    expect(extents.length).toBe(512);
    expect(extents.every(([length, flags], index) => length === 64 && flags === (index % 2) * HOLE)).toBe(
      true,
    );
  });

  test('T10 a file that was cut short counts as data, so that reading it tells', async () => {
    expect(await extentsOf(fileWith(64 * KIB, 0), 256 * KIB, 128 * KIB)).toEqual([[128, DATA]]);
  });

  test('a descriptor that fails is told by its errno', async () => {
    const source = extentSourceOf('base:allocation');
    expect(await fill(source, 1_000_000, KIB, new ExtentList(), 0, KIB)).toBe(9);
  });

  test('qemu:allocation-depth of a raw device is 1 throughout', async () => {
    const extents = new ExtentList();
    const source = extentSourceOf('qemu:allocation-depth');
    expect(await fill(source, 0, 1000, extents, 100, 200)).toBe(0);
    expect([extents.count, extents.lengthAt(0), extents.flagsLowAt(0)]).toEqual([1, 900, 1]);
  });
});

test('N11 every metadata context that is defined has a source, and no other', () => {
  for (const { name } of contextDefinitions) expect(extentSourceOf(name)).toBeDefined();
  expect(() => extentSourceOf('x-other:thing')).toThrow('x-other:thing');
});
