import { expect, test } from 'vitest';
import { graphOf, toDot } from '../graph/to-dot.js';
import { allocates, frees, m1, m2, moves, worldWith } from '../testing/counter-example.js';

test('C1 why A is alive: the rows that lead to the program that may hold a value', async () => {
  const world = await worldWith(['P1', moves], ['P3', frees], ['P2', allocates]);
  const why = () => world.table.whyAlive('A', world.isEmpty).words;
  world.allocate('A', m1);
  world.move(m1, m2);
  expect(why()).toEqual(['Program P2 is loaded and stores allocations of A into M1.f.']);
  await world.unload('P1');
  await world.unload('P2');
  const past = [
    'Program P2, since unloaded, stored allocations of A into M1.f.',
    'Program P1, since unloaded, moved values from M1.f to M2.f.',
  ];
  expect(why()).toEqual([...past, 'Program P3 is loaded and uses M2.f: it may hold a value of it.']);
  await world.unload('P3');
  expect(why()).toEqual([...past, 'M2.f holds a value.']);
  world.entries(m2)[0] = null;
  expect(why()[1]).toMatch(/^M1\.f is empty, .* the next unload of a program that uses map M1/);
  expect(world.table.whyAlive('B', world.isEmpty).links).toEqual([{ kind: 'unasked', allocator: 'B' }]);
  expect(world.table.whyAlive('C', world.isEmpty).words).toEqual(['There is no allocator C.']);
});

test('C6 why a field takes no other allocator: what binds it, and what holds it', async () => {
  const world = await worldWith(['P1', moves], ['P2', allocates]);
  world.allocate('A', m1);
  world.move(m1, m2);
  await world.unload('P1');
  await world.unload('P2');
  const [ofMap] = world.table.whyMap('M2', world.isEmpty);
  expect(ofMap).toEqual(world.table.whyBound(m2, world.isEmpty));
  expect(ofMap?.words).toEqual([
    'Program P1, since unloaded, moved values from M1.f to M2.f.',
    'Program P2, since unloaded, stored allocations of A into M1.f.',
    'M2.f holds a value.',
  ]);
});

test('C4 a field with a placeholder, and one that nobody names', async () => {
  const world = await worldWith(['P3', frees]);
  const kinds = [m1, m2].map((field) => world.table.whyBound(field, world.isEmpty).links[0]?.kind);
  expect(kinds).toEqual(['free', 'placeholder']);
});

test('the graph has a node for each allocator and field, and an edge for each row', async () => {
  const world = await worldWith(['P1', moves], ['P2', allocates]);
  await world.unload('P1');
  await world.destroyAllocator('A');
  const dot = toDot(graphOf(world.table.records()));
  expect(dot).toContain('"allocator A" [shape=box, label="A", style=dashed];');
  expect(dot).toContain('"allocator A" -> "field M1.f" [label="stores: P2"];');
  expect(dot).toContain('"field M1.f" -> "field M2.f" [label="moves: P1", style=dashed, dir=both];');
  expect(dot.split('\n').filter((line) => line.includes('->'))).toHaveLength(5);
});
