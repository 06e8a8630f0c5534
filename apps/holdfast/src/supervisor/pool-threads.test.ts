import { WORKER_POOL_THREADS_DEFAULT } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { poolThreadsOf } from './pool-threads.js';

test('the worker gets as many threads as its settings say', () => {
  expect(poolThreadsOf('io-worker', {})).toBe(String(WORKER_POOL_THREADS_DEFAULT));
  expect(poolThreadsOf('io-worker', { HOLDFAST_WORKER_POOL_THREADS: '24' })).toBe('24');
});

test('the others are not concerned', () => {
  expect(poolThreadsOf('nbd-gateway', { HOLDFAST_WORKER_POOL_THREADS: '24' })).toBe('4');
});
