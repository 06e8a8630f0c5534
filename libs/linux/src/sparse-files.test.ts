import { closeSync, ftruncateSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seekData, seekHole, writeAt } from './data-calls.js';
import { adviseWillNeedAsync, seekDataAsync, seekHoleAsync } from './data-calls-async.js';
import { Errno } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import { TestFolder } from './testing/folder.js';

const MIB = 1024 * 1024;
const SIZE = 2 ** 42;
const DATA_AT = 2 ** 41;

const folder = new TestFolder();
const path = folder.file('sparse');
let fd = -1;

beforeAll(() => {
  writeFileSync(path, '');
  fd = openSync(path, 'r+');
  ftruncateSync(fd, SIZE);
  writeSync(fd, Buffer.alloc(MIB, 1), 0, MIB, DATA_AT);
  expect(statSync(path).blocks * 512).toBeLessThan(4 * MIB);
});

afterAll(() => {
  closeSync(fd);
  folder[Symbol.dispose]();
});

const forms = [
  {
    name: 'blocking',
    data: (from: number) => Promise.resolve(seekData(fd, from)),
    hole: (from: number) => Promise.resolve(seekHole(fd, from)),
  },
  {
    name: 'asynchronous',
    data: (from: number) => seekDataAsync(fd, from),
    hole: (from: number) => seekHoleAsync(fd, from),
  },
];

describe.each(forms)('$name', ({ data, hole }) => {
  test('data and holes are found where they are, beyond 32 bits', async () => {
    await expect(data(0)).resolves.toBe(DATA_AT);
    await expect(hole(DATA_AT)).resolves.toBe(DATA_AT + MIB);
    await expect(data(DATA_AT + 5000)).resolves.toBe(DATA_AT + 5000);
    await expect(hole(0)).resolves.toBe(0);
    await expect(hole(DATA_AT + MIB)).resolves.toBe(DATA_AT + MIB);
  });

  test('behind the last data there is none, and at the end nothing at all', async () => {
    await expect(data(DATA_AT + MIB)).resolves.toBe(-Errno.ENXIO);
    await expect(data(SIZE)).resolves.toBe(-Errno.ENXIO);
    await expect(hole(SIZE)).resolves.toBe(-Errno.ENXIO);
    await expect(data(-1)).resolves.toBe(-Errno.ENXIO);
  });

  test('what was just written is data, though it is only in the page cache', async () => {
    const memory = NativeBuffer.allocate(4096);
    memory.bytes.fill(7);
    expect(writeAt(fd, memory.address, 4096, 64 * MIB)).toBe(4096);
    await expect(data(0)).resolves.toBe(64 * MIB);
    await expect(hole(64 * MIB)).resolves.toBe(64 * MIB + 4096);
    memory[Symbol.dispose]();
    ftruncateSync(fd, 32 * MIB);
    ftruncateSync(fd, SIZE);
    writeSync(fd, Buffer.alloc(MIB, 1), 0, MIB, DATA_AT);
  });
});

test('a descriptor that is not open is told by its errno', async () => {
  await expect(seekDataAsync(1_000_000, 0)).resolves.toBe(-Errno.EBADF);
  expect(seekHole(1_000_000, 0)).toBe(-Errno.EBADF);
});

test('advice off the event loop is taken, or refused by its own errno', async () => {
  await expect(adviseWillNeedAsync(fd, 0, MIB)).resolves.toBe(0);
  await expect(adviseWillNeedAsync(1_000_000, 0, MIB)).resolves.toBe(-Errno.EBADF);
});
