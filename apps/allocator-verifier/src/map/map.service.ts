import type { Store, ValueRecord } from '@holdfast/store';
import type { AllocatorReconciler } from '../allocator/allocator.reconciler.js';
import type { ChunkPools } from '../chunk/chunk-pools.js';
import type { MapFence } from '../fence/map-fence.js';

/** Values that are freed in one transaction for each allocator. */
const VALUES_FREED = 1000;

/** Frees maps. */
export class MapService {
  constructor(
    private readonly store: Store,
    private readonly pools: ChunkPools,
    private readonly reconciler: AllocatorReconciler,
    private readonly fence: MapFence,
  ) {}

  /**
   * First what it holds, with the allocator of each (C3, C11), then the map. Freeing what is absent is OK. Clients that are
   * served it reach nothing of it from the first chunk that is freed on.
   */
  async free(name: string): Promise<void> {
    const map = await this.store.maps.find(name);
    if (map === undefined) return;
    await this.fence.change([map.number], async () => {
      await this.#freeValues(map.number);
      await this.store.maps.remove(map.number);
    });
    this.reconciler.look();
  }

  async #freeValues(mapNumber: bigint): Promise<void> {
    for (;;) {
      const { items } = await this.store.maps.values({ mapNumber, pageSize: VALUES_FREED });
      if (items.length === 0) return;
      for (const [allocatorNumber, values] of byAllocator(items))
        await this.pools.free(allocatorNumber, values);
    }
  }
}

function byAllocator(values: readonly ValueRecord[]): Map<bigint, ValueRecord[]> {
  const groups = new Map<bigint, ValueRecord[]>();
  for (const value of values) {
    const group = groups.get(value.allocatorNumber);
    if (group === undefined) groups.set(value.allocatorNumber, [value]);
    else group.push(value);
  }
  return groups;
}
