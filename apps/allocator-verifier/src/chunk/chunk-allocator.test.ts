import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkAllocator, pagesOf, type ChunkHandle } from './chunk-allocator.js';
import { PAGE_CHUNKS } from './limits.js';

const OWNER = 7n;
const CAPACITY = 100;

function handlesOf(
  allocator: ChunkAllocator,
  runs: readonly { start: number; count: number }[],
): ChunkHandle[] {
  return runs.flatMap(({ start, count }) =>
    Array.from({ length: count }, (_, index) => allocator.handleOf(start + index)),
  );
}

/** The fewest free runs that hold `count` chunks together. */
function fewestRuns(taken: ReadonlySet<number>, count: number): number {
  const lengths: number[] = [];
  for (let index = 0, length = 0; index <= CAPACITY; index += 1) {
    if (index < CAPACITY && !taken.has(index)) length += 1;
    else if (length > 0) {
      lengths.push(length);
      length = 0;
    }
  }
  lengths.sort((a, b) => b - a);
  let [left, runs] = [count, 0];
  while (left > 0) left -= lengths[runs++] ?? Infinity;
  return runs;
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('allocate' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('free' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('restart' as const) }),
  ),
  { maxLength: 60 },
);

/** As a process that starts again: from the recorded pages. */
function restarted(before: ChunkAllocator): ChunkAllocator {
  const after = new ChunkAllocator(before.owner, before.capacity);
  for (let page = 0; page * PAGE_CHUNKS < before.capacity; page += 1)
    after.restorePage(page, before.page(page));
  return after;
}

describe('a chunk allocator', () => {
  test('C10 C11 never hands out a chunk twice nor loses one, in the fewest runs, over restarts (property)', () => {
    fc.assert(
      fc.property(steps, (wanted) => {
        let allocator = new ChunkAllocator(OWNER, CAPACITY);
        const taken = new Map<number, ChunkHandle>();
        const usedUp: ChunkHandle[] = [];
        for (const step of wanted) {
          if (step.kind === 'restart') allocator = restarted(allocator);
          else if (step.kind === 'free') {
            const handle = [...taken.values()][step.which % Math.max(1, taken.size)];
            if (handle === undefined) continue;
            allocator.release(handle);
            taken.delete(handle.index);
            usedUp.push(handle);
          } else if (step.count > CAPACITY - taken.size) {
            expect(() => allocator.allocate(step.count)).toThrow('are free');
          } else {
            const fewest = fewestRuns(new Set(taken.keys()), step.count);
            const runs = allocator.allocate(step.count);
            expect(runs).toHaveLength(fewest);
            for (const handle of handlesOf(allocator, runs)) {
              expect(taken.has(handle.index)).toBe(false);
              taken.set(handle.index, handle);
            }
          }
          expect(allocator.allocated).toBe(taken.size);
          expect(allocator.free).toBe(CAPACITY - taken.size);
          for (const handle of usedUp)
            expect(() => {
              allocator.release(handle);
            }).toThrow('freed before');
          for (const handle of taken.values()) allocator.check(handle);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('C11 the handle of another allocator, and one of no chunk, are refused by name', () => {
    const allocator = new ChunkAllocator(OWNER, CAPACITY);
    const [own] = handlesOf(allocator, allocator.allocate(1));
    if (own === undefined) throw new Error('one was allocated');
    for (const foreign of [{ owner: 8n }, { index: CAPACITY }, { index: -1 }, { index: 0.5 }]) {
      const release = () => {
        allocator.release({ ...own, ...foreign });
      };
      expect(release).toThrow(expect.objectContaining({ code: 'FOREIGN_CHUNK' }) as Error);
    }
    for (const other of [{ generation: 0 }, { generation: 3 }, { index: 1 }]) {
      const release = () => {
        allocator.release({ ...own, ...other });
      };
      expect(release).toThrow(expect.objectContaining({ code: 'CHUNK_NOT_ALLOCATED' }) as Error);
    }
    expect(allocator.allocated).toBe(1);
    allocator.release(own);
    expect(allocator.free).toBe(CAPACITY);
  });

  test('more than is free is refused as a whole', () => {
    const allocator = new ChunkAllocator(OWNER, 10);
    allocator.allocate(4);
    expect(() => allocator.allocate(7)).toThrow(expect.objectContaining({ code: 'POOL_EXHAUSTED' }) as Error);
    expect(allocator.free).toBe(6);
    expect(allocator.allocate(6)).toEqual([{ start: 4, count: 6 }]);
  });

  test('a page that was not written is as it was recorded, or never used', () => {
    const allocator = new ChunkAllocator(OWNER, 3 * PAGE_CHUNKS - 5);
    const recorded = allocator.allocate(PAGE_CHUNKS);
    const page = allocator.page(0);
    const lost = allocator.allocate(PAGE_CHUNKS + 1);
    expect(pagesOf([...recorded, ...lost])).toEqual([0, 1, 2]);
    for (const number of pagesOf(lost)) allocator.restorePage(number);
    allocator.restorePage(0, page);
    expect(allocator.allocated).toBe(PAGE_CHUNKS);
    expect(allocator.allocate(PAGE_CHUNKS + 1)).toEqual(lost);
  });

  test('a chunk that was used as often as can be counted is left alone', () => {
    const allocator = new ChunkAllocator(OWNER, 2);
    allocator.restorePage(0, Uint32Array.of(0xffff_fffc, 0));
    expect(allocator.allocate(2)).toEqual([{ start: 0, count: 2 }]);
    allocator.release(allocator.handleOf(0));
    expect(allocator).toMatchObject({ free: 0, allocated: 1 });
    expect(restarted(allocator)).toMatchObject({ free: 0, allocated: 1 });
  });
});
