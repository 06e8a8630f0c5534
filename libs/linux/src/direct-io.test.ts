import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { readAt } from './data-calls.js';
import { copyMemory, directAlignment, setDirectIo, usesDirectIo } from './direct-io.js';
import { Errno, SystemCallError } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import { duplicateFd } from './owned-fd.js';
import { TestFolder } from './testing/folder.js';
import { LoopDevice, loopUnavailable } from './testing/loop-device.js';

const BYTES = 64 * 1024;

function image(): string {
  const folder = new TestFolder();
  onTestFinished(() => {
    folder[Symbol.dispose]();
  });
  const file = folder.file('disk.img');
  writeFileSync(file, Buffer.alloc(BYTES, 'disk'));
  return file;
}

function open(file: string, flags = 'r+'): number {
  const fd = openSync(file, flags);
  onTestFinished(() => {
    closeSync(fd);
  });
  return fd;
}

/** Why the file system of the tests cannot do it; undefined when it can. */
function unavailable(fd: number, file: string): string | undefined {
  try {
    setDirectIo(fd, file);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

test('a file is read past the page cache from then on, by every duplicate, where it is aligned', (context) => {
  const file = image();
  const fd = open(file);
  expect(usesDirectIo(fd)).toBe(false);
  using duplicate = duplicateFd(fd);
  const why = unavailable(fd, file);
  if (why !== undefined) context.skip(why);
  expect(usesDirectIo(fd)).toBe(true);
  expect(usesDirectIo(duplicate.number)).toBe(true);
  const { memoryBytes, offsetBytes } = directAlignment(fd);
  for (const bytes of [memoryBytes, offsetBytes]) expect(bytes & (bytes - 1)).toBe(0);
  const buffer = NativeBuffer.allocate(2 * offsetBytes);
  expect(readAt(duplicate.number, buffer.address, offsetBytes, offsetBytes)).toBe(offsetBytes);
  expect(buffer.bytes.subarray(0, 8).toString()).toBe('diskdisk');
});

test('a file of a file system without direct I/O is refused with what to do', () => {
  const fd = open('/proc/self/status', 'r');
  expect(() => {
    setDirectIo(fd, '/images/disk');
  }).toThrow(
    expect.objectContaining({
      code: 'DIRECT_IO_UNSUPPORTED',
      message: expect.stringContaining('register the device without --direct-io') as string,
    }) as Error,
  );
  expect(usesDirectIo(fd)).toBe(false);
});

test('a descriptor that is not open is a system call that failed', () => {
  expect(() => usesDirectIo(1_000_000)).toThrow(SystemCallError);
  expect(() => {
    setDirectIo(1_000_000, '/images/disk');
  }).toThrow(expect.objectContaining({ errno: Errno.EBADF }) as Error);
});

test.skipIf(loopUnavailable() !== undefined)(
  `a block device is aligned to its logical blocks (${loopUnavailable() ?? 'real'})`,
  () => {
    using loop = new LoopDevice(image());
    const fd = openSync(loop.path, 'r+');
    const { offsetBytes } = directAlignment(fd);
    closeSync(fd);
    expect(offsetBytes).toBeGreaterThanOrEqual(512);
    expect(offsetBytes).toBeLessThanOrEqual(statSync('/').blksize);
  },
);

test('memory is copied by address', () => {
  const buffer = NativeBuffer.allocate(64);
  buffer.bytes.write('from here');
  copyMemory(buffer.address + 32, buffer.address + 5, 4);
  expect(buffer.bytes.subarray(32, 37)).toEqual(Buffer.from('here\0'));
});
