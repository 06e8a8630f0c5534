import type { Effects, Field } from '../effects.js';
import { World } from './world.js';

/** The programs of the counter-example: values go from M1 to M2, and no program knows of all three steps. */
export const m1: Field = { map: 'M1', field: 'f' };
export const m2: Field = { map: 'M2', field: 'f' };
export const moves: Effects = { stores: [], moves: [{ from: m1, to: m2 }], uses: [m1, m2] };
export const allocates: Effects = { stores: [{ allocator: 'A', into: m1 }], moves: [], uses: [m1] };
export const frees: Effects = { stores: [], moves: [], uses: [m2] };

/** A world with allocators A and B, in which these programs are loaded, in this order. */
export async function worldWith(...programs: readonly (readonly [string, Effects])[]): Promise<World> {
  const world = new World();
  await world.createAllocator('A');
  await world.createAllocator('B');
  for (const [program, effects] of programs) await world.load(program, effects);
  return world;
}
