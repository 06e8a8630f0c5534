import { expect, test } from 'vitest';
import { Backoff } from './backoff.js';

test('a service that dies at once a few times waits twice as long each time from then on, up to ten seconds', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 13 }, () => backoff.delayMs(0));
  expect(delays).toEqual([100, 100, 100, 100, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('every second that it runs makes up for one death', () => {
  const backoff = new Backoff();
  for (let deaths = 0; deaths < 7; deaths++) backoff.delayMs(0);
  expect(backoff.delayMs(999)).toBe(800);
  expect(backoff.delayMs(1_001)).toBe(400);
  expect(backoff.delayMs(2_000)).toBe(200);
  expect(backoff.delayMs(4_000)).toBe(100);
});

test('one that runs for a while between its deaths never waits longer than at first', () => {
  const backoff = new Backoff();
  for (let deaths = 0; deaths < 100; deaths++) expect(backoff.delayMs(1_000)).toBe(100);
});

test('one that died very often is forgiven within a quarter of a minute', () => {
  const backoff = new Backoff();
  for (let deaths = 0; deaths < 1_000; deaths++) backoff.delayMs(0);
  expect(backoff.delayMs(13_000)).toBe(100);
});
