import { expect, test } from 'vitest';
import { AwakeThreads } from './awake-threads.js';
import { Spin } from './spin.js';

/** One session alone, or beside others. */
function spinAmong(others: number): Spin {
  const threads = new AwakeThreads();
  for (let i = 0; i <= others; i++) threads.wake();
  return new Spin(threads, 1);
}

/** Waits among `count` vain ones that looked for long. */
function longLooks(spin: Spin, count: number): number {
  let looks = 0;
  for (let i = 0; i < count; i++) {
    if (spin.tries > 1) looks += 1;
    spin.sleep();
    spin.wake();
  }
  return looks;
}

test('a session looks for long while that pays', () => {
  const spin = spinAmong(0);
  for (let i = 0; i < 1000; i++) {
    expect(spin.tries).toBe(100);
    spin.paid(true);
  }
});

test('a session whose client is slow sleeps at once, but for a try now and then', () => {
  const spin = spinAmong(0);
  expect(longLooks(spin, 8)).toBe(8);
  expect(longLooks(spin, 3200)).toBe(100);
  expect(spin.tries).toBe(1);
});

test('a client that is fast again is looked for at once', () => {
  const spin = spinAmong(0);
  longLooks(spin, 100);
  spin.paid(true);
  expect(longLooks(spin, 8)).toBe(8);
  expect(spin.tries).toBe(1);
});

test('while others want the cores it does not look for long, and does again when they sleep', () => {
  const threads = new AwakeThreads();
  const [one, other] = [new Spin(threads, 1), new Spin(threads, 1)];
  one.wake();
  other.wake();
  expect(one.tries).toBe(10);
  other.sleep();
  expect(one.tries).toBe(100);
  expect(threads.count).toBe(1);
});

test('it is known whether a client was waited for', () => {
  const spin = spinAmong(0);
  spin.paid(true);
  expect(spin.waited).toBe(false);
  spin.paid(false);
  expect(spin.waited).toBe(true);
  spin.paid(true);
  spin.sleep();
  expect(spin.waited).toBe(true);
});
