import { assert, HoldfastError } from '@holdfast/foundation';
import { FreeRuns, type Run } from './free-runs.js';
import { CHUNKS_MAX, PAGE_CHUNKS } from './limits.js';

/**
 * What stands for an allocated chunk, wherever it is kept: whose it is (the owner tag of C11), which one, and the how
 * manieth use of it. It is good for one free: the next use of the chunk has another generation.
 */
export interface ChunkHandle {
  /** The allocator, by a number that no other ever has. */
  readonly owner: bigint;
  readonly index: number;
  readonly generation: number;
}

/** Even, and never followed by another: the chunk was used as often as can be counted, and is left alone. */
const RETIRED = 0xffff_fffe;

/**
 * The chunks of one pool in memory. The generation of a chunk rises when it is handed out and when it is freed, so it is
 * odd while the chunk is allocated: generations are all there is to record, page by page, and a page in which nothing was
 * ever allocated need not be.
 *
 * Nothing here is on a disk. The caller writes the pages that a change touched in the transaction that also writes who
 * has the chunks, and restores these pages from the records when that fails.
 */
export class ChunkAllocator {
  readonly #generations: Uint32Array;
  readonly #free: FreeRuns;
  #retired = 0;

  /** All chunks are free. @param capacity chunks, 1–{@link CHUNKS_MAX} */
  constructor(
    readonly owner: bigint,
    readonly capacity: number,
  ) {
    assert(capacity >= 1 && capacity <= CHUNKS_MAX, 'a capacity was checked');
    this.#generations = new Uint32Array(capacity);
    this.#free = new FreeRuns(capacity);
    this.#free.set({ start: 0, count: capacity }, true);
  }

  get free(): number {
    return this.#free.free;
  }

  get allocated(): number {
    return this.capacity - this.#free.free - this.#retired;
  }

  /** The most chunks that one run could have now. */
  get longestRun(): number {
    return this.#free.longest;
  }

  /**
   * Allocates chunks, in as few runs as there can be: the longest free runs first, the first that suffices last.
   *
   * @throws HoldfastError POOL_EXHAUSTED when fewer are free; none is allocated then
   */
  allocate(count: number): Run[] {
    assert(Number.isSafeInteger(count) && count > 0, 'something is allocated');
    if (count > this.free) {
      throw new HoldfastError(
        'POOL_EXHAUSTED',
        `${String(count)} chunks were asked for, and ${String(this.free)} of ${String(this.capacity)} are free.`,
        { wanted: String(count), free: String(this.free) },
      );
    }
    const runs: Run[] = [];
    for (let left = count; left > 0;) {
      const length = Math.min(left, this.#free.longest);
      const start = this.#free.firstRun(length);
      assert(start !== undefined, 'the longest run is there');
      runs.push(this.#take({ start, count: length }));
      left -= length;
    }
    return runs;
  }

  /** The handle of a chunk that is allocated. */
  handleOf(index: number): ChunkHandle {
    const generation = this.#generations[index] ?? 0;
    assert(isAllocated(generation), 'a handle stands for an allocated chunk');
    return { owner: this.owner, index, generation };
  }

  /** @throws HoldfastError FOREIGN_CHUNK for another allocator's handle; CHUNK_NOT_ALLOCATED for one that is used up */
  check({ owner, index, generation }: ChunkHandle): void {
    if (owner !== this.owner || !Number.isSafeInteger(index) || index < 0 || index >= this.capacity) {
      throw new HoldfastError(
        'FOREIGN_CHUNK',
        `Chunk ${String(index)} of allocator ${String(owner)} is not one of allocator ${String(this.owner)}.`,
        { owner: String(owner), allocator: String(this.owner), chunk: String(index) },
      );
    }
    if (!isAllocated(generation) || this.#generations[index] !== generation) {
      throw new HoldfastError(
        'CHUNK_NOT_ALLOCATED',
        `Chunk ${String(index)} is not allocated under generation ${String(generation)}: it was freed before.`,
        { chunk: String(index), generation: String(generation) },
      );
    }
  }

  /** Frees one chunk; its handle is used up. @throws HoldfastError as {@link check} does; nothing is freed then */
  release(handle: ChunkHandle): void {
    this.check(handle);
    const { index, generation } = handle;
    this.#generations[index] = generation + 1;
    if (generation + 1 === RETIRED) this.#retired += 1;
    else this.#free.set({ start: index, count: 1 }, true);
  }

  /** The generations of a page's chunks, as they are recorded: a copy. */
  page(number: number): Uint32Array {
    const start = number * PAGE_CHUNKS;
    assert(number >= 0 && start < this.capacity, 'a page has chunks');
    return this.#generations.slice(start, start + PAGE_CHUNKS);
  }

  /** Makes a page what the records say; without any, nothing in it was ever allocated. */
  restorePage(number: number, recorded?: Uint32Array): void {
    const start = number * PAGE_CHUNKS;
    const count = Math.min(PAGE_CHUNKS, this.capacity - start);
    assert(number >= 0 && count > 0, 'a page has chunks');
    assert(recorded === undefined || recorded.length === count, 'a page is recorded as a whole');
    let run: { start: number; count: number; free: boolean } | undefined;
    for (let index = start; index <= start + count; index += 1) {
      const change =
        index === start + count ? undefined : this.#restore(index, recorded?.[index - start] ?? 0);
      if (run !== undefined && run.free === change) {
        run.count += 1;
        continue;
      }
      if (run !== undefined) this.#free.set(run, run.free);
      run = change === undefined ? undefined : { start: index, count: 1, free: change };
    }
  }

  /** @returns whether the chunk is to become free, or to be free no more; undefined when neither */
  #restore(index: number, generation: number): boolean | undefined {
    const before = this.#generations[index] ?? 0;
    this.#generations[index] = generation;
    if (before === RETIRED) this.#retired -= 1;
    if (generation === RETIRED) this.#retired += 1;
    return isFree(before) === isFree(generation) ? undefined : isFree(generation);
  }

  #take(run: Run): Run {
    this.#free.set(run, false);
    for (let index = run.start; index < run.start + run.count; index += 1) {
      this.#generations[index] = (this.#generations[index] ?? 0) + 1;
    }
    return run;
  }
}

/** The pages that runs of chunks lie in, each once. */
export function pagesOf(runs: readonly Run[]): number[] {
  const pages = new Set<number>();
  for (const { start, count } of runs) {
    const last = Math.floor((start + count - 1) / PAGE_CHUNKS);
    for (let page = Math.floor(start / PAGE_CHUNKS); page <= last; page += 1) pages.add(page);
  }
  return [...pages].sort((a, b) => a - b);
}

function isAllocated(generation: number): boolean {
  return generation % 2 === 1;
}

function isFree(generation: number): boolean {
  return !isAllocated(generation) && generation !== RETIRED;
}
