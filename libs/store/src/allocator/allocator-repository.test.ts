import { expect, test } from 'vitest';
import type { Store } from '../store.js';
import { describeDatabases } from '../testing/databases.js';
import type { AllocatorDefinition, Pool } from './allocator-record.js';

const CHUNK = 65_536;
/** A region that ends beyond what a double counts exactly. */
const FAR = 2n ** 60n;

function allocatorOf(name: string, pool: Partial<Pool> = {}): AllocatorDefinition {
  return { name, pool: { deviceId: 'a', offset: 0n, chunkBytes: CHUNK, capacity: 10, ...pool } };
}

async function drained(store: Store, name: string) {
  const { number } = await store.allocators.create(allocatorOf(name));
  await store.allocators.activate(number);
  await store.allocators.drain(number);
  return number;
}

describeDatabases('allocators', (database) => {
  test('an allocator is answered as it was created, and creating it again answers with it', async () => {
    const { allocators } = await database.open();
    const definition = allocatorOf('größe', { offset: FAR });
    const created = await allocators.create(definition);
    expect(created).toEqual({
      ...definition,
      number: 1n,
      state: 'CREATING',
      createTime: expect.any(Date) as Date,
    });
    expect(await allocators.create(definition)).toEqual(created);
    const changes = [{ offset: 0n }, { chunkBytes: 4096 }, { capacity: 11 }, { deviceId: 'b' }];
    for (const change of changes) {
      const other = allocators.create(allocatorOf('größe', { offset: FAR, ...change }));
      await expect(other).rejects.toMatchObject({ code: 'ALLOCATOR_EXISTS' });
    }
    expect(await allocators.activate(1n)).toMatchObject({ state: 'ACTIVE' });
    expect(await allocators.activate(1n)).toBeUndefined();
    await expect(allocators.get('none')).rejects.toMatchObject({ code: 'ALLOCATOR_NOT_FOUND' });
  });

  test('two allocators have no byte of a device in common; memory is each one’s own', async () => {
    const { allocators } = await database.open();
    await allocators.create(allocatorOf('x', { offset: 655_360n }));
    for (const [offset, capacity] of [
      [0n, 11],
      [655_360n, 1],
      [1_310_719n, 1],
      [0n, 100],
    ] as const) {
      const other = allocators.create(allocatorOf('y', { offset, capacity }));
      await expect(other, String(offset)).rejects.toMatchObject({
        code: 'POOL_IN_USE',
        metadata: { device: 'a', allocator: 'x' },
      });
    }
    await allocators.create(allocatorOf('before', { offset: 0n }));
    await allocators.create(allocatorOf('behind', { offset: 1_310_720n }));
    await allocators.create(allocatorOf('elsewhere', { deviceId: 'b', offset: 655_360n }));
    const memory = { offset: 0n, chunkBytes: CHUNK, capacity: 1 };
    await allocators.create({ name: 'm1', pool: memory });
    await allocators.create({ name: 'm2', pool: memory });
    const first = await allocators.list({ pageSize: 4 });
    expect(first.items.map(({ name }) => name)).toEqual(['before', 'behind', 'elsewhere', 'm1']);
    expect((await allocators.list({ pageSize: 4, after: first.next })).items.map(({ name }) => name)).toEqual(
      ['m2', 'x'],
    );
    expect(await allocators.listAll()).toHaveLength(6);
  });

  test('of many that want the same region at once, one gets it', async () => {
    const { allocators } = await database.open();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => allocators.create(allocatorOf(`x${String(index)}`))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await allocators.listAll()).toHaveLength(1);
  });

  test('Law 1 it is sealed when nothing names it, forgotten after that, and its number is not used again', async () => {
    const store = await database.open();
    const { allocators, maps, chunks } = store;
    const { number } = await allocators.create(allocatorOf('x'));
    await allocators.activate(number);
    const map = await maps.create({ name: 'm', entries: 1, fields: ['f'] });
    const value = {
      mapNumber: map.number,
      field: 'f',
      entry: 0,
      allocatorNumber: number,
      chunk: 3,
      generation: 1,
    };
    await chunks.apply({ allocatorNumber: number, pages: [], cleared: [], stored: [value] });
    await allocators.drain(number);
    expect(await allocators.seal(number)).toEqual({ values: 1, rows: 0 });
    expect(await allocators.get('x')).toMatchObject({ state: 'DRAINING' });
    await allocators.remove(number);
    expect(await allocators.users(number)).toEqual({ values: 1, rows: 0 });
    await chunks.apply({ allocatorNumber: number, pages: [], cleared: [value], stored: [] });
    expect(await allocators.seal(number)).toBeUndefined();
    expect(await allocators.get('x')).toMatchObject({ state: 'DESTROYING' });
    expect(await allocators.drain(number)).toBeUndefined();
    await allocators.remove(number);
    await allocators.remove(number);
    expect(await allocators.find('x')).toBeUndefined();
    expect((await allocators.create(allocatorOf('x'))).number).toBeGreaterThan(number);
    const events = (await store.verifierAudit.listAfter(0n, 100)).map(
      ({ subject, event }) => `${subject} ${event}`,
    );
    expect(events.filter((event) => event.startsWith('allocators/'))).toEqual(
      ['creating', 'active', 'draining', 'destroying', 'destroyed', 'creating'].map(
        (event) => `allocators/x ${event}`,
      ),
    );
  });

  test('one that drains hands out nothing', async () => {
    const store = await database.open();
    const number = await drained(store, 'x');
    const { number: mapNumber } = await store.maps.create({ name: 'm', entries: 1, fields: ['f'] });
    const value = { mapNumber, field: 'f', entry: 0, allocatorNumber: number, chunk: 3, generation: 1 };
    const store1 = store.chunks.apply({ allocatorNumber: number, pages: [], cleared: [], stored: [value] });
    await expect(store1).rejects.toMatchObject({ code: 'ALLOCATOR_NOT_FOUND' });
  });
});
