import type { Effects, Field } from '../effects.js';
import { AllocatorState, type Rejection } from './change.js';
import { Footprint, type Draft } from './draft.js';
import type { Chain } from './field-forest.js';
import { ROWS_PER_PROGRAM_MAX, factsOf, fieldsOf, keyOf, nameOf, type Fact } from './row.js';
import type { TableState } from './table-state.js';

/** All rows of a program in one step, or the reason why it cannot be loaded. */
export function draftLoad(state: TableState, program: string, effects: Effects): Draft | Rejection {
  const facts = factsOf(program, effects);
  if (facts.length > ROWS_PER_PROGRAM_MAX)
    return { reason: 'too-many-rows', rows: facts.length, rowsMax: ROWS_PER_PROGRAM_MAX };
  const known = state.rowsOfProgram(program);
  if (known.some(({ discardable }) => !discardable)) return { reason: 'program-loaded', program };
  const rejection = unusableAllocator(state, effects) ?? conflict(state, facts);
  if (rejection !== undefined) return rejection;

  const footprint = new Footprint(state);
  for (const field of facts.flatMap(fieldsOf)) footprint.field(field);
  for (const { allocator } of effects.stores) footprint.allocator(allocator, 'shared');
  // Of an earlier time that the program was loaded, some rows may be left: they are in use again.
  const left = new Set(known.map(({ fact }) => keyOf(fact)));
  const rows = facts.map((fact) => ({ ...fact, discardable: false }));
  return footprint.draft({
    inserted: rows.filter((row) => !left.has(keyOf(row))),
    updated: rows.filter((row) => left.has(keyOf(row))),
  });
}

function unusableAllocator(state: TableState, { stores }: Effects): Rejection | undefined {
  for (const { allocator } of stores) {
    const held = state.allocator(allocator);
    if (held === undefined) return { reason: 'allocator-unknown', allocator };
    if (held.state === AllocatorState.Draining) return { reason: 'allocator-draining', allocator };
  }
  return undefined;
}

/** A class that would be made by the load: what it joins, on paper. */
interface Group {
  parent: Group | undefined;
  allocator: string | undefined;
}

/** Two allocators that would meet in one class. Costs what the program has rows, however large the classes are. */
function conflict(state: TableState, facts: readonly Fact[]): Rejection | undefined {
  const groups = new Map<Chain | string, Group>();
  const groupOf = (field: Field): Group => {
    const chain = state.chain(field);
    const key = chain ?? nameOf(field);
    let group = groups.get(key) ?? { parent: undefined, allocator: chain?.allocator };
    groups.set(key, group);
    while (group.parent !== undefined) group = group.parent;
    return group;
  };
  for (const fact of facts) {
    const [field] = fieldsOf(fact);
    const group = groupOf(field);
    const other: Group = fact.kind === 'moves' ? groupOf(fact.to) : group;
    const joins = fact.kind === 'stores' ? fact.allocator : other.allocator;
    if (group.allocator !== undefined && joins !== undefined && group.allocator !== joins)
      return { reason: 'two-allocators', field, allocators: [group.allocator, joins] };
    group.allocator ??= joins;
    if (other !== group) other.parent = group;
  }
  return undefined;
}
