import { expect, it } from 'vitest';
import { samplesMin, trendsOf } from './trends.js';
import type { Footprint } from './types.js';

const MIB = 1 << 20;
const steady: Footprint = { memoryBytes: 100 * MIB, descriptors: 30, threads: 11 };

/** As many samples as told, each as `change` makes it. */
const samples = (count: number, change: (number: number) => Partial<Footprint>) =>
  Array.from({ length: count }, (_, number) => ({ worker: { ...steady, ...change(number) } }));
const notFlat = (...args: Parameters<typeof trendsOf>) =>
  trendsOf(...args)
    .filter(({ isFlat }) => !isFlat)
    .map(({ figure }) => figure);

it('is flat when nothing changes, and when a sample is an outlier', () => {
  expect(notFlat(samples(40, () => ({})))).toEqual([]);
  expect(
    notFlat(samples(40, (number) => (number === 38 ? { descriptors: 90, memoryBytes: 900 * MIB } : {}))),
  ).toEqual([]);
});

it('is not flat when one descriptor or one thread is left in a lap', () => {
  expect(notFlat(samples(40, (number) => ({ descriptors: 30 + number })))).toEqual(['descriptors']);
  expect(notFlat(samples(40, (number) => ({ threads: number < 25 ? 11 : 12 })))).toEqual(['threads']);
});

it('lets memory have its slack and 5 %, and no more', () => {
  const grown = (mebibytes: number) =>
    samples(40, (number) => ({ memoryBytes: (number < 20 ? 100 : 100 + mebibytes) * MIB }));
  expect(notFlat(grown(20), 16 * MIB)).toEqual([]);
  expect(notFlat(grown(22), 16 * MIB)).toEqual(['memoryBytes']);
});

it('takes no notice of the first quarter, in which caches fill', () => {
  expect(notFlat(samples(40, (number) => ({ descriptors: number < 10 ? 5 : 30 })))).toEqual([]);
});

it('is not flat when a service is gone, and refuses to judge from few samples', () => {
  const gone = samples(40, () => ({})).map((one, number) => (number < 30 ? one : {}));
  expect(notFlat(gone as ReturnType<typeof samples>)).toEqual(['memoryBytes', 'descriptors', 'threads']);
  expect(() => trendsOf(samples(samplesMin - 1, () => ({})))).toThrow(RangeError);
});
