import { expect, test } from 'vitest';
import { Backoff } from './backoff.js';

test('a service that dies at once waits twice as long each time, up to ten seconds', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 9 }, () => backoff.delayMs(0));
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('a service that ran for a while is started at once again', () => {
  const backoff = new Backoff();
  for (let deaths = 0; deaths < 5; deaths++) backoff.delayMs(29_999);
  expect(backoff.delayMs(29_999)).toBe(3200);
  expect(backoff.delayMs(30_000)).toBe(100);
  expect(backoff.delayMs(0)).toBe(200);
});
