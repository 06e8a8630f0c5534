import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AioContext } from './aio.js';
import { Errno, errnoName } from './errno.js';
import { NativeBuffer } from './native-buffer.js';

const KIB = 1024;
const SLOTS = 64;

function open(slots = SLOTS): AioContext {
  const context = AioContext.open(slots);
  if (typeof context === 'number') throw new Error(errnoName(-context));
  return context;
}

const probe = AioContext.open(1);
const missing = typeof probe === 'number' ? errnoName(-probe) : undefined;
if (typeof probe !== 'number') probe[Symbol.dispose]();

describe.skipIf(missing !== undefined)(`reads that are under way at once (${missing ?? 'io_submit'})`, () => {
  // Not in the folder for temporary files, which may be tmpfs.
  const folder = mkdtempSync(path.join(process.cwd(), 'node_modules/.aio-'));
  const content = Buffer.from(
    Uint8Array.from({ length: SLOTS * 8 * KIB }, (_, i) => (i * 7 + (i >> 8)) & 0xff),
  );
  const memory = NativeBuffer.allocate(content.length);
  let fd: number;

  beforeAll(() => {
    writeFileSync(path.join(folder, 'disk'), content);
    fd = openSync(path.join(folder, 'disk'), constants.O_RDONLY | constants.O_DIRECT);
  });
  afterAll(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  test('bring each its own bytes, in whatever order they are asked for, lot after lot', () => {
    using context = open();
    for (let lot = 0; lot < 50; lot += 1) {
      const offsetOf = (slot: number) => ((slot * 37 + lot) % SLOTS) * 8 * KIB;
      for (let slot = 0; slot < SLOTS; slot += 1) {
        context.prepare(slot, fd, memory.address + slot * 8 * KIB, 8 * KIB, offsetOf(slot));
      }
      context.submit(SLOTS);
      for (let slot = SLOTS - 1; slot >= 0; slot -= 1) {
        expect(context.result(slot)).toBe(8 * KIB);
        const read = memory.bytes.subarray(slot * 8 * KIB, (slot + 1) * 8 * KIB);
        expect(read.equals(content.subarray(offsetOf(slot), offsetOf(slot) + 8 * KIB))).toBe(true);
      }
      expect(context.inFlight).toBe(0);
    }
  });

  test('fail each for itself: beyond the end, not aligned, of no file', () => {
    using context = open();
    context.prepare(0, fd, memory.address, 4 * KIB, 0);
    context.prepare(1, fd, memory.address + 4 * KIB, 4 * KIB, 2 * content.length);
    context.prepare(2, fd, memory.address + 8 * KIB, 100, 7);
    context.submit(3);
    expect(context.result(0)).toBe(4 * KIB);
    expect(context.result(1)).toBe(0);
    expect(context.result(2)).toBe(-Errno.EINVAL);
    context.settle();
    context.prepare(0, 1_000_000, memory.address, 4 * KIB, 0);
    context.prepare(1, fd, memory.address, 4 * KIB, 0);
    context.submit(2);
    // The kernel takes none behind one that it refuses.
    expect(context.result(0)).toBe(-Errno.EBADF);
    expect(context.result(1)).toBeLessThan(0);
  });

  test('are waited for when nobody asks for them any more', () => {
    const context = open();
    for (let slot = 0; slot < SLOTS; slot += 1) {
      context.prepare(slot, fd, memory.address + slot * 8 * KIB, 8 * KIB, slot * 8 * KIB);
    }
    context.submit(SLOTS);
    context[Symbol.dispose]();
    expect(context.inFlight).toBe(0);
    expect(memory.bytes.equals(content)).toBe(true);
    context[Symbol.dispose]();
  });

  test('are refused when there would be too many in all (fs.aio-max-nr)', () => {
    expect(AioContext.open(100_000_000)).toBeLessThan(0);
  });
});
