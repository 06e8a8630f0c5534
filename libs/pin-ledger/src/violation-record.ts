import { raiseNumber, type ShardMemory } from './shard-memory.js';
import {
  CLOCK,
  KEPT_CELLS,
  KEPT_CELLS_EACH,
  KEPT_NUMBERS,
  KEPT_NUMBERS_EACH,
  KeptCell,
  KeptNumber,
  VIOLATION_COUNTS,
  VIOLATIONS_KEPT,
} from './shard-layout.js';
import { variantNames, type Variant } from './variant.js';
import { violationKindNames, type Violation, type ViolationKind } from './violation.js';

interface RawViolation {
  readonly kind: ViolationKind;
  readonly variant: Variant;
  readonly buffer: number;
  readonly acquireSite: number;
  readonly releaseSite: number;
  readonly segments: number;
  readonly bytes: number;
}

/** Counts a violation, and keeps it with both sites if it is among the first of its shard: those say what began it. */
export function recordViolation({ cells, numbers }: ShardMemory, violation: RawViolation): void {
  const index = countViolations(numbers);
  if (index < VIOLATIONS_KEPT) {
    const at = KEPT_CELLS + index * KEPT_CELLS_EACH;
    cells[at + KeptCell.kind] = violation.kind;
    cells[at + KeptCell.variant] = violation.variant;
    cells[at + KeptCell.buffer] = violation.buffer;
    cells[at + KeptCell.acquireSite] = violation.acquireSite;
    cells[at + KeptCell.releaseSite] = violation.releaseSite;
    cells[at + KeptCell.segments] = violation.segments;
    numbers[KEPT_NUMBERS + index * KEPT_NUMBERS_EACH + KeptNumber.bytes] = violation.bytes;
    numbers[KEPT_NUMBERS + index * KEPT_NUMBERS_EACH + KeptNumber.atMs] = numbers[CLOCK] ?? 0;
  }
  raiseNumber(numbers, VIOLATION_COUNTS + violation.kind, 1);
}

/** How many there were, of all kinds. */
export function countViolations(numbers: Float64Array): number {
  let count = 0;
  for (let kind = 0; kind < violationKindNames.length; kind++) count += numbers[VIOLATION_COUNTS + kind] ?? 0;
  return count;
}

/** Those that were kept, in order. */
export function readViolations({ cells, numbers }: ShardMemory): Violation[] {
  const kept = Math.min(VIOLATIONS_KEPT, countViolations(numbers));
  return Array.from({ length: kept }, (_, index) => {
    const at = KEPT_CELLS + index * KEPT_CELLS_EACH;
    const numbersAt = KEPT_NUMBERS + index * KEPT_NUMBERS_EACH;
    return {
      kind: violationKindNames[cells[at + KeptCell.kind] ?? 0] ?? 'underflow',
      variant: variantNames[cells[at + KeptCell.variant] ?? 0] ?? 'pinned',
      buffer: cells[at + KeptCell.buffer] ?? 0,
      acquireSite: cells[at + KeptCell.acquireSite] ?? 0,
      releaseSite: cells[at + KeptCell.releaseSite] ?? 0,
      segments: cells[at + KeptCell.segments] ?? 0,
      bytes: numbers[numbersAt + KeptNumber.bytes] ?? 0,
      atMs: numbers[numbersAt + KeptNumber.atMs] ?? 0,
    };
  });
}
