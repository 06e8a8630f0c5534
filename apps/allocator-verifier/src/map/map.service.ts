import { HoldfastError } from '@holdfast/foundation';
import { Observer } from '@holdfast/lifetime';
import { reached, type Logger } from '@holdfast/service';
import type { ChunkWrites, HandleMapDefinition, HandleMapRecord, Store, ValueRecord } from '@holdfast/store';
import type { AllocatorReconciler } from '../allocator/allocator.reconciler.js';
import type { ChunkBatch } from '../chunk/chunk-batch.js';
import type { ChunkPools } from '../chunk/chunk-pools.js';
import type { MapFence } from '../fence/map-fence.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { locked } from '../program/program.service.js';

/** Values that are freed in one transaction. */
const VALUES_FREED = 1000;

/** Creates maps, and frees them. */
export class MapService {
  constructor(
    private readonly store: Store,
    private readonly pools: ChunkPools,
    private readonly lifetimes: Lifetimes,
    private readonly reconciler: AllocatorReconciler,
    private readonly fence: MapFence,
    private readonly logger: Logger,
  ) {}

  /** @throws HoldfastError MAP_EXISTS when the name has another definition */
  create(definition: HandleMapDefinition): Promise<HandleMapRecord> {
    return this.lifetimes.exclusive(
      () => [locked(`map ${definition.name}`)],
      async () => {
        const record = await this.lifetimes.write(() => this.store.maps.create(definition));
        this.lifetimes.memory.maps.set(record.name, record);
        return record;
      },
    );
  }

  /**
   * First what it holds, with the allocator of each (C3, C11), then the map, and what is known of its fields if nothing can
   * depend on it. Nobody uses the map meanwhile, and clients that are served it reach nothing of it from the first chunk that
   * is freed on. Freeing what is absent is OK; one that was interrupted has freed some, and is repeated.
   */
  async free(name: string): Promise<void> {
    const { lifetimes } = this;
    await lifetimes.exclusive(
      () => [
        ...lifetimes.memory.table.freeMap(name, lifetimes.isEmpty).locks,
        ...this.#allocatorsOf(name).map((allocator) => locked(`allocator ${allocator}`, 'shared')),
        locked(`map ${name}`),
      ],
      async () => {
        const map = lifetimes.memory.maps.get(name);
        if (map !== undefined) await this.fence.change([map.number], () => this.#empty(map));
      },
    );
    await this.reconciler.look();
  }

  async #empty(map: HandleMapRecord): Promise<void> {
    const { lifetimes } = this;
    for (;;) {
      const values = lifetimes.memory.values.ofMap(map.number, VALUES_FREED);
      if (values.length < VALUES_FREED) return this.#freeLast(map, values);
      await this.#release(map, values, (chunks) => lifetimes.write(() => this.store.chunks.applyAll(chunks)));
      await reached('map.emptying');
    }
  }

  async #freeLast(map: HandleMapRecord, values: readonly ValueRecord[]): Promise<void> {
    const { memory, isEmpty } = this.lifetimes;
    const observer = new Observer(isEmpty);
    const change = memory.table.freeMap(map.name, observer.isEmpty);
    const operation = { kind: 'free-map' as const, map: map.name };
    const along = { freedMap: map.number, observed: observer.observed };
    await reached('map.walked');
    await this.#release(map, values, (chunks) =>
      this.lifetimes.commit(operation, change, { ...along, chunks }),
    );
    memory.maps.delete(map.name);
    for (const allocator of change.allocatorsDestroyed)
      this.logger.info({ allocator }, 'destroyed: its last row has gone');
    await reached('map.freed');
  }

  /** Frees values in memory, has that written, and forgets them. */
  async #release(
    map: HandleMapRecord,
    values: readonly ValueRecord[],
    write: (chunks: ChunkWrites) => Promise<void>,
  ): Promise<void> {
    const numbers = new Set(values.map(({ allocatorNumber }) => allocatorNumber));
    await this.pools.change(numbers, async (batch) => {
      for (const value of values) this.#free(map, value, batch);
      await write({ handingOut: [], pages: batch.pages(), cleared: values, stored: [] });
    });
    for (const value of values) this.lifetimes.memory.values.delete(value);
  }

  /** @throws HoldfastError FOREIGN_CHUNK when the table says that it is of another allocator than its tag does (C11) */
  #free({ name: map }: HandleMapRecord, value: ValueRecord, batch: ChunkBatch): void {
    const { field, entry, allocatorNumber: owner, chunk: index, generation } = value;
    const { table, allocators } = this.lifetimes.memory;
    const known = table.allocatorOf({ map, field });
    if (known === undefined || allocators.get(known)?.number !== owner) {
      const what = `${map}[${String(entry)}].${field} holds a chunk of allocator ${String(owner)}`;
      const message = `${what}, and the table says ${known ?? 'that nothing is stored there'}.`;
      this.logger.error({ map, field, entry }, `heap and table disagree (C11): ${message}`);
      throw new HoldfastError('FOREIGN_CHUNK', message, { map, field, entry: String(entry) });
    }
    batch.release({ owner, index, generation });
  }

  #allocatorsOf(name: string): string[] {
    const { maps, table } = this.lifetimes.memory;
    const fields = maps.get(name)?.fields ?? [];
    return [...new Set(fields.flatMap((field) => table.allocatorOf({ map: name, field }) ?? []))];
  }
}
