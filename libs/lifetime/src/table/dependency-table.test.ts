import { expect, test } from 'vitest';
import type { Effects } from '../effects.js';
import { allocates, frees, m1, m2, moves, worldWith } from '../testing/counter-example.js';
import { ROWS_PER_PROGRAM_MAX } from './row.js';

const storesB: Effects = { stores: [{ allocator: 'B', into: m2 }], moves: [], uses: [m2] };

test('C4 a program that allocates never comes: the others run, and dissolve', async () => {
  const world = await worldWith(['P1', moves], ['P3', frees]);
  expect(world.table.chains()).toEqual([{ fields: ['M1.f', 'M2.f'], allocator: undefined, liveRows: 4 }]);
  world.move(m1, m2);
  expect(world.take('P3', m2)).toBe(false);
  await world.unload('P1');
  await world.unload('P3');
  expect(world.table.chains()).toEqual([]);
  expect(world.findings).toEqual([]);
});

test('C5 a second allocator is rejected while the first is bound, and accepted after that', async () => {
  const world = await worldWith(['P1', moves], ['P2', allocates]);
  const before = world.table.records();
  const outcome = world.table.load('P4', storesB);
  expect(outcome).toEqual({
    accepted: false,
    rejection: { reason: 'two-allocators', field: m2, allocators: ['A', 'B'] },
  });
  expect(world.table.records()).toEqual(before);
  await world.unload('P1');
  await world.unload('P2');
  expect(await world.load('P4', storesB)).toBe(true);
  expect(world.table.allocatorOf(m2)).toBe('B');
  expect(world.findings).toEqual([]);
});

test('C5 two allocators that meet only by a move of the program itself are rejected', async () => {
  const world = await worldWith(['P2', allocates], ['P4', storesB]);
  expect(await world.load('P1', moves)).toBe(false);
  expect(await world.load('P5', { ...moves, stores: [{ allocator: 'B', into: m1 }] })).toBe(false);
  expect(world.table.chains()).toHaveLength(2);
  expect(world.findings).toEqual([]);
});

test('C5 a program that brings two allocators together by itself is rejected', async () => {
  const world = await worldWith();
  const stores = [
    { allocator: 'A', into: m1 },
    { allocator: 'B', into: m2 },
  ];
  expect(await world.load('P1', { ...moves, stores })).toBe(false);
  expect(world.table.chains()).toEqual([]);
  expect(await world.load('P2', { stores, moves: [], uses: [] })).toBe(true);
  expect(world.findings).toEqual([]);
});

test('C6 a field that is not null blocks reuse, until a program has emptied it', async () => {
  const world = await worldWith(['P2', allocates], ['P1', moves]);
  world.allocate('A', m1, 1);
  world.move(m1, m2, 1);
  await world.unload('P1');
  await world.unload('P2');
  expect(world.table.chainOf(m2)).toEqual({ fields: ['M1.f', 'M2.f'], allocator: 'A', liveRows: 0 });
  expect(await world.load('P4', storesB)).toBe(false);
  await world.load('P3', frees);
  world.take('P3', m2, 1);
  world.freeTaken('P3');
  await world.unload('P3');
  expect(await world.load('P4', storesB)).toBe(true);
  expect(world.findings).toEqual([]);
});

test('C6 the unload of a program that uses another field of the map is an opportunity too', async () => {
  const world = await worldWith(['P2', allocates]);
  world.allocate('A', m1);
  await world.unload('P2');
  // Entries are emptied by somebody who is no program.
  world.oracle.free(world.entries(m1)[0] ?? { allocator: '', isFreed: true }, 'A');
  world.entries(m1)[0] = null;
  expect(world.table.chains()).toHaveLength(1);
  await world.load('P5', { stores: [], moves: [], uses: [{ map: 'M1', field: 'other' }] });
  await world.unload('P5');
  expect(world.table.chains()).toEqual([]);
  expect(world.findings).toEqual([]);
});

test('C7 a program that uses a field may hold a value of it: nothing is walked', async () => {
  const world = await worldWith(['P2', allocates], ['P3', { stores: [], moves: [], uses: [m1] }]);
  world.allocate('A', m1);
  expect(world.take('P3', m1)).toBe(true);
  expect(world.isEmpty(m1)).toBe(true);
  await world.destroyAllocator('A');
  const looked: unknown[] = [];
  world.table.unload('P2', (field) => looked.push(field) > 0);
  expect(looked).toEqual([]);
  await world.unload('P2');
  expect(world.table.stateOf('A')).toBe('DRAINING');
  world.putBack('P3');
  expect(world.findings).toEqual([]);
});

test('C8 no claim is irreversible: a field binds to one allocator after the other', async () => {
  const world = await worldWith();
  for (const allocator of ['A', 'B', 'A', 'B']) {
    await world.load('P', { stores: [{ allocator, into: m1 }], moves: [], uses: [m1] });
    expect(world.table.allocatorOf(m1)).toBe(allocator);
    world.allocate(allocator, m1);
    world.take('P', m1);
    await world.unload('P');
    expect(world.table.allocatorOf(m1)).toBeUndefined();
  }
  expect(world.findings).toEqual([]);
});

test('a placeholder becomes concrete for fields of programs that were loaded before', async () => {
  const m3 = { map: 'M3', field: 'f' };
  const world = await worldWith(
    ['P1', moves],
    ['P5', { stores: [], moves: [{ from: m3, to: m2 }], uses: [] }],
  );
  expect(world.table.allocatorOf(m3)).toBeUndefined();
  await world.load('P2', allocates);
  expect([m1, m2, m3].map((field) => world.table.allocatorOf(field))).toEqual(['A', 'A', 'A']);
});

test('a placeholder becomes concrete when its class takes in a smaller one that is bound', async () => {
  const m3 = { map: 'M3', field: 'f' };
  const world = await worldWith(
    ['P5', { stores: [], moves: [{ from: m3, to: m2 }], uses: [] }],
    ['P2', allocates],
    ['P1', moves],
  );
  expect([m1, m2, m3].map((field) => world.table.allocatorOf(field))).toEqual(['A', 'A', 'A']);
  expect(world.table.chainOf(m3)?.liveRows).toBe(6);
  expect(world.findings).toEqual([]);
});

test('an allocator that nobody uses is destroyed at once, and may be created anew', async () => {
  const world = await worldWith();
  await world.destroyAllocator('A');
  expect(world.table.stateOf('A')).toBeUndefined();
  await world.destroyAllocator('A');
  expect(await world.createAllocator('A')).toBe(true);
  expect(await world.createAllocator('A')).toBe(false);
  expect(world.findings).toEqual([]);
});

test('what is draining takes no new program that stores, and any that empties', async () => {
  const world = await worldWith(['P2', allocates]);
  await world.destroyAllocator('A');
  const refused = world.table.load('P4', allocates);
  expect(refused).toEqual({
    accepted: false,
    rejection: { reason: 'allocator-draining', allocator: 'A' },
  });
  expect(await world.load('P1', moves)).toBe(true);
  expect(world.findings).toEqual([]);
});

test('a program is loaded once; an unknown allocator and too many rows are refused', async () => {
  const { table } = await worldWith(['P1', moves]);
  const uses = Array.from({ length: ROWS_PER_PROGRAM_MAX + 1 }, (_, at) => ({ map: 'M', field: `f${at}` }));
  const outcomes = [
    table.load('P1', frees),
    table.load('P4', { stores: [{ allocator: 'C', into: m1 }], moves: [], uses: [] }),
    table.load('P5', { stores: [], moves: [], uses }),
  ];
  const reasons = outcomes.map((outcome) => !outcome.accepted && outcome.rejection.reason);
  expect(reasons).toEqual(['program-loaded', 'allocator-unknown', 'too-many-rows']);
});

test('a program that comes again takes its rows up again', async () => {
  const world = await worldWith(['P2', allocates], ['P3', { stores: [], moves: [], uses: [m1] }]);
  await world.unload('P2');
  expect(world.table.chainOf(m1)?.liveRows).toBe(1);
  await world.load('P2', allocates);
  expect(world.table.chainOf(m1)?.liveRows).toBe(3);
  expect(world.table.records().rows).toHaveLength(3);
  expect(world.findings).toEqual([]);
});
