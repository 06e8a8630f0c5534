import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteCount, byteOffset, formatDiskseq, leaseEpoch, MAX_SAFE_BYTES, type Diskseq } from './units.js';

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

test('Law 7 an offset and a count take every integer from 0 to 2^53−1, as number and as bigint', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(byteOffset(value)).toBe(value);
      expect(byteCount(BigInt(value))).toBe(value);
    }),
  );
  expect(byteOffset(MAX_SAFE_BYTES)).toBe(2 ** 53 - 1);
  expect(byteCount(2n ** 53n - 1n)).toBe(2 ** 53 - 1);
});

test.each([2 ** 53, -1, 0.5, NaN, Infinity, -Infinity])(
  'Law 7 %d is neither an offset nor a count',
  (value) => {
    expect(() => byteOffset(value)).toThrow(/a byte offset must be an integer between 0 and 2\^53−1/);
    expect(() => byteCount(value)).toThrow(RangeError);
  },
);

test('Law 7 no 64-bit value beyond 2^53−1 is rounded into an offset', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: UINT64_MAX }), (value) => {
      expect(() => byteOffset(value)).toThrow(String(value));
    }),
  );
});

test('Law 4 an epoch is an unsigned 64-bit integer', () => {
  expect(leaseEpoch(0n)).toBe(0n);
  expect(leaseEpoch(UINT64_MAX)).toBe(UINT64_MAX);
  expect(() => leaseEpoch(UINT64_MAX + 1n)).toThrow(RangeError);
  expect(() => leaseEpoch(-1n)).toThrow('an unsigned 64-bit integer, got -1');
});

test('D1 a diskseq is written as hexadecimal without prefix and padding, and reads back', () => {
  expect(formatDiskseq(0xabcn as Diskseq)).toBe('abc');
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: UINT64_MAX }), (value) => {
      const text = formatDiskseq(value as Diskseq);
      expect(text).toMatch(/^(0|[1-9a-f][0-9a-f]{0,15})$/);
      expect(BigInt(`0x${text}`)).toBe(value);
    }),
  );
});
