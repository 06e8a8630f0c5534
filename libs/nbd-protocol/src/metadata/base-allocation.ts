import { AllocationState } from '../constants/allocation-states.js';
import { BASE_ALLOCATION } from '../handshake/meta-context.js';
import type { ContextDefinition } from './context-definition.js';

const HOLE = BigInt(AllocationState.HOLE);
const ZERO = BigInt(AllocationState.ZERO);

/** What is allocated, and what reads as zeroes (section "`base:allocation` metadata context"). */
export const baseAllocation: ContextDefinition = {
  name: BASE_ALLOCATION,
  flagBits: 32,
  // A state is told of what has it throughout.
  combine: (some, others) => some & others,
  // "Clients MUST ignore unknown flags."
  describe: (flags) => {
    const states = [...((flags & HOLE) === 0n ? [] : ['hole']), ...((flags & ZERO) === 0n ? [] : ['zero'])];
    return states.length === 0 ? 'data' : states.join(',');
  },
};
