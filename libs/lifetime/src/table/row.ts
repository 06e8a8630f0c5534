import type { Effects, Field } from '../effects.js';

/** What one row says. Kinds S, E and U of the dependency table. */
export type Fact =
  | {
      readonly kind: 'stores';
      readonly program: string;
      readonly allocator: string;
      readonly field: Field;
    }
  | { readonly kind: 'moves'; readonly program: string; readonly from: Field; readonly to: Field }
  | { readonly kind: 'uses'; readonly program: string; readonly field: Field };

/** A row as it is persisted. All but `discardable` is its key. */
export type Row = Fact & {
  /** Its program is unloaded: nobody requires the relationship any more, but values may still depend on it. */
  readonly discardable: boolean;
};

/** Rows of one program. A program has a few fields; the longest that is verified touches fewer. Bounds one transaction. */
export const ROWS_PER_PROGRAM_MAX = 4096;

/** The rows that a program of these effects owns, each once. */
export function factsOf(program: string, effects: Effects): Fact[] {
  const facts: Fact[] = [
    ...effects.stores.map(({ allocator, into }) => ({
      kind: 'stores' as const,
      program,
      allocator,
      field: into,
    })),
    ...effects.moves.map(({ from, to }) => ({ kind: 'moves' as const, program, from, to })),
    ...effects.uses.map((field) => ({ kind: 'uses' as const, program, field })),
  ];
  return [...new Map(facts.map((fact) => [keyOf(fact), fact])).values()];
}

/** The same for two facts that say the same of the same program. */
export function keyOf(fact: Fact): string {
  const allocator = fact.kind === 'stores' ? fact.allocator : '';
  const names = fieldsOf(fact).flatMap(({ map, field }) => [map, field]);
  return JSON.stringify([fact.program, fact.kind, allocator, ...names]);
}

/** One field, or the two that are equal. */
export function fieldsOf(fact: Fact): readonly [Field] | readonly [Field, Field] {
  return fact.kind === 'moves' ? [fact.from, fact.to] : [fact.field];
}

/** As users write it: `volume.chunk`. The name of a map has no dot, so no two fields have the same. */
export function nameOf({ map, field }: Field): string {
  return `${map}.${field}`;
}
