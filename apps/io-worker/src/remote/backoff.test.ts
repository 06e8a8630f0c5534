import { expect, test } from 'vitest';
import { Backoff } from './backoff.js';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from './limits.js';

const pauses = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

test('pauses double up to the longest, and begin again after a success', () => {
  const backoff = new Backoff(() => 1);
  expect(pauses(backoff, 8)).toEqual([50, 100, 200, 400, 800, 1600, 2000, 2000]);
  backoff.reset();
  expect(backoff.next()).toBe(BACKOFF_FIRST_MS);
});

test('pauses are random between half and all, so that sessions do not come back in step', () => {
  expect(pauses(new Backoff(() => 0), 3)).toEqual([25, 50, 100]);
  const longest = Array.from({ length: 50 }, () => pauses(new Backoff(), 10).at(-1) ?? 0);
  expect(Math.min(...longest)).toBeGreaterThanOrEqual(BACKOFF_MAX_MS / 2);
  expect(Math.max(...longest)).toBeLessThan(BACKOFF_MAX_MS);
  expect(new Set(longest).size).toBeGreaterThan(10);
});
