import { BufferedHeap, faultError, isViolation, runProgram, type Fault, type Lock } from '@holdfast/lifetime';
import { reached, type Logger } from '@holdfast/service';
import type { ChunkWrites, Store } from '@holdfast/store';
import type { ChunkPools } from '../chunk/chunk-pools.js';
import type { MapFence } from '../fence/map-fence.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { ChunkHeap } from './chunk-heap.js';
import { namedBy } from './named.js';
import { locked, programOf, verifiedOf } from './program.service.js';

/** What a run did. */
export interface RunSummary {
  readonly instructions: number;
  /** Fields of entries that hold something else. */
  readonly changed: number;
  readonly allocated: number;
  readonly freed: number;
}

/** Runs programs: each run in whole or not at all, alone with the chains that its program uses. */
export class ProgramRunner {
  constructor(
    private readonly store: Store,
    private readonly pools: ChunkPools,
    private readonly lifetimes: Lifetimes,
    private readonly fence: MapFence,
    private readonly logger: Logger,
  ) {}

  /**
   * Clients that are served a map of the program wait meanwhile, and then reach what it holds.
   *
   * @param values of the arguments, by name
   * @throws HoldfastError PROGRAM_NOT_LOADED, MAP_NOT_FOUND; PROGRAM_FAULTED when nothing of it was done
   */
  run(name: string, values: Readonly<Record<string, number>>): Promise<RunSummary> {
    return this.lifetimes.exclusive(
      () => this.#locks(name),
      async () => {
        const program = verifiedOf(this.lifetimes, programOf(this.lifetimes, name));
        const { memory } = this.lifetimes;
        const numbers = this.#allocatorsOf(name).flatMap((one) => memory.allocators.get(one)?.number ?? []);
        const change = () =>
          this.pools.change(numbers, async (batch) => {
            const state = new ChunkHeap(memory, batch);
            const heap = new BufferedHeap(state);
            const outcome = runProgram(program, values, heap);
            if (outcome.outcome === 'faulted') throw this.#faulted(name, outcome.fault);
            const { journal, spare } = heap;
            await this.#record(state.settle(journal, spare));
            const { slots, allocated, freed } = journal;
            return {
              instructions: outcome.instructions,
              changed: slots.length,
              allocated: allocated.length,
              freed: freed.length,
            };
          });
        return this.fence.change(this.#mapsOf(name), change);
      },
    );
  }

  async #record(writes: ChunkWrites): Promise<void> {
    await reached('program.ran');
    if (writes.pages.length + writes.cleared.length + writes.stored.length > 0) {
      await this.lifetimes.write(() => this.store.chunks.applyAll(writes));
    }
    const { values } = this.lifetimes.memory;
    for (const slot of writes.cleared) values.delete(slot);
    for (const value of writes.stored) values.set(value);
    await reached('program.recorded');
  }

  #faulted(program: string, fault: Fault): Error {
    if (isViolation(fault)) {
      this.logger.error({ program, fault: fault.kind }, `heap and table disagree (C11): ${fault.message}`);
    }
    return faultError(program, fault);
  }

  #locks(name: string): Lock[] {
    const { table } = this.lifetimes.memory;
    const { maps, verified } = programOf(this.lifetimes, name);
    return [
      ...table.locksOf(verified?.effects.uses ?? []),
      ...Array.from(maps.keys(), (map) => locked(`map ${map}`, 'shared')),
      ...this.#allocatorsOf(name).map((allocator) => locked(`allocator ${allocator}`, 'shared')),
      locked(`program ${name}`),
    ];
  }

  /** Numbers of the maps of which it may change a value. */
  #mapsOf(name: string): bigint[] {
    return [...programOf(this.lifetimes, name).maps.values()];
  }

  /** Those that it allocates from, and those that what it takes may be of. */
  #allocatorsOf(name: string): string[] {
    const { verified } = programOf(this.lifetimes, name);
    if (verified === undefined) return [];
    const { table } = this.lifetimes.memory;
    const used = verified.effects.uses.flatMap((field) => table.allocatorOf(field) ?? []);
    return [...new Set([...namedBy(verified.program).allocators, ...used])];
  }
}
