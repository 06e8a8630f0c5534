/** Breaks of the dependency table. Each is one that somebody could make, and one that loses or leaks an allocator. */

/**
 * @typedef {object} Mutant
 * @property {string} name what is broken
 * @property {string} file in `libs/lifetime/src`
 * @property {string} from a text that is in the file once
 * @property {string} to
 */

/** @type {readonly Mutant[]} */
export const mutants = [
  {
    name: 'propagation: a placeholder does not take the allocator of the class it joins',
    file: 'table/field-forest.ts',
    from: '  chain.allocator ??= absorbed.allocator;\n',
    to: '',
  },
  {
    name: 'propagation: an S row binds no class',
    file: 'table/table-state.ts',
    from: '    chain.allocator = allocator;\n',
    to: '',
  },
  {
    name: 'propagation: a class that is joined on paper forgets its allocator',
    file: 'table/load.ts',
    from: '    group.allocator ??= joins;\n',
    to: '',
  },
  {
    name: 'propagation: rows of a class that is joined do not count as live',
    file: 'table/field-forest.ts',
    from: '  chain.liveRows += absorbed.liveRows;\n',
    to: '',
  },
  {
    name: 'walk: a field that holds a value passes for empty',
    file: 'table/release.ts',
    from: '    if (isEmpty(node.field)) continue;\n    chain.witness = node;\n    return false;\n',
    to: '    isEmpty(node.field);\n',
  },
  {
    name: 'walk: only the field that was not empty the last time is looked at',
    file: 'table/release.ts',
    from: '  for (const node of nodesOf(chain)) {\n',
    to: '  for (const node of chain.witness === undefined ? nodesOf(chain) : []) {\n',
  },
  {
    name: 'walk: it does not wait for programs that use the chain',
    file: 'table/release.ts',
    from: 'chain.liveRows === rows && walk',
    to: 'walk',
  },
  {
    name: 'walk: after a map was freed there is none',
    file: 'table/release.ts',
    from: '  const chains = new Set(idle.filter((chain) => walk(chain, isEmptyThen)));\n',
    to: '  const chains = new Set(idle.filter((chain) => walk(chain, isEmptyThen) && false));\n',
  },
  {
    name: 'walk: chains of other fields of the maps that were used are left out',
    file: 'table/release.ts',
    from: '  for (const map of maps) addChainsOfMap(state, map, ownIn);\n',
    to: '',
  },
  {
    name: 'destruction: an allocator that is named by another chain goes with the first',
    file: 'table/release.ts',
    from: '[...held.chains].every((chain) => chains.has(chain))',
    to: 'chains.size > 0',
  },
  {
    name: 'destruction: one that waits is forgotten',
    file: 'table/release.ts',
    from: '    allocatorsDestroyed: [...names].filter(isLast),\n',
    to: '    allocatorsDestroyed: [...names].filter((name) => isLast(name) && false),\n',
  },
  {
    name: 'transaction boundary: committed before it is persisted',
    file: 'table/transact.ts',
    from: '  await persist(change);\n  table.commit(change);\n',
    to: '  table.commit(change);\n  await persist(change);\n',
  },
  {
    name: 'transaction boundary: committed although it could not be persisted',
    file: 'table/transact.ts',
    from: '  await persist(change);\n  table.commit(change);\n',
    to: '  try {\n    await persist(change);\n  } finally {\n    table.commit(change);\n  }\n',
  },
  {
    name: 'transaction boundary: a change is committed on a chain that has changed since',
    file: 'table/dependency-table.ts',
    from: "assert(basis !== undefined && this.#state.isCurrent(basis), 'a change",
    to: "assert(basis !== undefined, 'a change",
  },
];
