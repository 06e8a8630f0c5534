import { expect, test } from 'vitest';
import { allocates, frees, m2, moves, worldWith } from '../testing/counter-example.js';
import { PerMapAllocators } from '../testing/per-map-allocators.js';
import { play } from '../testing/play.js';
import type { World } from '../testing/world.js';

/** Load P1, P3, P2; run P2, P1; unload P1, P2; free M1; ask to destroy A. `afterEach` is called after every step. */
async function upToDestroy(afterEach: (world: World) => void = () => undefined): Promise<World> {
  const world = await worldWith();
  const steps: (() => Promise<unknown>)[] = [
    () => world.load('P1', moves),
    () => world.load('P3', frees),
    () => world.load('P2', allocates),
    () => play(world, { kind: 'store', program: 'P2', choice: 0, entry: 0 }),
    () => play(world, { kind: 'move', program: 'P1', choice: 0, entry: 0 }),
    () => world.unload('P1'),
    () => world.unload('P2'),
    () => world.freeMap('M1'),
    () => world.destroyAllocator('A'),
  ];
  for (const step of steps) {
    await step();
    afterEach(world);
  }
  return world;
}

test('C1 the allocator lives until the last program that may free has gone, and no longer', async () => {
  const world = await upToDestroy();
  expect(world.table.stateOf('A')).toBe('DRAINING');
  expect(world.table.allocatorOf(m2)).toBe('A');
  expect(world.take('P3', m2)).toBe(true);
  world.freeTaken('P3');
  expect(world.table.stateOf('A')).toBe('DRAINING');
  await world.unload('P3');
  expect(world.table.stateOf('A')).toBeUndefined();
  expect(world.table.chains()).toEqual([]);
  expect(world.findings).toEqual([]);
});

test('C1 the scheme that notes allocators per map lets go of A while M2 holds an object of it', () => {
  const perMap = new PerMapAllocators();
  for (const effects of [moves, frees, allocates]) perMap.load(effects);
  perMap.freeMap('M1');
  expect(perMap.isReferenced('A')).toBe(false);
});

test('C1 in the order in which the scheme of maps works, it depends on that order', () => {
  const perMap = new PerMapAllocators();
  for (const effects of [allocates, moves, frees]) perMap.load(effects);
  perMap.freeMap('M1');
  expect(perMap.isReferenced('A')).toBe(true);
});

test('C3 a map is freed with an object inside: the object first, then its allocator', async () => {
  const world = await upToDestroy();
  await world.unload('P3');
  expect(world.table.stateOf('A')).toBe('DRAINING');
  const change = world.table.freeMap('M2', world.isEmpty);
  expect(change.valuesFreed).toEqual([{ field: m2, allocator: 'A' }]);
  expect(change.allocatorsDestroyed).toEqual(['A']);
  await world.freeMap('M2');
  expect(world.oracle.alive('A')).toBe(0);
  expect(world.table.stateOf('A')).toBeUndefined();
  expect(world.findings).toEqual([]);
});

test('C10 killed after any step and restarted: the same table, and nothing destroyed early', async () => {
  const world = await upToDestroy((at) => {
    const before = at.table.chains();
    at.crash();
    expect(at.table.chains()).toEqual(before);
  });
  expect(world.table.stateOf('A')).toBe('DRAINING');
  world.take('P3', m2);
  world.freeTaken('P3');
  world.crash();
  await world.unload('P3');
  world.crash();
  expect(world.table.records()).toEqual({ allocators: [{ name: 'B', state: 'ACTIVE' }], rows: [] });
  expect(world.findings).toEqual([]);
});
