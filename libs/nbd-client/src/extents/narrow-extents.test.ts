import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExtentList } from './extent-list.js';
import { narrowExtents } from './narrow-extents.js';

const MAX32 = 0xffff_ffffn;
const list = (...descriptors: bigint[]) => new ExtentList(0n, BigUint64Array.from(descriptors));

test('B3 what fits 32 bits stays what it is', () => {
  expect(narrowExtents(list(512n, 3n, MAX32, MAX32))).toEqual(
    Uint32Array.of(512, 3, 0xffff_ffff, 0xffff_ffff),
  );
});

test('B3 the first extent beyond 2^32−1 is told as 4 GiB − 64 MiB, and the rest is left out', () => {
  expect(narrowExtents(list(512n, 3n, MAX32 + 1n, 1n, 1n << 40n, 0n, 512n, 0n))).toEqual(
    Uint32Array.of(512, 3, 0xfc00_0000, 1),
  );
  expect(0xfc00_0000).toBe(4 * 1024 ** 3 - 64 * 1024 ** 2);
});

test('B3 flags above 32 bits are an overflow, of an extent that is left out they are not', () => {
  expect(narrowExtents(list(512n, MAX32 + 1n))).toBe('overflow');
  expect(narrowExtents(list(1n << 40n, 1n << 63n))).toBe('overflow');
  expect(narrowExtents(list(1n << 40n, 0n, 512n, 1n << 63n))).toEqual(Uint32Array.of(0xfc00_0000, 0));
});

test('B3 a caller of 32 bits who asks again where an answer ended gets through every extent', () => {
  const extent = fc.tuple(fc.bigInt({ min: 1n, max: 1n << 34n }), fc.bigInt({ min: 0n, max: 3n }));
  fc.assert(
    fc.property(fc.array(extent, { minLength: 1, maxLength: 6 }), (extents) => {
      const whole = new ExtentList(0n, BigUint64Array.from(extents.flat()));
      let at = 0n;
      const seen: bigint[] = [];
      for (let turn = 0; at < whole.totalLength; turn += 1) {
        if (turn > 100) throw new Error('no progress');
        const rest = [...whole].filter(({ offset, length }) => offset + length > at);
        const narrow = narrowExtents(
          new ExtentList(
            at,
            BigUint64Array.from(
              rest.flatMap(({ offset, length, flags }) => [
                offset < at ? offset + length - at : length,
                flags,
              ]),
            ),
          ),
        );
        if (narrow === 'overflow') throw new Error('flags of 2 bits fit');
        for (let index = 0; index < narrow.length; index += 2) {
          seen.push(BigInt(narrow[index + 1] ?? 0));
          at += BigInt(narrow[index] ?? 0);
        }
      }
      expect(at).toBe(whole.totalLength);
      const flags = [...whole].map((one) => one.flags);
      const merge = (values: readonly bigint[]) =>
        values.filter((value, index) => value !== values[index - 1]);
      expect(merge(seen)).toEqual(merge(flags));
    }),
    { numRuns: 300 },
  );
});

test('B2 widening makes an array of its own, and leaves the one of 32 bits as it was', () => {
  const narrow = Uint32Array.of(512, 0xffff_ffff, 0xffff_ffff, 1);
  const wide = ExtentList.widen(7n, narrow);
  narrow.fill(0);
  expect([...wide]).toEqual([
    { offset: 7n, length: 512n, flags: MAX32 },
    { offset: 519n, length: MAX32, flags: 1n },
  ]);
  expect([wide.count, wide.totalLength]).toEqual([2, MAX32 + 512n]);
  expect(() => wide.lengthOf(2)).toThrow('an extent is asked for by an index below their count');
});
