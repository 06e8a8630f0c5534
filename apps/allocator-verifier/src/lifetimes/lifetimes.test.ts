import { describeDatabases } from '@holdfast/store/testing/databases';
import { expect, test } from 'vitest';
import { filling, freeing, moving, passing } from '../testing/programs.js';
import { startVerifier, type Verifier } from '../testing/verifier.js';

const entry = { entry: 0 };

describeDatabases('allocators outlive what they allocated', (database) => {
  /** Two maps, and an allocator. */
  async function start(): Promise<Verifier & { readonly url: string }> {
    const url = await database.create();
    const verifier = await startVerifier(url);
    await verifier.createAllocator('A');
    await verifier.createMap('M1', 'f');
    await verifier.createMap('M2', 'f');
    return { ...verifier, url };
  }

  test('C1 the counter-example: destroyed when the last program that may free is unloaded, and not before', async () => {
    const v = await start();
    await v.load(moving('P1', 'M1.f', 'M2.f'));
    await v.load(freeing('P3', 'M2.f'));
    await v.load(filling('P2', 'A', 'M1.f'));
    await v.run('P2', entry);
    expect(await v.run('P1', entry)).toMatchObject({ changed: 2, allocated: 0, freed: 0 });
    await v.unload('P1');
    await v.unload('P2');
    await v.maps.free('M1');
    expect(await v.allocators.destroy('A')).toMatchObject({ state: 'DRAINING' });
    expect(v.whyAlive('A')).toContain('P3 is loaded and uses M2.f');
    expect(v.pools.find(1n)).toMatchObject({ allocated: 1 });

    expect(await v.run('P3', entry)).toMatchObject({ changed: 1, freed: 1 });
    expect(await v.stateOf('A')).toBe('DRAINING');
    expect(v.pools.find(1n)).toMatchObject({ allocated: 0 });
    expect(await v.unload('P3')).toEqual(['A']);
    expect(await v.stateOf('A')).toBeUndefined();
    expect(v.lifetimes.memory.table.chains()).toEqual([]);
    expect(await v.findings()).toEqual([]);
  });

  test('C2 all orders of loading give the same classes', async () => {
    const sources = [moving('P1', 'M1.f', 'M2.f'), filling('P2', 'A', 'M1.f'), freeing('P3', 'M2.f')];
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const v = await start();
      for (const at of order) await v.load(sources[at] ?? '');
      const chains = v.lifetimes.memory.table.chains();
      expect(chains).toEqual([{ fields: ['M1.f', 'M2.f'], allocator: 'A', liveRows: 6 }]);
      await v.stop();
    }
  });

  test('C3 a map that is freed with the object inside: first the object, then the allocator', async () => {
    const v = await start();
    await v.load(filling('P2', 'A', 'M2.f'));
    await v.run('P2', entry);
    await v.unload('P2');
    expect(await v.allocators.destroy('A')).toMatchObject({ state: 'DRAINING' });
    expect(v.whyAlive('A')).toContain('M2.f holds a value');
    await v.maps.free('M2');
    await v.maps.free('M2');
    expect(await v.stateOf('A')).toBeUndefined();
    const events = (await v.store.verifierAudit.listAfter(0n, 1000)).map(
      ({ subject, event }) => `${subject} ${event}`,
    );
    const cleared = events.indexOf('maps/2/f/0 cleared');
    expect(cleared).toBeGreaterThan(0);
    expect(events.indexOf('allocators/A destroying')).toBeGreaterThan(cleared);
    expect(await v.findings()).toEqual([]);
  });

  test('C4 a program that would allocate and is never loaded: others run, and find null', async () => {
    const v = await start();
    await v.load(moving('P1', 'M1.f', 'M2.f'));
    await v.load(freeing('P3', 'M2.f'));
    expect(await v.run('P1', entry)).toMatchObject({ changed: 0 });
    expect(await v.run('P3', entry)).toMatchObject({ changed: 0 });
    expect(await v.allocators.destroy('A')).toBeUndefined();
    await v.unload('P1');
    await v.unload('P3');
    expect(await v.findings()).toEqual([]);
  });

  test('C5 a second allocator is rejected while the field is bound, and accepted after its chain dissolved', async () => {
    const v = await start();
    await v.createAllocator('B');
    await v.load(filling('P', 'A', 'M1.f'));
    const before = v.lifetimes.memory.table.chains();
    expect(await v.rejection(filling('Q', 'B', 'M1.f'))).toBe('two-allocators');
    expect(v.lifetimes.memory.table.chains()).toEqual(before);
    await v.unload('P');
    await v.load(filling('Q', 'B', 'M1.f'));
    expect(v.lifetimes.memory.table.allocatorOf({ map: 'M1', field: 'f' })).toBe('B');
    expect(await v.findings()).toEqual([]);
  });

  test('C6 a field that is not null keeps its allocator', async () => {
    const v = await start();
    await v.createAllocator('B');
    await v.load(filling('P', 'A', 'M1.f'));
    await v.run('P', entry);
    await v.unload('P');
    expect(await v.rejection(filling('Q', 'B', 'M1.f'))).toBe('two-allocators');
    await v.load(freeing('F', 'M1.f'));
    await v.run('F', entry);
    await v.unload('F');
    await v.load(filling('Q', 'B', 'M1.f'));
    expect(await v.findings()).toEqual([]);
  });

  test('C6 a program that is loaded again takes up the rows that it left', async () => {
    const v = await start();
    await v.load(filling('P', 'A', 'M1.f'));
    await v.run('P', entry);
    await v.unload('P');
    const [left] = v.lifetimes.memory.table.chains();
    expect(left).toMatchObject({ allocator: 'A', liveRows: 0 });
    await v.load(filling('P', 'A', 'M1.f'));
    expect(v.lifetimes.memory.table.chains()).toEqual([{ ...left, liveRows: 2 }]);
    expect(await v.run('P', entry)).toMatchObject({ allocated: 1, freed: 1 });
    expect(await v.findings()).toEqual([]);
    await v.unload('P');
    expect(await v.findings()).toEqual([]);
  });

  test('C7 a loaded program that uses a field blocks the walk', async () => {
    const v = await start();
    await v.load(freeing('F', 'M1.f'));
    await v.load(filling('P', 'A', 'M1.f'));
    await v.allocators.destroy('A');
    // It hands out nothing, as if it were full.
    expect(await v.run('P', entry)).toMatchObject({ allocated: 0, changed: 0 });
    expect(await v.unload('P')).toEqual([]);
    expect(await v.stateOf('A')).toBe('DRAINING');
    expect(await v.rejection(filling('Q', 'A', 'M2.f'))).toBe('allocator-draining');
    expect(await v.unload('F')).toEqual(['A']);
    expect(await v.findings()).toEqual([]);
  });

  test('C8 no claim is irreversible: everything is unloaded and freed, and nothing is left', async () => {
    const v = await start();
    await v.load(moving('P1', 'M1.f', 'M2.f'));
    await v.load(filling('P2', 'A', 'M1.f'));
    for (const at of [0, 1, 2]) await v.run('P2', { entry: at });
    await v.run('P1', { entry: 1 });
    await v.unload('P1');
    await v.unload('P2');
    await v.maps.free('M1');
    await v.maps.free('M2');
    expect(v.lifetimes.memory.table.chains()).toEqual([]);
    await v.createMap('M1', 'f');
    await v.createAllocator('B');
    await v.load(filling('P2', 'B', 'M1.f'));
    expect(await v.findings()).toEqual([]);
  });

  test('C9 no field of an inner map can be named: what a map does not have is rejected by name', async () => {
    const v = await start();
    expect(await v.rejection(freeing('P', 'M1.inner'))).toBe('unknown-field');
    expect(await v.rejection(freeing('P', 'M3.f'))).toBe('unknown-map');
    expect(await v.rejection(filling('P', 'C', 'M1.f'))).toBe('unknown-allocator');
  });

  test('C10 what another process reads of the records is the same table, and goes on with it', async () => {
    const v = await start();
    await v.load(moving('P1', 'M1.f', 'M2.f'));
    await v.load(filling('P2', 'A', 'M1.f'));
    await v.run('P2', entry);
    await v.run('P1', entry);
    await v.unload('P2');
    await v.allocators.destroy('A');
    const chains = v.lifetimes.memory.table.chains();
    await v.stop();

    const next = await startVerifier(v.url);
    expect(next.lifetimes.memory.table.chains()).toEqual(chains);
    expect(await next.stateOf('A')).toBe('DRAINING');
    await next.load(freeing('P3', 'M2.f'));
    expect(await next.run('P3', entry)).toMatchObject({ freed: 1 });
    await next.unload('P3');
    expect(await next.unload('P1')).toEqual(['A']);
    expect(await next.findings()).toEqual([]);
  });

  test('C10 a run that faults leaves nothing behind', async () => {
    const v = await start();
    await v.load(filling('P', 'A', 'M1.f'));
    await expect(v.run('P', { entry: 8 })).rejects.toMatchObject({ code: 'PROGRAM_FAULTED' });
    await expect(v.run('P')).rejects.toMatchObject({ code: 'PROGRAM_FAULTED' });
    expect(v.pools.find(1n)).toMatchObject({ allocated: 0 });
    expect(await v.findings()).toEqual([]);
  });

  test('C11 a tag that the table contradicts stops the run, and is not freed', async () => {
    const v = await start();
    await v.load(freeing('F', 'M1.f'));
    const slot = { mapNumber: 1n, field: 'f', entry: 0 };
    const [value] = await v.pools.allocate({ allocatorNumber: 1n, slots: [slot] });
    if (value !== undefined) v.lifetimes.memory.values.set(value);
    await expect(v.run('F', entry)).rejects.toMatchObject({
      code: 'PROGRAM_FAULTED',
      metadata: { fault: 'held-under-placeholder' },
    });
    await expect(v.maps.free('M1')).rejects.toMatchObject({ code: 'FOREIGN_CHUNK' });
    expect(v.pools.find(1n)).toMatchObject({ allocated: 1 });
  });

  test('an allocator of which a program holds chunks in registers only is destroyed when that is unloaded', async () => {
    const v = await start();
    await v.load(passing('P', 'A'));
    expect(await v.run('P')).toMatchObject({ changed: 0, allocated: 0, freed: 0 });
    expect(await v.allocators.destroy('A')).toMatchObject({ state: 'DRAINING' });
    expect(v.whyAlive('A')).toContain('P is loaded and stores allocations of A into @P.A');
    await v.run('P');
    expect(await v.unload('P')).toEqual(['A']);
    expect(await v.findings()).toEqual([]);
  });

  test('a map that was freed, and another of its name: the program is loaded anew', async () => {
    const v = await start();
    await v.load(filling('P', 'A', 'M1.f'));
    await v.run('P', entry);
    await v.maps.free('M1');
    await expect(v.run('P', entry)).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
    await v.createMap('M1', 'f', 'g');
    await expect(v.run('P', entry)).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
    await v.stop();
    const next = await startVerifier(v.url);
    await expect(next.run('P', entry)).rejects.toMatchObject({ code: 'MAP_NOT_FOUND' });
    await next.unload('P');
    await next.load(filling('P', 'A', 'M1.f'));
    expect(await next.run('P', entry)).toMatchObject({ allocated: 1 });
    expect(await next.findings()).toEqual([]);
  });
});
