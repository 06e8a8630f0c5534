import { BLOCK_BYTES_MINIMUM_MAX, BLOCK_BYTES_PREFERRED_MIN } from '../limits.js';

/** Constraints on requests, in bytes (section "Block size constraints"). */
export interface BlockSize {
  /** Smallest unit of offset and length: a power of two up to 64 KiB. */
  readonly minimum: number;
  /** What is efficient: a power of two, at least 512 and the minimum. */
  readonly preferred: number;
  /** Longest payload of a request: at least the preferred size. */
  readonly payloadMaximum: number;
}

/** 0xffffffff says that there is no fixed limit. */
const UINT32_MAX = 0xffff_ffff;

/** What the specification forbids about block sizes, as a sentence without its end; undefined if nothing (T5). */
export function blockSizeFault({ minimum, preferred, payloadMaximum }: BlockSize): string | undefined {
  if (!isPowerOfTwo(minimum) || minimum > BLOCK_BYTES_MINIMUM_MAX) {
    return `the minimum block size must be a power of two up to ${String(BLOCK_BYTES_MINIMUM_MAX)}`;
  }
  const preferredMin = Math.max(minimum, BLOCK_BYTES_PREFERRED_MIN);
  if (!isPowerOfTwo(preferred) || preferred < preferredMin) {
    return `the preferred block size must be a power of two from ${String(preferredMin)}`;
  }
  if (!Number.isInteger(payloadMaximum) || payloadMaximum < preferred || payloadMaximum > UINT32_MAX) {
    return `the maximum payload must be at least the preferred block size, ${String(preferred)}`;
  }
  return undefined;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
