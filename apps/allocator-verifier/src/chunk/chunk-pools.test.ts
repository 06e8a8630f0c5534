import path from 'node:path';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { openStore, type AllocatorRecord, type Slot, type Store } from '@holdfast/store';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ChunkPools } from './chunk-pools.js';

const CAPACITY = 3000;

let store: Store;
let allocator: AllocatorRecord;
let mapNumber: bigint;

beforeEach(async () => {
  store = await openStore({ url: `file:${path.join(temporaryFolder(), 'records.db')}` });
  onTestFinished(() => store.close());
  ({ number: mapNumber } = await store.maps.create({ name: 'm', entries: 10_000, fields: ['f'] }));
  allocator = await activeAllocator('x');
});

async function activeAllocator(name: string): Promise<AllocatorRecord> {
  const pool = { offset: 0n, chunkBytes: 4096, capacity: CAPACITY };
  const { number } = await store.allocators.create({ name, pool });
  await store.allocators.activate(number);
  return store.allocators.get(name);
}

/** As a process that has just started. */
async function started(...records: AllocatorRecord[]): Promise<ChunkPools> {
  const pools = new ChunkPools(store.chunks);
  for (const record of records) await pools.load(record);
  return pools;
}

function slots(from: number, count: number): Slot[] {
  return Array.from({ length: count }, (_, at) => ({ mapNumber, field: 'f', entry: from + at }));
}

async function held() {
  return (await store.maps.values({ mapNumber, pageSize: 1000 })).items;
}

describe('chunk pools', () => {
  test('C10 what was answered is known after a restart; what was not never was', async () => {
    const pools = await started(allocator);
    const want = (from: number, count: number) =>
      pools.allocate({ allocatorNumber: allocator.number, slots: slots(from, count) });
    const values = await want(0, 600);
    expect(values.map(({ chunk }) => chunk)).toEqual(Array.from({ length: 600 }, (_, index) => index));
    const apply = vi.spyOn(store.chunks, 'apply').mockRejectedValueOnce(new Error('the disk is full'));
    await expect(want(600, 600)).rejects.toThrow('the disk is full');
    apply.mockRestore();
    expect(pools.find(allocator.number)).toMatchObject({ allocated: 600, free: CAPACITY - 600 });
    await pools.free(allocator.number, values.slice(0, 100));
    const again = await started(allocator);
    expect(again.find(allocator.number)).toMatchObject({ allocated: 500, free: CAPACITY - 500 });
    expect(await held()).toEqual(values.slice(100));
    // What was freed is used anew under another generation.
    const [reused] = await again.allocate({ allocatorNumber: allocator.number, slots: slots(0, 1) });
    expect(reused).toMatchObject({ chunk: 0, generation: 3 });
  });

  test('C10 of many at once each gets its own chunks', async () => {
    const pools = await started(allocator);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        pools.allocate({ allocatorNumber: allocator.number, slots: slots(at * 10, 10) }),
      ),
    );
    expect(new Set(all.flat().map(({ chunk }) => chunk)).size).toBe(200);
    expect((await started(allocator)).find(allocator.number)).toMatchObject({ allocated: 200 });
  });

  test('C10 a slot that is taken takes no chunk', async () => {
    const pools = await started(allocator);
    const want = () => pools.allocate({ allocatorNumber: allocator.number, slots: slots(0, 2) });
    await want();
    await expect(want()).rejects.toMatchObject({ code: 'SLOT_TAKEN' });
    expect(pools.find(allocator.number)).toMatchObject({ allocated: 2 });
    expect((await started(allocator)).find(allocator.number)).toMatchObject({ allocated: 2 });
  });

  test('C11 a chunk is freed by its own allocator, and once', async () => {
    const other = await activeAllocator('y');
    const pools = await started(allocator, other);
    const values = await pools.allocate({ allocatorNumber: allocator.number, slots: slots(0, 2) });
    await expect(pools.free(other.number, values)).rejects.toMatchObject({ code: 'FOREIGN_CHUNK' });
    await pools.free(allocator.number, values.slice(0, 1));
    await expect(pools.free(allocator.number, values)).rejects.toMatchObject({ code: 'CHUNK_NOT_ALLOCATED' });
    expect(await held()).toEqual(values.slice(1));
    expect(pools.find(allocator.number)).toMatchObject({ allocated: 1 });
    // Half a change is none: the second of the two stayed as it was.
    const twice = [...values.slice(1), ...values.slice(1)];
    await expect(pools.free(allocator.number, twice)).rejects.toMatchObject({ code: 'CHUNK_NOT_ALLOCATED' });
    expect(pools.find(allocator.number)).toMatchObject({ allocated: 1 });
  });

  test('C10 one whose records cannot be read hands out nothing until they can', async () => {
    const pools = await started(allocator);
    vi.spyOn(store.chunks, 'apply').mockRejectedValueOnce(new Error('away'));
    const page = vi.spyOn(store.chunks, 'page').mockRejectedValue(new Error('away as well'));
    const want = () => pools.allocate({ allocatorNumber: allocator.number, slots: slots(0, 1) });
    await expect(want()).rejects.toThrow('away');
    await expect(want()).rejects.toThrow('away as well');
    page.mockRestore();
    expect(await want()).toMatchObject([{ chunk: 0, generation: 1 }]);
    expect(pools.find(allocator.number)).toMatchObject({ allocated: 1 });
  });
});
