import { baseAllocation } from './base-allocation.js';
import type { ContextDefinition } from './context-definition.js';
import { qemuAllocationDepth } from './qemu-allocation-depth.js';

/** Every metadata context that holdfast knows, in the order in which they are listed. */
export const contextDefinitions: readonly ContextDefinition[] = [baseAllocation, qemuAllocationDepth];

export function findContextDefinition(name: string): ContextDefinition | undefined {
  return contextDefinitions.find((definition) => definition.name === name);
}
