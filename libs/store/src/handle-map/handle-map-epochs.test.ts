import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';

describeDatabases('epochs of maps', (database) => {
  test('Law 4 rise with every change from the day on which clients are served the map, and no sooner', async () => {
    const { maps } = await database.open();
    const [a, b] = [
      await maps.create({ name: 'a', entries: 3, fields: ['f'] }),
      await maps.create({ name: 'b', entries: 3, fields: ['f'] }),
    ];
    expect(await maps.raiseEpochs([a.number, b.number, 99n])).toEqual([]);
    expect(await maps.serve(a.number)).toMatchObject({ epoch: 1n, entries: 3 });
    expect(await maps.serve(a.number), 'served again').toMatchObject({ epoch: 1n });
    expect(await maps.raiseEpochs([a.number, b.number])).toEqual([{ number: a.number, epoch: 2n }]);
    expect(await maps.serve(a.number)).toMatchObject({ epoch: 2n });
    expect(await maps.get('b')).toMatchObject({ epoch: 0n });
    await expect(maps.serve(99n)).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
  });

  test('C11 the chunks of a field are those of one allocator', async () => {
    const store = await database.open();
    const pool = { offset: 0n, chunkBytes: 4096, capacity: 16 };
    const [own, other] = [
      await store.allocators.create({ name: 'own', pool }),
      await store.allocators.create({ name: 'other', pool }),
    ];
    const { number: mapNumber } = await store.maps.create({ name: 'm', entries: 3, fields: ['f', 'g'] });
    for (const { number: allocatorNumber } of [own, other]) await store.allocators.activate(allocatorNumber);
    const hold = (allocatorNumber: bigint, field: string, entry: number, chunk: number) =>
      store.chunks.apply({
        ...{ allocatorNumber, pages: [], cleared: [] },
        stored: [{ mapNumber, field, entry, allocatorNumber, chunk, generation: 1 }],
      });
    await hold(own.number, 'f', 2, 5);
    await hold(own.number, 'g', 0, 6);
    await hold(other.number, 'f', 1, 5);
    const chunks = await store.maps.chunks({ mapNumber, field: 'f', allocatorNumber: own.number });
    expect(chunks).toEqual([{ entry: 2, chunk: 5 }]);
  });
});
