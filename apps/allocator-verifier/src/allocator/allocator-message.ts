import { allocatorName, deviceName, verifierV1 } from '@holdfast/contracts';
import { checkResourceId, HoldfastError } from '@holdfast/foundation';
import { isProgramName } from '@holdfast/lifetime';
import type { AllocatorRecord, AllocatorState } from '@holdfast/store';
import type { ChunkAllocator } from '../chunk/chunk-allocator.js';
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN } from '../chunk/limits.js';
import { MEMORY_POOL_BYTES_MAX } from './limits.js';

/** What a caller wants of an allocator. */
export interface WantedAllocator {
  readonly name: string;
  /** Absent: memory. */
  readonly deviceId?: string;
  readonly offset: bigint;
  /** Bytes; 0n: to the end of the device. */
  readonly length: bigint;
  readonly chunkBytes: number;
}

const { Allocator_State: StateCode } = verifierV1;

const stateCodes: Readonly<Record<AllocatorState, verifierV1.Allocator_State>> = {
  CREATING: StateCode.STATE_CREATING,
  ACTIVE: StateCode.STATE_ACTIVE,
  DRAINING: StateCode.STATE_DRAINING,
  DESTROYING: StateCode.STATE_DESTROYING,
};

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseAllocator({
  allocatorId,
  allocator,
}: verifierV1.CreateAllocatorRequest): WantedAllocator {
  const name = checkResourceId(allocatorId, 'allocator_id');
  if (!isProgramName(name)) throw invalid('allocator_id', 'must be a name that programs can write');
  const { chunkBytes = 0, pool } = allocator ?? {};
  const isPowerOfTwo = chunkBytes > 0 && Number.isInteger(Math.log2(chunkBytes));
  if (!isPowerOfTwo || chunkBytes < CHUNK_BYTES_MIN || chunkBytes > CHUNK_BYTES_MAX) {
    const range = `${String(CHUNK_BYTES_MIN)}–${String(CHUNK_BYTES_MAX)}`;
    throw invalid('allocator.chunk_bytes', `must be a power of two, ${range}`);
  }
  if (pool?.$case === 'memory') {
    const { length } = pool.value;
    if (length === 0n || length > BigInt(MEMORY_POOL_BYTES_MAX)) {
      throw invalid('allocator.memory.length', `must be 1–${String(MEMORY_POOL_BYTES_MAX)}`);
    }
    return { name, offset: 0n, length, chunkBytes };
  }
  if (pool?.$case !== 'device') throw invalid('allocator.pool', 'must be a region of a device, or memory');
  const { device, offset, length } = pool.value;
  const deviceId = deviceName.parse(device, 'allocator.device.device');
  if (offset % BigInt(chunkBytes) !== 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalid('allocator.device.offset', 'must be a multiple of chunk_bytes, and below 2^53');
  }
  return { name, deviceId, offset, length, chunkBytes };
}

/** @param chunks absent when it is not in memory */
export function toAllocatorMessage(
  { name, number, state, createTime, pool }: AllocatorRecord,
  chunks: ChunkAllocator | undefined,
): verifierV1.Allocator {
  const { deviceId, offset, chunkBytes, capacity } = pool;
  const length = BigInt(chunkBytes) * BigInt(capacity);
  return {
    name: allocatorName.format(name),
    pool:
      deviceId === undefined
        ? { $case: 'memory', value: { length } }
        : { $case: 'device', value: { device: deviceName.format(deviceId), offset, length } },
    chunkBytes,
    state: stateCodes[state],
    number,
    capacity,
    free: chunks?.free ?? 0,
    allocated: chunks?.allocated ?? 0,
    longestRun: chunks?.longestRun ?? 0,
    createTime,
  };
}

function invalid(field: string, rule: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${rule}`, { field });
}
