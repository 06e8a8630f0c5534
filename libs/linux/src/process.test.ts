import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openFdCount, osThreadCount } from './process.js';
import { startWorker } from './testing/worker.js';

test('the count of descriptors follows each open and close, and does not count itself', () => {
  const before = openFdCount();
  expect(openFdCount()).toBe(before);
  const fd = openSync('/dev/null', 'r');
  expect(openFdCount()).toBe(before + 1);
  closeSync(fd);
  expect(openFdCount()).toBe(before);
});

test('the count of threads follows a worker thread', async () => {
  // The first one starts threads that stay.
  await (await startWorker('')).terminate();
  const before = osThreadCount();
  expect(before).toBeGreaterThan(1);
  const worker = await startWorker('');
  expect(osThreadCount()).toBe(before + 1);
  await worker.terminate();
  expect(osThreadCount()).toBe(before);
});
