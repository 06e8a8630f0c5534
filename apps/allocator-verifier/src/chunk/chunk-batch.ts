import { assert } from '@holdfast/foundation';
import type { ChunkWrites } from '@holdfast/store';
import { pagesOf, type ChunkAllocator, type ChunkHandle } from './chunk-allocator.js';

/** A change of the chunks of some allocators in memory, and which pages it touched. */
export class ChunkBatch {
  readonly #allocators: ReadonlyMap<bigint, ChunkAllocator>;
  readonly #touched = new Map<bigint, Set<number>>();

  constructor(allocators: Iterable<ChunkAllocator>) {
    this.#allocators = new Map(Array.from(allocators, (one) => [one.owner, one]));
  }

  /** @throws HoldfastError POOL_EXHAUSTED when fewer are free; none is allocated then */
  allocate(number: bigint, count: number): ChunkHandle[] {
    const allocator = this.#of(number);
    return allocator.allocate(count).flatMap((run) => {
      for (const page of pagesOf([run])) this.#touch(number, page);
      return Array.from({ length: run.count }, (_, at) => allocator.handleOf(run.start + at));
    });
  }

  /** Allocates one chunk. @returns undefined when none is free */
  reserve(number: bigint): ChunkHandle | undefined {
    return this.#of(number).free === 0 ? undefined : this.allocate(number, 1)[0];
  }

  /**
   * Frees one chunk.
   *
   * @param by the allocator that is to take it back
   * @throws HoldfastError FOREIGN_CHUNK, CHUNK_NOT_ALLOCATED
   */
  release(handle: ChunkHandle, by = handle.owner): void {
    const allocator = this.#of(by);
    allocator.check(handle);
    for (const page of pagesOf([{ start: handle.index, count: 1 }])) this.#touch(by, page);
    allocator.release(handle);
  }

  /** Every page that was touched, as it is now. */
  pages(): ChunkWrites['pages'] {
    return [...this.#touched].flatMap(([allocatorNumber, pages]) =>
      Array.from(pages, (page) => ({
        allocatorNumber,
        page,
        generations: this.#of(allocatorNumber).page(page),
      })),
    );
  }

  #of(number: bigint): ChunkAllocator {
    const allocator = this.#allocators.get(number);
    assert(allocator !== undefined, `the allocator ${String(number)} is one of the batch`);
    return allocator;
  }

  #touch(number: bigint, page: number): void {
    const pages = this.#touched.get(number) ?? new Set<number>();
    this.#touched.set(number, pages.add(page));
  }
}
