import { expect, test } from 'vitest';
import type { Store } from '../store.js';
import { describeDatabases } from '../testing/databases.js';

const POOL = { deviceId: 'a', offset: 0n, chunkBytes: 4096, capacity: 4096 };

async function scene(store: Store) {
  const { number } = await store.allocators.create({ name: 'x', pool: POOL });
  await store.allocators.activate(number);
  const map = await store.maps.create({ name: 'm', entries: 3, fields: ['g', 'f'] });
  const value = (field: string, entry: number, chunk: number) => ({
    ...{ mapNumber: map.number, field, entry },
    ...{ allocatorNumber: number, chunk, generation: 1 },
  });
  const write = (change: Partial<Parameters<Store['chunks']['apply']>[0]>) =>
    store.chunks.apply({ allocatorNumber: number, pages: [], cleared: [], stored: [], ...change });
  return { number, map, value, write };
}

describeDatabases('chunks', (database) => {
  test('pages are read as they were written, all 32 bits, and only those that were', async () => {
    const store = await database.open();
    const { number, write } = await scene(store);
    const generations = Uint32Array.of(1, 0, 0xffff_ffff, 0x0102_0304);
    await write({ pages: [{ page: 2, generations }] });
    await write({ pages: [{ page: 0, generations: Uint32Array.of(5) }] });
    await write({ pages: [{ page: 0, generations: Uint32Array.of(6) }] });
    expect(await store.chunks.page(number, 2)).toEqual(generations);
    expect(await store.chunks.page(number, 1)).toBeUndefined();
    const pages = [];
    for await (const page of store.chunks.pages(number)) pages.push(page);
    expect(pages).toEqual([
      { page: 0, generations: Uint32Array.of(6) },
      { page: 2, generations },
    ]);
  });

  test('C10 chunks and who has them are written together, or not at all', async () => {
    const store = await database.open();
    const { number, map, value, write } = await scene(store);
    await write({ pages: [{ page: 0, generations: Uint32Array.of(1) }], stored: [value('f', 0, 0)] });
    const taken = write({
      pages: [{ page: 0, generations: Uint32Array.of(1, 1) }],
      stored: [value('f', 1, 1), value('f', 0, 2)],
    });
    await expect(taken).rejects.toMatchObject({ code: 'SLOT_TAKEN' });
    expect(await store.chunks.page(number, 0)).toEqual(Uint32Array.of(1));
    const held = await store.maps.values({ mapNumber: map.number, pageSize: 9 });
    expect(held.items).toEqual([value('f', 0, 0)]);
  });

  test('C10 the database itself has a chunk held once', async () => {
    const store = await database.open();
    const { value, write } = await scene(store);
    await write({ stored: [value('f', 0, 7)] });
    await expect(write({ stored: [value('f', 1, 7)] })).rejects.toMatchObject({ code: 'SLOT_TAKEN' });
    await write({ cleared: [value('f', 0, 7)], stored: [value('g', 1, 7)] });
  });

  test('the values of a map come in pages by field and entry, and keep the map', async () => {
    const store = await database.open();
    const { map, value, write } = await scene(store);
    const values = [value('f', 0, 4), value('f', 2, 3), value('g', 0, 2), value('g', 1, 1)];
    await write({ stored: values.toReversed() });
    const first = await store.maps.values({ mapNumber: map.number, pageSize: 2 });
    expect(first.items).toEqual(values.slice(0, 2));
    const second = await store.maps.values({ mapNumber: map.number, pageSize: 2, after: first.next });
    expect(second).toEqual({ items: values.slice(2) });
    await expect(store.maps.remove(map.number)).rejects.toMatchObject({ code: 'MAP_NOT_EMPTY' });
    await write({ cleared: values });
    await store.maps.remove(map.number);
    await store.maps.remove(map.number);
    expect(await store.maps.find('m')).toBeUndefined();
  });

  test('a map is answered as it was created, its fields in their order', async () => {
    const { maps } = await database.open();
    const created = await maps.create({ name: 'm', entries: 3, fields: ['g', 'f'] });
    expect(created).toEqual({
      name: 'm',
      entries: 3,
      fields: ['g', 'f'],
      number: 1n,
      createTime: expect.any(Date) as Date,
      epoch: 0n,
    });
    expect(await maps.create({ name: 'm', entries: 3, fields: ['g', 'f'] })).toEqual(created);
    for (const other of [{ entries: 4 }, { fields: ['f', 'g'] }]) {
      const again = maps.create({ name: 'm', entries: 3, fields: ['g', 'f'], ...other });
      await expect(again).rejects.toMatchObject({ code: 'MAP_EXISTS' });
    }
    expect((await maps.list({ pageSize: 9 })).items).toEqual([created]);
    await expect(maps.get('n')).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
  });
});
