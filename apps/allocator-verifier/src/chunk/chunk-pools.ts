import { HoldfastError } from '@holdfast/foundation';
import type { AllocatorRecord, ChunkRepository, Slot, ValueRecord } from '@holdfast/store';
import { ChunkAllocator, pagesOf } from './chunk-allocator.js';
import type { Run } from './free-runs.js';

/** Where a chunk that is allocated goes. */
export interface Wanted {
  readonly allocatorNumber: bigint;
  /** One chunk for each. */
  readonly slots: readonly Slot[];
}

interface Loaded {
  readonly chunks: ChunkAllocator;
  /** Pages of which memory may know more than the records. */
  readonly doubtful: Set<number>;
  /** The last change that was begun; never rejects. */
  last: Promise<unknown>;
}

/**
 * The allocators in memory, each as its records have it. A change is made in memory, then written in one transaction with
 * who has the chunks; only then is it answered. If that fails, memory is made what the records say (C10).
 */
export class ChunkPools {
  readonly #loaded = new Map<bigint, Loaded>();

  constructor(private readonly records: ChunkRepository) {}

  get size(): number {
    return this.#loaded.size;
  }

  /** Reads which chunks are allocated. Loading what is loaded is OK. */
  async load({ number, pool }: AllocatorRecord): Promise<void> {
    if (this.#loaded.has(number)) return;
    const chunks = new ChunkAllocator(number, pool.capacity);
    for await (const { page, generations } of this.records.pages(number))
      chunks.restorePage(page, generations);
    this.#loaded.set(number, { chunks, doubtful: new Set(), last: Promise.resolve() });
  }

  /** What is known of an allocator's chunks now; undefined when it is not loaded. */
  find(number: bigint): ChunkAllocator | undefined {
    return this.#loaded.get(number)?.chunks;
  }

  forget(number: bigint): void {
    this.#loaded.delete(number);
  }

  /**
   * Allocates a chunk for each slot, which are null.
   *
   * @throws HoldfastError POOL_EXHAUSTED; SLOT_TAKEN; ALLOCATOR_NOT_FOUND
   */
  allocate({ allocatorNumber, slots }: Wanted): Promise<ValueRecord[]> {
    return this.#change(allocatorNumber, async (chunks, touches) => {
      const runs = chunks.allocate(slots.length);
      touches(runs);
      const indices = runs.flatMap(({ start, count }) =>
        Array.from({ length: count }, (_, at) => start + at),
      );
      const stored = slots.map((slot, at) => {
        const { index, generation } = chunks.handleOf(indices[at] ?? -1);
        return { ...slot, allocatorNumber, chunk: index, generation };
      });
      await this.#write(chunks, runs, { cleared: [], stored });
      return stored;
    });
  }

  /**
   * Frees what slots hold, with the allocator that it is of.
   *
   * @param values all of one allocator
   * @throws HoldfastError FOREIGN_CHUNK, CHUNK_NOT_ALLOCATED; ALLOCATOR_NOT_FOUND
   */
  free(allocatorNumber: bigint, values: readonly ValueRecord[]): Promise<void> {
    return this.#change(allocatorNumber, async (chunks, touches) => {
      for (const { allocatorNumber: owner, chunk: index, generation } of values) {
        chunks.check({ owner, index, generation });
        touches([{ start: index, count: 1 }]);
        chunks.release({ owner, index, generation });
      }
      const runs = values.map(({ chunk }) => ({ start: chunk, count: 1 }));
      await this.#write(chunks, runs, { cleared: values, stored: [] });
    });
  }

  async #write(
    chunks: ChunkAllocator,
    runs: readonly Run[],
    change: { readonly cleared: readonly Slot[]; readonly stored: readonly ValueRecord[] },
  ): Promise<void> {
    const pages = pagesOf(runs).map((page) => ({ page, generations: chunks.page(page) }));
    await this.records.apply({ allocatorNumber: chunks.owner, pages, ...change });
  }

  /** One change after the other, for each allocator. `touches` is told of chunks before they may have to be restored. */
  async #change<Result>(
    number: bigint,
    work: (chunks: ChunkAllocator, touches: (runs: readonly Run[]) => void) => Promise<Result>,
  ): Promise<Result> {
    const loaded = this.#loaded.get(number);
    if (loaded === undefined) {
      throw new HoldfastError(
        'ALLOCATOR_NOT_FOUND',
        `There is no allocator with the number ${String(number)}.`,
        {
          allocator: String(number),
        },
      );
    }
    const outcome = loaded.last.then(async () => {
      await this.#restore(loaded);
      const touched: Run[] = [];
      try {
        return await work(loaded.chunks, (runs) => touched.push(...runs));
      } catch (error) {
        for (const page of pagesOf(touched)) loaded.doubtful.add(page);
        // If the records cannot be read now, the next change reads them first.
        await this.#restore(loaded).catch(() => undefined);
        throw error;
      }
    });
    loaded.last = outcome.catch(() => undefined);
    return outcome;
  }

  /** The records decide, whatever became of the transaction. While they cannot be read, nothing is handed out. */
  async #restore({ chunks, doubtful }: Loaded): Promise<void> {
    for (const page of doubtful) {
      chunks.restorePage(page, await this.records.page(chunks.owner, page));
      doubtful.delete(page);
    }
  }
}
