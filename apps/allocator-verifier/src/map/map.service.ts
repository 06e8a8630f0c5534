import type { Store, ValueRecord } from '@holdfast/store';
import type { AllocatorReconciler } from '../allocator/allocator.reconciler.js';
import type { ChunkPools } from '../chunk/chunk-pools.js';

/** Values that are freed in one transaction for each allocator. */
const VALUES_FREED = 1000;

/** Frees maps. */
export class MapService {
  constructor(
    private readonly store: Store,
    private readonly pools: ChunkPools,
    private readonly reconciler: AllocatorReconciler,
  ) {}

  /** First what it holds, with the allocator of each (C3, C11), then the map. Freeing what is absent is OK. */
  async free(name: string): Promise<void> {
    const map = await this.store.maps.find(name);
    if (map === undefined) return;
    for (;;) {
      const { items } = await this.store.maps.values({ mapNumber: map.number, pageSize: VALUES_FREED });
      if (items.length === 0) break;
      for (const [allocatorNumber, values] of byAllocator(items))
        await this.pools.free(allocatorNumber, values);
    }
    await this.store.maps.remove(map.number);
    this.reconciler.look();
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
