import { NativeBuffer } from './native-buffer.js';

/** `struct iovec` (readv(2)): an address and a length, 64 bits each. */
export const IOVEC_BYTES = 16;

const HIGH_WORD = 2 ** 32;

/**
 * Stores a safe integer as 64 bits, in two halves: no BigInt, and so no allocation. Both architectures are little
 * endian; a negative number keeps its sign, so that the kernel can refuse it.
 */
export function storeInteger(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / HIGH_WORD), true);
}

/** Fills the iovec at byte `at` of a buffer's view. */
export function fillIovec(view: DataView, at: number, address: number, length: number): void {
  storeInteger(view, at, address);
  storeInteger(view, at + 8, length);
}

/*
 * Native memory of this thread for what blocking calls take by address. A call fills it and is done with it before
 * it returns, so calls on one thread never meet in it. View and address are taken once: the buffers' own checks
 * would cost more than the stores.
 */
const { view: iovec, address: iovecAddress } = NativeBuffer.allocate(IOVEC_BYTES);
const { view: offset, address: offsetAddress } = NativeBuffer.allocate(8);

/** This thread's iovec for a blocking call, filled; its address. */
export function iovecFor(address: number, length: number): number {
  fillIovec(iovec, 0, address, length);
  return iovecAddress;
}

/** An `off_t` that a blocking call takes by address, filled; its address. */
export function offsetCell(value: number): number {
  storeInteger(offset, 0, value);
  return offsetAddress;
}
