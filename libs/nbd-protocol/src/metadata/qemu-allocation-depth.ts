import type { ContextDefinition } from './context-definition.js';

/**
 * In which layer of a chain of images an extent is allocated (QEMU, docs/interop/nbd.txt): 0 in none, 1 in the one that
 * is exported, more in those that back it.
 */
export const qemuAllocationDepth: ContextDefinition = {
  name: 'qemu:allocation-depth',
  flagBits: 32,
  // To be allocated anywhere is to be allocated: nobody may skip it.
  combine: (some, others) => (some === 0n || (others !== 0n && others < some) ? others : some),
  describe: (depth) => (depth === 0n ? 'unallocated' : depth === 1n ? 'local' : `backing depth ${depth}`),
};
