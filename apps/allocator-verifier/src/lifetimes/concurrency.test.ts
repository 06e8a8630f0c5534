import { describeDatabases } from '@holdfast/store/testing/databases';
import { expect, test, vi } from 'vitest';
import { filling, freeing, moving } from '../testing/programs.js';
import { startVerifier } from '../testing/verifier.js';

const entry = { entry: 0 };

describeDatabases('operations at the same time', (database) => {
  async function start() {
    const verifier = await startVerifier(await database.create());
    for (const name of ['A', 'B']) await verifier.createAllocator(name);
    for (const name of ['M1', 'M2', 'N1', 'N2']) await verifier.createMap(name, 'f');
    return verifier;
  }

  test('loads and runs on other chains do not wait; those on the same chain do', async () => {
    const v = await start();
    await v.load(filling('P', 'A', 'M1.f'));
    await v.load(filling('Q', 'B', 'N1.f'));
    // The write of the first run is held back, for as long as it takes.
    const apply = v.store.chunks.applyAll.bind(v.store.chunks);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    vi.spyOn(v.store.chunks, 'applyAll').mockImplementationOnce(async (writes) => {
      await held;
      await apply(writes);
    });
    const done: string[] = [];
    const note = (what: string) => (): void => void done.push(what);
    const slow = v.run('P', entry).then(note('P runs'));
    const same = v.load(moving('R', 'M1.f', 'M2.f')).then(note('R is loaded'));
    const unload = v.unload('P').then(note('P is unloaded'));
    await v.run('Q', entry).then(note('Q runs'));
    await v.load(moving('S', 'N1.f', 'N2.f')).then(note('S is loaded'));
    await v.unload('Q').then(note('Q is unloaded'));
    expect(done).toEqual(['Q runs', 'S is loaded', 'Q is unloaded']);
    letGo();
    await Promise.all([slow, same, unload]);
    expect(done.slice(3)[0]).toBe('P runs');
    expect(await v.findings()).toEqual([]);
  });

  test('C2 C10 many at once end as one after the other would: nothing is lost, and the checker agrees', async () => {
    const v = await start();
    const sources = [
      filling('P', 'A', 'M1.f'),
      moving('Q', 'M1.f', 'M2.f'),
      freeing('R', 'M2.f'),
      filling('S', 'B', 'N1.f'),
      moving('T', 'N1.f', 'N2.f'),
      freeing('U', 'N2.f'),
    ];
    const names = ['P', 'Q', 'R', 'S', 'T', 'U'];
    await Promise.all(sources.map((source) => v.load(source)));
    await Promise.all(
      Array.from({ length: 60 }, (_, at) => v.run(names[(at * 7) % 6] ?? '', { entry: at % 4 })),
    );
    expect(await v.findings()).toEqual([]);
    await Promise.all([
      ...names.map((name) => v.unload(name)),
      v.allocators.destroy('A'),
      v.allocators.destroy('B'),
      v.maps.free('M1'),
      v.maps.free('N1'),
    ]);
    await Promise.all([v.maps.free('M2'), v.maps.free('N2')]);
    expect(await v.store.allocators.listAll()).toEqual([]);
    expect(v.lifetimes.memory.table.chains()).toEqual([]);
    expect(await v.findings()).toEqual([]);
  });

  test('C10 a change of which nobody knows whether it was written: the records decide', async () => {
    const v = await start();
    await v.load(filling('P', 'A', 'M1.f'));
    const { store } = v;
    const applyAll = store.chunks.applyAll.bind(store.chunks);
    const apply = store.programs.apply.bind(store.programs);
    for (const isWritten of [false, true]) {
      vi.spyOn(store.chunks, 'applyAll').mockImplementationOnce(async (writes) => {
        if (isWritten) await applyAll(writes);
        throw new Error('the connection is gone');
      });
      await expect(v.run('P', { entry: 3 })).rejects.toThrow('the connection is gone');
      expect(await v.findings()).toEqual(isWritten ? expect.anything() : []);
      expect(await v.run('P', { entry: 4 })).toMatchObject({ allocated: 1 });
      expect(await v.findings()).toEqual([]);
      const name = isWritten ? 'Q' : 'R';
      vi.spyOn(store.programs, 'apply').mockImplementationOnce(async (write) => {
        if (isWritten) await apply(write);
        throw new Error('the connection is gone');
      });
      const source = moving(name, 'M1.f', 'M2.f');
      await expect(v.load(source)).rejects.toThrow('the connection is gone');
      await v.load(source);
      expect(await v.run(name, { entry: 5 })).toMatchObject({ changed: 0 });
      expect(await v.findings()).toEqual([]);
    }
  });
});
