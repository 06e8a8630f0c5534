import { expect, it } from 'vitest';
import { progressBar } from './progress-bar.js';
import { Tally } from './tally.js';

function halfDone(): Tally {
  const tally = new Tally(256n * 1024n, 1024n * 1024n);
  tally.data = 256n * 1024n;
  return tally;
}

it('shows the share with what was there before, and the speed without', () => {
  expect(progressBar(halfDone(), 1000, 100)).toBe(
    `[${'='.repeat(20)}>${' '.repeat(19)}]  50.0 %  512 KiB of 1 MiB  256 KiB/s`,
  );
});

it.each([200, 80, 60, 40, 10])('fits a terminal of %i columns', (columns) => {
  expect(progressBar(halfDone(), 1000, columns).length).toBeLessThanOrEqual(columns);
});

it('is full for a copy of nothing', () => {
  expect(progressBar(new Tally(0n, 0n), 0, 100)).toContain('100.0 %');
});
