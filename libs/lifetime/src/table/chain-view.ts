import { nodesOf, type Chain } from './field-forest.js';
import { nameOf } from './row.js';

/** A chain as others see it. */
export interface ChainView {
  /** Names of its fields, sorted. */
  readonly fields: readonly string[];
  /** Undefined is a placeholder. */
  readonly allocator: string | undefined;
  /** Rows of programs that are loaded. At zero the chain waits to be walked, or holds a value. */
  readonly liveRows: number;
}

export function viewOf(chain: Chain): ChainView {
  const fields = Array.from(nodesOf(chain), ({ field }) => nameOf(field)).sort();
  return { fields, allocator: chain.allocator, liveRows: chain.liveRows };
}
