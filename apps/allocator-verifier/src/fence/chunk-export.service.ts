import { deviceName, type verifierV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { Store } from '@holdfast/store';
import { CHUNK_ENTRIES_MAX } from './limits.js';

/** Tells the gateway where the chunks of a field are to be found. */
export class ChunkExportService {
  constructor(private readonly store: Store) {}

  /** @throws HoldfastError MAP_NOT_FOUND, ALLOCATOR_NOT_FOUND; INVALID_ARGUMENT when they cannot be served */
  async resolve(map: string, field: string, allocator: string): Promise<verifierV1.ChunkSource> {
    const { number: mapNumber, entries, fields } = await this.store.maps.get(map);
    if (!fields.includes(field)) throw invalid('field', `must be one of ${fields.join(', ')}`);
    if (entries > CHUNK_ENTRIES_MAX) {
      throw invalid('map', `must have at most ${String(CHUNK_ENTRIES_MAX)} entries to be served`);
    }
    const { number: allocatorNumber, pool } = await this.store.allocators.get(allocator);
    const { deviceId, offset, chunkBytes, capacity } = pool;
    if (deviceId === undefined) throw invalid('allocator', 'must be of a device, not of memory');
    const device = deviceName.format(deviceId);
    return { device, mapNumber, allocatorNumber, offset, chunkBytes, capacity, entries };
  }
}

function invalid(field: string, rule: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${rule}`, { field });
}
