import { assert } from '@holdfast/foundation';
import type { Allocator } from '../generated/sqlite/client.js';
import { allocatorStates, type AllocatorDefinition, type AllocatorRecord } from './allocator-record.js';

export function toAllocatorRecord(row: Allocator): AllocatorRecord {
  const { number, name, createTime, deviceId, offset, chunkBytes, capacity } = row;
  const state = allocatorStates.find((one) => one === row.state);
  assert(state !== undefined, `the allocator ${name} is in the unknown state ${row.state}`);
  const pool = { ...(deviceId !== null && { deviceId }), offset, chunkBytes, capacity };
  return { number, name, state, createTime, pool };
}

export function toAllocatorRow({ name, pool }: AllocatorDefinition) {
  const { deviceId = null, offset, chunkBytes, capacity } = pool;
  return { name, deviceId, offset, chunkBytes, capacity };
}
