import { Count, COUNTS_EACH, SUMS, VIOLATION_COUNTS } from './shard-layout.js';
import { variantNames, type VariantName } from './variant.js';
import { violationKindNames, type ViolationKindName } from './violation.js';

/** What was acquired and released as one variant, in segments and bytes. At rest both are the same (E10). */
export interface VariantTotals {
  readonly acquired: number;
  readonly released: number;
  readonly acquiredBytes: number;
  readonly releasedBytes: number;
}

/** The sums of one shard, or of all. */
export interface LedgerTotals {
  readonly variants: Readonly<Record<VariantName, VariantTotals>>;
  readonly violations: Readonly<Record<ViolationKindName, number>>;
}

/** Sums of nothing, to which those of shards are added. */
export function emptySums(): Float64Array {
  return new Float64Array(SUMS);
}

/**
 * Adds the sums of one shard to others. From the end: what was released is read before what was acquired, so that of a
 * shard that runs there is never more released than acquired.
 */
export function addSums(sums: Float64Array, shard: Float64Array): void {
  for (let at = SUMS - 1; at >= 0; at--) sums[at] = (sums[at] ?? 0) + (shard[at] ?? 0);
}

/** Sums by their names. */
export function totalsOf(sums: Float64Array): LedgerTotals {
  return {
    variants: record(variantNames, (variant) => {
      const at = variant * COUNTS_EACH;
      return {
        acquired: sums[at + Count.acquired] ?? 0,
        released: sums[at + Count.released] ?? 0,
        acquiredBytes: sums[at + Count.acquiredBytes] ?? 0,
        releasedBytes: sums[at + Count.releasedBytes] ?? 0,
      };
    }),
    violations: record(violationKindNames, (kind) => sums[VIOLATION_COUNTS + kind] ?? 0),
  };
}

/** Segments that were acquired and not released; those of a session that runs are read as they change. */
export function outstandingOf({ acquired, released }: VariantTotals): number {
  return Math.max(0, acquired - released);
}

export function outstandingBytesOf({ acquiredBytes, releasedBytes }: VariantTotals): number {
  return Math.max(0, acquiredBytes - releasedBytes);
}

function record<Name extends string, Value>(
  names: readonly Name[],
  valueOf: (index: number) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name, index) => [name, valueOf(index)])) as Record<Name, Value>;
}
