import { HoldfastError } from '@holdfast/foundation';
import type { Extent } from '@holdfast/nbd-client';

/** How much of an export is of one type. */
export interface Total {
  /** Flags of extents. */
  readonly type: bigint;
  readonly bytes: bigint;
  /** Of the size of the export, to six digits. */
  readonly percent: number;
}

/** Types told apart at most: a server could make up a new one for each extent, and every one takes memory. */
export const TYPES_MAX = 65_536;

/** Adds up extents by type. @returns the totals in ascending order of their types */
export async function sumUp(extents: AsyncIterable<Extent>, sizeBytes: bigint): Promise<Total[]> {
  const sums = new Map<bigint, bigint>();
  for await (const { length, flags } of extents) {
    sums.set(flags, (sums.get(flags) ?? 0n) + length);
    if (sums.size > TYPES_MAX) {
      throw new HoldfastError(
        'LIMIT_REACHED',
        `the export has extents of more than ${TYPES_MAX} types: leave --totals out to see them one by one`,
        { limit: 'types of extents' },
      );
    }
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, bytes]) => ({
      type,
      bytes,
      percent: Number(((100 * Number(bytes)) / Number(sizeBytes)).toPrecision(6)),
    }));
}
