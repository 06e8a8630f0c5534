import { AssertionFailure } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { NativeBuffer } from './native-buffer.js';

const PAGE_BYTES = 4096;
const HUGE_PAGE_BYTES = 2 * 1024 * 1024;

test.each([1, 4096, 100_000, HUGE_PAGE_BYTES, HUGE_PAGE_BYTES + 1])(
  '%i bytes are zeroed and aligned, and bytes and view are the same memory',
  (length) => {
    const buffer = NativeBuffer.allocate(length);
    expect(buffer.length).toBe(length);
    expect(buffer.bytes.length).toBe(length);
    expect(buffer.view.byteLength).toBe(length);
    expect(buffer.address % (length >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : PAGE_BYTES)).toBe(0);
    expect(buffer.bytes.every((byte) => byte === 0)).toBe(true);
    buffer.view.setUint8(length - 1, 0xa5);
    expect(buffer.bytes[length - 1]).toBe(0xa5);
    buffer.dispose();
  },
);

test('two buffers share no memory', () => {
  const [a, b] = [NativeBuffer.allocate(8192), NativeBuffer.allocate(8192)];
  expect(Math.abs(a.address - b.address)).toBeGreaterThanOrEqual(8192);
  a.bytes.fill(1);
  expect(b.bytes.every((byte) => byte === 0)).toBe(true);
  a.dispose();
  b.dispose();
});

test('after dispose every use throws, and so does a second dispose', () => {
  const buffer = NativeBuffer.allocate(16);
  buffer.dispose();
  expect(() => buffer.address).toThrow(AssertionFailure);
  expect(() => buffer.bytes).toThrow(AssertionFailure);
  expect(() => buffer.view).toThrow(AssertionFailure);
  expect(() => {
    buffer.dispose();
  }).toThrow(AssertionFailure);
});

test('a view that was kept is still valid memory after dispose', () => {
  const buffer = NativeBuffer.allocate(64 * 1024);
  const { bytes } = buffer;
  bytes.fill(7);
  buffer.dispose();
  expect(bytes.every((byte) => byte === 7)).toBe(true);
});

test('using disposes once, whether or not the block did', () => {
  const kept = [];
  {
    using first = NativeBuffer.allocate(16);
    using second = NativeBuffer.allocate(16);
    kept.push(first, second);
    second.dispose();
  }
  for (const buffer of kept) expect(() => buffer.address).toThrow(AssertionFailure);
});

test('its memory cannot be transferred to another owner', () => {
  const buffer = NativeBuffer.allocate(16);
  const memory = buffer.bytes.buffer;
  try {
    structuredClone(memory, { transfer: [memory as ArrayBuffer] });
  } catch {
    // Node 22 refuses; Node 20 copies.
  }
  expect(memory.byteLength).toBeGreaterThan(0);
  buffer.dispose();
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 60])('a length of %d is refused', (length) => {
  expect(() => NativeBuffer.allocate(length)).toThrow(AssertionFailure);
});
