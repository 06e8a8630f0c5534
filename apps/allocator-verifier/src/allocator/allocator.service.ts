import { allocatorName } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { reached } from '@holdfast/service';
import type { AllocatorRecord, Store } from '@holdfast/store';
import type { ChunkPools } from '../chunk/chunk-pools.js';
import { CHUNKS_MAX } from '../chunk/limits.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import type { RegistryLink } from '../registry/registry-link.js';
import type { WantedAllocator } from './allocator-message.js';

/**
 * Creating and destroying allocators: intent before the act, outcome after it (law 2). Of a crash between, and of a
 * registry that does not answer, the record tells what is left to do.
 */
export class AllocatorService {
  readonly #busy = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly registry: RegistryLink,
    private readonly pools: ChunkPools,
    private readonly lifetimes: Lifetimes,
  ) {}

  /**
   * @throws HoldfastError ALLOCATOR_EXISTS, POOL_IN_USE, ALLOCATOR_BUSY; DEVICE_NOT_FOUND, DEVICE_NOT_ATTACHED,
   * DEVICE_READ_ONLY; INVALID_ARGUMENT for a region that the device does not have
   */
  create(wanted: WantedAllocator): Promise<AllocatorRecord> {
    return this.#exclusive(wanted.name, async () => {
      const capacity = await this.#capacityOf(wanted);
      const { name, deviceId, offset, chunkBytes } = wanted;
      const pool = { ...(deviceId !== undefined && { deviceId }), offset, chunkBytes, capacity };
      const record = await this.store.allocators.create({ name, pool });
      await reached('allocator.intended');
      if (record.state === 'ACTIVE') return record;
      if (record.state === 'CREATING') return this.#finishCreating(record);
      throw new HoldfastError('ALLOCATOR_EXISTS', `The allocator ${name} is being destroyed.`, {
        allocator: name,
      });
    });
  }

  /** @returns the allocator while something relies on it; undefined when it is gone */
  destroy(name: string): Promise<AllocatorRecord | undefined> {
    return this.#exclusive(name, async () => {
      const record = await this.store.allocators.find(name);
      if (record === undefined) return undefined;
      if (record.state === 'CREATING') await this.store.allocators.abandon(record.number);
      else await this.lifetimes.destroyAllocator(name);
      await reached('allocator.draining');
      return this.#finishDestroying(record);
    });
  }

  /** Does what is left to do of an allocator. Nothing, while another operation on it is under way. */
  async finish({ name }: AllocatorRecord): Promise<void> {
    if (this.#busy.has(name)) return;
    await this.#exclusive(name, async () => {
      const record = await this.store.allocators.find(name);
      if (record?.state === 'CREATING') {
        await this.#finishCreating(record);
        return;
      }
      if (record?.state === 'DRAINING') await this.lifetimes.destroyAllocator(name);
      if (record !== undefined) await this.#finishDestroying(record);
    });
  }

  async #finishCreating(record: AllocatorRecord): Promise<AllocatorRecord> {
    const { name, number, pool } = record;
    try {
      if (pool.deviceId !== undefined) {
        const device = await this.registry.reserve(pool.deviceId, allocatorName.format(name));
        await reached('allocator.reserved');
        if (device.readOnly) throw readOnly(pool.deviceId);
        refuseBeyond(endOf(record), device.sizeBytes);
      }
    } catch (error) {
      // Whether a registry that did not answer has reserved the device is not known: that is tried again.
      if (!(error instanceof HoldfastError && error.code === 'SERVICE_UNAVAILABLE')) {
        await this.store.allocators.abandon(number);
        await this.#finishDestroying(record);
      }
      throw error;
    }
    await this.pools.load(record);
    await this.lifetimes.activate(record);
    await reached('allocator.active');
    return this.store.allocators.get(name);
  }

  /** Values first, then rows, which is done when it is DESTROYING; then the reservation, then the record (C1). */
  async #finishDestroying({ name, number, pool }: AllocatorRecord): Promise<AllocatorRecord | undefined> {
    const record = await this.store.allocators.find(name);
    if (record?.number !== number) return undefined;
    if (record.state !== 'DESTROYING') return record;
    await reached('allocator.sealed');
    this.pools.forget(number);
    if (pool.deviceId !== undefined) await this.registry.release(pool.deviceId, allocatorName.format(name));
    await reached('allocator.released');
    await this.store.allocators.remove(number);
    return undefined;
  }

  /** Chunks of the region. One that goes to the end of its device has, when it exists, as many as it was created with. */
  async #capacityOf({ name, deviceId, offset, length, chunkBytes }: WantedAllocator): Promise<number> {
    let end = offset + length;
    if (deviceId !== undefined && length === 0n) {
      const existing = await this.store.allocators.find(name);
      end = existing === undefined ? await this.registry.sizeOf(deviceId) : endOf(existing);
    }
    const capacity = end <= offset ? 0n : (end - offset) / BigInt(chunkBytes);
    if (capacity >= 1n && capacity <= BigInt(CHUNKS_MAX)) return Number(capacity);
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `The region has ${String(capacity)} chunks; it must have 1–${String(CHUNKS_MAX)}.`,
      { field: 'allocator.pool' },
    );
  }

  async #exclusive<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    if (this.#busy.has(name)) {
      throw new HoldfastError('ALLOCATOR_BUSY', `Another operation on the allocator ${name} is under way.`, {
        allocator: name,
      });
    }
    this.#busy.add(name);
    try {
      return await run();
    } finally {
      this.#busy.delete(name);
    }
  }
}

function endOf({ pool }: AllocatorRecord): bigint {
  return pool.offset + BigInt(pool.chunkBytes) * BigInt(pool.capacity);
}

function refuseBeyond(end: bigint, sizeBytes: bigint): void {
  if (end <= sizeBytes) return;
  const message = `The region ends at byte ${String(end)}, the device at ${String(sizeBytes)}.`;
  throw new HoldfastError('INVALID_ARGUMENT', message, { field: 'allocator.device.length' });
}

function readOnly(device: string): HoldfastError {
  return new HoldfastError('DEVICE_READ_ONLY', `The device ${device} is read-only.`, { device });
}
