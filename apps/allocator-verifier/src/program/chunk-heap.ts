import { assert } from '@holdfast/foundation';
import {
  formatHandle,
  type Field,
  type Handle,
  type HeapState,
  type Journal,
  type Slot,
} from '@holdfast/lifetime';
import type { ChunkWrites, Slot as RecordedSlot } from '@holdfast/store';
import type { ChunkHandle } from '../chunk/chunk-allocator.js';
import type { ChunkBatch } from '../chunk/chunk-batch.js';
import type { Memory } from '../lifetimes/records.js';

/** The maps and allocators in memory, as a run sees them. A handle is the allocator by name, and the number of the chunk. */
export class ChunkHeap implements HeapState {
  readonly #chunks = new Map<string, ChunkHandle>();

  constructor(
    private readonly memory: Memory,
    private readonly batch: ChunkBatch,
  ) {}

  /** One that drains hands out nothing, as if it were full. */
  reserve(allocator: string): Handle | null {
    const record = this.memory.allocators.get(allocator);
    if (record?.state !== 'ACTIVE') return null;
    const chunk = this.batch.reserve(record.number);
    return chunk === undefined ? null : this.#handle(allocator, chunk);
  }

  read(slot: Slot): Handle | null {
    const value = this.memory.values.get(this.#recorded(slot));
    if (value === undefined) return null;
    const { allocatorNumber: owner, chunk: index, generation } = value;
    return this.#handle(this.#nameOf(owner), { owner, index, generation });
  }

  allocatorOf(field: Field): string | null {
    return this.memory.table.allocatorOf(field) ?? null;
  }

  /** Frees in memory what a run has freed, and what it reserved in vain. @returns what is to be written */
  settle({ slots, allocated, freed }: Journal, spare: readonly Handle[]): ChunkWrites {
    for (const handle of [...freed, ...spare]) this.batch.release(this.#chunkOf(handle));
    return {
      handingOut: [...new Set(allocated.map((handle) => this.#chunkOf(handle).owner))],
      pages: this.batch.pages(),
      cleared: slots.filter(({ before }) => before !== null).map(({ slot }) => this.#recorded(slot)),
      stored: slots.flatMap(({ slot, after }) => {
        if (after === null) return [];
        const { owner, index, generation } = this.#chunkOf(after);
        return [{ ...this.#recorded(slot), allocatorNumber: owner, chunk: index, generation }];
      }),
    };
  }

  #handle(allocator: string, chunk: ChunkHandle): Handle {
    const handle = { allocator, object: chunk.index };
    this.#chunks.set(formatHandle(handle), chunk);
    return handle;
  }

  #chunkOf(handle: Handle): ChunkHandle {
    const chunk = this.#chunks.get(formatHandle(handle));
    assert(chunk !== undefined, 'a run has its handles from its heap');
    return chunk;
  }

  #recorded({ map, field, index }: Slot): RecordedSlot {
    const record = this.memory.maps.get(map);
    assert(record !== undefined, `the map ${map} is there while a program of it runs`);
    return { mapNumber: record.number, field, entry: index };
  }

  /** No allocator has this name when the tag is of none that is there: the run is stopped, and that is reported (C11). */
  #nameOf(number: bigint): string {
    for (const { name, number: known } of this.memory.allocators.values()) if (known === number) return name;
    return `number ${String(number)}`;
  }
}
