import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { AssertionFailure } from '@holdfast/foundation';
import { afterAll, expect, test } from 'vitest';
import {
  punchHoleAsync,
  readAtAsync,
  syncDataAsync,
  writeAtAsync,
  writeAtDurableAsync,
  zeroRangeAsync,
} from './data-calls-async.js';
import { Errno } from './errno.js';
import { NativeBuffer } from './native-buffer.js';
import { TestFolder } from './testing/folder.js';

const folder = new TestFolder();
const path = folder.file('data');
const lent = NativeBuffer.allocate(1024 * 1024);
writeFileSync(path, '');
const fd = openSync(path, 'r+');

afterAll(() => {
  closeSync(fd);
  folder[Symbol.dispose]();
});

test('writes, syncs and reads where it is told', async () => {
  lent.bytes.fill(0x11, 0, 4096).fill(0x22, 4096, 8192);
  await expect(writeAtAsync(fd, lent, 0, 4096, 0)).resolves.toBe(4096);
  await expect(writeAtDurableAsync(fd, lent, 4096, 4096, 4096)).resolves.toBe(4096);
  await expect(syncDataAsync(fd)).resolves.toBe(0);
  const written = readFileSync(path);
  expect(written.length).toBe(8192);
  expect(written.equals(lent.bytes.subarray(0, 8192))).toBe(true);
  await expect(readAtAsync(fd, lent, 100_000, 4096, 4096)).resolves.toBe(4096);
  expect(lent.bytes.subarray(100_000, 104_096).every((byte) => byte === 0x22)).toBe(true);
});

test('holes and zeroed ranges read as zeros', async (context) => {
  writeFileSync(path, Buffer.alloc(16_384, 0xff));
  await expect(punchHoleAsync(fd, 0, 4096)).resolves.toBe(0);
  const zeroed = await zeroRangeAsync(fd, 8192, 4096);
  if (zeroed === -Errno.EOPNOTSUPP) context.skip('the temporary folder’s file system has no zero range');
  expect(zeroed).toBe(0);
  const expected = Buffer.alloc(16_384, 0xff).fill(0, 0, 4096).fill(0, 8192, 12_288);
  expect(readFileSync(path).equals(expected)).toBe(true);
});

test('each failing call resolves to its own errno, also when many run at once', async () => {
  const readOnly = openSync(path, 'r');
  const full = openSync('/dev/full', 'r+');
  const calls = Array.from({ length: 50 }, () => [
    readAtAsync(1_000_000, lent, 0, 1, 0),
    writeAtAsync(full, lent, 0, 4096, 0),
    writeAtDurableAsync(readOnly, lent, 0, 1, 0),
    syncDataAsync(1_000_000),
    punchHoleAsync(fd, 0, 0),
    zeroRangeAsync(fd, 0, 0),
    readAtAsync(fd, lent, 0, 1, -5),
  ]).flat();
  const { EBADF, ENOSPC, EINVAL } = Errno;
  const expected = [EBADF, ENOSPC, EBADF, EBADF, EINVAL, EINVAL, EINVAL].map((errno) => -errno);
  const results = await Promise.all(calls);
  expect(results).toEqual(Array.from({ length: 50 }, () => expected).flat());
  closeSync(readOnly);
  closeSync(full);
});

test('more calls than run at a time all come back with their own data', async () => {
  const count = 256;
  for (let index = 0; index < count; index += 1) lent.bytes.fill(index, index * 512, (index + 1) * 512);
  const writes = Array.from({ length: count }, (_, index) =>
    (index % 2 === 0 ? writeAtAsync : writeAtDurableAsync)(fd, lent, index * 512, 512, index * 512),
  );
  expect(await Promise.all(writes)).toEqual(new Array(count).fill(512));
  const written = readFileSync(path);
  expect(written.subarray(0, count * 512).equals(lent.bytes.subarray(0, count * 512))).toBe(true);
});

test('the event loop turns while a call is under way', async () => {
  const zero = openSync('/dev/zero', 'r');
  const large = NativeBuffer.allocate(64 * 1024 * 1024);
  let done = false;
  const reading = readAtAsync(zero, large, 0, large.length, 0).finally(() => {
    done = true;
  });
  await new Promise(setImmediate);
  expect(done).toBe(false);
  expect(await reading).toBe(large.length);
  large.dispose();
  closeSync(zero);
});

test('a buffer disposed while it is lent is not given to anybody else before the call is done', async () => {
  const own = NativeBuffer.allocate(64 * 1024 * 1024);
  const zero = openSync('/dev/zero', 'r');
  const { bytes, length } = own;
  const reading = readAtAsync(zero, own, 0, length, 0);
  own.dispose();
  expect(await reading).toBe(length);
  expect(bytes[length - 1]).toBe(0);
  closeSync(zero);
});

test.each([
  [-1, 10],
  [0, 1024 * 1024 + 1],
  [1024 * 1024, 1],
])('bytes %i+%i beyond the lent buffer are refused', (start, length) => {
  expect(() => readAtAsync(fd, lent, start, length, 0)).toThrow(AssertionFailure);
});
