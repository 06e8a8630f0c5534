import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { zeroRuns } from './zero-runs.js';

const GRAIN = 16;

it('runs cover the data, are whole grains, and are zero exactly where all of a grain is', () => {
  const grains = fc.array(fc.constantFrom('zero', 'first', 'last', 'full'), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(grains, fc.integer({ min: 1, max: GRAIN }), (kinds, lastLength) => {
      const data = Buffer.alloc((kinds.length - 1) * GRAIN + lastLength);
      kinds.forEach((kind, index) => {
        const part = data.subarray(index * GRAIN, (index + 1) * GRAIN);
        if (kind === 'full') part.fill(7);
        if (kind === 'first') part[0] = 1;
        if (kind === 'last') part[part.length - 1] = 1;
      });
      let at = 0;
      let last: boolean | undefined;
      for (const { start, length, isZero } of zeroRuns(data, GRAIN)) {
        expect(start).toBe(at);
        expect(isZero).not.toBe(last);
        for (let grain = start; grain < start + length; grain += GRAIN) {
          expect(kinds[grain / GRAIN] === 'zero').toBe(isZero);
        }
        at += length;
        last = isZero;
      }
      expect(at).toBe(data.length);
    }),
  );
});

it('zeroes longer than one comparison are found, and one other byte at their end too', () => {
  const data = Buffer.alloc(200_000);
  expect([...zeroRuns(data, 200_000)]).toEqual([{ start: 0, length: 200_000, isZero: true }]);
  data[199_999] = 1;
  expect([...zeroRuns(data, 200_000)]).toEqual([{ start: 0, length: 200_000, isZero: false }]);
});
