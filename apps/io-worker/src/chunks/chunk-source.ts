import type { workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { CHUNK_ENTRIES_MAX } from './limits.js';

/** Where a session of chunks finds its data. */
export interface ChunkSource {
  /** Number of the map. */
  readonly map: bigint;
  readonly field: string;
  /** Number of the allocator. */
  readonly allocator: bigint;
  /** Where the allocator's region begins on the device, in bytes. */
  readonly offset: number;
  readonly chunkBytes: number;
  /** Chunks of the region. */
  readonly capacity: number;
  /** Entries of the map, each of which is a chunk, or null. */
  readonly entries: number;
}

/**
 * A source, checked against the device that it is on.
 *
 * @throws HoldfastError INVALID_ARGUMENT
 */
export function parseChunkSource(message: workerV1.ChunkSource, deviceBytes: number): ChunkSource {
  const { map, field, allocator, chunkBytes, capacity, entries } = message;
  const end = message.offset + BigInt(chunkBytes) * BigInt(capacity);
  if (chunkBytes === 0 || capacity === 0 || end > BigInt(deviceBytes)) {
    throw invalid(`is a region that ends at byte ${String(end)}, the device at ${String(deviceBytes)}`);
  }
  if (entries === 0 || entries > CHUNK_ENTRIES_MAX) {
    throw invalid(`must have 1–${String(CHUNK_ENTRIES_MAX)} entries`);
  }
  return { map, field, allocator, offset: Number(message.offset), chunkBytes, capacity, entries };
}

function invalid(problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `session.chunks ${problem}`, { field: 'session.chunks' });
}
