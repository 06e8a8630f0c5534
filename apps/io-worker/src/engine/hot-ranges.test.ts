import type { FileMapping } from '@holdfast/linux';
import { describe, expect, test } from 'vitest';
import { HotRanges } from './hot-ranges.js';

const KIB = 1024;
const REGION = 256 * KIB;

/** The page cache, as far as it is asked. */
class Cache {
  readonly looks: { offset: number; length: number }[] = [];
  isHot: (region: number) => boolean = () => true;
  readonly ranges: HotRanges;

  constructor(length = 1024 * REGION) {
    const isResident = (offset: number, bytes: number) => {
      this.looks.push({ offset, length: bytes });
      return this.isHot(offset / REGION);
    };
    this.ranges = new HotRanges({ length, isResident } as unknown as FileMapping);
  }
}

describe('what is in the page cache', () => {
  test('is looked up once for all reads of a region, for a while', () => {
    const cache = new Cache();
    for (let i = 0; i < 64; i++) expect(cache.ranges.includes(i * 4 * KIB, 4 * KIB)).toBe(true);
    expect(cache.looks).toEqual([{ offset: 0, length: REGION }]);
    cache.ranges.tick(499);
    cache.ranges.includes(0, 1);
    expect(cache.looks).toHaveLength(1);
    cache.ranges.tick(501);
    cache.isHot = () => false;
    expect(cache.ranges.includes(0, 1)).toBe(false);
    expect(cache.looks).toHaveLength(2);
  });

  test('includes a range when it includes all regions of it', () => {
    const cache = new Cache();
    cache.isHot = (region) => region !== 2;
    expect(cache.ranges.includes(REGION - 1, 2)).toBe(true);
    expect(cache.ranges.includes(2 * REGION - 1, 2)).toBe(false);
    expect(cache.ranges.includes(3 * REGION, 4 * REGION)).toBe(true);
    expect(cache.ranges.includes(0, 4 * REGION)).toBe(false);
  });

  test('ends where the device ends', () => {
    const cache = new Cache(REGION + 512);
    expect(cache.ranges.includes(REGION, 512)).toBe(true);
    expect(cache.looks).toEqual([{ offset: REGION, length: 512 }]);
    expect(cache.ranges.includes(REGION, 513)).toBe(false);
  });

  test('is seldom looked up while nothing is there, and again when something is', () => {
    const cache = new Cache();
    cache.isHot = () => false;
    for (let region = 0; region < 8 + 320; region++) {
      expect(cache.ranges.includes(region * REGION, 1)).toBe(false);
    }
    expect(cache.looks.length).toBeLessThanOrEqual(8 + 11);
    cache.isHot = () => true;
    const found = Array.from({ length: 64 }, (_, i) => cache.ranges.includes((512 + i) * REGION, 1));
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(32);
  });

  test('is forgotten where something was trimmed', () => {
    const cache = new Cache();
    for (let region = 0; region < 4; region++) cache.ranges.includes(region * REGION, 1);
    cache.isHot = () => false;
    cache.ranges.forget(2 * REGION - 1, 2);
    expect([0, 1, 2, 3].map((region) => cache.ranges.includes(region * REGION, 1))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    cache.ranges.forget(0, 2 ** 50);
    expect(cache.ranges.includes(3 * REGION, 1)).toBe(false);
  });

  test('is kept apart for regions that share a cell', () => {
    const cache = new Cache(64 * 1024 * REGION);
    cache.isHot = (region) => region === 0;
    expect(cache.ranges.includes(0, 1)).toBe(true);
    expect(cache.ranges.includes(16 * 1024 * REGION, 1)).toBe(false);
    expect(cache.ranges.includes(0, 1)).toBe(true);
  });
});
