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

const nothing: VariantTotals = { acquired: 0, released: 0, acquiredBytes: 0, releasedBytes: 0 };

export const noTotals: LedgerTotals = totalsOf(
  () => nothing,
  () => 0,
);

export function totalsOf(
  ofVariant: (name: VariantName, variant: number) => VariantTotals,
  ofKind: (name: ViolationKindName, kind: number) => number,
): LedgerTotals {
  return {
    variants: record(variantNames, ofVariant),
    violations: record(violationKindNames, ofKind),
  };
}

export function sumOf(one: LedgerTotals, other: LedgerTotals): LedgerTotals {
  return totalsOf(
    (name) => addUp(one.variants[name], other.variants[name]),
    (name) => one.violations[name] + other.violations[name],
  );
}

/** Segments that were acquired and not released; those of a session that runs are read as they change. */
export function outstandingOf({ acquired, released }: VariantTotals): number {
  return Math.max(0, acquired - released);
}

export function outstandingBytesOf({ acquiredBytes, releasedBytes }: VariantTotals): number {
  return Math.max(0, acquiredBytes - releasedBytes);
}

function addUp(one: VariantTotals, other: VariantTotals): VariantTotals {
  return {
    acquired: one.acquired + other.acquired,
    released: one.released + other.released,
    acquiredBytes: one.acquiredBytes + other.acquiredBytes,
    releasedBytes: one.releasedBytes + other.releasedBytes,
  };
}

function record<Name extends string, Value>(
  names: readonly Name[],
  valueOf: (name: Name, index: number) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name, index) => [name, valueOf(name, index)])) as Record<Name, Value>;
}
