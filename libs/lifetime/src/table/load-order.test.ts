import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocators, anyEffects, fields, programs } from '../testing/arbitraries.js';
import { World } from '../testing/world.js';
import type { Effects } from '../effects.js';

interface Named {
  readonly program: string;
  readonly effects: Effects;
}

const anyPrograms = fc
  .array(anyEffects, { minLength: 2, maxLength: programs.length })
  .map((all) => all.map((effects, at): Named => ({ program: programs[at] ?? '', effects })));

/** Two orders of the same programs, and an order of unloading. */
const anyOrders = anyPrograms.chain((all) => {
  const order = fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
  return fc.tuple(order, order, order);
});

async function loadAll(order: readonly Named[]): Promise<{ world: World; accepted: number }> {
  const world = new World();
  for (const allocator of allocators) await world.createAllocator(allocator);
  let accepted = 0;
  for (const { program, effects } of order) if (await world.load(program, effects)) accepted++;
  return { world, accepted };
}

/** A value of the concrete allocator in each such field; then programs go one by one, and after them the values. */
async function lifetimes(world: World, order: readonly Named[]): Promise<unknown[]> {
  for (const field of fields) {
    const allocator = world.table.allocatorOf(field);
    if (allocator !== undefined) world.allocate(allocator, field);
  }
  for (const allocator of allocators) await world.destroyAllocator(allocator);
  const seen: unknown[] = [];
  const look = (): number =>
    seen.push(
      allocators.map((one) => world.table.stateOf(one)),
      world.table.chains(),
    );
  for (const { program } of order) {
    await world.unload(program);
    look();
  }
  for (const map of ['M2', 'M1', 'M3']) {
    await world.freeMap(map);
    look();
  }
  return seen;
}

test('C2 all load orders give the same classes and lifetimes', { timeout: 120_000 }, async () => {
  let compatible = 0;
  await fc.assert(
    fc.asyncProperty(anyOrders, async ([one, other, unloads]) => {
      const [first, second] = [await loadAll(one), await loadAll(other)];
      const all = one.length;
      // Whether all of them get along does not depend on the order either.
      expect(first.accepted === all).toBe(second.accepted === all);
      if (first.accepted < all) return;
      compatible++;
      expect(first.world.table.chains()).toEqual(second.world.table.chains());
      expect(await lifetimes(first.world, unloads)).toEqual(await lifetimes(second.world, unloads));
      expect([...first.world.findings, ...second.world.findings]).toEqual([]);
    }),
    { numRuns: 2000 },
  );
  expect(compatible).toBeGreaterThan(200);
});
