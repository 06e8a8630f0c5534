import { AllocatorState, type IsEmpty } from './change.js';
import { Footprint, type Draft, type Writes } from './draft.js';
import { chainOf, nodesOf, rowsOf, type Chain } from './field-forest.js';
import { fieldsOf } from './row.js';
import { rowOf, type TableState } from './table-state.js';

/**
 * The rows of the program become discardable. Chains that no program needs any more are walked: its own, and those of the maps
 * that it used, which held values when they were walked last.
 */
export function draftUnload(state: TableState, program: string, isEmpty: IsEmpty): Draft {
  const own = state.rowsOfProgram(program).filter(({ discardable }) => !discardable);
  const ownIn = new Map<Chain, number>();
  const maps = new Set<string>();
  for (const { node, fact } of own) {
    const chain = chainOf(node);
    ownIn.set(chain, (ownIn.get(chain) ?? 0) + 1);
    for (const { map } of fieldsOf(fact)) maps.add(map);
  }
  for (const map of maps) addChainsOfMap(state, map, ownIn);

  const footprint = new Footprint(state);
  for (const chain of ownIn.keys()) footprint.field(chain.root.field);
  const dissolving = [...ownIn].filter(([chain, rows]) => chain.liveRows === rows && walk(chain, isEmpty));
  const chains = new Set(dissolving.map(([chain]) => chain));
  return footprint.draft({
    updated: own
      .filter(({ node }) => !chains.has(chainOf(node)))
      .map(({ fact }) => ({ ...fact, discardable: true })),
    ...dissolution(state, chains, footprint),
  });
}

/** Values are freed first. Then what is known of a map's fields stays, unless no value can be left anywhere in its chain. */
export function draftFreeMap(state: TableState, map: string, isEmpty: IsEmpty): Draft {
  const nodes = [...state.nodesOfMap(map)];
  const valuesFreed = nodes.map((node) => ({ field: node.field, allocator: chainOf(node).allocator }));
  const footprint = new Footprint(state);
  for (const { field } of nodes) footprint.field(field);
  const isEmptyThen: IsEmpty = (field) => field.map === map || isEmpty(field);
  const idle = [...new Set(nodes.map(chainOf))].filter(({ liveRows }) => liveRows === 0);
  const chains = new Set(idle.filter((chain) => walk(chain, isEmptyThen)));
  return footprint.draft({ valuesFreed, ...dissolution(state, chains, footprint) });
}

/** Destroyed at once if no row names it, else as soon as the last such row goes. To destroy what is not there is nothing. */
export function draftDestroyAllocator(state: TableState, name: string): Draft {
  const footprint = new Footprint(state);
  footprint.allocator(name, 'exclusive');
  const held = state.allocator(name);
  if (held === undefined) return footprint.draft({});
  if (held.chains.size === 0) return footprint.draft({ allocatorsDestroyed: [name] });
  return footprint.draft(held.state === AllocatorState.Draining ? {} : { allocatorsDraining: [name] });
}

/** Whether no field of a chain holds a value. One that did the last time is asked first: it mostly still does. */
function walk(chain: Chain, isEmpty: IsEmpty): boolean {
  if (chain.witness !== undefined && !isEmpty(chain.witness.field)) return false;
  for (const node of nodesOf(chain)) {
    if (isEmpty(node.field)) continue;
    chain.witness = node;
    return false;
  }
  return true;
}

function addChainsOfMap(state: TableState, map: string, rowsIn: Map<Chain, number>): void {
  for (const node of state.nodesOfMap(map)) {
    const chain = chainOf(node);
    if (chain.liveRows === 0 && !rowsIn.has(chain)) rowsIn.set(chain, 0);
  }
}

/** All rows of the chains go, and with them the allocators that waited for that. */
function dissolution(state: TableState, chains: ReadonlySet<Chain>, footprint: Footprint): Writes {
  const names = new Set<string>();
  for (const { allocator } of chains) if (allocator !== undefined) names.add(allocator);
  for (const name of names) footprint.allocator(name, 'exclusive');
  const isLast = (name: string): boolean => {
    const held = state.allocator(name);
    return held?.state === AllocatorState.Draining && [...held.chains].every((chain) => chains.has(chain));
  };
  return {
    deleted: [...chains].flatMap((chain) => Array.from(rowsOf(chain), rowOf)),
    allocatorsDestroyed: [...names].filter(isLast),
  };
}
