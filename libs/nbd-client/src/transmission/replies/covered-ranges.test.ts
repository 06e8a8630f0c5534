import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CoveredRanges } from './covered-ranges.js';

test('T9 ranges in any order: each byte once, and complete exactly when all are there', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 12 })), { maxLength: 30 }),
      (pieces) => {
        const ranges = new CoveredRanges();
        const bytes = new Set<number>();
        for (const [start, length] of pieces) {
          const own = Array.from({ length }, (_, index) => start + index);
          const isNew = own.every((byte) => !bytes.has(byte));
          expect(ranges.add(start, length)).toBe(isNew ? 'ok' : 'overlap');
          if (isNew) for (const byte of own) bytes.add(byte);
          // Nothing is added beyond the end of a request.
          for (let all = Math.max(0, ...bytes) + 1; all < 53; all += 1) {
            expect(ranges.covers(all)).toBe(bytes.size === all);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('T19 no more than 65,536 pieces are held; what touches another takes no place', () => {
  const ranges = new CoveredRanges();
  const answers = new Set(Array.from({ length: 65_536 }, (_, index) => ranges.add(4 * index, 2)));
  expect([...answers]).toEqual(['ok']);
  expect(ranges.add(4 * 65_536, 2)).toBe('too-many');
  expect(ranges.add(2, 2)).toBe('ok');
  expect(ranges.add(4 * 65_536, 2)).toBe('ok');
});
