import { expect, test } from 'vitest';
import { BufferPool } from './buffer-pool.js';

const SIZES = { inputBytes: 8192, outputBytes: 4096, idleMax: 1 };

test('buffers are lent again', () => {
  const pool = new BufferPool(SIZES);
  const first = pool.take();
  expect([first.input.length, first.output.length]).toEqual([8192, 4096]);
  expect(pool.take()).not.toBe(first);
  pool.giveBack(first, true);
  expect(pool.take()).toBe(first);
});

test('E12 buffers that may be pinned are never lent again, and never freed', () => {
  const pool = new BufferPool(SIZES);
  const first = pool.take();
  pool.giveBack(first, false);
  expect(pool.take()).not.toBe(first);
  expect(first.input.address).toBeGreaterThan(0);
});

test('more than may lie idle are given back to the system', () => {
  const pool = new BufferPool(SIZES);
  const [first, second] = [pool.take(), pool.take()];
  pool.giveBack(first, true);
  pool.giveBack(second, true);
  expect(() => second.input.address).toThrow('disposed');
  expect(pool.take()).toBe(first);
});
