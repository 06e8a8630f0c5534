/** `NBD_STATE_…`: flags of an extent of `base:allocation` (section "`base:allocation` metadata context"). */
export const AllocationState = {
  /** Not allocated: a write there may find no space. */
  HOLE: 1 << 0,
  /** Reads as zeroes. */
  ZERO: 1 << 1,
} as const;
