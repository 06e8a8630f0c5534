import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { SharedLimit } from './shared-limit.js';

const MS = 1_000_000n;
const SECOND = 1000n * MS;

function limitOf(iops: number, bytesPerSecond: number, burstMs: number): SharedLimit {
  const limit = new SharedLimit();
  limit.set({ iops, bytesPerSecond, burstMs });
  return limit;
}

/** When each of `count` requests may begin that are asked for at the same time, in milliseconds from then. */
function starts(limit: SharedLimit, count: number, bytes = 0, now = 100n * SECOND): number[] {
  const begun = Array.from({ length: count }, () => limit.take(limit.generation, bytes, now));
  return begun.map((start) => Number((start > now ? start - now : 0n) / MS));
}

describe('a shared limit', () => {
  test('lets the burst begin at once, and what follows at the rate', () => {
    expect(starts(limitOf(10, 0, 300), 8)).toEqual([0, 0, 0, 0, 100, 200, 300, 400]);
  });

  test('counts bytes as it counts requests, and the slower of the two holds', () => {
    expect(starts(limitOf(0, 1000, 200), 4, 100)).toEqual([0, 0, 0, 100]);
    expect(starts(limitOf(100, 1000, 200), 4, 100)).toEqual([0, 0, 0, 100]);
    expect(starts(limitOf(10, 1_000_000, 200), 4, 100)).toEqual([0, 0, 0, 100]);
  });

  test('begins a request that is larger than the burst when nothing is owed, and those after it wait', () => {
    const limit = limitOf(0, 1000, 100);
    expect(starts(limit, 3, 5000)).toEqual([0, 4900, 9900]);
  });

  test('saves no more than the burst, however long nobody takes', () => {
    const limit = limitOf(10, 0, 300);
    starts(limit, 20);
    expect(starts(limit, 6, 0, 1000n * SECOND)).toEqual([0, 0, 0, 0, 100, 200]);
  });

  test('forgives what was owed when it is changed, and what was taken under the old setting counts no more', () => {
    const limit = limitOf(1, 0, 10);
    const old = limit.generation;
    starts(limit, 1000);
    limit.set({ iops: 10, bytesPerSecond: 0, burstMs: 300 });
    limit.take(old, 0, 100n * SECOND);
    expect(limit.generation).not.toBe(old);
    expect(starts(limit, 5)).toEqual([0, 0, 0, 0, 100]);
  });

  test('is told as it was set, and no limit is generation 0', () => {
    const limit = limitOf(7, 2 ** 40, 3_600_000);
    expect(limit.value).toEqual({ iops: 7, bytesPerSecond: 2 ** 40, burstMs: 3_600_000 });
    const before = limit.generation;
    limit.set({ iops: 0, bytesPerSecond: 0, burstMs: 5 });
    expect(limit.generation).toBe(0);
    expect(limit.value).toEqual({ iops: 0, bytesPerSecond: 0, burstMs: 0 });
    limit.set({ iops: 7, bytesPerSecond: 0, burstMs: 5 });
    expect(limit.generation).not.toBe(before);
  });

  test('is full when forgetting it would change nothing', () => {
    const limit = limitOf(10, 0, 300);
    const now = 100n * SECOND;
    expect(limit.isFull(now)).toBe(true);
    limit.take(limit.generation, 0, now);
    expect(limit.isFull(now)).toBe(false);
    expect(limit.isFull(now + 99n * MS)).toBe(false);
    expect(limit.isFull(now + 100n * MS)).toBe(true);
  });

  test('loses nothing when threads take at the same time', async () => {
    const limit = limitOf(1000, 0, 10);
    const takes = 20_000;
    // The words of the setting, as the class lays them out; beside the sources no compiled class can be loaded.
    const program = `
      const { workerData, parentPort } = require('node:worker_threads');
      const words = new BigInt64Array(workerData.memory, 8 + workerData.generation * 40, 5);
      for (let i = 0; i < ${String(takes)}; i++) {
        for (;;) {
          const before = Atomics.load(words, 3);
          const start = before > 99_990_000_000n ? before : 99_990_000_000n;
          if (Atomics.compareExchange(words, 3, before, start + 1_000_000n) === before) break;
        }
      }
      parentPort.postMessage('done');`;
    const { memory, generation } = limit;
    const worker = new Worker(program, { eval: true, workerData: { memory, generation } });
    const done = new Promise((resolve) => worker.once('message', resolve));
    for (let i = 0; i < takes; i++) limit.take(generation, 0, 100n * SECOND);
    await done;
    const start = limit.take(generation, 0, 100n * SECOND);
    expect(start).toBe(100n * SECOND - 10n * MS + BigInt(2 * takes) * MS);
    await worker.terminate();
  });
});
