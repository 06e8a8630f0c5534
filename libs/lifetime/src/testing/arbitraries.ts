import fc from 'fast-check';
import type { Effects, Field } from '../effects.js';

/** Few names, so that programs meet in the same chains often. */
export const allocators = ['A', 'B', 'C'] as const;
export const maps = ['M1', 'M2', 'M3'] as const;
export const programs = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;
export const fields: readonly Field[] = maps.flatMap((map) => [
  { map, field: 'f' },
  { map, field: 'g' },
]);

export const anyField = fc.constantFrom(...fields);

/** What a verified program may do: every field that it names, it uses. */
export const anyEffects: fc.Arbitrary<Effects> = fc
  .record({
    stores: fc.array(fc.record({ allocator: fc.constantFrom(...allocators), into: anyField }), {
      maxLength: 2,
    }),
    moves: fc.array(fc.record({ from: anyField, to: anyField }), { maxLength: 2 }),
    others: fc.array(anyField, { maxLength: 1 }),
  })
  .map(({ stores, moves, others }) => ({
    stores,
    moves,
    uses: [
      ...new Set([
        ...stores.map(({ into }) => into),
        ...moves.flatMap(({ from, to }) => [from, to]),
        ...others,
      ]),
    ],
  }));

const anyProgram = fc.constantFrom(...programs);
const anyEntry = fc.integer({ min: 0, max: 1 });
/** Which of its effects a program has in a run. */
const anyChoice = fc.nat({ max: 11 });

export type Step =
  | { readonly kind: 'load'; readonly program: string; readonly effects: Effects }
  | {
      readonly kind: 'store' | 'move' | 'take';
      readonly program: string;
      readonly choice: number;
      readonly entry: number;
    }
  | { readonly kind: 'free' | 'put' | 'unload'; readonly program: string }
  | { readonly kind: 'free-map'; readonly map: string }
  | { readonly kind: 'create' | 'destroy'; readonly allocator: string }
  | { readonly kind: 'crash' | 'fail' };

/** A step of the life of a service. Runs are the most frequent, since values are what everything is about. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('load' as const), program: anyProgram, effects: anyEffects }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constantFrom('store' as const, 'store' as const, 'move' as const, 'take' as const),
      program: anyProgram,
      choice: anyChoice,
      entry: anyEntry,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('free' as const, 'put' as const, 'unload' as const, 'unload' as const),
      program: anyProgram,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('free-map' as const), map: fc.constantFrom(...maps) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('create' as const, 'destroy' as const),
      allocator: fc.constantFrom(...allocators),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'fail' as const) }) },
);
