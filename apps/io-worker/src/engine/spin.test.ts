import { expect, test } from 'vitest';
import { Spin } from './spin.js';

/** Waits among `count` vain ones that looked for long. */
function longLooks(spin: Spin, count: number): number {
  let looks = 0;
  for (let i = 0; i < count; i++) {
    if (spin.tries > 1) looks += 1;
    spin.inVain();
  }
  return looks;
}

test('a session looks for long while that pays', () => {
  const spin = new Spin();
  for (let i = 0; i < 1000; i++) {
    expect(spin.tries).toBe(100);
    spin.paid(true);
  }
});

test('a session whose client is slow sleeps at once, but for a try now and then', () => {
  const spin = new Spin();
  expect(longLooks(spin, 8)).toBe(8);
  expect(longLooks(spin, 3200)).toBe(100);
  expect(spin.tries).toBe(1);
});

test('a client that is fast again is looked for at once', () => {
  const spin = new Spin();
  longLooks(spin, 100);
  spin.paid(true);
  expect(longLooks(spin, 8)).toBe(8);
  expect(spin.tries).toBe(1);
});
