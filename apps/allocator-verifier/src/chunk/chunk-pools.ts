import { assert, HoldfastError } from '@holdfast/foundation';
import type { AllocatorRecord, ChunkRepository, Slot, ValueRecord } from '@holdfast/store';
import { ChunkAllocator } from './chunk-allocator.js';
import { ChunkBatch } from './chunk-batch.js';

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
    return this.change([allocatorNumber], async (batch) => {
      const handles = batch.allocate(allocatorNumber, slots.length);
      const stored = slots.map((slot, at) => {
        const handle = handles[at];
        assert(handle !== undefined, 'each slot gets a chunk');
        return { ...slot, allocatorNumber, chunk: handle.index, generation: handle.generation };
      });
      await this.records.apply({ allocatorNumber, pages: batch.pages(), cleared: [], stored });
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
    return this.change([allocatorNumber], async (batch) => {
      for (const { allocatorNumber: owner, chunk: index, generation } of values) {
        batch.release({ owner, index, generation }, allocatorNumber);
      }
      await this.records.apply({ allocatorNumber, pages: batch.pages(), cleared: values, stored: [] });
    });
  }

  /**
   * Makes a change of several allocators, one after the other for each. `work` changes memory by the batch that it is
   * given, and then writes its pages; if it throws, memory is made what the records say.
   *
   * @throws HoldfastError ALLOCATOR_NOT_FOUND
   */
  async change<Result>(
    numbers: Iterable<bigint>,
    work: (batch: ChunkBatch) => Promise<Result>,
  ): Promise<Result> {
    const all = new Map(Array.from(numbers, (number) => [number, this.#require(number)]));
    const loaded = [...all.values()];
    const outcome = Promise.all(loaded.map(({ last }) => last)).then(async () => {
      for (const one of loaded) await this.#restore(one);
      const batch = new ChunkBatch(loaded.map(({ chunks }) => chunks));
      try {
        return await work(batch);
      } catch (error) {
        for (const { allocatorNumber, page } of batch.pages()) all.get(allocatorNumber)?.doubtful.add(page);
        // If the records cannot be read now, the next change reads them first.
        for (const one of loaded) await this.#restore(one).catch(() => undefined);
        throw error;
      }
    });
    for (const one of loaded) one.last = outcome.catch(() => undefined);
    return outcome;
  }

  #require(number: bigint): Loaded {
    const loaded = this.#loaded.get(number);
    if (loaded !== undefined) return loaded;
    throw new HoldfastError(
      'ALLOCATOR_NOT_FOUND',
      `There is no allocator with the number ${String(number)}.`,
      { allocator: String(number) },
    );
  }

  /** The records decide, whatever became of the transaction. While they cannot be read, nothing is handed out. */
  async #restore({ chunks, doubtful }: Loaded): Promise<void> {
    for (const page of doubtful) {
      chunks.restorePage(page, await this.records.page(chunks.owner, page));
      doubtful.delete(page);
    }
  }
}
